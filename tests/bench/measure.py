"""Measuring: each round of a group asks the bare app and then every phase, so that what disturbs one disturbs
the other too.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from rich.progress import Progress

from tests.bench import bare
from tests.bench.cores import Cores
from tests.bench.phases import Group, Phase
from tests.bench.served import Served, serving
from tests.bench.wrk import Load, Plan, Wrk


class WrongCache(RuntimeError):
    """Answers came from the cache that should not have, or did not that should."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One run of a few seconds: CPU seconds per request, and what wrk saw."""

    cpu: float
    load: Load

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.load.requests / self.load.seconds


@dataclass(slots=True)
class Outcome:
    """What came out for one phase: a sample for each round, the bare app's beside it. `memory` in bytes, at
    the end.
    """

    phase: Phase
    size: int
    samples: list[Sample] = field(default_factory=list)
    bare: list[Sample] = field(default_factory=list)
    memory: int = 0

    @property
    def ratios(self) -> list[float]:
        """CPU per request of the bare app over that of the service, of each round."""
        return [one.cpu / own.cpu for own, one in zip(self.samples, self.bare, strict=True)]

    @property
    def ratio(self) -> float:
        """The middle one of the rounds."""
        return median(self.ratios)

    @property
    def rate(self) -> float:
        """Requests a second, in the middle round."""
        return median(sample.rate for sample in self.samples)

    @property
    def met(self) -> bool:
        """Whether the bar is reached."""
        return self.phase.bar.met(self.ratio, self.rate)


@dataclass(frozen=True, slots=True)
class Bench:
    """One run of the benchmark under one server."""

    server: str
    folder: Path
    cores: Cores
    wrk: Wrk
    rounds: int
    seconds: int
    progress: Progress

    def measure(self, group: Group, stores: Mapping[str, Served]) -> Iterator[Outcome]:
        """Measure a group's phases, those of them whose store is there."""
        phases = [phase for phase in group.phases if phase.store in stores]
        recorded = bare.record(phases[0].plan, stores[phases[0].store].port)
        outcomes = [Outcome(phase, recorded.size) for phase in phases]
        bar = self.progress.add_task(group.name, total=self.rounds * (1 + len(phases)))
        with self._bare(phases[0], recorded) as plain:
            self.wrk.run(phases[0].plan, plain.port, 1)
            for phase in phases:
                self.wrk.run(phase.plan, stores[phase.store].port, phase.warm_up)
            for _ in range(self.rounds):
                one = self.sample(phases[0].plan, plain)
                self.progress.advance(bar)
                for outcome in outcomes:
                    outcome.bare.append(one)
                    outcome.samples.append(self._checked(outcome.phase, stores[outcome.phase.store]))
                    outcome.memory = stores[outcome.phase.store].memory()
                    self.progress.advance(bar)
        yield from outcomes

    @contextmanager
    def _bare(self, phase: Phase, recorded: bare.Recorded) -> Iterator[Served]:
        path = self.folder / f"{id(recorded)}.json"
        recorded.keep(path)
        settings = {bare.ANSWER: str(path), "COPYDESK_DATABASE_URL": f"sqlite:///{self.folder / 'unused.db'}"}
        with serving(self.server, settings, self.folder, self.cores, "/") as plain:
            # With the very request id of the recording: otherwise something else than the bare app is
            # measured.
            assert bare.record(phase.plan, plain.port) == recorded
            yield plain

    def sample(self, plan: Plan, served: Served) -> Sample:
        """One run."""
        served.settle()
        before = served.cpu()
        load = self.wrk.run(plan, served.port, self.seconds)
        return Sample((served.cpu() - before) / load.requests, load)

    def _checked(self, phase: Phase, served: Served) -> Sample:
        """A sample whose answers came from where the phase says that they do."""
        before = served.cache_hits()
        sample = self.sample(phase.plan, served)
        share = (served.cache_hits() - before) / sample.load.requests
        if (phase.from_cache is True and share < 0.99) or (phase.from_cache is False and share > 0.01):
            raise WrongCache(f"{phase.name}, {phase.store}: {share:.0%} of the answers came from the cache")
        return sample
