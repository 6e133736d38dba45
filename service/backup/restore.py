"""Fill an empty store from an exported folder, completely or not at all, so that it answers as the exported
store did.

First the folder is looked through, then the pictures' files are kept, then everything is written in one
transaction. Files that are kept by an attempt that fails do no harm: the next one finds them, and `copydesk
media check --remove` removes them.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy.exc import DataError, IntegrityError

from service.articles import restoring as articles
from service.articles.restoring import ArticleKept, VersionKept
from service.backup import folder as folders
from service.backup.folder import Damaged, Manifest, check_lines, file_of, read_lines, read_manifest
from service.database import Database, Session
from service.errors import Conflict
from service.images import restoring as images
from service.images.intake import KEEPING
from service.images.restoring import CaptionKept, ImageKept
from service.images.storage import MediaStore
from service.published import restoring as published
from service.published.models import Kind
from service.published.restoring import ChangeKept, NotAsPublished, SlugKept

AT_ONCE = 200
ACTOR = "copydesk import"
Item = TypeVar("Item")


class StoreInUse(Conflict):
    """Only an empty store takes in what was exported: one without articles, images and captions, not even in
    the trash.
    """

    title = "The store is not empty"


@dataclass(frozen=True, slots=True)
class Restored:
    """Counts of what was restored. `different` counts public answers that are not, byte for byte, as they
    were.
    """

    manifest: Manifest
    different: int


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder that is being taken in, and the screen on which its progress shows."""

    path: Path
    manifest: Manifest
    progress: Progress

    def batches(self, name: str, shape: type[folders.Shape], done: str) -> Iterator[list[folders.Shape]]:
        """Yield the documents of a file, some at a time."""
        task = self.progress.add_task(done, total=self.manifest.counts[name.removesuffix(".ndjson")])
        lines = read_lines(self.path, name, shape)
        while batch := list(islice(lines, AT_ONCE)):
            yield batch
            self.progress.advance(task, len(batch))


def check(path: Path, screen: Console) -> Manifest:
    """See whether a folder is whole, files of pictures and all, and write nothing. Raises Damaged."""
    with _progress(screen) as progress:
        folder = _opened(path, progress)
        _each_file(folder, lambda file, digest: folders.digest_of(file) == digest)
    return folder.manifest


def restore(database: Database, store: MediaStore, path: Path, screen: Console) -> Restored:
    """Take in a folder. Raises Damaged and StoreInUse; then nothing is in the store but, perhaps, files that
    nobody names.
    """
    with _progress(screen) as progress:
        folder = _opened(path, progress)
        with database.reading() as session:
            _refuse_used(session)
        store.prepare()
        _each_file(folder, partial(images.keep_file, store))
        try:
            with database.writing() as session:
                different = _write(session, folder)
        except (IntegrityError, DataError, NotAsPublished) as fault:
            said = fault.detail if isinstance(fault, NotAsPublished) else str(fault.orig).partition("\n")[0]
            raise Damaged(f"{path} does not agree with itself: {said}") from fault
    return Restored(folder.manifest, different)


def _progress(screen: Console) -> Progress:
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    return Progress(*columns, console=screen, transient=True)


def _opened(path: Path, progress: Progress) -> _Folder:
    manifest = read_manifest(path)
    sizes = [(path / name).stat().st_size for name in manifest.digests if (path / name).exists()]
    task = progress.add_task("Looking through the folder", total=sum(sizes))
    check_lines(path, manifest, lambda read: progress.advance(task, read))
    return _Folder(path, manifest, progress)


def _refuse_used(session: Session) -> None:
    if not (articles.is_unused(session) and published.is_unused(session)):
        raise StoreInUse(
            "The store is not empty: an export is only taken in by a store without any articles and images."
        )


def _each_file(folder: _Folder, is_whole: Callable[[Path, str], bool]) -> None:
    """Do something with every picture's file that says whether it has its digest, a few at a time. Raises
    Damaged.
    """
    lost = set(folder.manifest.missing)
    with ThreadPoolExecutor(KEEPING) as hands:
        for batch in folder.batches(folders.IMAGES, ImageKept, "Pictures' files"):
            named = [(image.digest, image.content_type or "") for image in batch if image.digest is not None]
            paths = {
                file_of(folder.path, digest, kind): digest for digest, kind in named if digest not in lost
            }
            if absent := [path for path in paths if not path.exists()]:
                raise Damaged(f"{absent[0]} is missing.")
            for path, whole in zip(paths, hands.map(is_whole, paths, paths.values()), strict=True):
                if not whole:
                    raise Damaged(f"{path} does not have the SHA-256 in its name.")


def _write(session: Session, folder: _Folder) -> int:
    behind = published.begin(session)
    # Asked again, now that nobody else publishes.
    _refuse_used(session)
    for changes in folder.batches(folders.CHANGES, ChangeKept, "Changes"):
        if changes[-1].seq > folder.manifest.seq:
            raise Damaged(f"{folder.path / folders.CHANGES} tells of later changes than {folders.MANIFEST}.")
        published.put_numbers_back(session, changes, behind)
    for slugs in folder.batches(folders.SLUGS, SlugKept, "Slugs"):
        articles.put_slugs_back(session, slugs)
        published.put_slugs_back(session, slugs)
    ids: dict[Kind, list[UUID]] = {Kind.ARTICLE: [], Kind.IMAGE: [], Kind.CAPTION: []}
    for pictures in folder.batches(folders.IMAGES, ImageKept, "Images"):
        images.put_images_back(session, pictures)
        ids[Kind.IMAGE] += [image.id for image in pictures]
    images.stand_in_withdrawn(session)
    for written in folder.batches(folders.ARTICLES, ArticleKept, "Articles"):
        articles.put_articles_back(session, written)
        if folders.VERSIONS not in folder.manifest.digests:
            articles.begin_histories(session, written, ACTOR)
        ids[Kind.ARTICLE] += [article.id for article in written]
        session.expunge_all()
    for captions in folder.batches(folders.CAPTIONS, CaptionKept, "Captions"):
        images.put_captions_back(session, captions)
        ids[Kind.CAPTION] += [caption.id for caption in captions]
    if folders.VERSIONS in folder.manifest.digests:
        for versions in folder.batches(folders.VERSIONS, VersionKept, "Versions"):
            articles.put_versions_back(session, versions)
    different = _show(session, ids, folder.progress)
    published.end(session, behind + folder.manifest.seq)
    return different


def _show(session: Session, ids: dict[Kind, list[UUID]], progress: Progress) -> int:
    """Articles first: from them follows which images and captions are public."""
    task, different = progress.add_task("What is public", total=sum(map(len, ids.values()))), 0
    for kind, known in ids.items():
        for batch in _batches(known):
            different += published.show(session, kind, batch)
            session.expunge_all()
            progress.advance(task, len(batch))
    return different


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    rest = iter(items)
    while batch := list(islice(rest, AT_ONCE)):
        yield batch
