"""Which core serves and which cores make the load: apart, so that neither takes the other's time."""

import os
from dataclasses import dataclass


class Unfit(RuntimeError):
    """The benchmark cannot run on this machine; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Cores:
    """One core for the server that is measured; the others for wrk, PostgreSQL and this process."""

    server: int
    others: frozenset[int]

    def pin_load(self) -> None:
        """Bind this process, and what it will start, to the other cores."""
        os.sched_setaffinity(0, self.others)


def divide() -> Cores:
    """Divide the cores that we may use. Raises Unfit where there is only one, or where processes cannot be
    bound.
    """
    if not hasattr(os, "sched_setaffinity"):
        raise Unfit("processes are bound to cores, and measured in /proc, as Linux has it")
    usable = sorted(os.sched_getaffinity(0))
    if len(usable) < 2:
        raise Unfit("two cores are needed: one for the server, one for the load")
    return Cores(usable[0], frozenset(usable[1:]))
