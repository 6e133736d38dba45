"""A connection is bounded: its head in bytes and seconds, its body and its answer in the seconds that they
may stall, and a network in the connections that it may have.
"""

from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import pytest

from service.edge.connections import HEAD_WITHIN, LARGEST_HEAD, MOST_PIPELINED, STALLS_FOR
from tests.articles.newsroom import published
from tests.edge.sockets import Server, all_of, served_on_a_socket
from tests.patience import wait_until
from tests.serving import EDITOR, Store, serving

MOST = 6
GET = b"GET /health/live HTTP/1.1\r\nHost: copydesk.example\r\n"
POST = b"POST /v1/articles HTTP/1.1\r\nHost: copydesk.example\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"


@pytest.fixture(scope="module")
def a_store(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Store]:
    """A store with one article of a megabyte. No database has a part in what a socket may do."""
    folder = tmp_path_factory.mktemp("store")
    with serving("sqlite", folder, sqlite_template, connections_per_address=MOST) as store:
        with store.client(*EDITOR) as editor:
            published(editor, slug="long", body=[{"type": "paragraph", "html": "rain " * 9_000}] * 25)
        yield store


@pytest.fixture
def server(a_store: Store) -> Iterator[Server]:
    with served_on_a_socket(a_store) as server:
        yield server


def head(size: int) -> bytes:
    """Return a head of so many bytes."""
    start = GET + b"Connection: close\r\nX-Filler: "
    return start + b"x" * (size - len(start) - 4) + b"\r\n\r\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sent", "status"),  # 0 is no answer: the connection ends while another request is being answered.
    [
        (head(LARGEST_HEAD), 200),
        (head(LARGEST_HEAD + 1), 431),
        (head(4_000_000), 431),
        (b"GET /" + b"x" * LARGEST_HEAD + b" HTTP/1.1\r\n\r\n", 431),
        (GET + b"X: y\r\n" * 10_000, 431),
        (GET + b"\r\n" + head(LARGEST_HEAD), 200),
        (POST + b"x" * 1000 + head(2 * LARGEST_HEAD), 0),
        (GET + b": nothing\r\n\r\n", 400),
    ],
    ids=["fits", "one too many", "4 MB", "address", "many", "second fits", "second", "no head"],
)
def test_a_head_has_at_most_32_kb(server: Server, sent: bytes, status: int) -> None:
    with closing(server.open()) as client:
        try:
            client.sendall(sent)
        except ConnectionError:
            assert status in (0, 431)
        answer = all_of(client)
    if status:
        *_, last = answer.split(b"HTTP/1.1 ")[1:]
        assert last.startswith(b"%d" % status)
        assert status == 200 or b"application/problem+json" in last
        assert b"x-request-id: " in last
    server.wait_for(0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sent", "seconds"),
    [
        (b"", HEAD_WITHIN),
        (GET, HEAD_WITHIN),
        (b"\r\n\r\n", HEAD_WITHIN),
        (POST, STALLS_FOR),
        (POST + b"x" * 999, STALLS_FOR),
    ],
    ids=["silent", "half a head", "no head", "no body", "nearly a body"],
)
def test_a_request_that_does_not_go_on_ends(
    a_store: Store, server: Server, sent: bytes, seconds: float
) -> None:
    token = a_store.token(*EDITOR).encode()
    sent = sent.replace(b"Content-Length", b"Authorization: Bearer " + token + b"\r\nContent-Length")
    with closing(server.open(sent)) as client:
        server.wait_for(1)
        server.after(seconds - 1)
        client.setblocking(False)
        with pytest.raises(BlockingIOError):
            client.recv(1)
        client.settimeout(60)
        server.after(seconds + 1)
        assert b" 408 " in all_of(client)
    server.wait_for(0)


def test_an_answer_that_nobody_takes_ends(server: Server) -> None:
    asked = b"GET /v1/articles/long HTTP/1.1\r\nHost: copydesk.example\r\n\r\n"
    with closing(server.open(asked)), closing(server.open()) as other:
        server.wait_for(2)
        wait_until(lambda: server.untaken() > 0, "the answer was taken")
        other.sendall(GET + b"\r\n")
        other.recv(100)
        server.after(STALLS_FOR - 1)
        server.wait_for(2)
        server.after(STALLS_FOR + 1)
        server.wait_for(1)


def test_a_network_has_a_bounded_number_of_connections(server: Server) -> None:
    with ExitStack() as clients:
        for _ in range(MOST):
            clients.enter_context(closing(server.open()))
        server.wait_for(MOST)
        refused = clients.enter_context(closing(server.open(GET + b"\r\n")))
        answer = all_of(refused)
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: 10\r\n" in answer
        server.after(10)
        server.wait_for(MOST)
    server.wait_for(0)
    with closing(server.open(GET + b"Connection: close\r\n\r\n")) as client:
        assert all_of(client).startswith(b"HTTP/1.1 200 ")


def test_a_client_sends_only_so_many_requests_ahead(server: Server) -> None:
    with closing(server.open((GET + b"\r\n") * (MOST_PIPELINED + 2))) as client:
        assert all_of(client).count(b" 200 ") <= MOST_PIPELINED
    server.wait_for(0)


CHUNKED = b"POST /v1/consents HTTP/1.1\r\nHost: copydesk.example\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
SMALL = b"2\r\n{}\r\n0\r\n"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (CHUNKED + b"Connection: close\r\n\r\n" + SMALL + b"\r\n", 422),
        (CHUNKED.replace(b"HTTP/1.1", b"HTTP/1.0") + b"\r\n" + SMALL + b"\r\n", 400),
        (CHUNKED.replace(b"chunked", b"gzip, chunked") + b"\r\n" + SMALL + b"\r\n", 400),
        (CHUNKED + b"Transfer-Encoding: chunked\r\n\r\n" + SMALL + b"\r\n", 400),
        (GET.replace(b"Host: copydesk.example\r\n", b"") + b"\r\n", 400),
        (b"GET /health/live HTTP/1.0\r\n\r\n", 200),
    ],
    ids=["chunked", "of HTTP/1.0", "packed on the way", "twice", "no host", "no host in HTTP/1.0"],
)
def test_what_a_proxy_may_read_otherwise_is_refused(server: Server, sent: bytes, status: int) -> None:
    with closing(server.open(sent)) as client:
        assert all_of(client).startswith(b"HTTP/1.1 %d " % status)
    server.wait_for(0)


def test_trailers_are_bounded_and_are_no_headers(server: Server) -> None:
    small = CHUNKED + b"Connection: close\r\n\r\n" + SMALL + b"Origin: https://foreign.example\r\n\r\n"
    with closing(server.open(small)) as client:
        assert all_of(client).startswith(b"HTTP/1.1 422 ")
    extended = CHUNKED + b"\r\n2;" + b"x" * 200_000
    for long in (CHUNKED + b"\r\n" + SMALL[:-3] + b"0\r\nX: " + b"x" * 200_000, extended):
        with closing(server.open()) as client:
            with suppress(ConnectionError):
                client.sendall(long)
            assert all_of(client).startswith((b"HTTP/1.1 431 ", b"HTTP/1.1 400 "))
    server.wait_for(0)
