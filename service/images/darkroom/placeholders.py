"""Descriptions that nobody wrote: what cameras, phones and programs fill in by themselves."""

import re
import unicodedata
from typing import Final

_FILE: Final = re.compile(
    r"(?:[\w\-. ()]+[\\/])*[\w\-. ()]+\.(?:jpe?g|png|tiff?|heic|heif|avif|webp|gif|dng|nef|cr[23]|arw|raf|psd|bmp)",
    re.IGNORECASE,
)
_NUMBERED: Final = re.compile(
    r"(?:img|dsc[nf]?|dscf|_dsc|_mg|pxl|mvi|gopr|dji|wp|sam|cimg|imgp|kimg|image|photo|picture|screenshot|p|untitled)"
    r"[ _\-]?\d[\d_\-. ]*",
    re.IGNORECASE,
)
_NOTHING: Final = frozenset(
    "default,none,null,n/a,untitled,unknown,description,no description,image description,imagedescription,caption,"
    "image,photo,picture,screenshot,exif_jpeg_picture,exif jpeg,jpeg image,cof,oznor,hdr,hdrpl,sdr,rhdr,dav,edf,fbt,"
    "rbt,ptr,mde,nor,bty,sonorous,my beautiful picture,test".split(",")
)
_MACHINE: Final = frozenset(
    "digital,camera,still,dsc,jpeg,exif,picture,photo,image,cam,phone,mobile,a,by,from,with".split(",")
)


def is_written(text: str, machine: str) -> bool:
    """Whether somebody wrote a description; `machine` is the name of the camera and its maker."""
    plain = " ".join(text.split()).strip("\0 .<>[]()").casefold()
    if not any(unicodedata.category(character)[0] == "L" for character in plain):
        return False
    if plain in _NOTHING or _FILE.fullmatch(text.strip()) or _NUMBERED.fullmatch(plain):
        return False
    if text.isupper() and plain.endswith("digital camera"):
        return False
    words = set(re.findall(r"\w+", plain))
    named = set(re.findall(r"\w+", machine.casefold()))
    camera_words = words - _MACHINE
    # A text of nothing but the camera's names and such words, of which at least one names it.
    return not (words and camera_words <= named and (words & named or {"digital", "camera"} <= words))
