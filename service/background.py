"""Run the jobs beside the requests, and know which of them make no progress.

A job that fails is logged, counted, and tried again after a growing pause. While the database does not
answer, a job waits without an end. A job that keeps failing for any other reason ends the process with status
1. Otherwise the service would go on answering without what the job does, such as publishing on time.
"""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

import anyio
import structlog
from prometheus_client import CollectorRegistry, Counter

from service.faults import DATABASE_FAULTS, fault_of

LATE_AFTER = 30.0
"""A job counts as stuck when it reports this many seconds late."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0
MOST_FAILURES = 10
"""Failures in a row, other than the database's, after which the process ends."""
Beat = Callable[[float], None]
"""A job calls it to say that it is at work, and in how many seconds it will say so again."""
Work = Callable[[Beat], Awaitable[None]]
Step = Callable[[], Awaitable[float]]
log = structlog.get_logger()


@dataclass(slots=True)
class Job:
    """One job, and the time by which it has to report again."""

    name: str
    work: Work
    due: float = field(default_factory=time.monotonic)
    failures: int = 0
    is_database_away: bool = False

    def beat(self, seconds: float) -> None:
        """Note that the job is at work, and that everything before went well."""
        self.due = time.monotonic() + seconds
        self.failures, self.is_database_away = 0, False


def every(step: Step, *, after: float = 0.0) -> Work:
    """Make a job that repeats a step until it is cancelled. It begins `after` so many seconds. The step
    returns the seconds to wait until it is repeated.
    """

    async def work(beat: Beat) -> None:
        if after:
            await asyncio.sleep(after)
        while True:
            seconds = await step()
            beat(seconds)
            await asyncio.sleep(seconds)

    return work


class Background:
    """The jobs of one process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.has_given_up = False
        self._jobs: list[Job] = []
        self._failed = Counter(
            "copydesk_job_failures", "Failures of jobs beside the requests", ["job"], registry=registry
        )

    def add(self, name: str, work: Work) -> None:
        """Have a job done once `run` begins."""
        self._jobs.append(Job(name, work))
        self._failed.labels(name)

    async def run(self) -> None:
        """Do all jobs until cancelled."""
        # A task group of anyio lets a thread that is at work finish before it is cancelled.
        async with anyio.create_task_group() as group:
            for job in self._jobs:
                job.due = time.monotonic()
                group.start_soon(self._keep, job)

    def standing_still(self) -> Iterator[str]:
        """Return the names of the jobs that have not reported in time."""
        at = time.monotonic()
        return (job.name for job in self._jobs if at - job.due > LATE_AFTER)

    async def _keep(self, job: Job) -> None:
        """Do one job; begin it again whenever it ends."""
        while True:
            try:
                await job.work(job.beat)
            except Exception as error:  # noqa: BLE001  # A job outlives every fault of its own.
                self._note(job, error)
            self._failed.labels(job.name).inc()
            if job.failures >= MOST_FAILURES:
                self._give_up(job)
            await asyncio.sleep(min(LONGEST_PAUSE, FIRST_PAUSE * 2**job.failures))

    def _note(self, job: Job, error: Exception) -> None:
        causes = error.exceptions if isinstance(error, ExceptionGroup) else (error,)
        if not all(isinstance(cause, DATABASE_FAULTS) for cause in causes):
            log.error("a job has failed", job=job.name, exc_info=error)
            job.failures += 1
            return
        if not job.is_database_away:  # An outage is logged once, not at every attempt.
            log.warning("a job waits for the database", job=job.name, fault=fault_of(causes[0]).value)
        job.is_database_away = True
        job.due = time.monotonic() + LONGEST_PAUSE

    def _give_up(self, job: Job) -> None:
        log.critical("the process ends because a job fails again and again", job=job.name)
        self.has_given_up = True
        os.kill(os.getpid(), signal.SIGTERM)
