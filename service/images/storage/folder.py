"""Pictures in a folder of this machine, each file flushed to the disk before it counts as kept."""

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from fastapi import Response
from fastapi.responses import FileResponse

from service.images.storage.keys import Kept, MediaUnavailable, clear_drafts, disk, key_of

INCOMING = "incoming"


class FolderStore:
    """A folder, in which keys are paths. Servers that can send a file by its path do so, past Python."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def prepare(self) -> None:
        """Make the folder, and clear it of uploads that nobody writes any more."""
        clear_drafts(self.incoming())

    def probe(self) -> None:
        """See whether the folder can be written to."""
        if not os.access(self.folder, os.W_OK | os.X_OK):
            raise MediaUnavailable("The folder of the pictures' files cannot be written to.")

    def incoming(self) -> Path:
        """Return a folder of the same file system, so that keeping is renaming."""
        folder = self.folder / INCOMING
        with disk():
            folder.mkdir(parents=True, exist_ok=True)
        return folder

    def keep(self, file: Path, digest: str, rendition: str | None = None) -> None:
        """Flush the file, rename it to its place, and flush the folders that name it."""
        place = self._place(digest, rendition)
        with disk():
            if place.exists():
                os.utime(place)
                file.unlink()
                return
            _flush(file)
            new_folders = [folder for folder in (place.parent, place.parent.parent) if not folder.exists()]
            place.parent.mkdir(parents=True, exist_ok=True)
            file.replace(place)
            for folder in (place.parent, *(new.parent for new in new_folders)):
                _flush(folder)

    def has(self, digest: str, rendition: str | None = None) -> bool:
        """Return whether the file is there."""
        return self.since(key_of(digest, rendition)) is not None

    def open(self, digest: str, rendition: str | None = None) -> BinaryIO:
        """Open the file."""
        with disk(missing=FileNotFoundError):
            return self._place(digest, rendition).open("rb")

    def response(
        self, digest: str, content_type: str, headers: Mapping[str, str], rendition: str | None = None
    ) -> Response:
        """Send the file, or the ranges of it that are asked for."""
        place = self._place(digest, rendition)
        with disk():
            found = place.stat()
        return FileResponse(place, headers=headers, media_type=content_type, stat_result=found)

    def listed(self) -> Iterator[Kept]:
        """Yield every file but those that are being written."""
        with disk():
            # `walk` finds nothing in a folder that is away, and then every row would be dangling.
            self.folder.stat()
            for parent, folders, names in os.walk(self.folder):
                if INCOMING in folders and Path(parent) == self.folder:
                    folders.remove(INCOMING)
                for path in (Path(parent, name) for name in names):
                    with suppress(FileNotFoundError):
                        found = path.stat()
                        yield Kept(path.relative_to(self.folder).as_posix(), found.st_size, _time(found))

    def since(self, key: str) -> datetime | None:
        """Return when the file was last kept."""
        with disk():
            try:
                return _time((self.folder / key).stat())
            except FileNotFoundError:
                return None

    def remove(self, key: str) -> None:
        """Remove the file, and its folder when it was the last one in it."""
        place = self.folder / key
        with disk():
            place.unlink(missing_ok=True)
        with suppress(OSError):
            place.parent.rmdir()

    def _place(self, digest: str, rendition: str | None) -> Path:
        return self.folder / key_of(digest, rendition)


def _time(found: os.stat_result) -> datetime:
    return datetime.fromtimestamp(found.st_mtime, UTC)


def _flush(path: Path) -> None:
    """Have the disk take what the kernel holds; of a folder, the names in it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
