"""What is fetched from others, and what never is."""

import gzip
import inspect
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpcore
import httpx
import pytest

from service.outbound.addresses import AddressRefused
from service.outbound.connections import FetchFailed, PinnedBackend, PinnedTransport, SourceTooSlow
from service.outbound.fetch import Fetched, Outbound, SourceTooLarge, UnexpectedContent
from tests.serving import settings_for
from tests.websites import Website, answer, redirect, website

PUBLIC = "93.184.215.14"
PAGE = b"<!doctype html><p>Harbour open again."


@pytest.fixture
def site() -> Iterator[Website]:
    with website() as other:
        other.pages["/"] = answer(PAGE, "Content-Type: text/html; charset=utf-8")
        yield other


def outbound(*, loopback: bool = False, **settings: object) -> Outbound:
    known = {"outbound_deadline": 5, "outbound_max_bytes": 100_000, "outbound_allow_loopback": loopback}
    return Outbound(settings_for("sqlite:///unused", Path("unused"), **known | settings))


def fetch(url: str, accept: str = "*/*", **settings: object) -> Fetched:
    """Fetch from a website on loopback, as development allows."""
    return outbound(loopback=True, **settings).fetch(url, accept=accept)


class Names:
    """A name server of the tests' own, and the way to public addresses, all of which lead to one website on
    loopback.
    """

    def __init__(self, site: Website) -> None:
        self.known: dict[str, list[list[str]]] = {}
        self.asked: list[str] = []
        self.connected: list[str] = []
        self._site = site
        self._ask, self._connect = socket.getaddrinfo, socket.create_connection

    def answer(self, host: str | bytes, port: int, *args: object, **options: object) -> list:
        name = host.decode() if isinstance(host, bytes) else host
        self.asked.append(name)
        answers = self.known.get(name)
        if answers is None:
            return self._ask(host, port, *args, **options)
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [found for address in addresses for found in self._ask(address, port, *args, **options)]

    def connect(self, place: tuple[str, int], *args: object, **options: object) -> socket.socket:
        self.connected.append(place[0])
        return self._connect(("127.0.0.1", self._site.port), *args, **options)


@pytest.fixture
def names(site: Website, monkeypatch: pytest.MonkeyPatch) -> Names:
    made = Names(site)
    monkeypatch.setattr(socket, "getaddrinfo", made.answer)
    monkeypatch.setattr(socket, "create_connection", made.connect)
    return made


NOT_PUBLIC = [
    # loopback, in every notation that a resolver takes
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "127.255.255.254",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0x7F.0x0.0x0.0x1",
    "017700000001",
    "0177.0.0.1",
    "0177.0.0.01",
    "127.0.0.1.",
    "0",
    "0.0.0.0",
    "0.0.0.1",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "①②⑦.⓪.⓪.①",
    "127。0。0。1",
    # private networks, carriers' and machines' own
    "10.0.0.1",
    "10.255.255.255",
    "10.1",
    "167772161",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "192.168.257",
    "100.64.0.1",
    "100.127.255.255",
    "[fc00::1]",
    "[fd12:3456:789a::1]",
    "[fec0::1]",
    "[::ffff:10.0.0.1]",
    "[::ffff:192.168.0.1]",
    # link-local and metadata services
    "169.254.169.254",
    "169.254.170.2",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "[fe80::1]",
    "[fe80::1%25lo]",
    "[fe80::1%lo]",
    "[fd00:ec2::254]",
    "[::ffff:169.254.169.254]",
    "168.63.129.16",
    "100.100.100.200",
    # multicast, broadcast, reserved, documentation, benchmarks, relays
    "224.0.0.1",
    "239.255.255.250",
    "[ff02::1]",
    "[ff0e::1]",
    "255.255.255.255",
    "240.0.0.1",
    "192.0.0.1",
    "192.0.2.1",
    "198.51.100.7",
    "203.0.113.9",
    "198.18.0.1",
    "192.88.99.1",
    "[2001:db8::1]",
    "[3fff::1]",
    "[100::1]",
    # addresses that carry another one: NAT64, 6to4, Teredo
    "[64:ff9b::7f00:1]",
    "[64:ff9b::10.0.0.1]",
    "[64:ff9b:1::1]",
    "[2002:7f00:1::]",
    "[2002:a00:1::1]",
    "[2001:0:4136:e378::1]",
]


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", NOT_PUBLIC)
def test_no_notation_of_an_address_that_is_not_public_is_fetched(host: str, scheme: str, names: Names):
    with pytest.raises((AddressRefused, FetchFailed)) as refused:
        outbound().fetch(f"{scheme}://{host}/", accept="*/*")
    assert names.connected == []
    # Only a notation that the system's resolver does not know either may fail in another way.
    assert isinstance(refused.value, AddressRefused) or "There is no host" in refused.value.detail


INSIDE = [
    "::1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a00:1::",
    "fd00:ec2::254",
    "fe80::1",
    "ff02::1",
]


@pytest.mark.parametrize("host", [host for host in NOT_PUBLIC if not host.startswith("[")][:12] + INSIDE)
def test_a_name_that_leads_to_such_an_address_is_not_fetched(host: str, names: Names):
    names.known["harbour.example"] = [[host.rstrip(".")]]
    with pytest.raises(AddressRefused):
        outbound().fetch("http://harbour.example/", accept="*/*")
    assert names.connected == []


def test_a_name_with_one_such_address_among_public_ones_is_not_fetched(names: Names):
    names.known["harbour.example"] = [[PUBLIC, "10.0.0.1"]]
    with pytest.raises(AddressRefused):
        outbound().fetch("http://harbour.example/", accept="*/*")
    assert names.connected == []


def test_a_public_website_is_fetched_from_its_checked_address(names: Names, site: Website):
    names.known["harbour.example"] = [[PUBLIC]]
    fetched = outbound().fetch("http://harbour.example/", accept="text/html")
    assert (fetched.url, fetched.content_type, fetched.body) == ("http://harbour.example/", "text/html", PAGE)
    assert names.connected == [PUBLIC]
    assert "\r\nHost: harbour.example\r\n" in site.requests[0]


def test_a_name_that_changes_its_address_is_connected_to_where_it_was_checked(names: Names):
    # DNS rebinding: the first answer is public, every later one is the metadata service.
    names.known["rebind.example"] = [[PUBLIC], ["169.254.169.254"]]
    outbound().fetch("http://rebind.example/", accept="*/*")
    assert (names.asked.count("rebind.example"), names.connected) == (1, [PUBLIC])


def test_a_redirect_is_resolved_and_checked_anew(names: Names, site: Website):
    names.known["rebind.example"] = [[PUBLIC], ["169.254.169.254"]]
    site.pages["/"] = redirect("/again")
    with pytest.raises(AddressRefused):
        outbound().fetch("http://rebind.example/", accept="*/*")
    assert names.connected == [PUBLIC]


@pytest.mark.parametrize(
    "to",
    [
        "http://127.0.0.1/",
        "http://localhost:8080/",
        "http://[::1]:8080/",
        "http://169.254.169.254/latest/",
        "//10.0.0.1/",
        "http://0x7f.1/",
        "file:///etc/passwd",
        "ftp://harbour.example/",
        "gopher://harbour.example/",
        "http://user:pw@harbour.example/",
        "http://harbour.example:22/",
        "http://harbour.example:6379/",
    ],
)
def test_a_public_website_cannot_redirect_into_the_network(names: Names, site: Website, to: str):
    names.known["harbour.example"] = [[PUBLIC]]
    site.pages["/"] = redirect(to)
    with pytest.raises((AddressRefused, FetchFailed)):
        outbound().fetch("http://harbour.example/", accept="*/*")
    assert (names.connected, len(site.requests)) == ([PUBLIC], 1)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://harbour.example/",
        "file:///etc/passwd",
        "data:text/html,x",
        "javascript:1",
        "//harbour.example/",
        "harbour.example",
        "",
        "http://",
        "http:///",
        "http://user@harbour.example/",
        "http://user:secret@harbour.example/",
        "http://:@harbour.example/",
        "http://har bour.example/",
        "http://harbour.example:99999/",
        "http://harbour.example:0/",
        "http://harbour.example:22/",
        "http://harbour.example:25/",
        "http://harbour.example:5432/",
        "https://harbour.example:6379/",
        "http://harbour.example:11211/",
        "http://%31%32%37.0.0.1/",
        "http://harbour.example\\@127.0.0.1/",
        "http://harbour.example#@127.0.0.1:22/",
        "http://[::1",
        "http://" + "a" * 64 + ".example/",
        "http://harbour.example\x00.evil/",
        "http://harbour.example\r\nHost: x/",
    ],
    ids=range(27),
)
def test_urls_that_are_not_plain_web_addresses_are_not_fetched(url: str, names: Names):
    names.known["harbour.example"] = [[PUBLIC]]
    if "#" in url:
        # What follows the hash is a fragment: the host is the public one.
        assert outbound().fetch(url, accept="*/*").body == PAGE
        return
    with pytest.raises((AddressRefused, FetchFailed)):
        outbound().fetch(url, accept="*/*")
    assert "127.0.0.1" not in names.connected


def test_a_port_above_all_ports_does_not_become_another_one(site: Website):
    with pytest.raises(AddressRefused):
        fetch(f"http://127.0.0.1:{site.port + 65_536}/")
    assert site.requests == []


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
    """A byte now and then, so that no single wait is long."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    for _ in range(200):
        connection.sendall(b"x")
        time.sleep(0.05)


def drip_head(connection: socket.socket) -> None:
    """A header now and then."""
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for number in range(200):
        connection.sendall(b"X-%d: a\r\n" % number)
        time.sleep(0.05)


def silence(connection: socket.socket) -> None:
    """Nothing at all, until the other side hangs up."""
    connection.recv(1)


@pytest.mark.slow
@pytest.mark.parametrize("page", [drip, drip_head, silence])
def test_the_deadline_is_for_the_whole_fetch(site: Website, page: Callable[[socket.socket], None]):
    site.pages["/slow"] = page
    started = time.monotonic()
    with pytest.raises(SourceTooSlow):
        fetch(f"{site.url}/slow", outbound_deadline=0.6)
    assert time.monotonic() - started < 2


@pytest.mark.slow
def test_many_slow_redirects_share_one_deadline(site: Website):
    def slowly(connection: socket.socket) -> None:
        time.sleep(0.3)
        connection.sendall(redirect("/slow"))

    site.pages["/slow"] = slowly
    started = time.monotonic()
    with pytest.raises(SourceTooSlow):
        fetch(f"{site.url}/slow", outbound_deadline=0.7)
    assert time.monotonic() - started < 2


@pytest.mark.slow
def test_a_slow_name_server_is_not_waited_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: time.sleep(1.5) or [])
    started = time.monotonic()
    with pytest.raises(SourceTooSlow):
        outbound(outbound_deadline=0.3).fetch("http://harbour.example/", accept="*/*")
    assert time.monotonic() - started < 1


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


def test_loopback_is_for_development_only_and_nothing_else_comes_with_it(site: Website):
    with pytest.raises(AddressRefused):
        outbound().fetch(site.url, accept="*/*")
    for host in ("10.0.0.1", "169.254.169.254", "[fe80::1]", "0.0.0.0"):
        with pytest.raises(AddressRefused):
            fetch(f"http://{host}/")


def test_httpx_and_httpcore_still_connect_through_the_backend_that_checks(names: Names):
    """A canary: it fails when an upgrade moves the pool that `PinnedTransport` replaces, or the calls that
    its backend answers.
    """
    names.known["harbour.example"] = [["10.0.0.1"]]
    backend = PinnedBackend(time.monotonic() + 5, allow_loopback=False)
    with PinnedTransport(backend) as transport, httpx.Client(transport=transport, trust_env=False) as client:
        for scheme in ("http", "https"):
            with pytest.raises(AddressRefused):
                client.get(f"{scheme}://harbour.example/")
    assert names.connected == []
    assert isinstance(httpx.HTTPTransport()._pool, httpcore.ConnectionPool)
    assert "network_backend" in inspect.signature(httpcore.ConnectionPool).parameters
    wanted = inspect.signature(httpcore.NetworkBackend.connect_tcp).parameters
    assert list(inspect.signature(PinnedBackend.connect_tcp).parameters) == list(wanted)
