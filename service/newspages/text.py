"""Tidy plain text, and tell a few things from its shape alone: words, prose, sameness."""

import re
from html import escape

# Control characters (PostgreSQL refuses NUL), lone surrogates, and marks that nobody sees. Joiners stay:
# Persian, Hindi and emoji are spelt with them.
_UNSEEN = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u2060\ufeff\ud800-\udfff\ufffe\uffff]")
# Khmer, Thai, Lao and Burmese break their lines where a zero-width space stands between two letters.
_STRAY_ZERO_WIDTH = re.compile(
    r"(?<![\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\ua9e0-\ua9ff])\u200b+"
    r"|\u200b+(?![\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\ua9e0-\ua9ff])"
)
# A no-break space that typography asks for stays: French punctuation, and digits in groups.
_STRAY_NO_BREAK = re.compile(
    r"(?<![«‹\d\u00a0\u202f])[\u00a0\u202f](?![;:!?»›%€])|(?<=\d)[\u00a0\u202f](?![\d;:!?»›%€])"
)
_SPACES = re.compile(r"[^\S\u00a0\u202f]+|[\u00a0\u202f]{2,}")
_CJK = r"\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uff66-\uff9f\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
_WORD = re.compile(rf"[{_CJK}]|[^\W{_CJK}]+(?:['’\-.][^\W{_CJK}]+)*")
_SENTENCE_END = re.compile(r"[.!?…。！？｡।॥؟۔։።][\"'”’»›)）\]】」』]*$|[.!?。！？]\s*[\"'”’»›)）」』]+$")
_CJK_CHARACTER = re.compile(f"[{_CJK}]")


def any_of(*forms: str) -> re.Pattern[str]:
    """Return a pattern that is any of the forms, whatever their case."""
    return re.compile(f"(?:{'|'.join(forms)})", re.IGNORECASE)


def tidy(text: str) -> str:
    """Return the text on one line: unseen characters gone, white space single, typographic no-break spaces
    kept.
    """
    text = _STRAY_NO_BREAK.sub(" ", _STRAY_ZERO_WIDTH.sub("", _UNSEEN.sub("", text)))
    return _SPACES.sub(" ", text).strip()


def tidy_lines(text: str) -> list[str]:
    """Return the lines that hold something, each tidied."""
    return [line for line in map(tidy, text.splitlines()) if line]


def words(text: str) -> int:
    """Return the number of words near the text's start; in scripts without spaces two characters count as
    one.
    """
    found: list[str] = _WORD.findall(text[:1000])
    solid = sum(1 for word in found if _CJK_CHARACTER.match(word))
    return len(found) - solid + (solid + 1) // 2


def key(text: str) -> str:
    """Return the key that two copies of one text share, whatever their spacing, case and punctuation."""
    return re.sub(r"[\W_]+", "", text).casefold() or text


def similar(text: str, other: str) -> bool:
    """Return whether the texts share four fifths of their words, or one holds the other whole."""
    if key(text) in key(other) or key(other) in key(text):
        return bool(text and other)
    own, theirs = (set(re.findall(r"\w+", said.lower())) for said in (text, other))
    return 2 * len(own & theirs) >= 0.8 * (len(own) + len(theirs)) > 0


def ends_sentence(text: str) -> bool:
    """Return whether the text ends as a sentence does, closing quotes and brackets allowed for."""
    return _SENTENCE_END.search(text[-12:]) is not None


def is_prose(text: str) -> bool:
    """Return whether the line is running text rather than a headline, label or list entry."""
    length = words(text)
    if ends_sentence(text):
        return length >= 6
    return length >= 25


def as_html(text: str) -> str:
    """Plain text as inline html."""
    return escape(text, quote=False)
