"""The parts of a cluster on this machine: two instances, each behind a pgbouncer of its own, a primary and its
standby, HAProxy and Varnish in front. Each may be killed and started again.
"""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx

from tests.cluster.pooling import Pooler
from tests.cluster.standing import Pair, pair
from tests.commands import ROOT, Command, copydesk, environment, free_port, wait_until_ready
from tests.databases import migrate
from tests.faults.test_rolling_restarts import DELAY, command
from tests.patience import PATIENCE, wait_until

STORE = "store"
PURGE_TOKEN = "by which Varnish knows the instances"
IS_INSTALLED = all(map(shutil.which, ("pgbouncer", "haproxy", "varnishd")))


class Instance:
    """One instance of the service, with one worker."""

    def __init__(self, folder: Path, servers: Pair, pooler: Pooler, cache: str) -> None:
        self.port = free_port()
        self._folder = folder
        replicas = ",".join(server.url(STORE) for server in (servers.standby, servers.primary))
        self._settings = {
            "COPYDESK_DATABASE_URL": f"{pooler.url(STORE)}?connect_timeout=2",
            "COPYDESK_DATABASE_LISTEN_URL": servers.url(STORE),
            "COPYDESK_DATABASE_READ_URL": replicas,
            "COPYDESK_DATABASE_POOL_SIZE": "6",
            "COPYDESK_MEDIA_URL": f"file:{folder / 'media'}",
            "COPYDESK_SECRET_KEY": "one secret of all instances of this test",
            "COPYDESK_SHUTDOWN_DELAY": f"{DELAY}",
            "COPYDESK_TRUSTED_PROXIES": "127.0.0.1",
            "COPYDESK_PUBLIC_MAX_AGE": "1",
            "COPYDESK_CACHE_KEYS": "surrogate-key",
            "COPYDESK_PURGE_KIND": "varnish",
            "COPYDESK_PURGE_URL": cache,
            "COPYDESK_PURGE_TOKEN": PURGE_TOKEN,
            "COPYDESK_LOG_LEVEL": "error",
        }
        self._process: Command | None = None

    def start(self) -> None:
        """Start it; return when it is ready."""
        self._process = Command(self._folder, "serve", "--port", f"{self.port}", **self._settings)
        wait_until_ready(self.port, self._process)

    def kill(self) -> None:
        """End it at once."""
        with self._end() as process:
            process.kill()

    def stop(self) -> None:
        """End it as a restart does."""
        with self._end() as process:
            process.terminate()
            assert process.wait(PATIENCE) == 0

    def _end(self) -> Command:
        process, self._process = self._process, None
        assert process is not None
        return process

    def close(self) -> None:
        """End it, if it runs."""
        if self._process is not None:
            self.kill()


class Proxy:
    """A proxy with its file, in a process of its own."""

    def __init__(self, words: list[str], port: int) -> None:
        self.port = port
        self._words = words
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; return when it finds an instance that is ready."""
        quiet = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
        known = environment(COPYDESK_PURGE_TOKEN=PURGE_TOKEN)
        self._process = subprocess.Popen(self._words, env=known, **quiet)
        wait_until(self._finds_one, f"{self._words[0]} finds no instance")

    def kill(self) -> None:
        """End it at once."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait(PATIENCE)

    def _finds_one(self) -> bool:
        with suppress(httpx.TransportError):
            return (
                httpx.get(f"http://127.0.0.1:{self.port}/health/ready", timeout=PATIENCE).status_code == 200
            )
        return False


class Cluster:
    """All parts, and the two addresses that readers and writers know."""

    def __init__(self, folder: Path, servers: Pair) -> None:
        self.servers = servers
        migrate(servers.primary.create_database(STORE))
        ports = {STORE: servers.primary.port}
        self.poolers = [Pooler(folder / f"pgbouncer-{number}", ports) for number in (1, 2)]
        haproxy, varnish = free_port(), free_port()
        cache = f"http://127.0.0.1:{varnish}"
        self.instances = [Instance(folder, servers, pooler, cache) for pooler in self.poolers]
        one, two = (instance.port for instance in self.instances)
        self.haproxy = Proxy(command("haproxy", folder, (one, two, haproxy)), haproxy)
        self.varnish = Proxy(_varnish(folder, (one, two), varnish), varnish)
        self.addresses = [f"http://127.0.0.1:{port}" for port in (haproxy, varnish)]
        scopes = [word for scope in ("read", "write", "publish") for word in ("--scope", f"content:{scope}")]
        made = copydesk(
            folder,
            "token",
            "create",
            "--name",
            "desk",
            *scopes,
            COPYDESK_DATABASE_URL=servers.primary.url(STORE),
        )
        self.token = made.stdout.strip()

    def point_poolers_at(self, port: int) -> None:
        """Lead both poolers to another server."""
        for pooler in self.poolers:
            pooler.point_at(STORE, port)

    def start(self) -> None:
        """Start all parts."""
        for part in (*self.poolers, *self.instances, self.haproxy, self.varnish):
            part.start()

    def close(self) -> None:
        """End all parts."""
        self.varnish.kill()
        self.haproxy.kill()
        for instance in self.instances:
            instance.close()
        for pooler in self.poolers:
            pooler.close()


def _varnish(folder: Path, ports: tuple[int, int], port: int) -> list[str]:
    text = (ROOT / "docs" / "operations" / "varnish.vcl").read_text()
    for name, own in zip(("copydesk-one", "copydesk-two"), ports, strict=True):
        known = f'.host = "{name}";\n    .port = "8000";'
        assert known in text
        text = text.replace(known, f'.host = "127.0.0.1";\n    .port = "{own}";')
    (folder / "copydesk.vcl").write_text(text)
    words = ["varnishd", "-F", "-a", f"127.0.0.1:{port}", "-f", f"{folder / 'copydesk.vcl'}"]
    return [*words, "-n", f"{folder / 'varnish'}", "-s", "malloc,32m", "-j", "none"]


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """Run a whole cluster for as long as the block lasts."""
    with pair() as servers, ExitStack() as stack:
        made = Cluster(folder, servers)
        stack.callback(made.close)
        made.start()
        yield made
