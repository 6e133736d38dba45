"""Seconds until `serve` is ready, and the CPU of that, beside what importing FastAPI and SQLModel alone
takes.
"""

import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence

from tests.bench.empty import Empty
from tests.bench.figures import Figure
from tests.bench.measure import Bench
from tests.bench.stand import served_store

READY = 1.5
"""Seconds."""
NOTES = (
    "start: from the start of the process to the first answer 200 of /health/ready, on the core of the server, in a store that is migrated."
    " Beside it CPU seconds of the same, and of importing FastAPI and SQLModel alone.",
)


def ready(bench: Bench, empties: Sequence[Empty]) -> Iterator[Figure]:
    """Seconds until an empty store is ready to be asked."""
    for one in empties:
        figure = Figure("start of `serve`", one.database, "s", READY, at_most=True)
        for _ in bench.progress.track(range(bench.rounds), description=f"start, {one.database}"):
            url = one.made()
            began = time.monotonic()
            with served_store(bench, url) as served:
                figure.note(time.monotonic() - began, CPU_s=served.cpu(), import_CPU_s=_imports())
        yield figure


def _imports() -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", "import fastapi, sqlmodel"], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
