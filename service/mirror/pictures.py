"""Get the files of pictures from the origin when they are asked for, and remove those of pictures that have
gone.
"""

import asyncio
import os
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from email.utils import parsedate_to_datetime
from pathlib import Path

from anyio import to_thread
from prometheus_client import CollectorRegistry

from service.database import Database
from service.images.intake import Intake
from service.images.prints import Prints, Wanted
from service.images.read import public_negative
from service.images.renditions import FORMATS, Negative, read_back
from service.images.storage import MediaStore, MediaUnavailable
from service.images.storage.keys import DRAFT, disk, key_of
from service.outbound.connections import FetchFailed
from service.outbound.origin import Origin, Told
from service.published.mirroring import Arrived
from service.published.models import Kind, Published

AT_ONCE = 8


class FetchedPrints(Prints):
    """Renditions of a mirror: the origin makes them, and the mirror keeps them under the same names."""

    def __init__(
        self, intake: Intake, registry: CollectorRegistry, database: Database, origin: Origin
    ) -> None:
        super().__init__(intake, registry)
        self._database = database
        self._origin = origin
        self._fetching: dict[tuple[str, ...], Future[None]] = {}
        self._turns = asyncio.Semaphore(AT_ONCE)

    @property
    def waiting(self) -> int:
        """Return how many files are on their way or wait for it."""
        return len(self._fetching)

    def make(self, negative: Negative, wanted: Sequence[Wanted]) -> Future[None]:
        """Have files fetched that are not kept yet. The future raises MediaUnavailable."""
        keys = (negative.digest, *(negative.file(size, format_) for size, format_ in wanted))
        future = self._fetching.get(keys)
        if future is None:
            work = self._fetch_missing(negative, wanted)
            future = asyncio.run_coroutine_threadsafe(work, asyncio.get_running_loop())
            self._fetching[keys] = future
            future.add_done_callback(lambda _: self._fetching.pop(keys, None))
        return future

    async def _fetch_missing(self, negative: Negative, wanted: Sequence[Wanted]) -> None:
        for each in wanted:
            async with self._turns:
                file = negative.file(*each)
                if not await to_thread.run_sync(self._store.has, negative.digest, file):
                    await self._fetch(negative, each, file)

    async def _fetch(self, negative: Negative, wanted: Wanted, file: str) -> None:
        try:
            told = await self._origin.get(negative.href(*wanted), accept=FORMATS[wanted[1]])
        except FetchFailed as fault:
            raise MediaUnavailable(f"This file is not here yet. {fault.detail}") from fault
        if told.status != 200 or told.headers.get("etag") != f'"{negative.digest}-{file}"':
            raise MediaUnavailable(f"{self._origin.address} has no such file now.")
        await to_thread.run_sync(self._keep, negative, file, told)
        self._made.inc()

    def _keep(self, negative: Negative, file: str, told: Told) -> None:
        with disk():
            descriptor, name = tempfile.mkstemp(prefix=DRAFT, dir=self._store.incoming())
            with os.fdopen(descriptor, "wb") as draft:
                draft.write(told.body)
            if (modified := told.headers.get("last-modified")) is not None:
                at = parsedate_to_datetime(modified).timestamp()
                os.utime(name, (at, at))  # A folder tells readers when a file was made.
            self._store.keep(Path(name), negative.digest, file)
        # The picture may have gone while its file was on the way.
        with self._database.reading() as session:
            if public_negative(session, negative.image_id)[0] != negative:
                self._store.remove(key_of(negative.digest, file))


def remove_files(store: MediaStore, before: Iterable[Published], rows: Sequence[Arrived]) -> None:
    """Remove the files of pictures that have gone, or that look different from now on."""
    now = {row.key: _files(row.facts.negative if row.reason is None else None) for row in rows}
    for row in before:
        if row.kind is Kind.IMAGE and row.negative is not None:
            for key in _files(row.negative) - now.get((row.kind, row.id), frozenset()):
                store.remove(key)


def _files(negative: str | bytes | None) -> frozenset[str]:
    if negative is None:
        return frozenset()
    known = read_back(negative if isinstance(negative, bytes) else negative.encode())
    return frozenset(
        key_of(known.digest, known.file(size, format_)) for size in known.sizes() for format_ in FORMATS
    )
