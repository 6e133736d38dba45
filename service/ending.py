"""End a process without losing a request: announce the end first, and stop later.

At SIGTERM `/health/ready` says 503, and everything is answered as before until a load balancer has noticed
(`COPYDESK_SHUTDOWN_DELAY`). Then those who wait for a change are let go, and the server ends: it takes no new
connections, and answers what is under way. A second signal ends the delay.
"""

import asyncio
import ctypes
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)
_PR_SET_PDEATHSIG = 1


class Ending:
    """The end of this process: whether it was asked for, and what happens once the delay is over."""

    def __init__(self, delay: float, let_go: Callable[[], None]) -> None:
        self.is_told = False
        self._delay = delay
        self._let_go = let_go

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Hear the signals before the server does, for as long as the block lasts."""
        if threading.current_thread() is not threading.main_thread():
            yield  # Only the main thread hears signals: an app within another program is ended by that.
            self._let_go()
            return
        loop = asyncio.get_running_loop()
        before = {told: signal.getsignal(told) for told in SIGNALS}

        def hear(told: int, frame: FrameType | None) -> None:
            loop.call_soon_threadsafe(
                self._begin, lambda: _pass_on(before[signal.Signals(told)], told, frame)
            )

        for told in SIGNALS:
            signal.signal(told, hear)
        try:
            yield
        finally:
            self._let_go()
            for told, handler in before.items():
                signal.signal(told, handler)

    def _begin(self, end: Callable[[], None]) -> None:
        delay = 0.0 if self.is_told else self._delay
        self.is_told = True
        asyncio.get_running_loop().call_later(delay, self._end, end)

    def _end(self, end: Callable[[], None]) -> None:
        self._let_go()
        end()


def _pass_on(handler: object, told: int, frame: FrameType | None) -> None:
    if callable(handler):
        handler(told, frame)
    elif handler is signal.SIG_DFL:
        signal.signal(told, signal.SIG_DFL)
        signal.raise_signal(told)


def end_with_parent() -> None:
    """Have the kernel end this worker when the process that has started it dies, however that dies."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent.pid:  # It has died while this worker started, which the kernel tells nobody of.
        raise SystemExit(1)
