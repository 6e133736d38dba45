"""Send a file of many articles through `POST /v1/articles/bulk`, and resume an import that was interrupted.

A file is known by its SHA-256 and its options. A renamed file resumes. A changed file starts from the
beginning, which is safe, because an item that exists is updated.
"""

import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import anyio

from service.articles.models import Status
from service.bulk import places
from service.bulk.items import Batch, batches, lines
from service.bulk.modes import Mode
from service.bulk.places import BulkPlace
from service.bulk.writing import Result, write_all
from service.database import Database, Session
from service.errors import ServiceError
from service.http.callers import Caller
from service.http.unpacking import unpacked

ENDINGS = (".ndjson", ".jsonl", ".ndjson.gz", ".jsonl.gz")
_PIECE = 1 << 18


@dataclass(frozen=True, slots=True)
class How:
    """The settings of one file import. `publish` is for items that do not name a status."""

    mode: Mode = Mode.UPSERT
    dry_run: bool = False
    publish: bool = False


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of items by their result; `before` were done by an import that was interrupted."""

    before: int = 0
    made: int = 0
    found: int = 0
    refused: int = 0

    def plus(self, results: Sequence[Result]) -> "Tally":
        """Return this tally with these results added."""
        made, found = (sum(result.status == status for result in results) for status in (201, 200))
        return replace(
            self,
            made=self.made + made,
            found=self.found + found,
            refused=self.refused + len(results) - made - found,
        )


def holds_items(name: str) -> bool:
    """Return whether a file is one of many articles, by its name."""
    return name.lower().endswith(ENDINGS)


class FileImport:
    """One file on its way into the store."""

    def __init__(self, database: Database, caller: Caller, path: Path, how: How) -> None:
        self._database, self._caller, self._path, self._how = database, caller, path, how
        self._digest = _digest(path, how)

    def place(self) -> BulkPlace | None:
        """Return the place at which the import was interrupted. A dry run leaves no place, and has none."""
        if self._how.dry_run:
            return None
        with self._database.reading() as session:
            return places.find(session, self._digest)

    def begin_anew(self) -> None:
        """Forget where the last import of this file stopped."""
        with self._database.writing() as session:
            places.forget(session, self._digest)

    def run(self, read: Callable[[int], None], tell: Callable[[Sequence[Result]], None]) -> Tally:
        """Write every item from where the last import stopped. `read` gets bytes as they are read, `tell`
        results as they are committed.
        """
        return anyio.run(self._run, read, tell)

    async def _run(self, read: Callable[[int], None], tell: Callable[[Sequence[Result]], None]) -> Tally:
        place = self.place()
        tally = Tally() if place is None else Tally(before=place.items, refused=place.refused)
        chunks = _chunks(self._path, read)
        items = lines(
            unpacked(chunks) if self._path.suffix.lower() == ".gz" else chunks,
            self._database.settings.body_max_bytes,
        )
        async for batch in batches(items, first=tally.before):
            note = None if self._how.dry_run else partial(self._note, tally)
            written = write_all(
                self._database,
                self._caller,
                self._as_said(batch),
                self._how.mode,
                dry_run=self._how.dry_run,
                note=note,
            )
            tally = tally.plus(written.results)
            tell(written.results)
            if written.ended_by is not None:
                raise _interrupted(written.ended_by, tally)
        if not self._how.dry_run:
            self.begin_anew()
        return tally

    def _note(self, before: Tally, session: Session, results: Sequence[Result]) -> None:
        places.keep(session, self._digest, results[-1].index + 1, before.plus(results).refused)

    def _as_said(self, batch: Batch) -> Batch:
        return [(index, _published(content)) for index, content in batch] if self._how.publish else batch


def _interrupted(fault: ServiceError, tally: Tally) -> ServiceError:
    done = tally.before + tally.made + tally.found + tally.refused
    return type(fault)(f"{fault.detail} {done} items are done with; the same command goes on from there.")


def _published(content: object | ServiceError) -> object | ServiceError:
    if isinstance(content, dict) and content.get("status") is None:
        return {**content, "status": Status.PUBLISHED.value}
    return content


def _digest(path: Path, how: How) -> str:
    found = hashlib.sha256(repr(how).encode())
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            found.update(piece)
    return found.hexdigest()


async def _chunks(path: Path, read: Callable[[int], None]) -> AsyncIterator[bytes]:
    async with await anyio.open_file(path, "rb") as file:
        while chunk := await file.read(_PIECE):
            read(len(chunk))
            yield chunk
