"""A ninjs 3.1 object (IPTC, ninjs-schema_3.1.json), modelled whole: a member that the standard does not know
is refused.
"""

from typing import Literal

from pydantic import Field

from service.formats.ninjs.parts import (
    AltId,
    Body,
    Concept,
    DateTime,
    DigitalSourceType,
    Event,
    Genre,
    InfoSource,
    NewsType,
    Organisation,
    Part,
    Person,
    PubStatus,
    Rendition,
    RightsInfo,
    Standard,
    Subject,
    TrustIndicator,
    Urgency,
    Uri,
    Words,
)
from service.formats.ninjs.planning import EventDetails, Place, PlannedCoverage
from service.tables import Many


class NewsObject(Part):
    """The members that an item and what is associated with it have alike."""

    type: NewsType | None = None
    representation_type: Literal["full", "partial"] | None = None
    profile: str | None = None
    version: str | None = None
    first_created: DateTime | None = None
    version_created: DateTime | None = None
    content_created: DateTime | None = None
    embargoed_until: DateTime | None = None
    pub_status: PubStatus | None = None
    urgency: Urgency | None = None
    copyright_holder: str | None = None
    copyright_notice: str | None = None
    usage_terms: str | None = None
    ed_note: str | None = None
    language: str | None = None
    descriptions: Many[Words] | None = None
    bodies: Many[Body] | None = None
    headlines: Many[Words] | None = None
    people: Many[Person] | None = None
    organisations: Many[Organisation] | None = None
    places: Many[Place] | None = None
    subjects: Many[Subject] | None = None
    events: Many[Event] | None = None
    event_details: EventDetails | None = None
    planned_coverage: Many[PlannedCoverage] | None = None
    objects: Many[Concept] | None = None
    info_sources: Many[InfoSource] | None = None
    title: str | None = None
    by: str | None = None
    slugline: str | None = None
    located: str | None = None
    renditions: Many[Rendition] | None = None
    associations: "Many[Association] | None" = None
    alt_ids: Many[AltId] | None = None
    trust_indicators: Many[TrustIndicator] | None = None
    standard: Standard | None = None
    genres: Many[Genre] | None = None
    expires: DateTime | None = None
    rights_info: RightsInfo | None = None
    digital_source_type: DigitalSourceType | None = None


class Association(NewsObject):
    """An object that belongs to another: a picture of an article."""

    uri: Uri
    name: str
    rel: str | None = None


class Ninjs(NewsObject):
    """A news item."""

    uri: Uri = Field(description="what the item is known by, for ever")
