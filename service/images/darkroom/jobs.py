"""The jobs that the service gives to a darkroom, and their results: plain values, written as JSON between the
processes. The files that a job is about come beside it, open.
"""

from dataclasses import dataclass, field

LOCKED = "locked"
"""The word by which a darkroom is told, when it is started, to lock itself."""
Metadata = dict[str, str | list[str] | dict[str, float] | bool]
"""A picture's own metadata by name: text, several texts, for `gps` degrees and metres, or that there is
something.
"""


@dataclass(frozen=True, slots=True)
class Inspect:
    """Decode a file, and say what it is and what it says of itself."""

    max_pixels: int
    charset: str = "cp1252"


@dataclass(frozen=True, slots=True)
class EmbeddedCaption:
    """The file's own caption; without a language when the file names none."""

    language: str | None
    text: str | None
    alt_text: str | None


@dataclass(frozen=True, slots=True)
class Inspected:
    """The result of decoding. Width and height, in pixels, are those of the upright picture."""

    content_type: str
    width: int
    height: int
    placeholder: str
    dominant_color: str
    taken_at: str | None = None
    metadata: Metadata = field(default_factory=dict)
    captions: list[EmbeddedCaption] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Rights:
    """The metadata that stay in every file that leaves: creator, credit, owner, origin, and where to ask for
    a licence.
    """

    creator: tuple[str, ...] = ()
    credit_line: str | None = None
    copyright_notice: str | None = None
    digital_source_type: str | None = None
    web_statement: str | None = None
    licensor_name: str | None = None
    licensor_url: str | None = None


@dataclass(frozen=True, slots=True)
class Print:
    """One file to make: its size in pixels, and the part of the upright picture, in fractions (left, top,
    width, height).
    """

    format: str
    width: int
    height: int
    part: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Develop:
    """Make files of a picture, one for each print and all of them from one decoding."""

    max_pixels: int
    prints: list[Print]
    rights: Rights = field(default_factory=Rights)


@dataclass(frozen=True, slots=True)
class Developed:
    """The sizes in bytes of the files that were made, in the order in which they were asked for."""

    sizes: list[int]


@dataclass(frozen=True, slots=True)
class Refused:
    """The reason why a job was not done: `unknown`, `damaged`, `pixels`, `memory` or `room`."""

    reason: str
    detail: str


class Refusal(Exception):
    """The file is not a picture that is taken, or cannot be decoded within the limits."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
