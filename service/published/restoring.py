"""Restore public rows under the numbers that they had, rendered afresh from the working tables.

First every number, then, resource by resource, what stands under it: so no more than a few of them are ever
at hand. A new store's own numbers come before, all of them, and what is working only is numbered behind:
whoever follows the feed of the new store from its beginning is told the same as in the old one.
"""

from collections.abc import Collection, Sequence
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import text, update
from sqlmodel import col, select

from service.database import Session, insert, rows_changed
from service.errors import Unprocessable
from service.http.conditional import etag_of
from service.published import moves
from service.published.feed import KINDS
from service.published.models import (
    Kind,
    Published,
    PublishedSequence,
    PublishedSlug,
    PublishedTerm,
    Reason,
    WorkingChange,
)
from service.published.numbering import put
from service.published.outcomes import Change, Rendered
from service.published.render import lock_counter, render, term_rows
from service.tables import Time, new_id

_AWAITED, _NOTHING = b"", b"{}"
_WORKING = ("caption", "image", "article")
"""The working tables, in the order in which followers are told. The rooms of these stand above this one."""


class NotAsPublished(Unprocessable):
    """The export's public rows do not follow from its articles, images and captions, so that they are not
    restored.
    """

    title = "Not what was published"


class ChangeKept(BaseModel):
    """A number of the feed and its resource. `etag` is that of the document that readers got, or null for a
    removal.
    """

    seq: int
    kind: Kind
    id: UUID
    version: int
    reason: Reason | None
    detail: str | None
    changed_at: Time
    section: str | None
    language: str | None
    etag: str | None


class SlugKept(BaseModel):
    """A slug and the article that it leads to; `public` when it does so for readers."""

    slug: str
    article_id: UUID
    public: bool


def begin(session: Session) -> int:
    """Block all other publishing until the commit. Return the number after which restored numbers begin."""
    return lock_counter(session)


def is_unused(session: Session) -> bool:
    """Return whether nothing but notices was ever published here."""
    return session.exec(select(Published.seq).where(col(Published.kind).in_(KINDS)).limit(1)).first() is None


def put_numbers_back(session: Session, changes: Sequence[ChangeKept], behind: int) -> None:
    """Insert one published row per exported change. Live rows get an empty document, which `show` fills."""
    rows = [
        {
            "kind": each.kind,
            "id": each.id,
            "seq": behind + each.seq,
            "version": each.version,
            "reason": each.reason,
            "detail": each.detail,
            "changed_at": each.changed_at,
            "section": each.section,
            "language": each.language,
            "document": _AWAITED if each.reason is None else _NOTHING,
            "etag": each.etag or etag_of(_NOTHING, each.version),
            "published_at": each.changed_at,
            "updated_at": each.changed_at,
        }
        for each in changes
    ]
    session.execute(insert(session, Published), rows)


def put_slugs_back(session: Session, slugs: Sequence[SlugKept]) -> None:
    """Let readers' slugs lead where they led."""
    rows = [{"slug": each.slug, "article_id": each.article_id} for each in slugs if each.public]
    if rows:
        session.execute(insert(session, PublishedSlug), rows)


def show(session: Session, kind: Kind, ids: Collection[UUID]) -> int:
    """Render what is public of these; how many are answered otherwise than they were. Raises
    NotAsPublished.
    """
    columns = select(Published.id, Published.seq, Published.changed_at, Published.etag)
    live = columns.where(Published.kind == kind, col(Published.id).in_(ids), col(Published.reason).is_(None))
    known = {id_: (seq, changed_at, etag) for id_, seq, changed_at, etag in session.exec(live)}
    shown = {outcome.id: outcome for outcome in render(session, kind, ids) if isinstance(outcome, Rendered)}
    if odd := sorted(known.keys() ^ shown.keys()):
        raise NotAsPublished(
            f"The {kind} {odd[0]} is {'not ' if odd[0] in known else ''}public,"
            " unlike what the list of changes says."
        )
    if not shown:
        return 0
    put(session, [(_change(kind, new, known[id_][0], known[id_][1]), new) for id_, new in shown.items()])
    if terms := [row for new in shown.values() for row in term_rows(new)]:
        session.execute(insert(session, PublishedTerm), terms)
    return sum(etag_of(new.document, new.version) != known[id_][2] for id_, new in shown.items())


def _change(kind: Kind, new: Rendered, seq: int, changed_at: Time) -> Change:
    return Change(
        seq,
        kind,
        new.id,
        new.version,
        None,
        None,
        changed_at,
        new.document,
        (new.section, new.language),
        None,
        moves=moves.write(seq, moves.lists_of(new.section, new.language, new.terms), None),
    )


def end(session: Session, last: int) -> None:
    """Number the working resources after the last public number, and give the store a new id. The old store
    may have made changes after the export, so its cursors must not be good here. Raises NotAsPublished when a
    document is missing.
    """
    awaited = select(Published.kind, Published.id).where(
        Published.document == _AWAITED, col(Published.kind).in_(KINDS)
    )
    if missing := session.exec(awaited.limit(1)).first():
        raise NotAsPublished(
            f"The list of changes tells of the {missing[0]} {missing[1]}, which is not there."
        )
    # This renders what the restored rows have touched, and numbers the working resources.
    session.gathered.touched.clear()
    session.gathered.noted.clear()
    for name in _WORKING:
        numbered = text(
            f"INSERT INTO {WorkingChange.__tablename__} (kind, id, seq, changed_at) SELECT '{name}', id,"
            f" :last + row_number() OVER (ORDER BY updated_at, id), updated_at FROM {name}"
        )
        last += rows_changed(session.execute(numbered, {"last": last}))
    session.execute(update(PublishedSequence).values(seq=last, store_id=new_id(), counted_at=None))
    if not session.database.is_sqlite:
        session.execute(text("SELECT pg_notify('copydesk_published', :seq)"), {"seq": str(last)})
    session.gathered.sequence = last
