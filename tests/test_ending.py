"""The service ends when it is told to, from its first moment on: as an ordinary process, and as the first one
of a container.
"""

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from service.ending import end_with_parent
from tests import postgres
from tests.commands import ROOT, copydesk, environment
from tests.databases import migrate
from tests.patience import PATIENCE, wait_until
from tests.postgres import WAITING_FOR_A_LOCK

FIRST_OF_A_CONTAINER = ("unshare", "--pid", "--fork", "--kill-child")


def can_be_first() -> bool:
    return (
        shutil.which("unshare") is not None
        and subprocess.run([*FIRST_OF_A_CONTAINER, "true"], check=False, capture_output=True).returncode == 0
    )


@contextmanager
def started(
    folder: Path, *words: str, before: tuple[str, ...] = (), **settings: str
) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*before, sys.executable, "-m", "service", *words],
        cwd=folder,
        env=environment(**settings),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def inner(process: subprocess.Popen[str]) -> int:
    """The process that `unshare` has started, as this side of the container knows it."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return int(wait_until(lambda: children.read_text().split())[0])


def wait_for_a_handler(pid: int) -> None:
    """Wait until the process has a handler for SIGTERM, which is long before it has imported anything."""

    def catches() -> bool:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        caught = next(line for line in lines if line.startswith("SigCgt"))
        return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)

    wait_until(catches, "no handler for SIGTERM")


@pytest.mark.parametrize(("command", "status"), [("serve", 0), ("demo", 0), ("migrate", 143)])
def test_a_command_that_is_told_to_end_while_it_starts_ends_at_once(
    tmp_path: Path, command: str, status: int
) -> None:
    with started(tmp_path, command) as process:
        wait_for_a_handler(process.pid)
        process.send_signal(signal.SIGTERM)
        _, error = process.communicate(timeout=PATIENCE)
    assert (process.returncode, "Traceback" in error) == (status, False), error
    assert list(tmp_path.iterdir()) == []  # It had made nothing yet.


@pytest.mark.skipif(not can_be_first(), reason="needs the right to make a PID namespace")
def test_the_first_process_of_a_container_ends_at_once_while_it_starts(tmp_path: Path) -> None:
    with started(tmp_path, "serve", before=FIRST_OF_A_CONTAINER, COPYDESK_MIGRATE_ON_START="true") as process:
        first = inner(process)
        wait_for_a_handler(first)
        signal.pidfd_send_signal(os.pidfd_open(first), signal.SIGTERM)
        process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_a_service_that_waits_for_its_migration_ends_at_once(tmp_path: Path) -> None:
    server = postgres.server()
    url = server.create_database(f"ending_{tmp_path.name}", server.template("migrated", migrate))
    with (
        psycopg.connect(url) as holder,
        started(tmp_path, "serve", COPYDESK_DATABASE_URL=url, COPYDESK_MIGRATE_ON_START="true") as process,
    ):
        holder.execute("LOCK TABLE alembic_version")
        wait_until(lambda: holder.execute(WAITING_FOR_A_LOCK).rowcount > 0)
        process.send_signal(signal.SIGTERM)
        _, error = process.communicate(timeout=30)  # It would wait for the lock for a minute and a half.
    assert (process.returncode, "Traceback" in error) == (0, False), error
    server.drop_database(f"ending_{tmp_path.name}")


def test_a_percent_sign_in_the_path_of_the_installation_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "100%(here)s news").symlink_to(ROOT)
    made = copydesk(tmp_path, "migrate", PYTHONPATH=str(tmp_path / "100%(here)s news"))
    assert made.returncode == 0, made.stderr


def leave_a_child(folder: str) -> None:
    """Start a worker, and die before it has asked the kernel to end it with this process."""
    multiprocessing.get_context("spawn").Process(target=_start_late, args=(folder, os.getpid())).start()
    wait_until(Path(folder, "started").exists)
    os.kill(os.getpid(), signal.SIGKILL)


def _start_late(folder: str, parent: int) -> None:
    Path(folder, "started").touch()
    wait_until(lambda: os.getppid() != parent)
    try:
        end_with_parent()
        Path(folder, "lives").touch()
    finally:
        Path(folder, "done").touch()


def test_a_worker_whose_parent_dies_while_it_starts_does_not_serve(tmp_path: Path) -> None:
    code = f"from tests.test_ending import leave_a_child; leave_a_child({str(tmp_path)!r})"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False, timeout=PATIENCE)
    wait_until((tmp_path / "done").exists)
    assert not (tmp_path / "lives").exists()
