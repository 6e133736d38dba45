"""Where the bytes of pictures are kept: under their own SHA-256, durably, written before the row that names them.

A file is never changed and never overwritten: the same bytes are the same file. Bytes that no row names, because the transaction
after them failed, do no harm and serve the next upload of the same picture.
"""

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Protocol

from fastapi import Response
from fastapi.responses import FileResponse

from service.settings import Settings

EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "image/gif": "gif", "image/avif": "avif"}
"""The media types that pictures may have, and how the names of their files end."""
LEFT_BEHIND_AFTER = 24 * 3600
"""Seconds after which a half-written upload belongs to a process that died."""


class MediaStore(Protocol):
    """What keeps pictures. Digests are SHA-256 in hex."""

    def prepare(self) -> None:
        """Make sure that the store can be written to, and clear what died processes left half-written."""

    def incoming(self) -> Path:
        """The local folder in which a file is written before it is kept."""

    def keep(self, file: Path, digest: str) -> None:
        """Keep a complete file from `incoming()`, which is gone from there afterwards. On return its bytes are durable."""

    def has(self, digest: str) -> bool:
        """Whether these bytes are kept."""

    def open(self, digest: str) -> BinaryIO:
        """Open kept bytes for reading. Raises FileNotFoundError."""

    def response(self, digest: str, content_type: str, headers: Mapping[str, str]) -> Response:
        """Answer with kept bytes, or the part of them that the request asks for."""


class FolderStore:
    """A folder of this machine: `ab/cd/abcd…`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def prepare(self) -> None:
        """Make the folder, and clear it of uploads that nobody writes any more."""
        for path in self.incoming().iterdir():
            # Another process may be clearing too.
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < time.time() - LEFT_BEHIND_AFTER:
                    path.unlink()

    def incoming(self) -> Path:
        """A folder of the same file system, so that keeping is renaming."""
        folder = self.folder / "incoming"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def keep(self, file: Path, digest: str) -> None:
        """Flush the file, rename it to its place, and flush the folders that name it."""
        place = self._place(digest)
        if place.exists():
            file.unlink()
            return
        _flush(file)
        new_folders = [folder for folder in (place.parent, place.parent.parent) if not folder.exists()]
        place.parent.mkdir(parents=True, exist_ok=True)
        file.replace(place)
        for folder in (place.parent, *(new.parent for new in new_folders)):
            _flush(folder)

    def has(self, digest: str) -> bool:
        """Whether the file is there."""
        return self._place(digest).exists()

    def open(self, digest: str) -> BinaryIO:
        """Open the file."""
        return self._place(digest).open("rb")

    def response(self, digest: str, content_type: str, headers: Mapping[str, str]) -> Response:
        """Send the file, or the ranges of it that are asked for."""
        place = self._place(digest)
        return FileResponse(place, headers=headers, media_type=content_type, stat_result=place.stat())

    def _place(self, digest: str) -> Path:
        return self.folder / digest[:2] / digest[2:4] / digest


def _flush(path: Path) -> None:
    """Have the disk take what the kernel holds; of a folder, the names in it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_store(settings: Settings) -> MediaStore:
    """The store that the settings name."""
    return FolderStore(settings.media_directory)


def original_name(digest: str, content_type: str) -> str:
    """The name under which a picture is served as it came. It changes when the picture does, so it may be cached for ever."""
    return f"original-{digest[:12]}.{EXTENSIONS[content_type]}"
