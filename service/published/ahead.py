"""Compare before the counter is locked, and learn under the lock whether all that was compared is as it was.

Others wait for the counter, so what a transaction reads, renders and compares comes first. `Premises` notes
what the comparison was made from and others may have changed since. One statement reads it again under the
lock; it is sent together with the one that locks, so that both are one way there and back.
"""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from uuid import UUID

from sqlalchemy import TextClause, text

from service.database import Session
from service.published.models import Kind, Published

Found = tuple[str, UUID | None, UUID | None, int | None, int | None]
"""A premise: its kind, a resource, the article that shows it, its number, and its place among the texts."""
_LOCK = text("SELECT FROM published_sequence FOR UPDATE")
_TIMELINE = "substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8)"
_CHECK = """
    SELECT CAST('counter' AS text) AS what, CAST(NULL AS uuid) AS id, CAST(NULL AS uuid) AS other,
        CAST(seq AS bigint) AS number, CAST(NULL AS bigint) AS key,
        CAST(timeline AS text) AS said, CAST({timeline} AS text) AS is_now
    FROM published_sequence
    UNION ALL SELECT 'picture', image.id, NULL, image.version, NULL, NULL, NULL FROM image
    WHERE image.id = ANY(CAST(:pictures AS uuid[])) AND image.deleted_at IS NULL
    UNION ALL SELECT 'picture', caption.id, NULL, caption.version, NULL, NULL, NULL FROM caption
    WHERE caption.image_id = ANY(CAST(:pictures AS uuid[])) AND caption.deleted_at IS NULL
    UNION ALL SELECT published.kind, published.id, NULL, published.seq, published.text_key, NULL, NULL
    FROM unnest(CAST(:kinds AS text[]), CAST(:ids AS uuid[])) AS asked(kind, id)
    JOIN published ON published.kind = asked.kind AND published.id = asked.id
    UNION ALL SELECT 'shown', asked.id, NULL, NULL, NULL, NULL, NULL
    FROM unnest(CAST(:shown AS uuid[])) AS asked(id) WHERE EXISTS (
        SELECT FROM published_term WHERE published_term.field = 'image'
        AND published_term.value = CAST(asked.id AS text)
        AND published_term.id <> ALL(CAST(:own AS uuid[]))
    )
    UNION ALL SELECT 'shown in', asked.id, asked.article, NULL, NULL, NULL, NULL
    FROM unnest(CAST(:images AS uuid[]), CAST(:articles AS uuid[])) AS asked(id, article)
    JOIN published_term ON published_term.field = 'image'
        AND published_term.value = CAST(asked.id AS text) AND published_term.id = asked.article
    UNION ALL SELECT 'text', published_text.id, NULL, NULL, published_text.key, NULL, NULL FROM published_text
    WHERE published_text.key = ANY(CAST(:keys AS bigint[]))
    UNION ALL SELECT 'heard', NULL, NULL, NULL, NULL, NULL, NULL
    WHERE EXISTS (SELECT FROM webhook WHERE webhook.enabled)
"""


@dataclass(slots=True)
class Premises:
    """The premises of a comparison: versions of pictures and captions, numbers of published rows, and
    whether others show a picture or have the place of a text.
    """

    pictures: set[UUID] = field(default_factory=set)
    """Pictures whose versions, and those of their captions, are among `found`."""
    rows: set[tuple[Kind, UUID]] = field(default_factory=set)
    shown: set[UUID] = field(default_factory=set)
    own: set[UUID] = field(default_factory=set)
    """The articles whose terms this transaction replaces: `shown` asks for others."""
    shown_in: set[tuple[UUID, UUID]] = field(default_factory=set)
    texts: set[int] = field(default_factory=set)
    found: set[Found] = field(default_factory=set)

    def note_pictures(self, images: Collection[UUID], versions: Iterable[tuple[UUID, int]]) -> None:
        """Note the versions of images and of their captions."""
        self.pictures.update(images)
        self.found.update(("picture", id_, None, version, None) for id_, version in versions)

    def note_rows(self, kind: Kind, ids: Collection[UUID], rows: Iterable[Published]) -> None:
        """Note the published rows that there are of these."""
        self.rows.update((kind, id_) for id_ in ids)
        self.found.update((kind.value, row.id, None, row.seq, row.text_key) for row in rows)

    def note_shown(self, images: Collection[UUID], own: Collection[UUID], found: Iterable[UUID]) -> None:
        """Note which of these images are shown by other articles than the transaction's own."""
        self.shown.update(images)
        self.own.update(own)
        self.found.update(("shown", image, None, None, None) for image in found)

    def note_shown_in(self, pairs: Collection[tuple[UUID, UUID]], found: Iterable[tuple[UUID, UUID]]) -> None:
        """Note which of these images are shown in which of these articles."""
        self.shown_in.update(pairs)
        self.found.update(("shown in", image, article, None, None) for image, article in found)

    def note_texts(self, keys: Collection[int], known: Iterable[tuple[int, UUID]]) -> None:
        """Note which of these places of texts have a text."""
        self.texts.update(keys)
        self.found.update(("text", id_, None, None, key) for key, id_ in known)

    def values(self) -> dict[str, str]:
        """Return what the check asks for. Written out, so that it is one statement for any number."""
        rows, pairs = list(self.rows), list(self.shown_in)
        return {
            "pictures": _array(self.pictures),
            "kinds": _array(kind.value for kind, _ in rows),
            "ids": _array(id_ for _, id_ in rows),
            "shown": _array(self.shown),
            "own": _array(self.own),
            "images": _array(image for image, _ in pairs),
            "articles": _array(article for _, article in pairs),
            "keys": _array(self.texts),
        }


@dataclass(frozen=True, slots=True)
class Counter:
    """The counter as it was when it was locked: the last number, and the database's timelines, that which it
    knew and that which is now. `is_heard` tells whether there are webhooks; `holds` tells whether the
    premises do.
    """

    last: int
    known_timeline: str | None
    timeline: str | None
    is_heard: bool
    holds: bool


@contextmanager
def noting(session: Session) -> Iterator[Premises]:
    """Have what is compared in this block noted."""
    premises = session.kept[Premises] = Premises()
    try:
        yield premises
    finally:
        session.kept.pop(Premises, None)


def noted_in(session: Session) -> Premises | None:
    """Return where to note what a comparison is made from; None when that cannot change."""
    found = session.kept.get(Premises)
    return found if isinstance(found, Premises) else None


def lock_and_check(session: Session, premises: Premises) -> Counter:
    """Lock the counter of PostgreSQL until the transaction ends, and tell whether the premises hold."""
    session.pipeline()
    session.write(_LOCK)
    # A statement sees what was committed when it began: this one begins once the counter is locked.
    check = _check(has_timeline=session.database.has_timeline)
    rows = session.connection().execute(check, premises.values()).all()
    (counter,) = (row for row in rows if row.what == "counter")
    found = {tuple(row[:5]) for row in rows if row.what not in ("counter", "heard")}
    is_heard = any(row.what == "heard" for row in rows)
    return Counter(counter.number, counter.said, counter.is_now, is_heard, found == premises.found)


@cache
def _check(*, has_timeline: bool) -> TextClause:
    return text(_CHECK.format(timeline=_TIMELINE if has_timeline else "NULL"))


def _array(values: Iterable[object]) -> str:
    return "{" + ",".join(map(str, values)) + "}"
