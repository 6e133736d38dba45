"""A thousand followers with nothing to be told cost one process little memory and next to no time, and one
commit wakes them all.
"""

import os
import resource
import socket
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.commands import copydesk, served
from tests.databases import KINDS, empty_database
from tests.patience import PATIENCE, wait_until

FOLLOWERS = 1_000
"""Half of them wait for an answer, or for a large list; half listen to a stream."""
MANY = {
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": "262144",
    "COPYDESK_LOG_LEVEL": "error",
    "COPYDESK_CONNECTIONS_PER_ADDRESS": "2000",
    "COPYDESK_FOLLOWERS_PER_ADDRESS": "2000",
    # A thousand begin at once, on a machine that does other things too.
    "COPYDESK_REQUEST_DEADLINE": "300",
}
TICKS = os.sysconf("SC_CLK_TCK")


@contextmanager
def many_files() -> Iterator[None]:
    """As many open connections as the machine allows, here and in the service."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


STREAM = "text/event-stream"


def memory(pid: int) -> int:
    """Bytes that a process has in memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def seconds_of_cpu(pid: int) -> float:
    """What a process has worked."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / TICKS


def at_rest(pid: int) -> float | None:
    """Return what part of a core a process takes, when it is less than a tenth."""
    worked = seconds_of_cpu(pid)
    time.sleep(3)
    idle = (seconds_of_cpu(pid) - worked) / 3
    return max(idle, 1e-9) if idle < 0.1 else None


def ask(base: str, target: str, accept: str) -> socket.socket:
    """Send a request over a connection of its own."""
    address = httpx.URL(base)
    connection = socket.create_connection((address.host, address.port or 80), timeout=PATIENCE)
    connection.sendall(f"GET {target} HTTP/1.1\r\nHost: {address.host}\r\nAccept: {accept}\r\n\r\n".encode())
    return connection


def heard(connection: socket.socket, words: bytes) -> bool:
    """Whether a follower is told this in time."""
    received = b""
    while words not in received:
        more = connection.recv(65_536)
        if not more:
            return False
        received += more
    return True


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="what a process takes is read from /proc")
@pytest.mark.parametrize("kind", KINDS)
def test_a_thousand_idle_followers_cost_next_to_nothing(
    kind: str, tmp_path: Path, sqlite_template: Path
) -> None:
    with empty_database(kind, tmp_path, sqlite_template) as url, many_files(), ExitStack() as connections:
        scopes = ("--scope", "content:write", "--scope", "content:publish")
        token = copydesk(
            tmp_path, "token", "create", "--name", "desk", *scopes, COPYDESK_DATABASE_URL=url
        ).stdout.strip()
        with (
            # Nobody reads its log here: a full pipe would stop it.
            served(tmp_path, "serve", COPYDESK_DATABASE_URL=url, **MANY) as (base, process),
            httpx.Client(
                base_url=base, headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE
            ) as desk,
        ):
            since = desk.get("/v1/changes").json()["next"]
            ask(base, since, STREAM).close()
            before = memory(process.pid)
            followers = [
                connections.enter_context(
                    ask(base, since, STREAM) if number % 2 else ask(base, f"{since}&wait=30", "*/*")
                )
                for number in range(FOLLOWERS)
            ]
            assert all(heard(connection, b": caught up") for connection in followers[1::2])
            # On a busy machine the last have not asked yet when the first are answered.
            idle = wait_until(lambda: at_rest(process.pid), "the process never came to rest")
            each = (memory(process.pid) - before) / FOLLOWERS
            desk.post(
                "/v1/articles", json={"headline": "The lock gates are open", "status": "published"}
            ).raise_for_status()
            opened = b"The lock gates are open"
            assert all(heard(connection, opened) for connection in followers[1::2])
            # On a busy machine the wait of the first ends before the article is there: they ask again.
            asked_again = f"{since}&wait=30"
            assert all(
                heard(connection, opened)
                or heard(connections.enter_context(ask(base, asked_again, "*/*")), opened)
                for connection in followers[::2]
            )
    print(f"{kind}: {each / 1024:.0f} KiB for each of {FOLLOWERS} followers; idle {idle:.1%} of a core")
    assert each < 100 * 1024


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="what a process takes is read from /proc")
@pytest.mark.parametrize("kind", KINDS)
def test_a_thousand_who_take_nothing_cost_80_kb_each(
    kind: str, tmp_path: Path, sqlite_template: Path
) -> None:
    with empty_database(kind, tmp_path, sqlite_template) as url, many_files(), ExitStack() as connections:
        scopes = ("--scope", "content:write", "--scope", "content:publish")
        token = copydesk(
            tmp_path, "token", "create", "--name", "desk", *scopes, COPYDESK_DATABASE_URL=url
        ).stdout.strip()
        with (
            served(tmp_path, "serve", COPYDESK_DATABASE_URL=url, COPYDESK_CACHE_BYTES="0", **MANY) as (
                base,
                process,
            ),
            httpx.Client(
                base_url=base, headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE
            ) as desk,
        ):
            for start in range(0, 200, 50):
                desk.post("/v1/articles/bulk", json=[article(start + place) for place in range(50)])
            # What the process needs for as many at once who take their answers is no cost of those who do
            # not.
            with ThreadPoolExecutor(20) as readers:
                list(
                    readers.map(
                        partial(httpx.get, timeout=PATIENCE),
                        [f"{base}/v1/articles?limit={200 - n}&body=html" for n in range(60)],
                    )
                )
            before = memory(process.pid)
            for number in range(FOLLOWERS):
                wanted = ("/v1/changes?limit=200", STREAM)
                if number % 2:
                    wanted = (f"/v1/articles?limit={1 + number // 2 % 200}&body=html", "*/*")
                connections.enter_context(ask(base, *wanted))
            # Requests are taken in their order: all others have been answered, or wait for their clients.
            assert httpx.get(f"{base}/v1/articles?limit=1", timeout=PATIENCE).status_code == 200
            time.sleep(5)
            each = (memory(process.pid) - before) / FOLLOWERS
    print(f"{kind}: {each / 1024:.0f} KiB for each of {FOLLOWERS} clients that take nothing")
    assert each < 80_000


def article(number: int) -> dict[str, object]:
    """Return an article of some 17 kB."""
    text = "The harbour was closed again on Monday because of the storm. " * 30
    return {
        "headline": f"Storm {number}",
        "source": "desk",
        "external_id": f"{number}",
        "status": "published",
        "body": [{"type": "paragraph", "html": f"{number} {place} {text}"} for place in range(9)],
    }
