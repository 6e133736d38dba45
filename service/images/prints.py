"""Make renditions when they are asked for, each once however many ask at a time, and keep them in the media
store.

The same file may be made twice by two serving processes that know nothing of each other: that costs a second
and changes nothing.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Lock

from prometheus_client import CollectorRegistry, Counter

from service.images.darkroom.jobs import Develop, Print
from service.images.intake import Intake
from service.images.renditions import Negative, Size
from service.images.storage.keys import DRAFT, disk

Wanted = tuple[Size, str]
"""A size, and a format by its ending."""


class Prints:
    """Renditions of a running service."""

    def __init__(self, intake: Intake, registry: CollectorRegistry) -> None:
        self._store = intake.store
        self._lab = intake.lab
        self._most_pixels = intake.settings.image_max_pixels
        self._making: dict[tuple[str, ...], Future[None]] = {}
        self._lock = Lock()
        self._made = Counter(
            "copydesk_renditions_made", "Sizes and crops of pictures that were made", registry=registry
        )

    @property
    def waiting(self) -> int:
        """Return how many decodings are under way or wait for it."""
        return len(self._making)

    def make(self, negative: Negative, wanted: Sequence[Wanted]) -> Future[None]:
        """Have files made that are not kept yet, all of them from one decoding.

        Raises LabBusy at once. The future raises what decoding raises, and FileNotFoundError when the
        picture's own file is gone.
        """
        keys = (negative.digest, *(negative.file(size, format_) for size, format_ in wanted))
        with self._lock:
            running = self._making.get(keys)
            if running is not None:
                return running
            future = self._making[keys] = self._lab.queued(lambda: self._make(negative, wanted))
        # Outside of the lock, because a future that is already done calls this at once.
        future.add_done_callback(lambda _: self._making.pop(keys, None))
        return future

    def _make(self, negative: Negative, wanted: Sequence[Wanted]) -> None:
        with disk(missing=FileNotFoundError):
            self._make_missing(negative, wanted)

    def _make_missing(self, negative: Negative, wanted: Sequence[Wanted]) -> None:
        missing = [each for each in wanted if not self._store.has(negative.digest, negative.file(*each))]
        if not missing:
            return
        with ExitStack() as stack:
            source = stack.enter_context(self._draft())
            with self._store.open(negative.digest) as kept, source.open("wb") as file:
                shutil.copyfileobj(kept, file, 1 << 20)
            drafts = [stack.enter_context(self._draft()) for _ in missing]
            prints = [Print(format_, size.width, size.height, size.part) for size, format_ in missing]
            self._lab.develop(source, drafts, Develop(self._most_pixels, prints, negative.rights))
            for draft, each in zip(drafts, missing, strict=True):
                self._store.keep(draft, negative.digest, negative.file(*each))
                self._made.inc()

    @contextmanager
    def _draft(self) -> Iterator[Path]:
        """Make an empty file beside the kept ones, and delete it at the end of the block
        unless it was kept.
        """
        descriptor, name = tempfile.mkstemp(prefix=DRAFT, dir=self._store.incoming())
        os.close(descriptor)
        try:
            yield Path(name)
        finally:
            Path(name).unlink(missing_ok=True)
