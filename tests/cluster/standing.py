"""A primary with a standby of its own, both on this machine, of which a test may take either away."""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests import postgres
from tests.patience import wait_until
from tests.postgres import OwnServer


@dataclass(frozen=True)
class Pair:
    """A primary, and a standby that follows it."""

    primary: OwnServer
    standby: OwnServer

    def url(self, name: str) -> str:
        """Return the address of whichever takes writes, as libpq reads it."""
        ports = f"127.0.0.1:{self.primary.port},127.0.0.1:{self.standby.port}"
        return f"postgresql://postgres@{ports}/{name}?target_session_attrs=read-write&connect_timeout=2"

    def synchronous(self) -> None:
        """Let a commit be answered once the standby shows it."""
        for setting in ("synchronous_standby_names = 'standby'", "synchronous_commit = 'remote_apply'"):
            ask(self.primary, f"ALTER SYSTEM SET {setting}")
        ask(self.primary, "SELECT pg_reload_conf()")
        wait_until(lambda: ask(self.primary, "SELECT sync_state FROM pg_stat_replication") == ["sync"])

    def promote(self) -> None:
        """Make the standby the primary."""
        ask(self.standby, "SELECT pg_promote(true, 60)")

    @contextmanager
    def parted(self) -> Iterator[None]:
        """Let nothing that is written reach the standby, which answers as before."""
        receiver = ask(self.standby, "SELECT pid FROM pg_stat_wal_receiver")
        sender = ask(self.primary, "SELECT pid FROM pg_stat_replication")
        # In a namespace of users, numbers of processes are those of the machine.
        for pid in receiver + sender:
            os.kill(int(pid), signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in receiver + sender:
                os.kill(int(pid), signal.SIGCONT)


def ask(server: OwnServer, question: str) -> list[object]:
    """Return the first column of a question's rows."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        found = connection.execute(question)
        return [row[0] for row in found.fetchall()] if found.description else []


def kill(server: OwnServer) -> None:
    """End a server and all its processes at once."""
    keeper = int((server.folder / "data" / "postmaster.pid").read_text().split()[0])
    # Or it would tell its children to end in peace, and one that ends by itself would be gone when its turn comes.
    os.kill(keeper, signal.SIGSTOP)
    children = Path(f"/proc/{keeper}/task/{keeper}/children").read_text().split()
    for pid in [*children, keeper]:
        os.kill(int(pid), signal.SIGKILL)
    wait_until(lambda: not Path(f"/proc/{keeper}").exists() or _is_dead(keeper))
    (server.folder / "data" / "postmaster.pid").unlink(missing_ok=True)


def _is_dead(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


@contextmanager
def pair() -> Iterator[Pair]:
    """Run both for as long as the block lasts."""
    with postgres.own_server() as primary:
        folder = primary.folder.with_name(f"{primary.folder.name}-standby")
        folder.mkdir(mode=0o700)
        with socket.create_server(("127.0.0.1", 0)) as free:
            standby = OwnServer(folder, free.getsockname()[1])
        try:
            known = f"host=127.0.0.1 port={primary.port} user=postgres application_name=standby"
            postgres._run("pg_basebackup", "-R", "-c", "fast", "-d", known, "-D", folder / "data")
            standby.start()
            wait_until(lambda: ask(primary, "SELECT state FROM pg_stat_replication") == ["streaming"])
            yield Pair(primary, standby)
        finally:
            if (folder / "data" / "postmaster.pid").exists():
                standby.stop()
            postgres.shutil.rmtree(folder)
