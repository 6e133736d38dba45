"""The contents of an exported folder, and the check that they are complete: one JSON document on each line,
and the pictures' files.

    manifest.json      what this is: the format, the store, the number of its last change, how many of each
    kind, the files' SHA-256
    images.ndjson      images, captions and articles as `/v1` answers them, ordered by id; of what is
    published the very bytes that
    captions.ndjson    readers get; of everything those that editors get, followed by why an article was
    withdrawn (`withdrawn_for`), when it was to be published (`publish_at`)
    articles.ndjson    and since when a line is in the trash (`deleted_at`)
    slugs.ndjson       every slug that leads to one of the articles, past ones too
    changes.ndjson     the feed of changes without the documents: what is public, and what is not any more,
    with the reason
    versions.ndjson    with everything: each version of the articles
    consent.ndjson     where it was asked for: the log of consent, as `/v1/consent-exports` writes it
    media/DIGEST.EXT   the pictures' files, by the SHA-256 that `digest` names

The manifest is written last: a folder without it is unfinished.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final, Literal, TypeVar
from uuid import UUID

import orjson
from pydantic import BaseModel, ValidationError

from service import __version__
from service.errors import Conflict, Unprocessable
from service.images.storage import EXTENSIONS
from service.tables import Time

FORMAT: Final = "copydesk-export"
FORMAT_VERSION = 1
MANIFEST = "manifest.json"
IMAGES, CAPTIONS, ARTICLES, SLUGS, CHANGES, VERSIONS, CONSENT = (
    f"{name}.ndjson" for name in ("images", "captions", "articles", "slugs", "changes", "versions", "consent")
)
ALWAYS = (IMAGES, CAPTIONS, ARTICLES, SLUGS, CHANGES)
_PIECE = 1 << 20
_DIGEST = re.compile("[0-9a-f]{64}")
Shape = TypeVar("Shape", bound=BaseModel)


class FolderInUse(Conflict):
    """The folder to export into has files in it already. Nothing is ever written over."""

    title = "The folder is not empty"


class Damaged(Unprocessable):
    """The exported folder is unfinished, or is not any more what was exported; nothing of it was taken in."""

    title = "The export is damaged"


class Manifest(BaseModel):
    """The contents of a folder by its own account. `missing` are digests of files that the media store of the
    exported store had lost.
    """

    format: Literal["copydesk-export"] = FORMAT
    format_version: int = FORMAT_VERSION
    copydesk: str = __version__
    made_at: Time
    store_id: UUID
    seq: int
    everything: bool
    counts: dict[str, int]
    digests: dict[str, str]
    missing: list[str]


def is_export(folder: Path) -> bool:
    """Return whether a folder was exported, or was to be."""
    if not folder.is_dir():
        return False
    try:
        said = orjson.loads((folder / MANIFEST).read_bytes())
    except (FileNotFoundError, orjson.JSONDecodeError):
        return any((folder / name).exists() for name in ALWAYS)
    return isinstance(said, dict) and said.get("format") == FORMAT


def read_manifest(folder: Path) -> Manifest:
    """Read what a folder says of itself. Raises Damaged."""
    try:
        said = orjson.loads((folder / MANIFEST).read_bytes())
        if said["format_version"] > FORMAT_VERSION:
            raise Damaged(
                f"{folder} has format {said['format_version']}, and was written by Copydesk"
                f" {said.get('copydesk')}; this one, {__version__}, knows formats up to {FORMAT_VERSION}."
            )
        manifest = Manifest.model_validate(said)
    except FileNotFoundError:
        raise Damaged(f"{folder} has no {MANIFEST}: the export was never finished.") from None
    except (orjson.JSONDecodeError, KeyError, TypeError, ValidationError):
        raise Damaged(f"{folder / MANIFEST} is not the manifest of an export.") from None
    if lacking := [name for name in ALWAYS if name not in manifest.digests]:
        raise Damaged(f"{folder / MANIFEST} does not tell of {lacking[0]}.")
    return manifest


def check_lines(folder: Path, manifest: Manifest, passed: Callable[[int], None]) -> None:
    """See whether every file of lines is there, whole and unchanged. Raises Damaged. `passed` is told of
    bytes as they are read.
    """
    for name, digest in manifest.digests.items():
        count, found = 0, hashlib.sha256()
        for piece in _pieces(folder / name):
            count += piece.count(b"\n")
            found.update(piece)
            passed(len(piece))
        expected = manifest.counts.get(name.removesuffix(".ndjson"))
        if found.hexdigest() != digest:
            raise Damaged(
                f"{folder / name} is not what was exported: it has another SHA-256 than {MANIFEST} says."
            )
        if expected != count:
            raise Damaged(f"{folder / name} has {count} lines, and {MANIFEST} tells of {expected}.")


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file. Raises Damaged when it is not there."""
    found = hashlib.sha256()
    for piece in _pieces(path):
        found.update(piece)
    return found.hexdigest()


def _pieces(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece
    except FileNotFoundError:
        raise Damaged(f"{path} is missing.") from None


def read_lines(folder: Path, name: str, shape: type[Shape]) -> Iterator[Shape]:
    """Yield the documents of a file. Raises Damaged."""
    with (folder / name).open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                yield shape.model_validate_json(line)
            except ValidationError as fault:
                wrong = fault.errors()[0]
                place = "/".join(map(str, wrong["loc"]))
                raise Damaged(f"{folder / name}, line {number}: {place} {wrong['msg']}") from None


def write_lines(path: Path, lines: Iterable[bytes]) -> tuple[int, str]:
    """Write lines; how many they are, and the SHA-256 of the file."""
    count, digest = 0, hashlib.sha256()
    with path.open("wb") as file:
        for line in lines:
            file.write(line + b"\n")
            digest.update(line + b"\n")
            count += 1
    return count, digest.hexdigest()


def file_of(folder: Path, digest: str, content_type: str) -> Path:
    """Return where the file of a picture is. Raises Damaged for a wrong digest or a type that no picture has:
    the path would lead elsewhere.
    """
    if _DIGEST.fullmatch(digest) is None or content_type not in EXTENSIONS:
        raise Damaged(f"{folder / IMAGES} tells of a file {digest!r} of the type {content_type!r}.")
    return folder / "media" / f"{digest}.{EXTENSIONS[content_type]}"
