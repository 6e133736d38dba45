"""The parts of a sample article."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SamplePicture:
    """A picture, made of a scene, with what is said of it."""

    scene: str
    credit: str
    caption: str
    alt: str


@dataclass(frozen=True, slots=True)
class Sample:
    """One article; the pictures come after the paragraphs that they are numbered by."""

    external_id: str
    hours: int
    """The time between its publication and the first start."""
    headline: str
    summary: str
    section: str
    language: str
    author: str
    paragraphs: tuple[str, ...]
    pictures: dict[int, SamplePicture] = field(default_factory=dict)
    dateline: str | None = None
    tags: tuple[str, ...] = ()
    credit_line: str | None = None
    heading: str | None = None
    quote: tuple[str, str] | None = None
    table: tuple[tuple[str, ...], ...] = ()
    """Rows, of which the first is the header."""
    published: bool = True
    correction: str | None = None
    withdrawal: str | None = None
    """The reason for which the article is withdrawn after its publication."""
