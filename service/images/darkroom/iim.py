"""Read the texts of IPTC-IIM, in the character set that dataset 1:90 declares (ISO 2022 escape sequences)."""

import codecs
import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

Texts = dict[tuple[int, int], list[str]]
_CHARSET: Final = (1, 90)
_MOST = 2_000
_RESOURCE: Final = b"8BIM"
_IIM: Final = 0x0404
_DESIGNATION: Final = re.compile(rb"\x1b(?:(%/?)[GHI]|[-./](.)|\$[)*+](.)|(\$)[@B])", re.DOTALL)
"""UTF-8, a set of one byte, a set of two bytes, or ISO-2022-JP, whose texts repeat the escape sequence."""
_ONE_BYTE: Final = {
    b"A": "cp1252",
    b"B": "iso8859-2",
    b"C": "iso8859-3",
    b"D": "iso8859-4",
    b"F": "iso8859-7",
    b"G": "iso8859-6",
    b"H": "iso8859-8",
    b"L": "iso8859-5",
    b"M": "iso8859-9",
    b"T": "iso8859-11",
    b"V": "iso8859-10",
    b"Y": "iso8859-13",
    b"_": "iso8859-14",
    b"b": "iso8859-15",
    b"f": "iso8859-16",
}
_TWO_BYTES: Final = {b"A": "gb2312", b"B": "euc_jp", b"C": "euc_kr"}
_UTF8: Final = "utf-8"
_JAPANESE: Final = "iso2022_jp"
# Looked up now, because a locked process cannot load the table of an encoding.
for _name in (*_ONE_BYTE.values(), *_TWO_BYTES.values(), _JAPANESE):
    codecs.lookup(_name)


def block(photoshop: bytes) -> bytes:
    """Return the IIM among the resources of Photoshop. Bare IIM is returned as it is."""
    at = 0
    for _ in range(_MOST):
        at = photoshop.find(_RESOURCE, at)
        if at < 0:
            break
        name = 1 + int.from_bytes(photoshop[at + 6 : at + 7])
        start = at + 6 + name + name % 2
        size = int.from_bytes(photoshop[start : start + 4])
        if int.from_bytes(photoshop[at + 4 : at + 6]) == _IIM:
            return photoshop[start + 4 : start + 4 + size]
        at = start + 4 + size
    return photoshop if photoshop.startswith(b"\x1c") else b""


def texts(block: bytes, house_charset: str) -> Texts:
    """Return the texts by record and dataset.

    Texts without a known declaration are read as UTF-8 if they can be, because other text is almost never
    valid UTF-8. All others are read in the charset of the house.
    """
    values = _datasets(block.lstrip(b"\0"))
    declared = _declared(b"".join(values.pop(_CHARSET, [])))
    whole = [value for several in values.values() for value in several]
    charset = _charset(whole, declared, house_charset)
    return {key: [_decoded(value, charset) for value in several] for key, several in values.items()}


def _datasets(block: bytes) -> dict[tuple[int, int], list[bytes]]:
    values, at = defaultdict[tuple[int, int], list[bytes]](list), 0
    for _ in range(_MOST):
        if block[at : at + 1] != b"\x1c" or at + 5 > len(block):
            break
        key, size = (block[at + 1], block[at + 2]), int.from_bytes(block[at + 3 : at + 5])
        at += 5
        if size & 0x8000:
            # The size of an extended dataset stands behind the number of its bytes.
            long = size & 0x7FFF
            size, at = int.from_bytes(block[at : at + min(long, 4)]), at + long
        values[key].append(block[at : at + size])
        at += size
    return values


def _declared(said: bytes) -> str | None:
    """Return the last known character set that is designated."""
    found = None
    for unicode, one, two, japanese in _DESIGNATION.findall(said):
        known = _UTF8 if unicode else _JAPANESE if japanese else _ONE_BYTE.get(one) or _TWO_BYTES.get(two)
        found = known or found
    return found


def _charset(whole: Iterable[bytes], declared: str | None, house: str) -> str:
    is_long = declared == _JAPANESE or declared in _TWO_BYTES.values()
    candidates = (declared, _UTF8, house) if is_long else (_UTF8, declared, house)
    for charset in candidates:
        if charset is not None and _is_in(whole, charset):
            return charset
    return declared or house


def _is_in(whole: Iterable[bytes], charset: str) -> bool:
    """Return whether the texts can be decoded. UTF-8 may have as many broken signs as whole ones."""
    try:
        decoded = "".join(
            _decoded(value, charset, "replace" if charset == _UTF8 else "strict") for value in whole
        )
    except UnicodeError:
        return False
    broken = decoded.count("\N{REPLACEMENT CHARACTER}")
    return 2 * broken <= sum(sign > "\x7f" for sign in decoded)


def _decoded(value: bytes, charset: str, errors: str = "replace") -> str:
    # Programs cut a dataset at its limit of bytes. An incremental decoder leaves out half a sign at the end.
    return codecs.getincrementaldecoder(charset)(errors).decode(value)
