"""Whether bytes are a picture of a kind that this service takes: decided by decoding them, never by their name or header.

The pixel limit is checked against the picture's own header before a pixel is decoded. Of a moving picture the first frame is
decoded. Whatever Pillow warns of while it decodes refuses the picture.
"""

import struct
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path

from PIL import ExifTags, Image, UnidentifiedImageError

from service.errors import Unprocessable, UnsupportedMediaType

CONTENT_TYPES = {
    "JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "GIF": "image/gif", "AVIF": "image/avif",
}  # fmt: skip
"""Pillow's formats that are taken, and their media types. MPO is what many cameras write: a JPEG with more of them behind it."""
_TAKEN = ("JPEG", "PNG", "WEBP", "GIF", "AVIF")
_SIDEWAYS = frozenset({5, 6, 7, 8})
# What Pillow raises for damaged files, over all its decoders.
_DAMAGE = (
    OSError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, EOFError, RuntimeError, MemoryError,
    struct.error, zlib.error, Warning, Image.DecompressionBombError,
)  # fmt: skip

# For the whole process, once: `catch_warnings` is not safe with threads. Pillow's own bomb check, whose limit cannot be set per
# picture, is left out, since `_refuse_huge` checks against the setting.
warnings.filterwarnings("error", module=r"PIL\.")
Image.MAX_IMAGE_PIXELS = None


class UnknownPicture(UnsupportedMediaType):
    """The bytes are not a picture that this service takes: JPEG, PNG, WebP, GIF or AVIF."""

    title = "Not a picture that this service takes"


class DamagedPicture(Unprocessable):
    """The file begins like a picture but cannot be decoded: it is cut off or damaged."""

    title = "The picture cannot be decoded"


class TooManyPixels(Unprocessable):
    """The picture has more pixels than this service takes; `limit` says how many that are."""

    title = "Too many pixels"


@dataclass(frozen=True, slots=True)
class Picture:
    """What decoding found.

    Width and height, in pixels, are those of the upright picture: EXIF orientations that lay it on its side swap them.
    """

    content_type: str
    width: int
    height: int


def inspect(path: Path, max_pixels: int) -> Picture:
    """Decode a file. Raises UnknownPicture, TooManyPixels and DamagedPicture."""
    try:
        with _open(path) as opened:
            _refuse_huge(opened, max_pixels)
            kind = CONTENT_TYPES[opened.format or ""]
            opened.verify()
        # A verified picture is used up: it must be opened again to be loaded.
        with _open(path) as picture:
            picture.load()
            width, height = picture.size
            upright = _orientation(picture) not in _SIDEWAYS
    except _DAMAGE as fault:
        raise DamagedPicture("The file cannot be decoded: it is cut off or damaged.") from fault
    return Picture(kind, width, height) if upright else Picture(kind, height, width)


def _open(path: Path) -> Image.Image:
    try:
        return Image.open(path, formats=_TAKEN)
    except UnidentifiedImageError as fault:
        raise UnknownPicture("The file is not a JPEG, PNG, WebP, GIF or AVIF picture.") from fault


def _refuse_huge(picture: Image.Image, max_pixels: int) -> None:
    width, height = picture.size
    if width * height > max_pixels:
        message = f"The picture has {width} × {height} pixels; at most {max_pixels} are taken."
        raise TooManyPixels(message, limit=max_pixels)


def _orientation(picture: Image.Image) -> int:
    try:
        found = picture.getexif().get(ExifTags.Base.Orientation)
    except _DAMAGE:
        # Many good photographs carry broken EXIF. It is no reason to refuse them.
        return 1
    return found if isinstance(found, int) else 1
