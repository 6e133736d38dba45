"""Check that rows and files agree: find rows whose file is gone, and files that no row names.

The store is listed while the service runs, so nothing is believed at first sight. A file comes before its
row: a file that no row named is asked for once more after the listing, and one that is younger than a day may
belong to an upload under way.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlmodel import col, select

from service.database import Database
from service.images.models import Image
from service.images.storage.keys import LEFT_BEHIND_AFTER, ORIGINALS, Kept, MediaStore, digest_of
from service.tables import Reading, Time

AGE = timedelta(seconds=LEFT_BEHIND_AFTER)
Watch = Callable[[Iterable[Kept]], Iterable[Kept]]


class Dangling(Reading):
    """An image, perhaps in the trash, whose file is not in the store."""

    image_id: UUID
    digest: str


class Orphan(Reading):
    """A file whose picture no image has."""

    key: str
    size: int
    since: Time
    removed: bool = False


class Report(Reading):
    """The findings of a check. `foreign` are files that no Copydesk has put there; they are never touched."""

    originals: int
    renditions: int
    dangling: list[Dangling]
    orphans: list[Orphan]
    foreign: list[str]


def check(database: Database, store: MediaStore, *, remove: bool, watch: Watch = iter) -> Report:
    """Compare the store with the images, those in the trash too. `watch` sees each file pass. Raises
    MediaUnavailable.

    With `remove`, orphans older than a day are removed, each after the database and the store were asked once
    more.
    """
    before = _named(database)
    seen, strays, foreign, renditions = set[str](), list[Kept](), list[str](), 0
    for kept in watch(store.listed()):
        digest = digest_of(kept.key)
        if digest is None:
            foreign.append(kept.key)
            continue
        if kept.key.startswith(f"{ORIGINALS}/"):
            seen.add(digest)
        else:
            renditions += 1
        if digest not in before:
            strays.append(kept)
    after = _named(database)
    missing = [digest for digest in sorted(before.keys() & after.keys() - seen) if not store.has(digest)]
    return Report(
        originals=len(seen),
        renditions=renditions,
        dangling=[
            Dangling(image_id=image_id, digest=digest) for digest in missing for image_id in after[digest]
        ],
        orphans=[
            _orphan(database, store, kept, remove=remove)
            for kept in strays
            if digest_of(kept.key) not in after
        ],
        foreign=foreign,
    )


def _named(database: Database, digest: str | None = None) -> dict[str, list[UUID]]:
    """Return the digests that images have, or this one alone if they have it, and which images."""
    asked = select(Image.digest, Image.id).where(
        col(Image.digest).is_not(None) if digest is None else Image.digest == digest
    )
    found: dict[str, list[UUID]] = {}
    with database.reading() as session:
        for named, image_id in session.exec(asked.order_by(col(Image.id))):
            found.setdefault(named or "", []).append(image_id)
    return found


def _orphan(database: Database, store: MediaStore, kept: Kept, *, remove: bool) -> Orphan:
    removed = remove and _is_old(store.since(kept.key)) and not _named(database, digest_of(kept.key))
    if removed:
        store.remove(kept.key)
    return Orphan(key=kept.key, size=kept.size, since=kept.since, removed=removed)


def _is_old(since: datetime | None) -> bool:
    return since is not None and datetime.now(UTC) - since > AGE
