"""The darkrooms of a running service: processes that decode strangers' files, each within its memory and its
time, some at once.

A job waits for a free process; when too many wait, the next one is refused at once (503). A process that
takes too long, or dies of its file, is replaced by a new one for the next job, and only that job is refused.
"""

import os
import queue
import select
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from threading import BoundedSemaphore
from typing import TypeVar

import orjson
import structlog
from pydantic import TypeAdapter, ValidationError

import service
from service.errors import Unavailable, Unprocessable, UnsupportedMediaType
from service.images.darkroom.jobs import Develop, Developed, Inspect, Inspected, Refused
from service.settings import Settings

Answer = TypeVar("Answer", Inspected, Developed)
log = structlog.get_logger()
MOST_JOBS = 500
"""Jobs after which a process is replaced, so that what its libraries leak does not add up."""
_START_SECONDS = 30.0
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


class Darkroom:
    """One process, started when it is first needed."""

    def __init__(self, memory: int) -> None:
        self._memory = memory
        self._process: subprocess.Popen[bytes] | None = None
        self._jobs = 0

    def ask(self, job: bytes, seconds: float) -> bytes:
        """Have a job done. Raises TimeoutError, and EOFError when the process dies of it; it is gone after
        either.
        """
        try:
            process = self._running()
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(job + b"\n")
            return _line(process.stdout.fileno(), seconds)
        except TimeoutError:
            self.close()
            raise
        except (OSError, EOFError):
            self.close()
            raise EOFError from None

    def close(self) -> None:
        """End the process at once."""
        if self._process is not None:
            self._process.kill()
            with self._process:
                self._process = None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and (self._jobs >= MOST_JOBS or self._process.poll() is not None):
            self.close()
        if self._process is None:
            # No environment of the service's: there are secrets in it.
            environment = {
                "PYTHONPATH": str(Path(service.__file__).parent.parent),
                "PYTHONDONTWRITEBYTECODE": "1",
            }
            self._process = subprocess.Popen(  # noqa: S603  # this interpreter, and a module of ours
                [sys.executable, "-m", "service.images.darkroom", str(self._memory)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
                cwd="/",
                bufsize=0,
            )
            self._jobs = 0
            assert self._process.stdout is not None
            _line(self._process.stdout.fileno(), _START_SECONDS)
        self._jobs += 1
        return self._process


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
        self._free: queue.SimpleQueue[Darkroom] = queue.SimpleQueue()
        self._darkrooms = [Darkroom(settings.picture_memory) for _ in range(settings.picture_processes)]
        for darkroom in self._darkrooms:
            self._free.put(darkroom)
        self._threads = ThreadPoolExecutor(settings.picture_processes, thread_name_prefix="darkroom")
        self._places = BoundedSemaphore(settings.picture_processes + settings.picture_queue)

    def inspect(self, path: Path) -> Inspected:
        """Decode a file and describe it, however many wait. Raises UnknownPicture, TooManyPixels,
        DamagedPicture, TooDemanding.
        """
        job = Inspect(str(path.resolve()), self._settings.image_max_pixels)
        return self._work({"job": "inspect", **asdict(job)}, _INSPECTED)

    def develop(self, job: Develop) -> Developed:
        """Make prints. Raises what `inspect` raises."""
        return self._work({"job": "develop", **asdict(job)}, _DEVELOPED)

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

    def _work(self, job: dict[str, object], shape: TypeAdapter[Answer]) -> Answer:
        darkroom = self._free.get()
        try:
            answer = orjson.loads(darkroom.ask(orjson.dumps(job), self._settings.picture_seconds))
            if "refused" in answer:
                raise self._refusal(_REFUSED.validate_python(answer["refused"]))
            return shape.validate_python(answer)
        except TimeoutError:
            raise TooDemanding(
                f"The picture takes more than {self._settings.picture_seconds:g} seconds to decode."
            ) from None
        except (EOFError, orjson.JSONDecodeError, ValidationError):
            darkroom.close()
            log.warning("a darkroom died of its file", job=job["job"], file=job["path"])
            raise DamagedPicture("The file made the decoder fail.") from None
        finally:
            self._free.put(darkroom)

    def _refusal(self, refused: Refused) -> Unprocessable | UnsupportedMediaType:
        match refused.reason:
            case "unknown":
                return UnknownPicture(refused.detail)
            case "pixels":
                return TooManyPixels(refused.detail, limit=self._settings.image_max_pixels)
            case "memory":
                return TooDemanding(refused.detail)
        return DamagedPicture(refused.detail)
