"""A picture on its way in: streamed to a temporary file while it is counted and hashed, decoded, then kept.

What is cut off midway, too large or not a picture leaves nothing.
"""

import hashlib
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import anyio
from anyio import CapacityLimiter

from service.errors import TooLarge
from service.images.darkroom.jobs import Inspected
from service.images.lab import Lab
from service.images.storage import EXTENSIONS, MediaStore, open_store
from service.images.storage.keys import DRAFT, disk
from service.outbound.fetch import Outbound
from service.settings import Settings

KEEPING, ASKING, FETCHING = 4, 16, 8
"""The numbers of pictures that are handed to the store, asked of it, and fetched from others, at a time. What
a bucket is handed is in memory.
"""


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A picture whose bytes are kept: SHA-256 in hex, bytes, and what decoding found."""

    digest: str
    size: int
    found: Inspected


class Draft:
    """A temporary file that is counted and hashed as it grows. Nothing is left of it unless it is kept."""

    def __init__(self, file: BinaryIO, path: Path, limit: int) -> None:
        self.path = path
        self.size = 0
        self._file = file
        self._limit = limit
        self._hash = hashlib.sha256()

    def write(self, chunk: bytes) -> None:
        """Take the next bytes. Raises TooLarge."""
        self.size += len(chunk)
        if self.size > self._limit:
            raise too_large(self._limit)
        self._hash.update(chunk)
        self._file.write(chunk)

    def flush(self) -> None:
        """Flush the file, so that another process that opens it reads all of it."""
        self._file.flush()

    def digest(self) -> str:
        """Return the SHA-256 of all of it, in hex."""
        return self._hash.hexdigest()


@contextmanager
def drafted(store: MediaStore, limit: int) -> Iterator[Draft]:
    """Make a temporary file where the store can keep it, and delete it at the end of the block. Raises
    MediaUnavailable when the disk is full.
    """
    with disk():
        descriptor, name = tempfile.mkstemp(prefix=DRAFT, dir=store.incoming())
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield Draft(file, Path(name), limit)
        finally:
            Path(name).unlink(missing_ok=True)


class Intake:
    """Takes in pictures; one for each running service."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store: MediaStore = open_store(settings)
        self.outbound = Outbound(settings)
        self.lab = Lab(settings)
        # Uploads wait for their turn in the event loop, and hold no thread meanwhile.
        self._turn = CapacityLimiter(settings.picture_processes)
        # Work that waits for other machines has threads of its own, so that articles are answered whatever a
        # store or a website does.
        self._keeping = CapacityLimiter(KEEPING)
        self.asking = CapacityLimiter(ASKING)
        self.fetching = CapacityLimiter(FETCHING)

    def draft(self) -> AbstractContextManager[Draft]:
        """Return a new temporary file, gone when the block ends. A disk that is full raises
        MediaUnavailable.
        """
        return drafted(self.store, self.settings.upload_max_bytes)

    async def take(self, chunks: AsyncIterator[bytes]) -> KeptFile:
        """Keep the picture that arrives. Raises TooLarge, and what decoding raises."""
        with self.draft() as draft:
            async for chunk in chunks:
                await anyio.to_thread.run_sync(draft.write, chunk)
            found = await anyio.to_thread.run_sync(self._inspect, draft, limiter=self._turn)
            return await anyio.to_thread.run_sync(self._keep, draft, found, limiter=self._keeping)

    def fetch(self, url: str) -> KeptFile:
        """Fetch the picture at an address and keep it. Raises what `outbound`, and what decoding raises.
        Takes seconds.
        """
        fetched = self.outbound.fetch(url, accept=", ".join(EXTENSIONS))
        with self.draft() as draft:
            draft.write(fetched.body)
            return self.keep(draft)

    def keep(self, draft: Draft) -> KeptFile:
        """Decode what was drafted, and keep it."""
        return self._keep(draft, self._inspect(draft))

    def _inspect(self, draft: Draft) -> Inspected:
        draft.flush()
        return self.lab.inspect(draft.path)

    def _keep(self, draft: Draft, found: Inspected) -> KeptFile:
        digest = draft.digest()
        self.store.keep(draft.path, digest)
        return KeptFile(digest, draft.size, found)

    def close(self) -> None:
        """End the processes that decode."""
        self.lab.close()


def too_large(limit: int) -> TooLarge:
    """Return the refusal of a picture with too many bytes."""
    return TooLarge(f"A picture may have {limit} bytes at the most.", limit=limit)
