"""The reader of text dumps: what is left of a news page once only its words are kept, one block to a line.

A dump has no markup to go by. The strongest sign is repetition: a page writes a picture's words as caption,
as alternative text and under its enlarged view, so a line that comes two to four times in a row is a caption.
The first picture is the article's lead and keeps its place in the body, since that is where the page shows
it.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby, takewhile

from service.newspages.banner import take_banner
from service.newspages.bylines import byline_names, cut_story_credit, dateline, dateline_alone, story_credit
from service.newspages.credit_words import AGENCIES
from service.newspages.credits import is_photo_caption, split_credit
from service.newspages.dates import date_line
from service.newspages.furniture import is_section_name, without_furniture
from service.newspages.language import guess_language
from service.newspages.page import (
    Author,
    Block,
    FoundPicture,
    Heading,
    NotAnArticle,
    Page,
    Paragraph,
    PictureBlock,
)
from service.newspages.text import as_html, ends_sentence, is_prose, key, tidy_lines, words

# In characters. The longest newspaper articles stay below 100,000; reading time grows with the text.
_LONGEST_DUMP = 2_000_000
_LONGEST_HEADLINE = 300
_LONGEST_CAPTION = 800
# A standfirst may stand between the headline and the date.
_PARAGRAPHS_ABOVE_A_DATE = 2

_Piece = str | FoundPicture


def read_dump(text: str) -> Page:
    """Return the article in a text dump.

    Raises `NotAnArticle` when the text has no headline, nothing beneath it, or the length of a library.
    """
    if len(text) > _LONGEST_DUMP:
        raise NotAnArticle(f"The text is longer than {_LONGEST_DUMP:,} characters.")
    banner, lines = take_banner([part for line in tidy_lines(text) for part in _parts(line)])
    headline, pieces = _take_headline(list(_with_pictures(without_furniture(lines))))
    front = _Front()
    body = list(front.take_from(pieces))
    if not body:
        raise NotAnArticle("There is nothing beneath the headline.")
    blocks = tuple(_blocks(body))
    texts = [piece for piece in body if isinstance(piece, str)]
    return Page(
        headline=headline,
        blocks=blocks,
        byline=front.byline,
        authors=tuple(map(Author, front.authors)),
        dateline=front.dateline or (dateline(texts[0]) if texts else None),
        section=front.section,
        language=guess_language(" ".join([headline, *texts])),
        credit_line="; ".join(front.credits) or None,
        published_at=front.published_at or front.updated_at,
        updated_at=front.updated_at,
        lead=next((block.picture for block in blocks if isinstance(block, PictureBlock)), None),
        banner=banner,
    )


def _parts(line: str) -> list[str]:
    """Return a line that states a time and a source in one row, as two."""
    when, *source = re.split(r"\s+(?=(?:来源|來源|Source)\s*[:：])", line, maxsplit=1)
    return [when, *source] if date_line(when) else [line]


def _with_pictures(lines: list[str]) -> Iterator[_Piece]:
    """Yield the lines, every run of repeated ones replaced by the pictures whose captions they are."""
    keyed = [(key(split_credit(line)[0] or line), line) for line in lines]
    total = Counter(same for same, _ in keyed)
    for repeated, run in groupby(keyed, lambda pair: total[pair[0]] > 1):
        members = list(run)
        yield from _captions(members) if repeated else (_single(line) for _, line in members)


def _captions(run: Iterable[tuple[str, str]]) -> Iterator[_Piece]:
    """Yield the pictures of one run. A line repeated only elsewhere stays a line; a credit alone joins its
    picture.
    """
    copies: dict[str, list[str]] = {}
    for same, line in run:
        copies.setdefault(same, []).append(line)
    pieces = [_single(lines[0]) if len(lines) == 1 else _repeated(lines) for lines in copies.values()]
    for piece, following in zip(pieces, [*pieces[1:], ""], strict=True):
        owed = following.credit if isinstance(following, FoundPicture) and not following.caption else None
        if isinstance(piece, str) or piece.caption:
            yield replace(piece, credit=piece.credit or owed) if isinstance(piece, FoundPicture) else piece


def _single(line: str) -> _Piece:
    return _picture([line]) if is_photo_caption(line) else line


def _repeated(copies: list[str]) -> _Piece:
    return _picture(copies) if len(copies[0]) <= _LONGEST_CAPTION else copies[0]


def _picture(copies: list[str]) -> FoundPicture:
    """Return the picture whose caption comes in these copies; its credit may be in some of them only."""
    read = [split_credit(copy) for copy in copies]
    caption, credit = next((pair for pair in read if pair[1]), read[0])
    return FoundPicture(caption=caption or None, credit=credit)


def _take_headline(pieces: list[_Piece]) -> tuple[str, list[_Piece]]:
    """Return the headline and the other pieces, without its copies and without the labels that stand above
    it.
    """
    above = list(takewhile(lambda piece: isinstance(piece, FoundPicture) or not is_prose(piece), pieces))
    candidates = [piece for piece in above if isinstance(piece, str) and not _is_front_matter(piece)]
    headline = _best(candidates, len(pieces)) or _twice_printed(above) or next(_texts(pieces), "")
    if not 0 < len(headline) <= _LONGEST_HEADLINE:
        raise NotAnArticle("There is no headline: no short line stands above the text.")
    labels = set(takewhile(lambda line: key(line) != key(headline), candidates))
    dropped = {key(line) for line in labels} | {key(headline)}
    return headline, [piece for piece in pieces if _words_of(piece) not in dropped]


def _texts(pieces: Iterable[_Piece]) -> Iterator[str]:
    return (piece for piece in pieces if isinstance(piece, str))


def _words_of(piece: _Piece) -> str | None:
    """Return the words by which a line is known, or a picture that has nothing but a caption."""
    if isinstance(piece, FoundPicture):
        return key(piece.caption or "") if piece.credit is None else None
    return key(piece)


def _best(candidates: list[str], pieces: int) -> str | None:
    """Return the first line, unless it is a label or window title ("Analysis", "Headline - Paper") of the
    next one.
    """
    if len(candidates) < 2 or pieces < 3:
        return candidates[0] if candidates else None
    first, second = candidates[:2]
    titled = re.fullmatch(re.escape(second) + r"\s*[-|–—_·:]\s*.{2,60}", first)
    labelled = words(first) <= 2 and words(second) >= words(first) + 3 and not ends_sentence(second)
    return second if titled or labelled else first


def _twice_printed(above: list[_Piece]) -> str | None:
    """Return a headline that the page repeats, and that so looks like a caption."""
    first = above[0] if above else None
    if isinstance(first, FoundPicture) and first.caption:
        return None if ends_sentence(first.caption) else first.caption
    return None


def _is_front_matter(line: str) -> bool:
    recognised = is_section_name(line) or date_line(line) or byline_names(line) or dateline_alone(line)
    return bool(recognised or story_credit(line))


@dataclass(slots=True)
class _Front:
    """The parts around the body. They fill while the pieces are read."""

    section: str | None = None
    byline: str | None = None
    authors: tuple[str, ...] = ()
    dateline: str | None = None
    published_at: datetime | None = None
    updated_at: datetime | None = None
    credits: list[str] = field(default_factory=list)

    def take_from(self, pieces: Iterable[_Piece]) -> Iterator[_Piece]:
        """Yield the pieces of the body. Beneath a story's credit only running text still belongs to it."""
        begun = ended = False
        paragraphs = 0
        for piece in pieces:
            if isinstance(piece, FoundPicture):
                if not ended:
                    yield piece
            elif self._took(piece, begun=begun, early=paragraphs <= _PARAGRAPHS_ABOVE_A_DATE):
                ended = begun and bool(self.credits)
            elif not ended or is_prose(piece):
                begun = begun or is_prose(piece)
                paragraphs += 1
                text, credit = cut_story_credit(piece)
                self.credits.extend([credit] if credit else [])
                yield text

    def _took(self, line: str, *, begun: bool, early: bool) -> bool:
        credit = story_credit(line)
        if credit:
            self.credits.append(credit)
            return True
        dated = early and self.published_at is None and date_line(line) is not None
        return self._took_byline(line, begun=begun) or (
            (not begun or dated) and self._took_date_or_place(line)
        )

    def _took_byline(self, line: str, *, begun: bool) -> bool:
        names = (line,) if line in AGENCIES and not begun else byline_names(line)
        if not names or self.authors:
            return False
        self.byline, self.authors = line, names
        return True

    def _took_date_or_place(self, line: str) -> bool:
        stated, place = date_line(line), dateline_alone(line)
        if stated:
            time, updated = stated
            self.updated_at, self.published_at = (
                (time, self.published_at) if updated else (self.updated_at, self.published_at or time)
            )
        elif place:
            self.dateline = place
        elif is_section_name(line):
            self.section = line
        return bool(stated or place or is_section_name(line))


def _blocks(body: list[_Piece]) -> Iterator[Block]:
    for index, piece in enumerate(body):
        if isinstance(piece, FoundPicture):
            yield PictureBlock(piece)
        elif 0 < index < len(body) - 1 and _is_heading(body[index - 1], piece, body[index + 1]):
            yield Heading(2, as_html(piece))
        else:
            yield Paragraph(as_html(piece))


def _is_heading(before: _Piece, line: str, after: _Piece) -> bool:
    """Return whether this is a short line without an end to its sentence, between two paragraphs that have
    one.
    """
    if (
        isinstance(before, FoundPicture)
        or isinstance(after, FoundPicture)
        or not is_prose(before)
        or not is_prose(after)
    ):
        return False
    short = words(line) <= 10 and len(line) <= 90
    return short and not line[0].islower() and line[0].isalnum() and line[-1].isalnum()
