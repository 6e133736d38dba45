"""IPTC-IIM: the texts of its datasets, in the character set that 1:90 declares (ISO 2022 escape sequences)."""

import codecs
from collections import defaultdict
from typing import Final

Texts = dict[tuple[int, int], list[str]]
_CHARSET: Final = (1, 90)
_MOST = 2_000
_SETS: Final = {
    b"\x1b%G": "utf-8",
    **{b"\x1b" + bytes([start]) + b"A": "cp1252" for start in b"-.,/"},
    **{
        b"\x1b-" + final: name
        for final, name in (
            (b"B", "iso8859-2"),
            (b"C", "iso8859-3"),
            (b"D", "iso8859-4"),
            (b"F", "iso8859-7"),
            (b"G", "iso8859-6"),
            (b"H", "iso8859-8"),
            (b"L", "iso8859-5"),
            (b"M", "iso8859-9"),
            (b"T", "iso8859-11"),
            (b"V", "iso8859-10"),
            (b"Y", "iso8859-13"),
            (b"_", "iso8859-14"),
            (b"b", "iso8859-15"),
            (b"f", "iso8859-16"),
        )
    },
    b"\x1b$)A": "gb2312",
    b"\x1b$)B": "euc_jp",
    b"\x1b$)C": "euc_kr",
}
# Looked up now, because a locked process cannot load the table of an encoding.
_KNOWN: Final = {mark: codecs.lookup(name).name for mark, name in _SETS.items()}


def texts(block: bytes, house_charset: str) -> Texts:
    """The texts by record and dataset. Those without a known declaration are UTF-8 where they can be, which other
    text is next to never taken for, and else in the charset of the house.
    """
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
    declared = _KNOWN.get(b"".join(values.pop(_CHARSET, [])).strip())
    whole = b"\n".join(value for several in values.values() for value in several)
    charset = _charset(whole, declared, house_charset)
    return {key: [value.decode(charset, "replace") for value in several] for key, several in values.items()}


def _charset(whole: bytes, declared: str | None, house: str) -> str:
    is_long = declared in ("gb2312", "euc_jp", "euc_kr")
    for charset in [declared, "utf-8"] if is_long else ["utf-8", declared]:
        if charset is not None and _is_in(whole, charset):
            return charset
    return declared or house


def _is_in(whole: bytes, charset: str) -> bool:
    try:
        whole.decode(charset)
    except UnicodeError:
        return False
    return True
