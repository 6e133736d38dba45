"""A news page as one value: the words, the people, the dates, and the pictures in their places."""

from dataclasses import dataclass, field
from datetime import datetime


class NotAnArticle(ValueError):
    """The text holds no article: no headline, or nothing beneath it. The message says which."""


@dataclass(frozen=True, slots=True)
class Author:
    """A person or desk named as having written the article."""

    name: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class FoundPicture:
    """One picture of the page.

    `caption` says what is seen, `alt` replaces seeing it, `credit` names whom it is owed to; none repeats
    another. `url` is absolute, or None where the page carries words about a picture and no picture (a text
    dump). Width and height are pixels as the page states them.
    """

    url: str | None = None
    alt: str | None = None
    caption: str | None = None
    credit: str | None = None
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of inline html (links, emphasis, ruby and the like; the rest escaped)."""

    html: str


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading inside the article, level 2 to 4; `html` as in a paragraph."""

    level: int
    html: str


@dataclass(frozen=True, slots=True)
class Quote:
    """Words set apart as somebody's; `html` as in a paragraph, its parts divided by `<br>`."""

    html: str
    cite: str | None = None


@dataclass(frozen=True, slots=True)
class ItemList:
    """A list, numbered when `ordered`; every item is html as in a paragraph."""

    ordered: bool
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table of data; every cell is html as in a paragraph."""

    rows: tuple[tuple[str, ...], ...]
    header: tuple[tuple[str, ...], ...] = ()
    caption: str | None = None


@dataclass(frozen=True, slots=True)
class Code:
    """Source text as it is written."""

    text: str
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Embed:
    """Something shown from another host, by the address of its own page there."""

    url: str


@dataclass(frozen=True, slots=True)
class PictureBlock:
    """A picture in its place between the paragraphs."""

    picture: FoundPicture


Block = Paragraph | Heading | Quote | ItemList | Table | Code | Embed | PictureBlock


@dataclass(frozen=True, slots=True)
class Dropped:
    """A part of the page that the reader left out: `what` it is, and `where`, by its address or
    first words.
    """

    what: str
    where: str


@dataclass(frozen=True, slots=True)
class Banner:
    """The cookie banner in its own words, word for word; a label is None when the banner has no
    such button.
    """

    title: str | None
    body: str
    accept_label: str | None = None
    reject_label: str | None = None
    settings_label: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A news page read.

    `summary`, `byline`, `dateline` and `credit_line` are plain text in the page's own words. `language` is a
    BCP 47 tag, `site` a host name. Times are aware and keep the page's own offset; a page that states none
    is taken to mean UTC. `lead` is the picture that stands for the whole article: the first in `blocks`
    (where it keeps its place), or one that the page names beside its text and shows nowhere in it.
    `dropped` is what stands among the text and was taken for no part of it.
    """

    headline: str
    blocks: tuple[Block, ...]
    summary: str | None = None
    byline: str | None = None
    authors: tuple[Author, ...] = ()
    dateline: str | None = None
    section: str | None = None
    tags: tuple[str, ...] = field(default=())
    language: str | None = None
    credit_line: str | None = None
    site: str | None = None
    canonical_url: str | None = None
    published_at: datetime | None = None
    updated_at: datetime | None = None
    lead: FoundPicture | None = None
    banner: Banner | None = None
    dropped: tuple[Dropped, ...] = ()
