"""The load: wrk, on the cores that this process is bound to, asking what a plan says; an answer that is
neither 2xx nor 304 ends the benchmark.
"""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from tests.bench.cores import Unfit

SCRIPT = Path(__file__).with_name("load.lua")
MARK = "UNIQUE"
"""In a body: what is replaced by another word in each request."""


class BadAnswers(RuntimeError):
    """The service answered what it must not: figures of such a run say nothing."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What one phase asks for: these paths in turn, each with a header line after a tab if it needs one, or
    one path with a body.

    Without a `rate` as fast as it is answered, else so many requests a second.
    """

    paths: Sequence[str]
    method: str = "GET"
    body: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    connections: int = 16
    rate: int | None = None


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk saw. Times in seconds."""

    requests: int
    seconds: float
    p50: float
    p99: float


def ensure_wrk() -> None:
    """Install wrk from Debian when we are root; else say what is missing."""
    if shutil.which("wrk"):
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        for command in (
            ["apt-get", "update", "-qq"],
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "wrk"],
        ):
            subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    if not shutil.which("wrk"):
        raise Unfit("wrk is missing. On Debian and Ubuntu: apt-get install --no-install-recommends wrk")


class Wrk:
    """Runs plans against a port of the loopback interface; their files are kept in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, plan: Plan, port: int, seconds: int) -> Load:
        """Ask for so many seconds. Raises BadAnswers."""
        done = subprocess.run(self._command(plan, port, seconds), capture_output=True, text=True, check=False)
        lines = dict(
            line.split(" ", 1) for line in done.stdout.splitlines() if line.startswith(("figures ", "bad "))
        )
        if "bad" in lines or "figures" not in lines:
            raise BadAnswers(f"{plan.method} {plan.paths[0]}: {lines.get('bad', done.stdout + done.stderr)}")
        requests, micros, p50, p99, lost = map(int, lines["figures"].split())
        if lost or not requests:
            raise BadAnswers(
                f"{plan.method} {plan.paths[0]}: {requests} answers, {lost} connections failed or timed out"
            )
        return Load(requests, micros / 1e6, p50 / 1e6, p99 / 1e6)

    def _command(self, plan: Plan, port: int, seconds: int) -> list[str]:
        name = uuid4().hex
        paths, body = self.folder / f"{name}.paths", self.folder / f"{name}.body"
        paths.write_text("\n".join(plan.paths) + "\n")
        if plan.body is not None:
            body.write_text(plan.body)
        headers = [f"-H{name}: {value}" for name, value in plan.headers]
        options = [
            "--threads=1",
            f"--connections={plan.connections}",
            f"--duration={seconds}s",
            "--timeout=10s",
            *headers,
            f"--script={SCRIPT}",
        ]
        # The words in bodies differ between runs too: a slug that is taken would be another piece of work.
        told = [
            plan.method,
            str(paths),
            "-" if plan.body is None else str(body),
            MARK,
            name[:10] + "x",
            str(plan.rate or 0),
        ]
        return ["wrk", *options, f"http://127.0.0.1:{port}", "--", *told]
