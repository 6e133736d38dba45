"""Descriptions and names that nobody wrote: what cameras, telephones and programs fill in by themselves."""

import re
import unicodedata
from typing import Final

_KIND: Final = r"\.(?:jpe?g|png|tiff?|heic|heif|avif|webp|gif|dng|nef|cr[23]|arw|raf|psd|bmp)"
_FILE: Final = re.compile(rf"(?:[\w\-. ():]+[\\/])*[\w\-. ()]+{_KIND}", re.IGNORECASE)
_ADDRESS: Final = re.compile(r"[a-z]+://\S+", re.IGNORECASE)
_NAME_OF_FILE: Final = re.compile(r"(?=[!-~]*(?:\d{3}|_))[!-~]+|[0-9a-fA-F-]{16,}")
"""One word of ASCII with an underscore or three digits, such as mmexport1714810830, or a number of sixteen
digits. Words in other scripts may be whole sentences.
"""
_NOTHING: Final = frozenset(
    "n/a,n.a,digitalcamera,exif_jpeg_picture,exif jpeg,jpeg image,cof,oznor,hdr,hdrpl,sdr,rhdr,dav,edf,fbt,"
    "rbt,ptr,mde,nor,bty,sonorous,my beautiful picture,binary comment,file source,ascii,fullsizerender,"
    "imagedescription".split(",")
)
_NAMELESS: Final = frozenset(
    "a,add,an,at,by,copia,copie,copy,de,di,enter,here,kopie,no,none,null,of,ohne,sans,senza,sin,um,von,your,"
    "beschreibung,bild,bildschirmfoto,capture,caption,default,desc,description,document,dsc,dcim,export,foto,image,img,"
    "imagen,jpeg,jpg,photo,picture,png,scan,scanned,screen,screenshot,shot,test,titel,title,titre,titulo,título,"
    "untitled,unknown,unbenannt,unbekannt,inconnu,desconocido,pic,whatsapp,xxx,"
    "cimg,dji,dscf,dscn,gopr,imgp,mvi,pxl".split(",")
)
"""A text of only these words and numbers names nothing that the picture shows."""
_MACHINE: Final = frozenset(
    "digital,camera,digitalcamera,still,stillcamera,dsc,jpeg,exif,picture,pictures,photo,image,cam,phone,mobile,a,by,"
    "from,with".split(",")
)
_MAKERS: Final = frozenset(
    "canon,casio,digimax,fujifilm,kenox,kodak,konica,minolta,nikon,olympus,panasonic,pentax,ricoh,samsung,sony".split(
        ","
    )
)
_PROGRAM: Final = re.compile(
    r"(?:created|edited|generated|made|optimi[sz]ed|processed|shot|taken) (?:by|in|on|using|with) "
    r"(?:my |the )?"
    r"(?:adobe|b612|canva|facetune|gimp|huawei|imagemagick|inshot|instagram|iphone|lightroom|meitu|mi|oneplus|oppo"
    r"|paint|photoshop|picsart|pixel|polish|realme|redmi|samsung|snapchat|snapseed|vivo|vsco|xiaomi)\b[^,.;:]{0,40}"
)


def is_written(text: str, machine: str) -> bool:
    """Return whether somebody wrote a text; `machine` is the name of the camera and its maker."""
    plain = " ".join(text.split()).strip("\0 .<>[]()").casefold()
    words = set(re.findall(r"[^\W\d_]+", plain))
    if not any(unicodedata.category(character)[0] == "L" for character in plain):
        return False
    if plain in _NOTHING or words <= _NAMELESS or _PROGRAM.fullmatch(plain):
        return False
    if any(pattern.fullmatch(text.strip()) for pattern in (_FILE, _ADDRESS, _NAME_OF_FILE)):
        return False
    return not _names_machine(plain, machine)


def _names_machine(plain: str, machine: str) -> bool:
    """Return whether a text is only the name of a camera, with words that cameras add to it."""
    words = {word for word in re.findall(r"\w+", plain) if not word.isdecimal()}
    named = set(re.findall(r"\w+", machine.casefold()))
    models = {word for word in words if any(map(str.isdecimal, word))} if words & _MAKERS else set[str]()
    is_bare = words - _MACHINE <= named | _MAKERS | models
    return is_bare and bool(words & named or len(words & (_MACHINE | _MAKERS | models)) > 1)
