"""A folder that holds the store's content, for another store to take in: one JSON document on each line, and the pictures' files.

    manifest.json      what this is: the format, the store, the number of its last public change, how many of each kind
    images.ndjson      images, captions and articles as `/v1` answers them, in that order, so that each line refers to what came before;
    captions.ndjson    ordered by id; of what is published the very bytes that readers get
    articles.ndjson
    slugs.ndjson       every slug that leads to one of the articles, past ones too
    removed.ndjson     what was public once and is not any more, with the reason
    media/DIGEST.EXT   the files, by the SHA-256 that `digest` names

All of it is read in one snapshot. Consent is not content, and is not in it.
"""

import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import orjson
from pydantic import BaseModel
from rich.console import Console
from rich.progress import Progress
from sqlalchemy import text
from sqlmodel import col, func, select

from service import __version__
from service.articles import read as articles
from service.articles.models import Article, ArticleSlug
from service.database import Database, Session
from service.errors import Conflict
from service.images import read as images
from service.images.models import Caption, Image
from service.images.storage import EXTENSIONS, MediaStore
from service.published.models import Kind, Published, PublishedSequence, PublishedSlug
from service.tables import now, write_time

FORMAT = "copydesk-export"
AT_ONCE = 200
FIRST = UUID(int=0)
NAMES = {Kind.IMAGE: "images", Kind.CAPTION: "captions", Kind.ARTICLE: "articles"}
Row = TypeVar("Row", Article, Image, Caption)


class FolderInUse(Conflict):
    """The folder to export into has files in it already. Nothing is ever written over."""

    title = "The folder is not empty"


class Manifest(BaseModel):
    """What a folder says of itself."""

    format: str = FORMAT
    format_version: int = 1
    copydesk: str = __version__
    made_at: str
    store_id: UUID
    seq: int
    everything: bool
    counts: dict[str, int]


@dataclass(slots=True)
class Export:
    """One export: where it goes, and what it has written so far."""

    folder: Path
    store: MediaStore
    everything: bool
    counts: dict[str, int] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    """Digests of files that images name and the media store does not have."""


def write_export(database: Database, store: MediaStore, folder: Path, screen: Console, *, everything: bool) -> Export:
    """Write what is published, or everything that is not in the trash, into a folder that is new or empty. Raises FolderInUse."""
    if folder.exists() and any(folder.iterdir()):
        raise FolderInUse(f"{folder} is not empty.")
    (folder / "media").mkdir(parents=True, exist_ok=True)
    export = Export(folder, store, everything)
    with database.reading() as session, Progress(console=screen, transient=True) as progress:
        if not database.is_sqlite:
            session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        for kind, name in NAMES.items():
            task = progress.add_task(f"Exporting {name}", total=_total(session, kind, everything=everything))
            lines = progress.track(_documents(session, kind, everything=everything), task_id=task)
            export.counts[name] = _write_lines(folder / f"{name}.ndjson", _with_files(lines, export) if kind is Kind.IMAGE else lines)
        export.counts["slugs"] = _write_lines(folder / "slugs.ndjson", _slugs(session, everything=everything))
        export.counts["removed"] = _write_lines(folder / "removed.ndjson", _removed(session))
        sequence = session.exec(select(PublishedSequence)).one()
        manifest = Manifest(
            made_at=write_time(now()), store_id=sequence.store_id, seq=sequence.seq, everything=everything, counts=export.counts
        )
    # Last, so that a folder without it is known to be unfinished.
    (folder / "manifest.json").write_text(manifest.model_dump_json(indent=2) + "\n")
    return export


def _write_lines(path: Path, lines: Iterable[bytes]) -> int:
    count = 0
    with path.open("wb") as file:
        for count, line in enumerate(lines, 1):  # noqa: B007  # the number of the last line
            file.write(line + b"\n")
    return count


def _total(session: Session, kind: Kind, *, everything: bool) -> int:
    if not everything:
        return session.exec(select(func.count()).where(Published.kind == kind, col(Published.reason).is_(None))).one()
    deleted_at = {Kind.IMAGE: col(Image.deleted_at), Kind.CAPTION: col(Caption.deleted_at), Kind.ARTICLE: col(Article.deleted_at)}[kind]
    return session.exec(select(func.count()).where(deleted_at.is_(None))).one()


def _documents(session: Session, kind: Kind, *, everything: bool) -> Iterator[bytes]:
    if not everything:
        return _published(session, kind)
    match kind:
        case Kind.IMAGE:
            return (shape.model_dump_json().encode() for rows in _working(session, Image) for shape in images.read_all(session, rows))
        case Kind.CAPTION:
            return (images.read_caption(row).model_dump_json().encode() for rows in _working(session, Caption) for row in rows)
    return (shape.model_dump_json().encode() for rows in _working(session, Article) for shape in articles.read(session, rows))


def _published(session: Session, kind: Kind) -> Iterator[bytes]:
    """The documents of a kind, by id, some at a time."""
    key, last = col(Published.id), FIRST
    live = select(Published.id, Published.document).where(Published.kind == kind, col(Published.reason).is_(None)).order_by(key)
    while rows := session.exec(live.where(key > last).limit(AT_ONCE)).all():
        yield from (document for _, document in rows)
        last = rows[-1][0]


def _working(session: Session, table: type[Row]) -> Iterator[Sequence[Row]]:
    """The rows of a working table that are not in the trash, by id, some at a time."""
    key, last = col(table.id), FIRST
    live = select(table).where(col(table.deleted_at).is_(None)).order_by(key)
    while rows := session.exec(live.where(key > last).limit(AT_ONCE)).all():
        yield rows
        last = rows[-1].id
        session.expunge_all()


def _slugs(session: Session, *, everything: bool) -> Iterator[bytes]:
    table = ArticleSlug if everything else PublishedSlug
    for slug, article_id in session.exec(select(table.slug, table.article_id).order_by(table.slug)):
        yield orjson.dumps({"slug": slug, "article_id": str(article_id)})


def _removed(session: Session) -> Iterator[bytes]:
    for row in session.exec(select(Published).where(col(Published.reason).is_not(None)).order_by(col(Published.seq))):
        said = {"kind": row.kind, "id": str(row.id), "version": row.version, "reason": row.reason, "detail": row.detail}
        yield orjson.dumps(said | {"changed_at": write_time(row.changed_at)})


def _with_files(lines: Iterable[bytes], export: Export) -> Iterator[bytes]:
    """The images' lines, each after its file has been copied."""
    for line in lines:
        image = orjson.loads(line)
        if image["digest"] is not None:
            _copy(export, image["digest"], image["content_type"])
        yield line


def _copy(export: Export, digest: str, content_type: str) -> None:
    if not export.store.has(digest):
        export.missing.append(digest)
        return
    with export.store.open(digest) as file, (export.folder / "media" / f"{digest}.{EXTENSIONS[content_type]}").open("wb") as copy:
        shutil.copyfileobj(file, copy)
    export.counts["files"] = export.counts.get("files", 0) + 1
