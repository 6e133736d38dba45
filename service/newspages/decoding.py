"""Decode the bytes of pages and dumps as the WHATWG Encoding Standard says: its labels, its tables, and
U+FFFD for each byte or pair of bytes that means nothing.

`webencodings` knows the labels. Python's codecs do the work, and differ from the standard's tables in a few
hundred characters, which are corrected here. `tests/formats/test_page_encodings.py` compares whole tables.
"""

import codecs
import re
from collections.abc import Mapping
from contextlib import suppress

import webencodings

from service.newspages.page import NotAnArticle

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16le"), (codecs.BOM_UTF16_BE, "utf-16be"))
_NOTHING = "\ufffd"
# Big5 of the standard beside Python's `big5hkscs`: runs of characters, each after the two bytes of its first.
_BIG5_RUNS = """
877a㡵𡵓𣚞𦀡㻬𥣞㫵竼龗𤅡𨤍𣇪𠪊𣉞䌊蒄龖鐯䤰蘓墖靊鈘秐稲晠権袝瑌篅枂稬剏遆㓦珄𥶹瓆鿇垳䤯呌䄱𣚎堘穲𧭥讏䚮𦺈䆁𥶙箮𢒼鿈𢓁𢓉𢓌鿉蔄𣖻䂴鿊䓡𪷿拁灮鿋
8e69箸 8e6f簆 8e7e糎 8eab緒 8eb4縝 8ecd者 8ed0耨 8f57菁 8f69蒨 8f6e萏 8fcb覦覩 8ffe起 906d都 907a銹 90dc靜 90f1響
91bf鼖 9244蔃 92af兙兛兝兞 92c8鍮 92d1瑹 9447浧 94ca禛 95d9邗 9644靝 96ed瀞 96fc嬨 9b76爁 9b78矗 9b7b纇 9bc6駖 9bde釔
9bec惞 9bf6澶 9c42輶 9c53侻 9c62營 9c68鄄 9c6b鷰 9c77菏 9cbc尐秣 9cd0婧 9d57輋 9d5a筑 9dc4拐 9ea9恢 9eef痹 9efd汊
9f60鬮 9f66鼗 9fcb僭 9fd8弌 a063蠏 a077拎 a0d5瑨 a0df煢 a0e4牐 a145‧ a14e﹑ a1c2¯ a1e3～ a1f2⊕⊙ a244￥ a246￠￡
a3c0␀␁␂␃␄␅␆␇␈␉␊␋␌␍␎␏␐␑␒␓␔␕␖␗␘␙␚␛␜␝␞␟␡€ c6cf廴 c6d3无 c6d5癶 c6d7隶 c6de〃仝 fa5f倩 fa66偽 fabd包 fac5卄
fad5卿 fb48嘅 fbb8婷 fbf3幵 fbf9廐 fc4f彘 fc6c悤 fcb9撐 fce2晴 fcf1杞 fdb7沜渝 fdbb港 fdf1煮 fe52猪 fe6f瑜 feaa瓩 fedd砉
"""
_GB18030 = str.maketrans(
    "\ue5e5\ue78d\ue78e\ue78f\ue790\ue791\ue792\ue793\ue794\ue795\ue796\ue7c7\ue81e\ue826\ue82b\ue82c\ue832\ue843\ue854\ue864",
    "\u3000︐︒︑︓︔︕︖︗︘︙ḿ龴龵龶龷龸龹龺龻",
)
_KOI8_U = str.maketrans("╝╬", "ўЎ")
_SHIFT_JIS = dict.fromkeys(map(ord, "\xa0\uf8f0\uf8f1\uf8f2\uf8f3"), _NOTHING)
_EUC_JP = str.maketrans("〜‖−¢£¬", "～∥－￠￡￢")
_ESCAPES = re.compile(rb"\x1b(\([BJI]|\$[@B])")
_RAISED = bytes(byte | 0x80 if 0x20 < byte < 0x7F else byte for byte in range(256))
_KANA = {byte: byte - 0x21 + 0xFF61 for byte in range(0x21, 0x60)}
_ROMAN = str.maketrans("\\~", "¥‾")


def label(named: str | None) -> str | None:
    """Return the standard's name of the encoding that a page or its server names, None for an
    unknown name.
    """
    found = webencodings.lookup((named or "").strip())
    return found.name if found else None


def marked(data: bytes) -> str | None:
    """Return the encoding that a byte order mark tells."""
    return next((name for mark, name in _MARKS if data.startswith(mark)), None)


def decode(data: bytes, name: str) -> str:
    """Return the text of bytes in the encoding of that standard name.

    Raises `NotAnArticle` for the encodings that the standard has browsers refuse.
    """
    if name == "replacement":
        raise NotAnArticle("The page is in an encoding that browsers no longer read.")
    if name in _READERS:
        return _READERS[name](data)
    codec = webencodings.lookup(name)
    assert codec is not None
    python_codec, corrections = _CORRECTED.get(name, (codec.codec_info.name, {}))
    handler = "replace" if name.startswith("utf-") else _MENDS
    text = data.decode(python_codec, handler).removeprefix("\ufeff")
    return text.translate(corrections) if corrections else text


def read_text(data: bytes, charset: str | None) -> str:
    """Return the text of a dump: by its byte order mark, else as its sender says, else as UTF-8.

    Raises `NotAnArticle` when the bytes are not that, or the standard does not know the charset.
    """
    name = marked(data) or (label(charset) if charset else "utf-8")
    if name is None:
        raise NotAnArticle(f"The character set {charset!r} is not one that browsers know.")
    text = decode(data, name)
    if _NOTHING in text and _NOTHING.encode() not in data:
        raise NotAnArticle(f"The text is not in {name}. Save it as UTF-8, or name its character set.")
    return text


def _euc_jp(data: bytes) -> str:
    # JIS X 0212 has a tilde, which the standard writes as the wave of JIS X 0208.
    return data.replace(b"\x8f\xa2\xb7", b"\xa1\xc1").decode("euc_jp", _MENDS).translate(_EUC_JP)


def _windows_1255(data: bytes) -> str:
    # Python's codec lacks one vowel point.
    return "\u05ba".join(part.decode("cp1255", _MENDS) for part in data.split(b"\xca"))


def _iso_2022_jp(data: bytes) -> str:
    first, *rest = _ESCAPES.split(data)
    parts = [first.decode("ascii", "replace")]
    for escape, part in zip(rest[::2], rest[1::2], strict=True):
        if escape.startswith(b"$"):
            parts.append(_euc_jp(part.translate(_RAISED)))
        else:
            text = part.decode("ascii", "replace")
            parts.append(text.translate({b"(I": _KANA, b"(J": _ROMAN}.get(escape, {})))
    return "".join(parts)


def _big5_pairs() -> dict[bytes, str]:
    """Return the characters by their two bytes; the second is 40 to 7E or A1 to FE."""
    pairs: dict[bytes, str] = {}
    for run in _BIG5_RUNS.split():
        lead, trail = bytes.fromhex(run[:4])
        for character in run[4:]:
            pairs[bytes((lead, trail))] = character
            trail = 0xA1 if trail == 0x7E else trail + 1
    return pairs


def _strictly(pair: bytes, codec: str) -> str | None:
    with suppress(UnicodeDecodeError):
        return pair.decode(codec)
    return None


_BIG5 = _big5_pairs()
_BIG5_OTHERS = {
    ord(other): character
    for pair, character in _BIG5.items()
    if (other := _strictly(pair, "big5hkscs")) is not None
}


def _mend(error: UnicodeError) -> tuple[str, int]:
    """Return what the standard has where Python's codec found nothing, and where to go on."""
    assert isinstance(error, UnicodeDecodeError)
    lead, pair, place = error.object[error.start], error.object[error.start : error.start + 2], error.start
    if error.encoding == "charmap":
        return (chr(lead) if lead < 0xA0 else _NOTHING), place + 1
    if error.encoding == "gb18030" and lead == 0x80:
        return "€", place + 1
    known = _BIG5.get(pair) if error.encoding == "big5hkscs" else None
    known = _of_jis_0208(pair) if error.encoding == "euc_jp" else known
    # A second byte that is ASCII is read again: a cut character must not swallow the markup after it.
    wrong = 2 if 0x80 < lead < 0xFF and pair[1:] >= b"\x80" else 1
    return (known, place + 2) if known else (_NOTHING, place + wrong)


def _of_jis_0208(pair: bytes) -> str | None:
    """Return the character of two EUC-JP bytes by way of Shift_JIS, whose Python codec has all rows."""
    if len(pair) < 2 or min(pair) < 0xA1 or max(pair) > 0xFE:
        return None
    row, cell = pair[0] - 0xA1, pair[1] - 0xA1
    lead, trail = row // 2 + (0x81 if row < 0x3E else 0xC1), cell + (0x9F if row % 2 else 0x40)
    trail += not row % 2 and trail > 0x7E
    return _strictly(bytes((lead, trail)), "cp932")


_MENDS = "copydesk.pages"
codecs.register_error(_MENDS, _mend)  # Python finds an error handler by its name alone.
_CORRECTED: dict[str, tuple[str, Mapping[int, str | int]]] = {
    "big5": ("big5hkscs", _BIG5_OTHERS),
    "gbk": ("gb18030", _GB18030),
    "gb18030": ("gb18030", _GB18030),
    "koi8-u": ("koi8-u", _KOI8_U),
    "shift_jis": ("cp932", _SHIFT_JIS),
}
_READERS = {"euc-jp": _euc_jp, "iso-2022-jp": _iso_2022_jp, "windows-1255": _windows_1255}
