"""Tell one figure for all processes that serve together.

Counters are in memory, and with several processes in files that all of them read: any process answers a
scrape for all of them (prometheus-client's multi-process mode).
"""

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from service import sharing

TAKEN_EVERY = 1.0
_LIVE_FILE = re.compile(r"gauge_live\w*_(\d+)\.db")


def exposition(registry: CollectorRegistry) -> bytes:
    """Write the metrics of all processes that count together, or else of this one."""
    folder = sharing.folder()
    if folder is None:
        return generate_latest(registry)
    _forget_dead(folder)
    counted = CollectorRegistry()
    MultiProcessCollector(counted, str(folder))  # type: ignore[no-untyped-call]  # prometheus-client has no type here
    return generate_latest(counted)


def _forget_dead(folder: Path) -> None:
    """Forget the gauges of processes that have died. Their counters stay, because sums must not go back."""
    for file in folder.iterdir():
        found = _LIVE_FILE.fullmatch(file.name)
        if found and not sharing.is_alive(int(found[1])):
            with suppress(FileNotFoundError):  # Another process may be at it.
                file.unlink()


@dataclass(slots=True)
class _Followed:
    """A metric, and where its figure is read."""

    metric: Counter | Gauge
    read: Callable[[], float]
    last: float = 0

    def take(self) -> None:
        figure = self.read()
        if isinstance(self.metric, Gauge):
            self.metric.set(figure)
        else:
            self.metric.inc(max(0.0, figure - self.last))
        self.last = figure


class Figures:
    """Figures that parts of an app keep as plain numbers, because counting must cost a reader nothing.

    They become metrics once a second, and before each scrape.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._followed: list[_Followed] = []

    def count(self, name: str, text: str, read: Callable[[], float]) -> None:
        """Follow a figure that only grows. Processes that count together tell the sum."""
        self.follow(Counter(name, text, registry=self.registry), read)

    def measure(self, name: str, text: str, read: Callable[[], float], *, of_store: bool = False) -> None:
        """Follow a figure that goes up and down. Processes tell the sum, or of the store's figures the
        highest.
        """
        mode: Literal["livemax", "livesum"] = "livemax" if of_store else "livesum"
        self.follow(Gauge(name, text, registry=self.registry, multiprocess_mode=mode), read)

    def follow(self, metric: Counter | Gauge, read: Callable[[], float]) -> None:
        """Follow a figure with a metric."""
        self._followed.append(_Followed(metric, read))

    def take(self) -> None:
        """Take all figures over."""
        for each in self._followed:
            each.take()

    async def step(self) -> float:
        """Take all figures over, and return the seconds to wait."""
        self.take()
        return TAKEN_EVERY
