"""An integrator's own key of a picture, its `source` and `external_id`, is that picture's alone while it is
not in the trash.
"""

from collections.abc import Iterable
from uuid import UUID

from sqlmodel import col, func, select

from service.database import Session
from service.errors import Conflict, Unprocessable
from service.images.models import Image, ImageContent

LONGEST_KEY = 2_600
"""Bytes that an index of PostgreSQL takes in one row."""

Pair = tuple[str, str]
"""An integrator's own key: `source` and `external_id`."""


def by_source(pairs: Iterable[Pair]) -> dict[str, list[str]]:
    """Return the external ids of each source, by which keys are looked for.

    They are looked for source by source, because SQLite uses no index for a list of pairs, and would read the
    whole table.
    """
    keys: dict[str, list[str]] = {}
    for source, external_id in pairs:
        keys.setdefault(source, []).append(external_id)
    return keys


class ImageKeyTaken(Conflict):
    """Another image has this `source` and `external_id`; `id` says which."""

    title = "The image's external id is taken"


def claim(session: Session, content: ImageContent, image_id: UUID) -> None:
    """Take the key of an image. Raises ImageKeyTaken, and Unprocessable when it is too long to be one."""
    source, external_id = content.source, content.external_id
    if source is None or external_id is None:
        return
    if len((source + external_id).encode()) > LONGEST_KEY:
        raise Unprocessable.at(
            "/external_id", f"must not have more than {LONGEST_KEY} bytes together with source"
        )
    if not session.database.is_sqlite:
        # Of two that claim the same key at once, the second waits here, and then sees the first.
        session.execute(
            select(func.pg_advisory_xact_lock(func.hashtextextended(f"image {source}\n{external_id}", 0)))
        )
    others = select(Image.id).where(
        Image.source == source, Image.external_id == external_id, Image.id != image_id
    )
    holder = session.exec(others.where(col(Image.deleted_at).is_(None))).one_or_none()
    if holder is not None:
        raise ImageKeyTaken("Another image has this source and external_id.", id=str(holder))
