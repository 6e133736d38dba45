"""pgbouncer, with the file of the documents, in front of a PostgreSQL of this machine."""

import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests import postgres
from tests.commands import ROOT, free_port
from tests.patience import PATIENCE, wait_until

FILE = ROOT / "docs" / "operations" / "pgbouncer.ini"
IS_INSTALLED = shutil.which("pgbouncer") is not None


class Pooler:
    """A pgbouncer, which a test may kill and start again."""

    def __init__(self, folder: Path, ports: dict[str, int]) -> None:
        self.port = free_port()
        folder.mkdir(exist_ok=True)
        folder.chmod(0o777)
        self._file = folder / "pgbouncer.ini"
        self._ports = dict(ports)
        self._file.write_text(_file(self.port, ports))
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, name: str) -> str:
        """Return the address of a database behind it."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    def start(self) -> None:
        """Start it; return when it takes connections."""
        words = [*postgres._ordinary_user(), "pgbouncer", "-q", str(self._file)]
        quiet = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
        self._process = subprocess.Popen(words, **quiet)
        wait_until(self._answers, "pgbouncer never answered")

    def kill(self) -> None:
        """End it at once."""
        process, self._process = self._process, None
        assert process is not None
        process.kill()
        process.wait(PATIENCE)

    def close(self) -> None:
        """End it, if it runs."""
        if self._process is not None:
            self.kill()

    def point_at(self, name: str, port: int) -> None:
        """Lead a database to another server, as after a failover."""
        self._ports[name] = port
        self._file.write_text(_file(self.port, self._ports))
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, "pgbouncer has ended"
        try:
            psycopg.connect(self.url("pgbouncer"), autocommit=True).close()
        except psycopg.OperationalError:
            return False
        return True


def _file(port: int, ports: dict[str, int]) -> str:
    """Return the file of the documents, with other addresses."""
    text = FILE.read_text()
    databases = "".join(
        f"{name} = host=127.0.0.1 port={of} dbname={name} user=postgres\n" for name, of in ports.items()
    )
    changes = {
        "copydesk = host=postgresql.example port=5432 dbname=copydesk\n": databases,
        "listen_port = 6432": f"listen_port = {port}",
        "auth_type = scram-sha-256": "auth_type = any",
        "auth_file = /etc/pgbouncer/userlist.txt": "unix_socket_dir =",
    }
    for known, own in changes.items():
        assert known in text
        text = text.replace(known, own)
    return text


@contextmanager
def pooler(folder: Path, ports: dict[str, int]) -> Iterator[Pooler]:
    """Run pgbouncer for databases, each with the port of its server, for as long as the block lasts."""
    made = Pooler(folder / "pgbouncer", ports)
    made.start()
    try:
        yield made
    finally:
        made.close()
