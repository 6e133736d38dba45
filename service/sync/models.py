"""What the feed answers with."""

from typing import Literal
from uuid import UUID

from pydantic import Field, JsonValue

from service.published.feed import Followed
from service.tables import Reading, Time


class ChangeRead(Reading):
    """One resource as its last change left it. Removals come without `data`."""

    seq: int = Field(
        description="grows with every change; of two entries for one resource, the higher one holds"
    )
    kind: Followed
    id: UUID
    op: Literal["put", "remove"]
    reason: Literal["deleted", "unpublished", "withdrawn", "expired", "left_scope"] | None
    detail: str | None = Field(description="what the publisher said when it withdrew this")
    version: int
    changed_at: Time
    data: dict[str, JsonValue] | None = Field(
        description="the resource, exactly as it is read at its own address"
    )


class ChangesRead(Reading):
    """Some changes in their order, and where to go on."""

    items: list[ChangeRead]
    next: str = Field(
        description="where to go on; never null, for there will be more", examples=["/v1/changes?since=qZ2b…"]
    )
    caught_up: bool = Field(description="whether this was all there is for now")


EXAMPLE = {
    "items": [
        {
            "seq": 41,
            "kind": "article",
            "id": "01997f3c-6a58-7c11-8f0e-1d5c6a2b9e77",
            "op": "put",
            "reason": None,
            "detail": None,
            "version": 3,
            "changed_at": "2026-03-02T06:00:00.120000Z",
            "data": {"headline": "Harbour bridge reopens"},
        },
        {
            "seq": 42,
            "kind": "article",
            "id": "01997f3c-11aa-7b02-9c7d-54e0b1f6a310",
            "op": "remove",
            "reason": "withdrawn",
            "detail": "It named the wrong person.",
            "version": 5,
            "changed_at": "2026-03-02T06:04:10.500000Z",
            "data": None,
        },
    ],
    "next": "/v1/changes?since=qZ2bAAAAAAAAAAAqAAAAAAAAACo=",
    "caught_up": True,
}
