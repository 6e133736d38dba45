"""Whether bytes are a picture of a kind that this service takes: decided by decoding them, never by their
name or header.

The pixel limit is checked against the picture's own header before a pixel is decoded. Of a moving picture the
first frame is decoded. Whatever Pillow warns of while it decodes refuses the picture.
"""

import io
import resource
import struct
import sys
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import BinaryIO

from PIL import AvifImagePlugin, ExifTags, Image, ImageCms, ImageFile, UnidentifiedImageError

from service.images.darkroom.jobs import Refusal

CONTENT_TYPES = {
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "AVIF": "image/avif",
}
"""Pillow's formats that are taken, and their media types. MPO is what many cameras write: a JPEG with more of
them behind it.
"""
_TAKEN = ("JPEG", "PNG", "WEBP", "GIF", "AVIF")
# What each EXIF orientation asks for, and whether it swaps the sides.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS = frozenset({5, 6, 7, 8})
# What Pillow raises for damaged files, over all its decoders.
DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    EOFError,
    RuntimeError,
    AttributeError,
    struct.error,
    zlib.error,
    Warning,
    Image.DecompressionBombError,
)
# Bytes for each pixel in decoders that hold a picture several times, and call it damaged when they do not get
# them.
_COSTS = {"WEBP": 12, "AVIF": 9}
_SRGB = ImageCms.createProfile("sRGB")

# Pillow's own bomb check, whose limit cannot be set per picture, is left out, since `_refuse_huge` checks
# against the setting.
warnings.filterwarnings("error", module=r"PIL\.")
Image.MAX_IMAGE_PIXELS = None
# A darkroom may make no threads, and has one job at a time.
AvifImagePlugin.DEFAULT_MAX_THREADS = 1


@contextmanager
def refusing() -> Iterator[None]:
    """Turn what decoders raise for damaged files, and want of memory, into refusals."""
    try:
        yield
    except MemoryError:
        raise Refusal("memory", "The picture takes more memory to decode than a picture is given.") from None
    except DAMAGE as fault:
        raise Refusal("damaged", "The file cannot be decoded: it is cut off or damaged.") from fault


@lru_cache(maxsize=1)
def memory() -> int:
    """Return the bytes that this process may take. It is asked before the process is locked, which denies it."""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return sys.maxsize if limit == resource.RLIM_INFINITY else limit


def open_picture(file: BinaryIO, max_pixels: int) -> ImageFile.ImageFile:
    """Open a picture, decoding nothing yet. The file stays open afterwards. Raises Refusal."""
    file.seek(0)
    try:
        opened = Image.open(file, formats=_TAKEN)
    except UnidentifiedImageError:
        raise Refusal("unknown", "The file is not a JPEG, PNG, WebP, GIF or AVIF picture.") from None
    assert isinstance(opened, ImageFile.ImageFile)
    width, height = opened.size
    if width * height > max_pixels:
        raise Refusal("pixels", f"The picture has {width} × {height} pixels; at most {max_pixels} are taken.")
    if width * height * _COSTS.get(opened.format or "", 0) > memory():
        raise Refusal(
            "memory", f"The picture has {width} × {height} pixels, more than fit into memory in this format."
        )
    return opened


def orientation_of(picture: Image.Image) -> int:
    """The EXIF orientation, 1 to 8. Many good photographs carry broken EXIF, which is no reason to refuse
    them.
    """
    try:
        found = picture.getexif().get(ExifTags.Base.Orientation)
    except DAMAGE:
        return 1
    return found if isinstance(found, int) and found in _TURNS else 1


def is_sideways(orientation: int) -> bool:
    """Whether the orientation swaps width and height."""
    return orientation in _SIDEWAYS


def decode(opened: ImageFile.ImageFile, width: float, height: float) -> Image.Image:
    """Decode as it lies in the file, no larger than helps a print of this size, in a mode that can be scaled:
    L, RGB, RGBA or CMYK.

    A JPEG is scaled by its own decoder, which then needs a fraction of the time and a sixteenth of the
    memory.
    """
    opened.draft(opened.mode, (max(1, round(width)), max(1, round(height))))
    opened.load()
    picture: Image.Image = _scalable(opened)
    factor = int(min(picture.width / max(width, 1), picture.height / max(height, 1)))
    return picture.reduce(factor) if factor > 1 else picture


def _scalable(picture: Image.Image) -> Image.Image:
    if picture.mode in ("L", "RGB", "RGBA", "CMYK"):
        return picture
    if picture.mode.startswith("I") or picture.mode == "F":
        # 16 bits of grey: Pillow would cut off above 255 where it should divide.
        return picture.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    return picture.convert("RGBA" if picture.has_transparency_data else "RGB")


def upright(picture: Image.Image, orientation: int) -> Image.Image:
    """Turn a picture as its EXIF orientation says."""
    turn = _TURNS.get(orientation)
    return picture if turn is None else picture.transpose(turn)


def in_srgb(picture: Image.Image, profile: object) -> Image.Image:
    """The picture in sRGB. A profile that is broken, or not for such a picture, counts as none."""
    target = "RGBA" if picture.mode == "RGBA" else "RGB"
    if isinstance(profile, bytes) and profile:
        try:
            converted = ImageCms.profileToProfile(
                picture, ImageCms.ImageCmsProfile(io.BytesIO(profile)), _SRGB, outputMode=target
            )
        except (ImageCms.PyCMSError, *DAMAGE):
            converted = None
        if converted is not None:
            return converted
    return picture if picture.mode == target else picture.convert(target)


def on_white(picture: Image.Image) -> Image.Image:
    """The picture without transparency, as it looks on paper."""
    if picture.mode != "RGBA":
        return picture
    paper = Image.new("RGB", picture.size, "white")
    paper.paste(picture, mask=picture.getchannel("A"))
    return paper
