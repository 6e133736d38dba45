"""Cut text of any language into words, so that both databases index and find the same.

Text is folded as Unicode's NFKC_Casefold folds it. Beyond that, accents are dropped in scripts whose readers
leave them out, and letters that readers type for each other become one. Where words are written without
spaces, each syllable or character is a word of its own, and a word is searched as a row of them. Nothing is
stemmed, because names matter more than inflections.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator

import regex

WORDS = 1
"""Raise this number whenever the same text is to be cut into other words."""
LONGEST_WORD = 255
"""Characters of a word that tell it from others: PostgreSQL refuses longer ones in a query."""
BREAK = "\ue000"
"""Stands between two words that are not beside each other. No word is written with it."""
Placed = tuple[str, int, int]
"""A word, and where it begins and ends in its text."""
_LINE_ENDS = re.compile(r"[\n\t]+")
_LINE = re.compile(r"[^\n\t]+")
_CLUSTER = regex.compile(r"\X[\p{M}\p{Default_Ignorable_Code_Point}]*")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_ASCII_WORD = re.compile(r"[a-z0-9]+")
_IGNORABLE = regex.compile(r"\p{Default_Ignorable_Code_Point}+")
_ACCENTS = regex.compile(r"(?<=[\p{Latin}\p{Greek}\p{Cyrillic}\p{Hebrew}\p{Arabic}\p{N}])\p{M}+")
"""Marks that readers of these scripts leave out. In other scripts a mark is a vowel or a tone."""
_SPACED_WORD = regex.compile(r"[\p{L}\p{N}][\p{L}\p{M}\p{N}]*")
_SYLLABIC = (
    "\u0e00-\u0eff\u1000-\u109f\ua9e0-\ua9ff\uaa60-\uaadf\u1780-\u17ff"  # Thai, Lao, Burmese, Tai Viet, Khmer
    "\u1950-\u19df\u1a20-\u1aaf"  # Tai Le, New Tai Lue, Tai Tham
)
_PART_OF_WORD = regex.compile(r"[\p{L}\p{M}\p{N}\p{Default_Ignorable_Code_Point}]")
_UNSPACED = (
    f"{_SYLLABIC}\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uac00-\ud7af"
    "\U00020000-\U0003ffff"
)
_IS_SYLLABIC = re.compile(f"[{_SYLLABIC}]")
_IS_UNSPACED = re.compile(f"[{_UNSPACED}]")
_CHARACTER = re.compile(rf"[{_UNSPACED}]\W*|[^{_UNSPACED}]+")
"""Of a run of letters, marks and digits, in which only marks are `\\W`."""
_WRITTEN_BEFORE = r"[\u0e40-\u0e44\u0ec0-\u0ec4\u19b5-\u19b7\u19ba\uaab5\uaab6\uaab9\uaabb\uaabc]"
_SYLLABLE = re.compile(
    # A vowel that is written before its consonant, the consonant, and its signs;
    rf"{_WRITTEN_BEFORE}?[{_UNSPACED}]\W*"
    # a consonant below it, a Burmese consonant that ends the syllable, or a vowel that is written after it.
    r"(?:(?<=[\u1039\u17d2])\w\W*|[\u1000-\u1021]\u1037?\u103a\W*|[\u0e30\u0e32\u0e45\u0eb0\u0eb2])*"
    rf"|[^{_UNSPACED}]+"
)
_DOTS_IN_NAMES = re.compile(f"(?<=[{_UNSPACED}])[\u00b7\u2027\u30fb](?=[{_UNSPACED}])")
"""Many leave them out."""
_WITH_STROKE = re.compile(r"LATIN SMALL LETTER ([A-Z]) WITH ")
_TYPED_FOR_EACH_OTHER = {
    **dict(zip("æœþðıȷŋ", "ae oe th d i j n".split(), strict=True)),
    **dict.fromkeys("ʹʺʻʼʽʾʿ", "'"),  # letters to Unicode, apostrophes to those who type
    **dict.fromkeys("\u0640\u0674", ""),  # Arabic: a stretched line, and a hamza that stands for one above
    **dict(zip("ٱىیکةۃہە", "ايي كههه ه".replace(" ", ""), strict=True)),
    **dict(zip("ൺൻർൽൾൿৎ", "ണ് ന് ര് ല് ള് ക് ত্".split(), strict=True)),
}


class _Letters(dict[int, str]):
    """Folded letters by their code points, each worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        letter = chr(code)
        folded = _TYPED_FOR_EACH_OTHER.get(letter)
        if folded is None and unicodedata.category(letter) == "Nd":
            folded = str(unicodedata.decimal(letter))
        elif folded is None and (found := _WITH_STROKE.match(unicodedata.name(letter, ""))):
            folded = found[1].lower()
        self[code] = letter if folded is None else folded
        return self[code]


class _AsciiLetters(dict[str, str]):
    """The one ASCII character that a character is to those who search, which is a space for what parts words.

    A character that is several, or that changes with those around it, such as a mark, stands for itself.
    """

    def __missing__(self, letter: str) -> str:
        folded = fold(letter)
        if not _PART_OF_WORD.search(letter + folded):
            folded = " "
        self[letter] = folded if len(folded) == 1 else letter
        return self[letter]


_letters = _Letters()
_ascii_letters = _AsciiLetters()


def cut(text: str) -> list[str]:
    """Cut a text into words, with a BREAK between what no phrase reaches across: lines, and sentences without
    spaces.
    """
    plain = as_ascii(text)
    if plain is not None:
        lines = [_ASCII_WORD.findall(line) for line in _LINE_ENDS.split(plain)]
    else:
        lines = [_cut_folded(line) for line in _LINE_ENDS.split(fold(text))]
    return _joined(lines)


def as_ascii(text: str) -> str | None:
    """Return a text folded character by character into ASCII, or None if that would change its words.

    A tenth of what `fold` costs, which most texts in Latin script are spared.
    """
    if text.isascii():
        return text.lower()
    place = 0
    while (found := _NOT_ASCII.search(text, place)) is not None:
        folded = _ascii_letters[found[0]]
        if not folded.isascii():
            return None
        text, place = text.replace(found[0], folded), found.end()
    return text.lower()


def fold(text: str) -> str:
    """Return a text in which whatever readers do not tell apart is the same."""
    plain = _ACCENTS.sub("", _IGNORABLE.sub("", unicodedata.normalize("NFKD", text)))
    return unicodedata.normalize("NFC", plain.casefold().translate(_letters))


def _cut_folded(line: str) -> list[str]:
    if not _IS_UNSPACED.search(line):
        return _SPACED_WORD.findall(line)
    part = _SYLLABLE if _IS_SYLLABIC.search(line) else _CHARACTER
    words: list[str] = []
    for run in _SPACED_WORD.findall(_DOTS_IN_NAMES.sub("", line)):
        # Two words beside a comma are no third one.
        if words and _IS_UNSPACED.match(words[-1]) and _IS_UNSPACED.match(run):
            words.append(BREAK)
        words += part.findall(run)
    return words


def cut_in_place(text: str) -> list[Placed]:
    """Cut a text as `cut` does, and return each word with where it begins and ends in the text; a BREAK is
    nowhere.

    Each character is folded with its marks, because a folded text has another length.
    """
    found: list[Placed] = []
    for line in _LINE.finditer(text):
        plain = as_ascii(line[0])
        if plain is not None:
            words = [
                (word[0], line.start() + word.start(), line.start() + word.end())
                for word in _ASCII_WORD.finditer(plain)
            ]
            _add(found, words)
            continue
        places: list[tuple[int, int]] = []
        folded = ""
        for cluster in _CLUSTER.finditer(line[0]):
            part = fold(cluster[0])
            folded += part
            places += [(line.start() + cluster.start(), line.start() + cluster.end())] * len(part)
        for dot in reversed(list(_DOTS_IN_NAMES.finditer(folded)) if _IS_UNSPACED.search(folded) else []):
            folded = folded[: dot.start()] + folded[dot.end() :]
            del places[dot.start() : dot.end()]
        words = [
            (word, -1, -1) if begin < 0 else (word, places[begin][0], places[end - 1][1])
            for word, begin, end in _places_in(folded)
        ]
        _add(found, words)
    return found


def _add(found: list[Placed], words: list[Placed]) -> None:
    """Add the words of a line to those of the lines before it."""
    if found and words:
        found.append((BREAK, -1, -1))
    found += [(word[:LONGEST_WORD], begin, end) for word, begin, end in words]


def _places_in(line: str) -> Iterator[Placed]:
    """Return the words of a folded line as `_cut_folded` does, each with where it begins and ends."""
    unspaced = _IS_UNSPACED.search(line)
    part = _SYLLABLE if _IS_SYLLABIC.search(line) else _CHARACTER
    last = ""
    for run in _SPACED_WORD.finditer(line):
        if not unspaced:
            yield run[0], *run.span()
            continue
        if last and _IS_UNSPACED.match(last) and _IS_UNSPACED.match(run[0]):
            yield BREAK, -1, -1
        for word in part.finditer(run[0]):
            last = word[0]
            yield last, run.start() + word.start(), run.start() + word.end()


def _joined(lines: Iterable[list[str]]) -> list[str]:
    words: list[str] = []
    for line in lines:
        if words and line:
            words.append(BREAK)
        words += [word[:LONGEST_WORD] for word in line]
    return words
