"""Open a file as the picture that its first bytes say it is, with what it says of itself and of its colours.

The decoders get pixels alone where that can be parted: a file's animation, further pictures and metadata may
be broken without any harm to the picture. Its orientation is EXIF's, or what an AVIF's own boxes say; that of
XMP is ignored, as browsers do and the Metadata Working Group asks.
"""

import resource
import struct
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import BinaryIO

from PIL import (
    AvifImagePlugin,
    ExifTags,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
)

from service.images.darkroom import boxes, colours, exif, gif, iim, jpeg, png
from service.images.darkroom.jobs import Refusal
from service.images.darkroom.parts import parts_of
from service.images.darkroom.refusing import DAMAGE

# Bytes for each pixel in decoders that hold a picture several times, and call it damaged when they do not get
# them.
_COSTS = {"image/webp": 12, "image/avif": 9}
_HEIC = (
    "HEIC pictures are not taken: their codec is patented, and no open decoder is free of that. Send a JPEG;"
    " iPhones write it with Settings, Camera, Formats, Most Compatible, and convert when a picture is shared."
)
# A darkroom may make no threads, and has one job at a time.
AvifImagePlugin.DEFAULT_MAX_THREADS = 1
# Pillow's own limit cannot be set per picture: the setting is checked here instead.
Image.MAX_IMAGE_PIXELS = None


@dataclass(frozen=True, slots=True)
class Opened:
    """A picture that is open and not decoded yet, and what stands around its pixels."""

    content_type: str
    pixels: ImageFile.ImageFile
    exif: Image.Exif
    packets: tuple[bytes, ...] = ()
    iim: bytes = b""
    texts: Mapping[str, bytes] = field(default_factory=dict)
    credentials: bytes = b""
    profile: bytes | None = None
    aperture: boxes.Aperture | None = None
    key_bits: int = 8

    @property
    def size(self) -> tuple[int, int]:
        """Return width and height of what is to be seen, as it lies in the file."""
        left, top, right, bottom = self.aperture or (0, 0, *self.pixels.size)
        return right - left, bottom - top

    @property
    def orientation(self) -> int:
        """From 1 to 8, as EXIF counts."""
        with suppress(*DAMAGE):
            found = self.exif.get(ExifTags.Base.Orientation)
            return found if isinstance(found, int) and 1 <= found <= 8 else 1
        return 1


@lru_cache(maxsize=1)
def memory() -> int:
    """Return the bytes that this process may take. It is asked before the process is locked,
    which denies it.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return sys.maxsize if limit == resource.RLIM_INFINITY else limit


def open_picture(file: BinaryIO, max_pixels: int) -> Opened:
    """Open a picture, decoding nothing yet. The file stays open afterwards. Raises Refusal, and what is
    DAMAGE.
    """
    file.seek(0)
    head = file.read(256)
    file.seek(0)
    opened = _open(file, head)
    width, height = opened.pixels.size
    if width * height > max_pixels:
        raise Refusal("pixels", f"The picture has {width} × {height} pixels; at most {max_pixels} are taken.")
    if width * height * _COSTS.get(opened.content_type, 0) > memory():
        raise Refusal(
            "memory", f"The picture has {width} × {height} pixels, more than fit into memory in this format."
        )
    return opened


def _open(file: BinaryIO, head: bytes) -> Opened:
    brands = boxes.brands(head)
    if head.startswith(jpeg.START):
        return _jpeg(file)
    if head.startswith(png.SIGNATURE):
        return _png(file)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return _webp(file, WebPImagePlugin.WebPImageFile(file))
    if head.startswith((b"GIF87a", b"GIF89a")):
        return _gif(file)
    if brands & boxes.AV1:
        return _avif(file, AvifImagePlugin.AvifImageFile(file))
    if brands & boxes.HEVC:
        raise Refusal("unknown", _HEIC)
    raise Refusal("unknown", "The file is not a JPEG, PNG, WebP, GIF or AVIF picture.")


def _jpeg(file: BinaryIO) -> Opened:
    found = jpeg.read(file)
    return Opened(
        "image/jpeg",
        JpegImagePlugin.JpegImageFile(parts_of(file, found.pixels)),
        exif.read(found.exif),
        found.packets,
        iim=iim.block(found.photoshop),
        credentials=found.credentials,
        profile=found.profile,
    )


def _gif(file: BinaryIO) -> Opened:
    return Opened("image/gif", GifImagePlugin.GifImageFile(file), exif.read(b""), _bytes(gif.packet(file)))


def _png(file: BinaryIO) -> Opened:
    found = png.read(file)
    packets = (found.texts.get("XML:com.adobe.xmp", b""), found.profile("xmp"))
    return Opened(
        "image/png",
        PngImagePlugin.PngImageFile(parts_of(file, found.pixels)),
        exif.read(found.exif or found.profile("exif") or found.profile("APP1")),
        tuple(packet for packet in packets if packet),
        iim=iim.block(found.profile("iptc")),
        texts=found.texts,
        credentials=found.credentials,
        profile=_png_profile(found.colours),
        key_bits=found.bits,
    )


def _png_profile(said: dict[bytes, bytes]) -> bytes | None:
    """Return the first of cICP, iCCP, sRGB, and gAMA with cHRM (PNG specification, 4.3)."""
    cicp, gamma, chromaticities = said.get(b"cICP", b""), said.get(b"gAMA", b""), said.get(b"cHRM", b"")
    if len(cicp) == 4 and cicp[2] == 0:
        return colours.of_cicp(cicp[0], cicp[1])
    if b"iCCP" in said:
        return png.unpacked(said[b"iCCP"].partition(b"\0")[2][1:]) or None
    if b"sRGB" in said or (not gamma and not chromaticities):
        return None
    primaries = colours.SRGB
    if len(chromaticities) == 32:
        values = [value / 100_000 for value in struct.unpack(">8I", chromaticities)]
        primaries = (*values[:2], *values[2:4], *values[4:6], *values[6:8])
    return colours.of_gamma(int.from_bytes(gamma) / 100_000 if len(gamma) == 4 else 0.0, primaries)


def _webp(file: BinaryIO, pixels: WebPImagePlugin.WebPImageFile) -> Opened:
    info = pixels.info
    return Opened(
        "image/webp",
        pixels,
        exif.read(info.get("exif") or b""),
        _bytes(info.get("xmp")),
        credentials=_riff_chunk(file, b"C2PA"),
        profile=info.get("icc_profile"),
    )


def _riff_chunk(file: BinaryIO, wanted: bytes) -> bytes:
    at = 12
    while True:
        file.seek(at)
        head = file.read(8)
        if len(head) < 8:
            return b""
        length = int.from_bytes(head[4:], "little")
        if head[:4] == wanted:
            return file.read(length)
        at += 8 + length + length % 2


def _avif(file: BinaryIO, pixels: AvifImagePlugin.AvifImageFile) -> Opened:
    file.seek(0)
    data = file.read()
    said = boxes.properties(data, pixels.size)
    profile = pixels.info.get("icc_profile") or (colours.of_cicp(*said.cicp) if said.cicp else None)
    return Opened(
        "image/avif",
        pixels,
        # The decoder writes into it how the boxes say that the picture is turned.
        exif.read(pixels.info.get("exif") or b""),
        _bytes(pixels.info.get("xmp")),
        credentials=boxes.credentials(data),
        profile=profile,
        aperture=said.aperture,
    )


def _bytes(packet: object) -> tuple[bytes, ...]:
    return (packet,) if isinstance(packet, bytes) and packet else ()
