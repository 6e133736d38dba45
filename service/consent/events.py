"""The columns of an event that other programs may read, and the event that their values make."""

from collections.abc import Sequence
from typing import Any

from service.consent.models import ConsentEvent, EventRead

EVENT = [name for name in EventRead.model_fields if name in ConsentEvent.model_fields]
"""The columns of an event that are answered: all but the two digests and the mark for the rates."""
COLUMNS = [ConsentEvent.metadata.tables["consent_event"].c[name] for name in EVENT]


def read_event(row: Sequence[Any]) -> EventRead:
    """Return the event whose columns, in the order of `COLUMNS`, hold these values. They were validated when
    they were written.
    """
    return EventRead.model_construct(**dict(zip(EVENT, row, strict=True)))
