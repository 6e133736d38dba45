"""Run a released version: a checkout of its commit, with its own virtual environment, spoken to by its
command line and over HTTP alone.
"""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Version:
    """A checkout whose service is installed."""

    folder: Path

    @property
    def commit(self) -> str:
        """The commit that is checked out."""
        return _git(self.folder, "rev-parse", "HEAD")

    @property
    def revision(self) -> str:
        """The head of this version's chain of migrations."""
        names = sorted(path.name for path in (self.folder / "alembic/versions").glob("[0-9]*.py"))
        return names[-1].partition("_")[0]

    def run(self, settings: Mapping[str, str], folder: Path, *words: str) -> str:
        """Run this version's `copydesk` to its end; return its standard output."""
        done = subprocess.run(
            self._command(*words),
            cwd=folder,
            env=_environment(settings),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"copydesk {' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout

    def knows(self, word: str, option: str = "--help") -> bool:
        """Tell whether `copydesk` of this version knows a command, and an option of it."""
        command = self._command(word, "--help")
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode == 0 and option in done.stdout

    @contextmanager
    def serving(self, settings: Mapping[str, str], folder: Path) -> Iterator[str]:
        """Serve on a free port for as long as the block lasts; yield the address. The end is SIGTERM."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        address = f"http://127.0.0.1:{port}"
        command = self._command("serve", "--port", str(port))
        with subprocess.Popen(command, cwd=folder, env=_environment(settings)) as process:
            try:
                _wait_until_ready(address, process)
                yield address
            finally:
                process.send_signal(signal.SIGTERM)
                status = process.wait(60)
        if status:
            raise RuntimeError(f"the service ended with {status}")

    def _command(self, *words: str) -> list[str]:
        return [str(self.folder / ".venv/bin/copydesk"), *words]


@contextmanager
def checked_out(commit: str, folder: Path) -> Iterator[Version]:
    """Check a commit out beside this checkout, and install its service from its own lock file."""
    place = folder / "checkout"
    _git(ROOT, "worktree", "add", "--detach", str(place), commit)
    try:
        subprocess.run(["./run", "setup"], cwd=place, check=True)
        yield Version(place)
    finally:
        _git(ROOT, "worktree", "remove", "--force", str(place))


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COPYDESK_")}
    return kept | settings


def _wait_until_ready(address: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if process.poll() is not None:
            raise RuntimeError(f"the service ended with {process.returncode} while it started")
        try:
            if httpx.get(f"{address}/health/ready", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise RuntimeError("the service was not ready after 30 seconds")
