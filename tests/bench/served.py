"""A server under measurement: a process on its own core, with the CPU time and the memory that it and its
children take.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from tests.bench.bare import ANSWER
from tests.bench.cores import Cores

ROOT = Path(__file__).parents[2]
TICK = 1 / os.sysconf("SC_CLK_TCK")
PATIENCE = 60


class Unstarted(RuntimeError):
    """The server did not come up; the message is what it said."""


class Served:
    """A running server."""

    def __init__(self, pid: int, port: int) -> None:
        self.pid = pid
        self.port = port

    def cpu(self) -> float:
        """CPU seconds so far, of the process and its children, user and system."""
        return sum(_times(pid) for pid in _tree(self.pid))

    def clocks(self) -> dict[int, float]:
        """CPU seconds so far of each process that there is now, finer than the ticks of `cpu`."""
        found: dict[int, float] = {}
        for pid in _tree(self.pid):
            # As clock_getcpuclockid(3) makes it.
            with suppress(OSError):
                found[pid] = time.clock_gettime(~pid << 3 | 2)
        return found

    def settle(self) -> None:
        """Wait until it has nothing left to do: what the last run left behind is not this one's work."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            before = self.cpu()
            time.sleep(0.1)
            if self.cpu() - before < 2 * TICK:
                return

    def memory(self) -> int:
        """Resident bytes of the process and its children."""
        return sum(_resident(pid) for pid in _tree(self.pid))

    def cache_hits(self) -> int:
        """How many answers the wire cache has given."""
        lines = self.get("/metrics")[1].decode().splitlines()
        return next(
            int(float(line.split()[1])) for line in lines if line.startswith("copydesk_cache_hits_total ")
        )

    def answers(self, path: str) -> bool:
        """Whether it answers this path with 2xx or 304."""
        try:
            self.get(path)
        except (OSError, HTTPException):
            return False
        return True

    def get(self, path: str) -> tuple[dict[str, str], bytes]:
        """Headers, by their names in small letters, and body. Raises HTTPException for other answers than 2xx
        and 304.
        """
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        if answer.status // 100 != 2 and answer.status != 304:
            raise HTTPException(f"GET {path}: {answer.status} {body[:300]!r}")
        return {name.lower(): value for name, value in answer.getheaders()}, body


@contextmanager
def serving(
    server: str, settings: Mapping[str, str], folder: Path, cores: Cores, ready: str
) -> Iterator[Served]:
    """Serve the service, or the bare app, for as long as the block lasts; `ready` is a path that answers once
    the server does.
    """
    known = {**settings, "PYTHONPATH": str(ROOT)}
    bare = ANSWER in settings
    with serving_words(lambda port: _command(server, port, bare=bare), known, folder, cores, ready) as served:
        yield served


@contextmanager
def serving_words(
    words: Callable[[int], Sequence[str]],
    settings: Mapping[str, str],
    folder: Path,
    cores: Cores,
    ready: str,
) -> Iterator[Served]:
    """Run the server that these words start on a port, for as long as the block lasts."""
    port = _free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COPYDESK_")}
    log = folder / f"server-{port}.log"
    # In a folder without an .env, so that only the settings given here hold.
    with log.open("wb") as said:
        process = subprocess.Popen(
            words(port),
            cwd=folder,
            stdout=said,
            stderr=said,
            start_new_session=True,
            env={**environment, **settings},
        )
    try:
        # At once, while it still is one thread: what it starts later stays on the core with it.
        os.sched_setaffinity(process.pid, {cores.server})
        served = Served(process.pid, port)
        _wait(process, served, ready, log)
        yield served
    finally:
        _stop(process)


def _command(server: str, port: int, *, bare: bool) -> list[str]:
    """How a server is started: with one worker, its fastest parts, and no access log."""
    app = "tests.bench.bare:app" if bare else "service.main:app_from_environment"
    listen = [
        "--host=127.0.0.1",
        f"--port={port}",
        "--factory",
        "--loop=uvloop",
        "--no-access-log",
        "--log-level=warning",
    ]
    if server == "uvicorn" or (bare and server == "serve"):
        return [
            sys.executable,
            "-m",
            "uvicorn",
            app,
            *listen,
            "--http=httptools",
            "--no-server-header",
            "--no-proxy-headers",
            "--lifespan=on",
        ]
    if server == "granian":
        return [sys.executable, "-m", "granian", app, *listen, "--interface=asgi", "--workers=1", "--no-ws"]
    return [sys.executable, "-m", "service", "serve", f"--port={port}"]


def _wait(process: subprocess.Popen[bytes], served: Served, ready: str, log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while not served.answers(ready):
        if process.poll() is not None or time.monotonic() > until:
            raise Unstarted(f"The server did not start:\n{log.read_text()[-3000:]}")
        time.sleep(0.05)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def _tree(pid: int) -> Iterator[int]:
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError):
            for child in (task / "children").read_text().split():
                yield from _tree(int(child))


def _times(pid: int) -> float:
    """utime, stime, and those of children that have ended (proc_pid_stat(5), fields 14 to 17)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) * TICK


def _resident(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    # Not VmRSS: that counts what is mapped of the database's file, which is the kernel's to take back.
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:"))
