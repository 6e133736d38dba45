"""The parts of ninjs 3.1 that speak of events and plans: checked when they come in, and not kept by this
store.
"""

from typing import Literal

from pydantic import Field

from service.formats.ninjs.geojson import GeoJson
from service.formats.ninjs.parts import (
    DateTime,
    NewsType,
    Organisation,
    Part,
    Person,
    PubStatus,
    Rendition,
    Truncated,
    Urgency,
    Uri,
)
from service.tables import Many


class Place(Person):
    """A named location."""

    geo_json: GeoJson | None = Field(None, alias="geoJSON")


class RecurrenceRule(Part):
    """The rule by which an event repeats."""

    frequency: Literal["secondly", "minutely", "hourly", "daily", "weekly", "monthly", "yearly"] | None = None
    interval: int | None = None
    until: DateTime | None = None
    count: int | None = None


class Recurrence(Part):
    """The times at which an event repeats."""

    recurrence_dates: Many[Truncated] | None = None
    recurrence_rules: Many[RecurrenceRule] | None = None


class Dates(Part):
    """The dates of an event or a coverage."""

    start_date: DateTime | None = None
    end_date: DateTime | None = None
    expected_start_date: Truncated | None = None
    expected_end_date: Truncated | None = None
    expected_duration: str | None = None
    recurrence: Recurrence | None = None


class EventDetails(Part):
    """A planned event."""

    event_status: Uri | None = None
    planned_coverage_status: Uri | None = None
    dates: Dates | None = None
    organiser: Organisation | None = None


class Reference(Part):
    """An identifier of a commission."""

    name: str | None = None
    value: str | None = None


class Commissioned(Part):
    """The party that commissioned a coverage."""

    by: str | None = None
    on: DateTime | None = None
    references: Many[Reference] | None = None


class Audience(Part):
    """For whom it is meant."""

    audience: str | None = None
    significance: int | None = None


class ItemCount(Part):
    """The number of items that are planned."""

    range_from: int | None = None
    range_to: int | None = None


class PlannedCoverage(Part):
    """A coverage that is planned."""

    uri: Uri | None = None
    title: str | None = None
    pub_status: PubStatus | None = None
    type: NewsType | None = None
    commissioned: Commissioned | None = None
    dates: Dates | None = None
    audiences: Many[Audience] | None = None
    excl_audience: Many[str] | None = None
    ed_note: str | None = None
    urgency: Urgency | None = None
    language: str | None = None
    item_count: ItemCount | None = None
    word_count: int | None = None
    renditions: Many[Rendition] | None = None
