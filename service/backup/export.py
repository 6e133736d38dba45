"""Write the content of the store into a folder: the published part, or everything with the trash, in one
snapshot.
"""

import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import orjson
from pydantic import BaseModel
from rich.console import Console
from rich.progress import Progress
from sqlalchemy import tuple_
from sqlmodel import col, func, select

from service.articles import read as articles
from service.articles.models import Article, ArticleSlug, ArticleVersion
from service.articles.restoring import VersionKept
from service.backup import folder as folders
from service.backup.folder import FolderInUse, Manifest, file_of
from service.consent.audit import exports
from service.consent.log import sealing
from service.consent.signing import Signer
from service.database import Database, Session
from service.images import read as images
from service.images.models import Caption, Image
from service.images.storage import MediaStore
from service.published.feed import KINDS
from service.published.models import Kind, Published, PublishedSequence, PublishedSlug, all_but
from service.published.restoring import ChangeKept, SlugKept
from service.published.withdrawn import Gone, pictures, without
from service.tables import now, write_time

AT_ONCE = 200
FIRST = UUID(int=0)
NAMES = {Kind.IMAGE: folders.IMAGES, Kind.CAPTION: folders.CAPTIONS, Kind.ARTICLE: folders.ARTICLES}
Row = TypeVar("Row", Article, Image, Caption)


@dataclass(slots=True)
class Export:
    """One export: where it goes, and what it has written so far."""

    folder: Path
    store: MediaStore
    everything: bool
    counts: dict[str, int] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    """Digests of files that images name and the media store does not have."""

    def write(self, name: str, lines: Iterable[bytes]) -> None:
        """Write a file of lines."""
        self.counts[name.removesuffix(".ndjson")], self.digests[name] = folders.write_lines(
            self.folder / name, lines
        )


def write_export(
    database: Database,
    store: MediaStore,
    folder: Path,
    screen: Console,
    *,
    everything: bool,
    consent: bool = False,
) -> Export:
    """Write what is published, or everything, into a folder that is new or empty. Raises FolderInUse."""
    if folder.exists() and any(folder.iterdir()):
        raise FolderInUse(f"{folder} is not empty.")
    (folder / "media").mkdir(parents=True, exist_ok=True)
    export = Export(folder, store, everything)
    with database.snapshot() as session, Progress(console=screen, transient=True) as progress:
        for kind, name in NAMES.items():
            task = progress.add_task(f"Exporting {name}", total=_total(session, kind, everything=everything))
            lines = progress.track(_documents(session, kind, everything=everything), task_id=task)
            export.write(name, _with_files(lines, export) if kind is Kind.IMAGE else lines)
        export.write(folders.SLUGS, _slugs(session, everything=everything))
        export.write(folders.CHANGES, _changes(session))
        if everything:
            export.write(folders.VERSIONS, _versions(session))
        sequence = session.exec(select(PublishedSequence)).one()
    if consent:
        _write_consent(export, database)
    manifest = Manifest(
        made_at=now(),
        store_id=sequence.store_id,
        seq=sequence.seq,
        everything=everything,
        counts=export.counts,
        digests=export.digests,
        missing=export.missing,
    )
    # Last, so that a folder without it is known to be unfinished.
    (folder / folders.MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n")
    return export


def _total(session: Session, kind: Kind, *, everything: bool) -> int:
    if not everything:
        return session.exec(
            select(func.count()).where(Published.kind == kind, col(Published.reason).is_(None))
        ).one()
    table = {Kind.IMAGE: Image, Kind.CAPTION: Caption, Kind.ARTICLE: Article}[kind]
    return session.exec(select(func.count()).select_from(table)).one()


def _documents(session: Session, kind: Kind, *, everything: bool) -> Iterator[bytes]:
    if not everything:
        batches = _published(session, kind)
        if kind is Kind.IMAGE:
            batches = (_with_unseen(session, batch) for batch in batches)
        return (document for batch in batches for document in batch.values())
    match kind:
        case Kind.IMAGE:
            return (
                line
                for rows in _working(session, Image)
                for line in _lines(rows, images.read_all(session, rows))
            )
        case Kind.CAPTION:
            return (
                line
                for rows in _working(session, Caption)
                for line in _lines(rows, map(images.read_caption, rows))
            )
    return (
        line for rows in _working(session, Article) for line in _lines(rows, articles.read(session, rows))
    )


def _lines(rows: Sequence[Article | Image | Caption], shapes: Iterable[BaseModel]) -> Iterator[bytes]:
    """Yield documents as editors read them, followed by what no document says: why an article was withdrawn,
    when it was to be published, what is in the trash, which picture still waits for its licence to begin, and
    what its file says.
    """
    for row, shape in zip(rows, shapes, strict=True):
        unsaid = {
            "withdrawn_for": row.withdrawn_for if isinstance(row, Article) else None,
            "publish_at": row.publish_at if isinstance(row, Article) else None,
            "deleted_at": row.deleted_at,
            "opens_at": row.opens_at if isinstance(row, Image) else None,
            "of_file": row.of_file if isinstance(row, Image) else None,
        }
        known = {
            name: write_time(value) if isinstance(value, datetime) else value
            for name, value in unsaid.items()
            if value is not None
        }
        line = shape.model_dump_json().encode()
        yield line[:-1] + b"," + orjson.dumps(known)[1:] if known else line


def _published(session: Session, kind: Kind) -> Iterator[dict[UUID, bytes]]:
    """Yield the documents of a kind, by id, some at a time."""
    key, last = col(Published.id), FIRST
    live = (
        select(Published.id, Published.document)
        .where(Published.kind == kind, col(Published.reason).is_(None))
        .order_by(key)
    )
    gone = pictures(session) if kind is Kind.ARTICLE else Gone()
    while rows := session.exec(live.where(key > last).limit(AT_ONCE)).all():
        yield {id_: without(document, gone) if kind is Kind.ARTICLE else document for id_, document in rows}
        last = rows[-1][0]


def _with_unseen(session: Session, documents: dict[UUID, bytes]) -> dict[UUID, bytes]:
    """Add to images what readers do not see of them: without it no store could take them in again."""
    columns = select(Image.id, *(getattr(Image, name) for name in images.UNSEEN))
    rows = session.exec(columns.where(col(Image.id).in_(documents)))
    unseen = {id_: dict(zip(images.UNSEEN, values, strict=True)) for id_, *values in rows}
    return {id_: orjson.dumps(orjson.loads(line) | unseen[id_]) for id_, line in documents.items()}


def _working(session: Session, table: type[Row]) -> Iterator[Sequence[Row]]:
    """Yield the rows of a working table, by id, some at a time."""
    key, last = col(table.id), FIRST
    while rows := session.exec(select(table).where(key > last).order_by(key).limit(AT_ONCE)).all():
        yield rows
        last = rows[-1].id
        session.expunge_all()


def _slugs(session: Session, *, everything: bool) -> Iterator[bytes]:
    table, last = (ArticleSlug if everything else PublishedSlug), ""
    readers = select(table.slug, table.article_id, PublishedSlug.article_id)
    if everything:
        readers = readers.outerjoin(PublishedSlug, col(PublishedSlug.slug) == col(ArticleSlug.slug))
    while rows := session.exec(
        readers.where(col(table.slug) > last).order_by(col(table.slug)).limit(AT_ONCE)
    ).all():
        for slug, article_id, public in rows:
            yield (
                SlugKept(slug=slug, article_id=article_id, public=public is not None)
                .model_dump_json()
                .encode()
            )
        last = rows[-1][0]


def _changes(session: Session) -> Iterator[bytes]:
    """Yield the feed in its order; notices, which belong to consent, are not in it."""
    last, of_content = (
        0,
        select(Published).where(col(Published.kind).not_in(all_but(KINDS))).order_by(col(Published.seq)),
    )
    while rows := session.exec(of_content.where(col(Published.seq) > last).limit(AT_ONCE)).all():
        for row in rows:
            known = row.model_dump(include=set(ChangeKept.model_fields) - {"etag"})
            yield ChangeKept(**known, etag=None if row.reason else row.etag).model_dump_json().encode()
        last = rows[-1].seq
        session.expunge_all()


def _versions(session: Session) -> Iterator[bytes]:
    key, last = (col(ArticleVersion.article_id), col(ArticleVersion.version)), (FIRST, 0)
    while rows := session.exec(
        select(ArticleVersion).where(tuple_(*key) > last).order_by(*key).limit(AT_ONCE)
    ).all():
        yield from (VersionKept.model_validate(row).model_dump_json().encode() for row in rows)
        last = rows[-1].article_id, rows[-1].version
        session.expunge_all()


def _write_consent(export: Export, database: Database) -> None:
    """Write the log of consent, after sealing what waited."""
    signer = Signer(database.settings.signing_key)
    sealing.seal(database, signer)
    log = exports.write(database, signer, as_csv=False)
    export.write(folders.CONSENT, (line for part in log for line in part.splitlines()))


def _with_files(lines: Iterable[bytes], export: Export) -> Iterator[bytes]:
    """Yield the images' lines, each after its file has been copied."""
    for line in lines:
        image = orjson.loads(line)
        if image["digest"] is not None:
            _copy(export, image["digest"], image["content_type"])
        yield line


def _copy(export: Export, digest: str, content_type: str) -> None:
    place = file_of(export.folder, digest, content_type)
    if place.exists():
        return  # The trash may have the same picture once more.
    if not export.store.has(digest):
        export.missing.append(digest)
        return
    with export.store.open(digest) as file, place.open("wb") as copy:
        shutil.copyfileobj(file, copy)
    export.counts["files"] = export.counts.get("files", 0) + 1
