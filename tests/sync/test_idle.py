"""A thousand followers with nothing to be told cost one process little memory and next to no time, and one
commit wakes them all.
"""

import os
import resource
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.commands import copydesk, served
from tests.databases import KINDS, empty_database

FOLLOWERS = 1_000
"""Half of them wait for an answer, half listen to a stream."""
TICKS = os.sysconf("SC_CLK_TCK")


@contextmanager
def many_files() -> Iterator[None]:
    """As many open connections as the machine allows, here and in the service."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def memory(pid: int) -> int:
    """Bytes that a process has in memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def seconds_of_cpu(pid: int) -> float:
    """What a process has worked."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / TICKS


def ask(base: str, since: str, *, streamed: bool) -> socket.socket:
    """Follow over a connection of its own."""
    address = httpx.URL(base)
    connection = socket.create_connection((address.host, address.port or 80), timeout=20)
    target, accept = (since, "text/event-stream") if streamed else (f"{since}&wait=30", "application/json")
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
            served(tmp_path, "serve", COPYDESK_DATABASE_URL=url, COPYDESK_LOG_LEVEL="error") as (
                base,
                process,
            ),
            httpx.Client(base_url=base, headers={"Authorization": f"Bearer {token}"}) as desk,
        ):
            since = desk.get("/v1/changes").json()["next"]
            ask(base, since, streamed=True).close()
            before = memory(process.pid)
            followers = [
                connections.enter_context(ask(base, since, streamed=bool(number % 2)))
                for number in range(FOLLOWERS)
            ]
            assert all(heard(connection, b": caught up") for connection in followers[1::2])
            time.sleep(1)
            each, worked = (memory(process.pid) - before) / FOLLOWERS, seconds_of_cpu(process.pid)
            time.sleep(3)
            idle = (seconds_of_cpu(process.pid) - worked) / 3
            started = time.monotonic()
            desk.post(
                "/v1/articles", json={"headline": "The lock gates are open", "status": "published"}
            ).raise_for_status()
            assert all(heard(connection, b"The lock gates are open") for connection in followers)
            woken = time.monotonic() - started
    print(
        f"{kind}: {each / 1024:.0f} KiB for each of {FOLLOWERS} followers; idle {idle:.1%} of a core; all told in {woken:.2f} s"
    )
    assert each < 100 * 1024
    assert idle < 0.1
    assert woken < 10
