"""The command line in processes of its own, as a shell starts it."""

import atexit
import http.client
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from tests.patience import PATIENCE, wait_until
from tests.warm import Request

ROOT = Path(__file__).parent.parent


def environment(**settings: str) -> dict[str, str]:
    """Return an environment with these settings of the service and no others."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COPYDESK_")}
    return kept | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "default", "COLUMNS": "200", **settings}


class Forked:
    """A process that was forked from a warm one, with the members of `subprocess.Popen` that are
    used of it.
    """

    def __init__(self, warm: socket.socket, request: Request, streams: Sequence[int]) -> None:
        self.returncode: int | None = None
        with ExitStack() as ours:
            self._ended, end = map(ours.enter_context, pipe())
            with end:
                request.send(warm, [*streams, end.fileno()])
            self._open = ours.pop_all()
        self.pid = int(self._read_line(PATIENCE))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _fault: object, _trace: TracebackType | None
    ) -> None:
        with self._open:
            self.kill()
            self.wait()

    def poll(self) -> int | None:
        """Return the exit status of a process that has ended."""
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, seconds: float = PATIENCE) -> int:
        """Return the exit status at the end; negative for a signal, as everywhere in Python."""
        if self.returncode is None:
            self.returncode = int(self._read_line(seconds))
        return self.returncode

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal to a process that has not ended."""
        if self.poll() is None:
            # It may have ended in between, or have ended and not been told of yet.
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """Tell it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def _read_line(self, seconds: float) -> bytes:
        poll = select.poll()
        poll.register(self._ended, select.POLLIN)
        if not poll.poll(1000 * seconds):
            raise subprocess.TimeoutExpired("copydesk", seconds)
        return self._ended.readline()


class Command(Forked):
    """A running `copydesk`. What it prints goes to files, so that it never waits for a reader; its standard
    output goes to a pipe if it is to wait.
    """

    def __init__(self, folder: Path, *words: str, is_read: bool = False, **settings: str) -> None:
        with ExitStack() as its_ends, ExitStack() as ours:
            self._error: BinaryIO = ours.enter_context(tempfile.TemporaryFile())
            self._output: BinaryIO = ours.enter_context(tempfile.TemporaryFile())
            its_output = self._output
            if is_read:
                self._output, its_output = map(ours.enter_context, pipe())
                its_ends.enter_context(its_output)
            nothing = its_ends.enter_context(Path(os.devnull).open("rb"))
            streams = [file.fileno() for file in (nothing, its_output, self._error)]
            super().__init__(warm(), Request(words, str(folder), environment(**settings)), streams)
            self._open.push(ours.pop_all())

    def readline(self) -> str:
        """Return the next line of standard output; wait for it, if the command is read."""
        return self._output.readline().decode()

    def output(self) -> str:
        """Return what else there is on standard output; to its end, if the command is read."""
        if not self._output.seekable():
            return self._output.read().decode()
        return _all_of(self._output)

    def error(self) -> str:
        """Return what is on standard error."""
        return _all_of(self._error)


def pipe() -> tuple[BinaryIO, BinaryIO]:
    """Return the end of a new pipe that is read, and the one that is written to."""
    read, write = os.pipe()
    return os.fdopen(read, "rb", buffering=0), os.fdopen(write, "wb", buffering=0)


def _all_of(file: BinaryIO) -> str:
    # The command writes where the position is, which a read would move.
    return os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0).decode()


@cache
def warm() -> socket.socket:
    """Return the way to ask the process that commands are forked from."""
    return start_warm([sys.executable, "-m", "tests.warm"])


def start_warm(command: list[str], *words: str) -> socket.socket:
    """Start a process that others are forked from; it ends with this one. Return the way to ask it."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with its:
        process = subprocess.Popen(
            [*command, str(its.fileno()), *words],
            pass_fds=[its.fileno()],
            env=environment(),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
    atexit.register(process.wait)
    atexit.register(ours.close)
    return ours


def copydesk(folder: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run `copydesk` to its end."""
    with Command(folder, *words, **settings) as command:
        status = command.wait()
        return subprocess.CompletedProcess(words, status, command.output(), command.error())


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


@contextmanager
def served(folder: Path, command: str, **settings: str) -> Iterator[tuple[str, Command]]:
    """Serve for as long as the block lasts; yield the address and the process."""
    port = free_port()
    with Command(folder, command, "--port", str(port), **settings) as process:
        wait_until_ready(port, process)
        yield f"http://127.0.0.1:{port}", process


def wait_until_ready(port: int, process: Command) -> None:
    """Return when the service answers."""

    def is_ready() -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        try:
            connection.request("GET", "/health/ready")
            return connection.getresponse().status == http.HTTPStatus.OK
        except OSError:
            assert process.poll() is None, process.error()
            return False
        finally:
            connection.close()

    wait_until(is_ready, "the service never became ready")
