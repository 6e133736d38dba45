"""What is fetched from others, and what never is."""

import gzip
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from service.outbound.addresses import AddressRefused
from service.outbound.connections import FetchFailed, SourceTooSlow
from service.outbound.fetch import SourceTooLarge, UnexpectedContent
from tests.fetching import PAGE, fetch, outbound, site
from tests.patience import PATIENCE
from tests.websites import Website, answer, redirect

__all__ = ["site"]


def test_redirects_are_followed_to_their_end_and_no_further_than_five(site: Website):
    for number in range(6):
        site.pages[f"/{number}"] = redirect(f"/{number + 1}")
    site.pages["/6"] = answer(PAGE)
    assert fetch(f"{site.url}/1").url == f"{site.url}/6"
    with pytest.raises(FetchFailed):
        fetch(f"{site.url}/0")


def test_a_redirect_in_a_circle_ends(site: Website):
    site.pages["/"] = redirect("/")
    with pytest.raises(FetchFailed):
        fetch(site.url)


def test_nothing_of_the_environment_and_no_cookie_goes_along(
    site: Website, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    (tmp_path / ".netrc").write_text("default login editor password secret\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    site.pages["/first"] = answer(b"", "Location: /", "Set-Cookie: a=b; Path=/", status="302 Found")
    assert fetch(f"{site.url}/first").body == PAGE
    sent = "".join(site.requests).lower()
    assert "authorization" not in sent
    assert "cookie" not in sent
    assert "referer" not in sent


@pytest.mark.parametrize(
    "status",
    [
        "204 No Content",
        "206 Partial Content",
        "304 Not Modified",
        "403 Forbidden",
        "404 Not Found",
        "500 Oops",
    ],
)
def test_an_answer_that_is_no_page_fails(site: Website, status: str):
    site.pages["/"] = answer(PAGE, status=status) if status[0] in "45" else answer(b"", status=status)
    with pytest.raises(FetchFailed) as failed:
        fetch(site.url)
    assert failed.value.members == {"source_status": int(status[:3])}


def drip(connection: socket.socket) -> None:
    """A byte now and then, so that no single wait is long, and all of them an hour."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        connection.sendall(b"x")
        time.sleep(0.05)


def drip_head(connection: socket.socket) -> None:
    """A header now and then, without an end."""
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"X-Drop: a\r\n")
        time.sleep(0.05)


def silence(connection: socket.socket) -> None:
    """Nothing at all, until the other side hangs up."""
    connection.recv(1)


@pytest.mark.slow
@pytest.mark.parametrize("page", [drip, drip_head, silence])
def test_the_deadline_is_for_the_whole_fetch(site: Website, page: Callable[[socket.socket], None]):
    site.pages["/slow"] = page
    with pytest.raises(SourceTooSlow):
        fetch(f"{site.url}/slow", outbound_deadline=0.6)


@pytest.mark.slow
def test_many_slow_redirects_share_one_deadline(site: Website):
    def slowly(connection: socket.socket) -> None:
        time.sleep(0.3)
        connection.sendall(redirect("/slow"))

    site.pages["/slow"] = slowly
    # With a deadline for each, the sixth would be one redirect too many.
    with pytest.raises(SourceTooSlow):
        fetch(f"{site.url}/slow", outbound_deadline=0.7)


@pytest.mark.slow
def test_a_slow_name_server_is_not_waited_for(monkeypatch: pytest.MonkeyPatch):
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: over.wait(PATIENCE) and [])
    with pytest.raises(SourceTooSlow):
        outbound(outbound_deadline=0.3).fetch("http://harbour.example/", accept="*/*")
    over.set()


def endless(connection: socket.socket) -> None:
    """A body without an end."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
    while True:
        connection.sendall(b"x" * 65_536)


def bomb(connection: socket.socket) -> None:
    """A hundred megabytes in a hundred thousand bytes."""
    connection.sendall(answer(gzip.compress(bytes(100_000_000)), "Content-Encoding: gzip"))


@pytest.mark.parametrize("page", [endless, bomb, answer(b"x" * 100_001)])
def test_no_more_is_taken_than_the_limit(site: Website, page: bytes | Callable[[socket.socket], None]):
    site.pages["/large"] = page
    with pytest.raises(SourceTooLarge):
        fetch(f"{site.url}/large")


def test_exactly_the_limit_is_taken(site: Website):
    site.pages["/large"] = answer(b"x" * 100_000)
    assert len(fetch(f"{site.url}/large").body) == 100_000


def test_compressed_pages_are_read(site: Website):
    site.pages["/"] = answer(gzip.compress(PAGE), "Content-Encoding: gzip")
    assert fetch(site.url).body == PAGE


@pytest.mark.parametrize(
    "page",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nab",
        answer(b"not gzip", "Content-Encoding: gzip"),
        answer(gzip.compress(PAGE)[:-9], "Content-Encoding: gzip"),
        answer(PAGE, "Content-Encoding: sdch"),
        redirect("http://[/"),
        answer(b"", status="302 Found"),
    ],
    ids=range(9),
)
def test_a_broken_answer_fails_cleanly(site: Website, page: bytes):
    site.pages["/"] = page
    with pytest.raises((FetchFailed, AddressRefused)):
        fetch(site.url)


def test_where_nobody_listens_fetching_fails():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(FetchFailed):
        fetch(f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize(
    ("body", "said", "kind"),
    [
        (PAGE, "image/png", "text/html"),
        (b"\x89PNG\r\n\x1a\n....", "text/html", "image/png"),
        (b"\xff\xd8\xff\xe0....", "", "image/jpeg"),
        (b"GIF89a....", "text/plain", "image/gif"),
        (b"RIFF....WEBPVP8 ", "text/plain", "image/webp"),
        (b"just words", "text/plain", "text/plain"),
        (b'{"a": 1}', "text/html", "application/json"),
        (b"\x00\x01\x02", "text/html", "application/octet-stream"),
    ],
    ids=range(8),
)
def test_the_content_says_what_it_is(site: Website, body: bytes, said: str, kind: str):
    site.pages["/"] = answer(body, f"Content-Type: {said}")
    assert fetch(site.url).content_type == kind
    with pytest.raises(UnexpectedContent):
        fetch(site.url, accept="video/*")
