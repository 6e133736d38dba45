"""The darkrooms of a running service: processes that decode strangers' files, each within its memory and its
time, some at once.

A job waits for a free process; when too many wait, the next one is refused at once (503). A process that
takes too long, or dies of its file, is replaced by a new one for the next job, and only that job is refused.
A process opens no file by itself: it is handed the open ones that a job is about.
"""

import math
import os
import queue
import resource
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import asdict
from pathlib import Path
from threading import BoundedSemaphore
from typing import TypeVar

import orjson
import structlog
from pydantic import TypeAdapter, ValidationError

from service.errors import ServiceError, Unavailable, Unprocessable, UnsupportedMediaType
from service.images.darkroom import sandbox
from service.images.darkroom.jobs import LOCKED, Develop, Developed, Inspect, Inspected, Refused
from service.images.storage.keys import MediaFull, disk
from service.settings import Settings, UnsafeSetting

Answer = TypeVar("Answer", Inspected, Developed)
log = structlog.get_logger()
MOST_JOBS = 500
"""Jobs after which a process is replaced, so that what its libraries leak does not add up."""
_START_SECONDS = 30.0
_LATER = {"Retry-After": "10"}
_LONGEST_ANSWER = 4 << 20
_INSPECTED, _DEVELOPED, _REFUSED = TypeAdapter(Inspected), TypeAdapter(Developed), TypeAdapter(Refused)


class UnknownPicture(UnsupportedMediaType):
    """The bytes are not a picture that this service takes: JPEG, PNG, WebP, GIF or AVIF."""

    title = "Not a picture that this service takes"


class DamagedPicture(Unprocessable):
    """The file begins like a picture but cannot be decoded: it is cut off or damaged."""

    title = "The picture cannot be decoded"


class TooManyPixels(Unprocessable):
    """The picture has more pixels than this service takes; `limit` says how many that are."""

    title = "Too many pixels"


class TooDemanding(Unprocessable):
    """Decoding the picture takes more memory or time than this service gives to a picture."""

    title = "The picture takes too much to decode"


class LabBusy(Unavailable):
    """Too many pictures wait to be decoded already. `Retry-After` says when to ask again."""

    title = "Too many pictures at once"


class Unlocked(Unavailable):
    """Pictures must be decoded in a sandbox here, and the kernel did not let one be made."""

    title = "No sandbox for pictures"


def require_sandbox(settings: Settings) -> None:
    """Refuse to serve without the sandbox when the settings require it."""
    if settings.picture_sandbox == "require" and sandbox.lacking():
        lacks = " and ".join(sandbox.lacking())
        raise UnsafeSetting(f"COPYDESK_PICTURE_SANDBOX=require, and the kernel of this machine lacks {lacks}")


def sandbox_state(settings: Settings) -> str:
    """Return "ok", "off", or what the sandbox of this machine lacks."""
    if settings.picture_sandbox == "off":
        return "off"
    return f"lacks {' and '.join(sandbox.lacking())}" if sandbox.lacking() else "ok"


def start_process(limits: list[str], jobs: socket.socket) -> subprocess.Popen[bytes]:
    """Start a process that takes jobs from a socket and answers on its standard output."""
    # The service's environment holds secrets: nothing of it is passed on. Its module path is, because to find
    # that anew takes a fifth of what a start takes.
    environment = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.Popen(  # noqa: S603  # this interpreter, and a module of ours
        [sys.executable, "-S", "-s", "-m", "service.images.darkroom", *limits],
        stdin=jobs.fileno(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        cwd="/",
        bufsize=0,
    )


class Darkroom:
    """One process, started when it is first needed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._jobs = 0
        self._line_in: socket.socket

    def ask(self, job: bytes, files: Sequence[int], seconds: float) -> bytes:
        """Have a job done with open files. Raises TimeoutError, and EOFError when the process dies of it; it
        is gone after either. Raises LabBusy when the machine has no process to give, or has killed it.
        """
        process = self._started()
        try:
            assert process.stdout is not None
            _allow_seconds(process.pid, seconds)
            self._line_in.settimeout(seconds)
            sent = socket.send_fds(self._line_in, [job + b"\n"], files)
            self._line_in.sendall((job + b"\n")[sent:])
            return _line(process.stdout.fileno(), seconds)
        except TimeoutError:
            self.close()
            raise
        except (OSError, EOFError):
            was_killed = self._ended_by() == -signal.SIGKILL
            self.close()
            if was_killed:  # Not by its file: the machine was short of memory.
                raise LabBusy("The process that decoded it was killed.", headers=_LATER) from None
            raise EOFError from None

    def _started(self) -> subprocess.Popen[bytes]:
        try:
            return self._running()
        except (OSError, EOFError, TimeoutError) as fault:
            self.close()
            log.warning("a darkroom could not be started", fault=type(fault).__name__)
            raise LabBusy("No process for pictures could be started.", headers=_LATER) from fault

    def _ended_by(self) -> int | None:
        assert self._process is not None
        with suppress(subprocess.TimeoutExpired):
            return self._process.wait(5)
        return None

    def close(self) -> None:
        """End the process at once."""
        if self._process is not None:
            self._process.kill()
            self._line_in.close()
            with self._process:
                self._process = None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and (self._jobs >= MOST_JOBS or self._process.poll() is not None):
            self.close()
        if self._process is None:
            self._process = self._start()
            self._jobs = 0
            self._await_lock(self._process)
        self._jobs += 1
        return self._process

    def _start(self) -> subprocess.Popen[bytes]:
        limits = [str(self._settings.picture_memory), self._settings.picture_charset]
        if self._settings.picture_sandbox != "off":
            limits.append(LOCKED)
        self._line_in, its_end = socket.socketpair()
        with its_end:
            return start_process(limits, its_end)

    def _await_lock(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        lacks = orjson.loads(_line(process.stdout.fileno(), _START_SECONDS))
        if lacks and self._settings.picture_sandbox == "require":
            self.close()
            raise Unlocked(f"The kernel lacks {' and '.join(lacks)}.", headers={"Retry-After": "60"})


def _allow_seconds(pid: int, seconds: float) -> None:
    """Let a process have this much more of the processor. One that runs on between jobs is ended by the
    kernel.
    """
    if sys.platform == "linux":
        # The number by which the kernel knows the clock of another process's time.
        spent = time.clock_gettime(~pid << 3 | 2)
        resource.prlimit(pid, resource.RLIMIT_CPU, (math.ceil(spent + seconds) + 1, resource.RLIM_INFINITY))


def _line(descriptor: int, seconds: float) -> bytes:
    ends_at = time.monotonic() + seconds
    # `select` knows no descriptors above 1,023.
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    answer = bytearray()
    while not answer.endswith(b"\n"):
        if not poll.poll(1000 * max(0.0, ends_at - time.monotonic())):
            raise TimeoutError
        part = os.read(descriptor, 1 << 16)
        if not part or len(answer) > _LONGEST_ANSWER:
            raise EOFError
        answer += part
    return bytes(answer)


class Lab:
    """Darkrooms and the queue before them. Futures answer threads and event loops alike."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        # The one that was used last is used again, so that no more processes run than there were jobs at
        # once.
        self._free: queue.LifoQueue[Darkroom] = queue.LifoQueue()
        self._darkrooms = [Darkroom(settings) for _ in range(settings.picture_processes)]
        for darkroom in reversed(self._darkrooms):
            self._free.put(darkroom)
        self._threads = ThreadPoolExecutor(settings.picture_processes, thread_name_prefix="darkroom")
        self._places = BoundedSemaphore(settings.picture_processes + settings.picture_queue)

    def inspect(self, path: Path) -> Inspected:
        """Decode a file and describe it, however many wait. Raises UnknownPicture, TooManyPixels,
        DamagedPicture, TooDemanding.
        """
        job = Inspect(self._settings.image_max_pixels, self._settings.picture_charset)
        return self._work({"job": "inspect", **asdict(job)}, _INSPECTED, path)

    def develop(self, path: Path, drafts: Sequence[Path], job: Develop) -> Developed:
        """Make prints of a file, each into its draft. Raises what `inspect` raises."""
        return self._work({"job": "develop", **asdict(job)}, _DEVELOPED, path, drafts)

    def queued(self, work: Callable[[], None]) -> Future[None]:
        """Do some work with prints in its turn, on a thread of the lab's own. Raises LabBusy when too much
        waits already.
        """
        if not self._places.acquire(blocking=False):
            raise LabBusy("Too many pictures wait to be made.", headers={"Retry-After": "2"})
        try:
            future = self._threads.submit(work)
        except RuntimeError:
            self._places.release()
            raise LabBusy("The service is stopping.", headers={"Retry-After": "2"}) from None
        future.add_done_callback(lambda _: self._places.release())
        return future

    def close(self) -> None:
        """End every process, whatever it is at."""
        for darkroom in self._darkrooms:
            darkroom.close()
        self._threads.shutdown(cancel_futures=True)
        # A job that was waiting for its turn may have started one again.
        for darkroom in self._darkrooms:
            darkroom.close()

    def _work(
        self, job: dict[str, object], shape: TypeAdapter[Answer], path: Path, drafts: Sequence[Path] = ()
    ) -> Answer:
        darkroom = self._free.get()
        try:
            with ExitStack() as stack:
                with disk():
                    files = [stack.enter_context(path.open("rb")).fileno()]
                    files += [stack.enter_context(draft.open("wb")).fileno() for draft in drafts]
                answer = orjson.loads(darkroom.ask(orjson.dumps(job), files, self._settings.picture_seconds))
            if "refused" in answer:
                raise self._refusal(_REFUSED.validate_python(answer["refused"]))
            return shape.validate_python(answer)
        except TimeoutError:
            raise TooDemanding(
                f"The picture takes more than {self._settings.picture_seconds:g} seconds to decode."
            ) from None
        except (EOFError, orjson.JSONDecodeError, ValidationError):
            darkroom.close()
            log.warning("a darkroom died of its file", job=job["job"], file=str(path))
            raise DamagedPicture("The file made the decoder fail.") from None
        finally:
            self._free.put(darkroom)

    def _refusal(self, refused: Refused) -> ServiceError:
        match refused.reason:
            case "unknown":
                return UnknownPicture(refused.detail)
            case "pixels":
                return TooManyPixels(refused.detail, limit=self._settings.image_max_pixels)
            case "memory":
                return TooDemanding(refused.detail)
            case "room":
                return MediaFull(refused.detail)
        return DamagedPicture(refused.detail)
