"""Base of all parts of a ninjs object: camelCase members, no member that the standard does not know, strict
types.
"""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer, StringConstraints
from pydantic.alias_generators import to_camel

from service.tables import Many, write_time

Uri = Annotated[str, StringConstraints(min_length=1, max_length=10_000)]
"""A URI, as far as the standard's schema checks one: any text, because senders write names and numbers there.
"""
DateTime = Annotated[AwareDatetime, PlainSerializer(write_time, return_type=str, when_used="json")]
"""RFC 3339."""
Truncated = Annotated[
    str,
    StringConstraints(
        pattern=r"^-?\d{4,}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01])(T\d\d:\d\d:\d\d(\.\d+)?\S*)?)?)?$"
    ),
]
"""A year, month, day or time."""
NewsType = Literal[
    "text", "audio", "video", "picture", "graphic", "composite", "component", "event", "planning"
]
PubStatus = Literal["usable", "withheld", "canceled"]
Percent = Annotated[int, Field(ge=0, le=100)]
Urgency = Annotated[int, Field(ge=1, le=9)]


class Part(BaseModel):
    """A part. What is None is not there."""

    model_config = ConfigDict(
        extra="forbid", strict=True, alias_generator=to_camel, serialize_by_alias=True, validate_by_name=True
    )


class Words(Part):
    """A text in one role: a headline, a description."""

    role: str | None = None
    content_type: str | None = None
    value: str


class Body(Words):
    """The content as text or with markup."""

    char_count: int | None = None
    word_count: int | None = None


class AltId(Part):
    """Another identifier."""

    role: str | None = None
    value: str | None = None


class Standard(Part):
    """The standard that an object keeps to."""

    name: str | None = None
    version: str | None = None
    schema_: Uri | None = Field(None, alias="schema")


class Address(Part):
    """A postal address."""

    lines: Many[str] | None = None
    locality: str | None = None
    area: str | None = None
    postal_code: str | None = None
    country: str | None = None


class ContactInfo(Part):
    """The ways to reach somebody."""

    type: str | None = None
    role: str | None = None
    lang: str | None = None
    name: str | None = None
    value: str | None = None
    address: Address | None = None


class Concept(Part):
    """Something with a relationship to the content: what it is about, who is in it."""

    name: str | None = None
    rel: str | None = None
    uri: Uri | None = None
    literal: str | None = None


class Person(Concept):
    """A human being."""

    contact_info: Many[ContactInfo] | None = None


class Symbol(Part):
    """The symbol of a financial instrument."""

    exchange: str | None = None
    symbol_type: Uri | None = None
    symbol: str | None = None


class Organisation(Person):
    """A business, a party, an institution."""

    symbols: Many[Symbol] | None = None


class Subject(Concept):
    """A subject of the content."""

    creator: str | None = None
    relevance: Percent | None = None
    confidence: Percent | None = None


class Event(Concept):
    """Something that happens."""

    id: str | None = None


class InfoSource(Part):
    """A party that originated, enhanced or supplied the content."""

    name: str | None = None
    role: str | None = None
    uri: Uri | None = None
    literal: str | None = None
    contact_info: Many[ContactInfo] | None = None


class TrustIndicator(Part):
    """A link to a document about trust."""

    role: Uri | None = None
    title: str | None = None
    href: Uri | None = None


class Genre(Part):
    """A journalistic kind."""

    name: str | None = None
    uri: str | None = None
    literal: str | None = None


class DigitalSourceType(Part):
    """From what the content was made."""

    name: str | None = None
    uri: Uri | None = None
    literal: str | None = None


class RightsInfo(Part):
    """Rights in a language for rights."""

    lang_id: Uri | None = None
    linked_rights: Uri | None = None
    encoded_rights: str | None = None


class PointOfInterest(Part):
    """The main point of a picture, in pixels from the top left."""

    x: int | None = None
    y: int | None = None


class Rendition(Part):
    """A file of the content."""

    name: str
    href: Uri | None = None
    content_type: str | None = None
    title: str | None = None
    width: int | None = None
    height: int | None = None
    size_in_bytes: int | None = None
    duration: float | None = None
    format: str | None = None
    aspect_ratio: str | None = None
    video_codec: str | None = None
    frame_rate: float | None = None
    poi: PointOfInterest | None = None
    transport_protocol: str | None = None
    scan_type: Literal["progressive", "interlaced"] | None = None
    bitrate: str | None = None
