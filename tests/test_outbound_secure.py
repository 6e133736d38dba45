"""What is fetched over TLS, and what a website may claim about its pages."""

import gzip
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from service import __version__
from service.outbound import connections
from service.outbound.addresses import AddressRefused
from service.outbound.connections import FetchFailed, SourceTooSlow
from service.outbound.fetch import Fetched, Outbound, gunzipped
from tests.serving import settings_for
from tests.websites import Website, answer, redirect, website

PAGE = b"<!doctype html><p>Ferry timetable changed."
HALF_A_HELLO = b"\x16\x03\x03\x40\x00\x02\x00\x3f\xf0"  # a record header and the first bytes of a ServerHello


def fetch(url: str, **settings: object) -> Fetched:
    known = {"outbound_deadline": 5, "outbound_allow_loopback": True}
    return Outbound(settings_for("sqlite:///unused", Path("unused"), **known | settings)).fetch(
        url, accept="*/*"
    )


@pytest.fixture
def site() -> Iterator[Website]:
    with website() as other:
        other.pages["/"] = answer(PAGE)
        yield other


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """The names that lead to loopback; all others are resolved as ever."""
    known = {"ferry.example": ["127.0.0.1"], "other.example": ["127.0.0.1"]}
    ask = connections.resolve
    monkeypatch.setattr(connections, "resolve", lambda host, port: known.get(host) or ask(host, port))
    return known


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of ferry.example by its own authority, and its key, in one file."""
    key, name, now = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ferry")]),
        datetime.now(UTC),
    )
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
    )
    made = made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("ferry.example")]), critical=False)
    signed = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(
        key, hashes.SHA256()
    )
    pem, path = serialization.Encoding.PEM, tmp_path_factory.mktemp("tls") / "ferry.pem"
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(signed.public_bytes(pem) + secret)
    return path


def trust(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = ssl.create_default_context(cafile=certificate)
    monkeypatch.setattr(connections, "tls", lambda: context)


@pytest.fixture
def secure(certificate: Path) -> Iterator[Callable[[bytes], str]]:
    """A website of one answer over TLS; what comes back is the end of its address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listening = socket.create_server(("127.0.0.1", 0))

    def serve(page: bytes) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listening.accept()
                with suppress(OSError), context.wrap_socket(connection, server_side=True) as spoken:
                    spoken.recv(65_536)
                    spoken.sendall(page)

    threads: list[threading.Thread] = []

    def start(page: bytes) -> str:
        threads.append(threading.Thread(target=serve, args=(page,), daemon=True))
        threads[-1].start()
        return f":{listening.getsockname()[1]}/"

    yield start
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    for thread in threads:
        thread.join(5)


def test_the_certificate_is_checked_against_the_name_though_the_connection_goes_to_an_address(
    secure: Callable[[bytes], str], certificate: Path, monkeypatch: pytest.MonkeyPatch
):
    place = secure(answer(PAGE))
    trust(certificate, monkeypatch)
    assert fetch(f"https://ferry.example{place}").body == PAGE
    for host in ("other.example", "127.0.0.1"):
        with pytest.raises(FetchFailed, match="CERTIFICATE_VERIFY_FAILED"):
            fetch(f"https://{host}{place}")


def test_an_unknown_authority_is_not_believed_even_if_the_environment_names_it(
    secure: Callable[[bytes], str], certificate: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    connections.tls.cache_clear()
    with pytest.raises(FetchFailed, match="CERTIFICATE_VERIFY_FAILED"):
        fetch(f"https://ferry.example{secure(answer(PAGE))}")


def test_no_redirect_leads_from_https_back_to_http(
    secure: Callable[[bytes], str], certificate: Path, site: Website, monkeypatch: pytest.MonkeyPatch
):
    trust(certificate, monkeypatch)
    with pytest.raises(AddressRefused, match="from https to http"):
        fetch(f"https://ferry.example{secure(redirect(site.url + '/'))}")
    assert site.requests == []


def test_a_redirect_from_http_to_https_is_followed(
    secure: Callable[[bytes], str], certificate: Path, site: Website, monkeypatch: pytest.MonkeyPatch
):
    trust(certificate, monkeypatch)
    target = f"https://ferry.example{secure(answer(PAGE))}"
    site.pages["/"] = redirect(target)
    assert fetch(site.url).url == target


@pytest.mark.slow
def test_the_deadline_holds_during_a_handshake_that_drips():
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def drip() -> None:
            with suppress(OSError):
                connection, _ = listening.accept()
                with connection:
                    connection.sendall(HALF_A_HELLO)
                    while True:
                        connection.sendall(b"\x03")
                        time.sleep(0.05)

        threading.Thread(target=drip, daemon=True).start()
        with pytest.raises(SourceTooSlow):
            fetch(f"https://ferry.example:{listening.getsockname()[1]}/", outbound_deadline=0.5)


def test_no_piece_of_a_bomb_is_decompressed_beyond_the_limit():
    bomb = gzip.compress(bytes(50_000_000))
    assert len(next(gunzipped([bomb], 1000))) == 1001


def test_a_page_compressed_in_two_members_is_read_whole(site: Website):
    site.pages["/"] = answer(gzip.compress(b"first, ") + gzip.compress(b"second"), "Content-Encoding: gzip")
    assert fetch(site.url).body == b"first, second"


def test_the_encoding_that_the_header_names_is_passed_on(site: Website):
    site.pages["/"] = answer(b"words", "Content-Type: text/plain; charset=X-SJIS")
    assert fetch(site.url).charset == "x-sjis"
    site.pages["/"] = answer("<h1>Words</h1>".encode("utf-16"), "Content-Type: text/html")
    assert fetch(site.url).content_type == "text/html"


def test_a_name_whose_punycode_is_broken_is_refused(site: Website):
    with pytest.raises(AddressRefused):
        fetch("http://xn--a/")
    site.pages["/"] = redirect("http://xn--a/")
    with pytest.raises(FetchFailed):
        fetch(site.url)


def test_when_one_address_of_a_host_does_not_answer_the_next_one_is_tried(
    site: Website, names: dict[str, list[str]]
):
    names["ferry.example"] = ["127.0.0.2", "127.0.0.1"]  # the website listens on the second only
    assert fetch(f"http://ferry.example:{site.port}/").body == PAGE


def test_a_website_learns_who_asks(site: Website):
    fetch(site.url)
    assert f"\r\nUser-Agent: Copydesk/{__version__}\r\n" in site.requests[0]
