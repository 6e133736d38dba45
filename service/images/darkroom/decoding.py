"""Decode the pixels of an opened picture, turn them upright, and bring them into sRGB. Of a moving picture
that is the first frame.
"""

import io

from PIL import Image, ImageCms

from service.images.darkroom.opening import Opened
from service.images.darkroom.refusing import DAMAGE

# The turn that each EXIF orientation asks for, and whether it swaps the sides.
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
_SRGB = ImageCms.createProfile("sRGB")


def is_sideways(orientation: int) -> bool:
    """Return whether the orientation swaps width and height."""
    return orientation in _SIDEWAYS


def decode(opened: Opened, width: float, height: float) -> Image.Image:
    """Decode what is to be seen as it lies in the file, no larger than helps a print of this size, in a mode
    that can be scaled: L, RGB, RGBA or CMYK.

    A JPEG is scaled by its own decoder, which then needs a fraction of the time and a sixteenth of the
    memory.
    """
    opened.pixels.draft(opened.pixels.mode, (max(1, round(width)), max(1, round(height))))
    opened.pixels.load()
    picture = _scalable(opened.pixels, opened.key_bits)
    if opened.aperture is not None:
        picture = picture.crop(opened.aperture)
    factor = int(min(picture.width / max(width, 1), picture.height / max(height, 1)))
    return picture.reduce(factor) if factor > 1 else picture


def _scalable(picture: Image.Image, bits: int) -> Image.Image:
    key = picture.info.get("transparency")
    if picture.mode.startswith("I") or picture.mode == "F":
        return _of_sixteen_bits(picture, key)
    if key is None and picture.mode in ("L", "RGB", "RGBA", "CMYK"):
        return picture
    if picture.mode in ("L", "RGB") and key is not None:
        picture.info["transparency"] = _key_of_eight_bits(key, bits)
    return picture.convert("RGBA" if picture.has_transparency_data else "RGB")


def _of_sixteen_bits(picture: Image.Image, key: object) -> Image.Image:
    """Grey of eight bits, transparent where the colour is the key."""
    whole = picture.convert("I")
    # Pillow would cut off above 255 where it should divide.
    grey = whole.point(lambda value: value * (1 / 256)).convert("L")
    if not isinstance(key, int):
        return grey
    alpha = whole.point([0 if value == key else 255 for value in range(65_536)], "L")
    return Image.merge("LA", (grey, alpha)).convert("RGBA")


def _key_of_eight_bits(key: object, bits: int) -> object:
    """Return the colour that is transparent, in a PNG as many bits deep, as Pillow decodes it: grey of few
    bits stretched, of sixteen bits the upper eight.
    """
    if isinstance(key, int):
        return key * 255 // ((1 << bits) - 1) if bits < 8 else key
    return tuple(value >> 8 for value in key) if isinstance(key, tuple) and bits == 16 else key


def upright(picture: Image.Image, orientation: int) -> Image.Image:
    """Turn a picture as its orientation says."""
    turn = _TURNS.get(orientation)
    return picture if turn is None else picture.transpose(turn)


def in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """Return the picture in sRGB. A profile that is broken, or not for such a picture, counts as none."""
    target = "RGBA" if picture.mode == "RGBA" else "RGB"
    if profile:
        is_coloured_grey = picture.mode == "L" and profile[16:20] == b"RGB "
        source = picture.convert("RGB") if is_coloured_grey else picture
        try:
            converted = ImageCms.profileToProfile(
                source, ImageCms.ImageCmsProfile(io.BytesIO(profile)), _SRGB, outputMode=target
            )
        except (ImageCms.PyCMSError, *DAMAGE):
            converted = None
        if converted is not None:
            return converted
    return picture if picture.mode == target else picture.convert(target)


def on_white(picture: Image.Image) -> Image.Image:
    """Return the picture without transparency, as it looks on paper."""
    if picture.mode != "RGBA":
        return picture
    paper = Image.new("RGB", picture.size, "white")
    paper.paste(picture, mask=picture.getchannel("A"))
    return paper
