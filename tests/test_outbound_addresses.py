"""Only public addresses are fetched from, however an address is written, named or redirected to."""

import inspect
import socket
import time

import httpcore
import httpx
import pytest

from service.outbound.addresses import AddressRefused
from service.outbound.connections import FetchFailed, PinnedBackend, PinnedTransport
from tests.fetching import PAGE, fetch, outbound, site
from tests.names import PUBLIC, Names
from tests.websites import Website, redirect

__all__ = ["site"]


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
