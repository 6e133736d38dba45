"""The protocol of every store of pictures, and the keys under which it keeps them."""

import errno
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from fastapi import Response

from service.errors import Unavailable

EXTENSIONS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/gif": "gif",
    "image/avif": "avif",
}
"""The media types that pictures may have, and how the names of their files end."""
ORIGINALS, RENDITIONS = "originals", "renditions"
OURS = re.compile(rf"{ORIGINALS}/(?P<original>[0-9a-f]{{64}})|{RENDITIONS}/(?P<source>[0-9a-f]{{64}})/[^/]+")
DRAFT = "copydesk-"
"""The beginning of the names of half-written files."""
LEFT_BEHIND_AFTER = 24 * 3600
"""Seconds after which a half-written file belongs to a process that died, and after which bytes that no row
names are orphans.
"""


class MediaUnavailable(Unavailable):
    """The store of the pictures' files does not answer, or has lost this file. `Retry-After` says when to ask
    again.
    """

    title = "The pictures' files are not available just now"

    def __init__(self, detail: str = "The store of the pictures' files does not answer.") -> None:
        super().__init__(detail, headers={"Retry-After": "10"})


class MediaFull(MediaUnavailable):
    """There is no room left for pictures' files, or for the temporary files that they pass through. Nothing
    was kept; send it again once there is room.
    """

    status, title = 507, "No room left for pictures' files"

    def __init__(self, detail: str = "There is no room left for this file.") -> None:
        super().__init__(detail)
        self.headers["Retry-After"] = "60"


@dataclass(frozen=True, slots=True)
class Kept:
    """A file in the store: its key, its size in bytes, and since when it has been there."""

    key: str
    size: int
    since: datetime


class MediaStore(Protocol):
    """A store of pictures. Digests are SHA-256 in hex. Every method raises MediaUnavailable when the store
    does not answer, and MediaFull when there is no room.
    """

    def prepare(self) -> None:
        """Clear what died processes left half-written. The store itself need not be there yet."""

    def probe(self) -> None:
        """See, within two seconds, whether the store is there."""

    def incoming(self) -> Path:
        """Return the local folder in which a file is written before it is kept."""

    def keep(self, file: Path, digest: str, rendition: str | None = None) -> None:
        """Keep a complete file from `incoming()`, which is gone from there afterwards. On return its bytes
        are durable.

        Bytes that are there already are not written again, but count as new: for a day nobody takes them for
        an orphan.
        """

    def has(self, digest: str, rendition: str | None = None) -> bool:
        """Return whether these bytes are kept."""

    def open(self, digest: str, rendition: str | None = None) -> BinaryIO:
        """Open kept bytes as a local file. Raises FileNotFoundError."""

    def response(
        self, digest: str, content_type: str, headers: Mapping[str, str], rendition: str | None = None
    ) -> Response:
        """Answer with kept bytes, or the part of them that the request asks for."""

    def listed(self) -> Iterator[Kept]:
        """Yield everything that is kept, in no order."""

    def since(self, key: str) -> datetime | None:
        """Since when a listed file has been there, asked now; None when it is gone."""

    def remove(self, key: str) -> None:
        """Remove a listed file, if it is there."""


def key_of(digest: str, rendition: str | None = None) -> str:
    """Return the key of an original, or of a rendition of it."""
    return f"{ORIGINALS}/{digest}" if rendition is None else f"{RENDITIONS}/{digest}/{rendition}"


def digest_of(key: str) -> str | None:
    """Return the digest of the picture that a key belongs to; None for a key that is not ours."""
    ours = OURS.fullmatch(key)
    return None if ours is None else ours["original"] or ours["source"]


def original_name(digest: str, content_type: str) -> str:
    """Return the name under which a picture is served as it came. It changes when the picture does, so it may
    be cached for ever.
    """
    return f"original-{digest[:12]}.{EXTENSIONS[content_type]}"


@contextmanager
def disk(missing: type[OSError] | tuple[()] = ()) -> Iterator[None]:
    """Raise MediaUnavailable for a fault of the disk, which is no fault of the request. `missing` is let
    through.
    """
    try:
        yield
    except missing:
        raise
    except OSError as fault:
        raise unavailable(fault) from fault


def unavailable(fault: Exception) -> MediaUnavailable:
    """Return the answer to a fault of a disk or of a store."""
    is_full = isinstance(fault, OSError) and fault.errno in (errno.ENOSPC, errno.EDQUOT)
    return MediaFull() if is_full else MediaUnavailable()


def clear_drafts(folder: Path) -> None:
    """Remove the half-written files of processes that died."""
    for path in folder.glob(f"{DRAFT}*"):
        # Another process may be clearing too, and in a shared folder there may be those of other users.
        with suppress(FileNotFoundError, PermissionError):
            if path.is_file() and path.stat().st_mtime < time.time() - LEFT_BEHIND_AFTER:
                path.unlink()
