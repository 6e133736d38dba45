"""Only public addresses are ever connected to, whatever a URL, a name server or a redirect says: the one door to other hosts.

A URL that an editor hands in is a request that this service makes from within its own network (server-side request forgery,
CWE-918). So names are resolved here, every answer of the name server is checked, and the connection is made to a checked
address, not to the name: no second look-up can differ from the first. What stays outside this rule: a NAT64 prefix of an
operator's own lies among public addresses, and cannot be told from them.
"""

import re
import socket
import ssl
import time
import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ipaddress import IPv4Address, IPv6Network, ip_address, ip_network

import httpcore
import httpx

from service import __version__
from service.errors import ServiceError
from service.settings import Settings

REDIRECTS = 5
ADDRESSES_TRIED = 4
GZIP = zlib.MAX_WBITS | 16

# Globally reachable by the registries (RFC 6890), or by an older Python's copy of them, yet nobody's website: protocol
# assignments, AS112, AMT, 6to4 relays, and the wire server of Azure, which hands out a machine's secrets on a public address.
NOT_WEBSITES_4 = tuple(
    ip_network(net)
    for net in ("192.0.0.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.175.48.0/24", "168.63.129.16/32")
)
# IPv6 is the other way round: only what IANA has given out is let through (2000::/3), which leaves out mapped, compatible,
# NAT64, unique local, site-local, link-local and multicast addresses; of it, protocol assignments (Teredo, ORCHID, benchmarks),
# 6to4, both documentation nets and the returned 6bone are not.
GIVEN_OUT_6 = IPv6Network("2000::/3")
NOT_WEBSITES_6 = tuple(IPv6Network(net) for net in ("2001::/23", "2001:db8::/32", "2002::/16", "3ffe::/16", "3fff::/20"))

# News is served on 80, 443, or a port of an application. These applications answer plain HTTP, or take harm from one line of it:
# databases, caches, queues, registries and remote control; then what browsers refuse (WHATWG Fetch, "bad port").
WEB_PORTS = frozenset({80, 443})
DATABASES = frozenset(
    {1433, 1521, 3306, 5432, 5984, 6379, 7000, 7474, 7687, 8086, 9042, 9160, 9200, 9300, 11211, 26379, 27017, 28015, 50000}
)
SERVICES = frozenset({1883, 2181, 2375, 2376, 2379, 2380, 3389, 4222, 5672, 5900, 5985, 5986, 6443, 8500, 9092, 10250, 10255, 15672})
BAD_PORTS = frozenset({1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080})
CLOSED_PORTS = DATABASES | SERVICES | BAD_PORTS

HOST = re.compile(r"(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}|[0-9a-f:.]*:[0-9a-f:.]*")
IMAGES = (
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"RIFF.{4}WEBP", re.DOTALL), "image/webp"),
    (re.compile(rb"\x00{3}.ftyp(?:.{4}){0,12}avi[fs]", re.DOTALL), "image/avif"),
)
NOT_TEXT = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
HTML = re.compile(r"<(?:!doctype html|html|head|body|meta|title|link|script|main|article|section|div|h1|p)\b|<!--", re.IGNORECASE)
XML = re.compile(r"<(?:\?xml|rss|feed|svg)\b", re.IGNORECASE)
JSON = re.compile(r'\{\s*["}]|\[\s*[\[{"\]]')
MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))


class AddressRefused(ServiceError):
    """The address is not one that this service fetches: not http or https, with credentials, or not on the public internet."""

    status, title = 422, "This address is not fetched"


class FetchFailed(ServiceError):
    """The other side could not be reached, or what it sent could not be read."""

    status, title = 502, "The other side failed"


class SourceRefused(FetchFailed):
    """The other side answered with an HTTP error; `source_status` is its status."""

    status, title = 502, "The other side refused"


class SourceTooLarge(FetchFailed):
    """The other side sent more than this service takes."""

    status, title = 502, "The other side sent too much"


class SourceTooSlow(FetchFailed):
    """The other side did not answer completely in time."""

    status, title = 504, "The other side took too long"


class UnexpectedContent(FetchFailed):
    """What is at the address is of another kind than was asked for: a picture instead of a page, or a page instead of a picture."""

    status, title = 422, "Something else is at this address"


@dataclass(frozen=True)
class Fetched:
    """What was found, and where: `url` after all redirects, `content_type` by the content itself.

    `content_type` is text/html, text/plain, application/json, application/xml, image/jpeg, image/png, image/gif, image/webp,
    image/avif or application/octet-stream. `charset` is the encoding that a byte order mark or the header names, fit for
    `bytes.decode`, and None when neither does. `body` is decompressed.
    """

    url: str
    content_type: str
    charset: str | None
    body: bytes


@dataclass(frozen=True)
class Deadline:
    """A moment (of the monotonic clock) after which nothing of a fetch goes on."""

    ends: float

    def left(self) -> float:
        """Seconds left, always above zero. Raises SourceTooSlow when there are none."""
        seconds = self.ends - time.monotonic()
        if seconds <= 0:
            raise SourceTooSlow("The other side did not answer completely in time.")
        return seconds


def is_website(address: str, *, allow_loopback: bool = False) -> bool:
    """Whether this IP address may be connected to."""
    ip = ip_address(address)
    if ip.is_loopback:
        return allow_loopback
    if not ip.is_global or ip.is_multicast or ip.is_reserved:
        return False
    if isinstance(ip, IPv4Address):
        return not any(ip in net for net in NOT_WEBSITES_4)
    return ip in GIVEN_OUT_6 and not any(ip in net for net in NOT_WEBSITES_6)


def resolve(host: str, port: int) -> list[str]:
    """Ask the system for all addresses of a host, also when the host is an address in some notation. Raises socket.gaierror."""
    found = socket.getaddrinfo(host.encode("ascii"), port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(info[4][0]) for info in found))


# getaddrinfo knows no deadline, so it is waited for from outside. The threads bound how many slow name servers are borne at once.
RESOLVERS = ThreadPoolExecutor(max_workers=16, thread_name_prefix="resolve")


class TimedStream(httpcore.NetworkStream):
    """A connection on which each wait ends at the deadline, so that a drip of single bytes does not prolong it."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._deadline.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._deadline.left())

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return TimedStream(self._inner.start_tls(ssl_context, server_hostname, self._deadline.left()), self._deadline)

    def get_extra_info(self, info: str) -> object:
        return self._inner.get_extra_info(info)


class PinnedBackend(httpcore.NetworkBackend):
    """Connects to checked addresses only. One host with a refused address among its addresses is refused altogether."""

    def __init__(self, deadline: Deadline, *, allow_loopback: bool) -> None:
        self._inner = httpcore.SyncBackend()
        self._deadline = deadline
        self._allow_loopback = allow_loopback

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = self._checked(host, port)[:ADDRESSES_TRIED]
        failure: httpcore.ConnectError | httpcore.ConnectTimeout = httpcore.ConnectError("no address")
        for still, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
            try:
                share = self._deadline.left() / still
                return TimedStream(self._inner.connect_tcp(address, port, share, None, socket_options), self._deadline)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    def _checked(self, host: str, port: int) -> list[str]:
        try:
            addresses = RESOLVERS.submit(resolve, host, port).result(self._deadline.left())
        except TimeoutError as error:
            raise SourceTooSlow(f"The name {host} was not resolved in time.") from error
        except socket.gaierror as error:
            raise FetchFailed(f"There is no host {host}.") from error
        if not all(is_website(address, allow_loopback=self._allow_loopback) for address in addresses):
            raise AddressRefused(f"{host} is not on the public internet.")
        return addresses


@cache
def tls() -> ssl.SSLContext:
    """The certificate authorities that are believed: Mozilla's list, whatever the environment names. Read once, as it takes time."""
    return httpx.create_ssl_context(trust_env=False)


class PinnedTransport(httpx.HTTPTransport):
    """httpx has no argument for a network backend, so the pool is made here. A test fails when httpx no longer takes it."""

    def __init__(self, backend: PinnedBackend) -> None:
        super().__init__(verify=tls(), trust_env=False)
        self._pool = httpcore.ConnectionPool(ssl_context=tls(), network_backend=backend)


class Outbound:
    """Fetches what others publish."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def fetch(self, url: str, *, accept: str) -> Fetched:
        """Fetch what is at an http or https URL. `accept` is an Accept header (RFC 9110, 12.5.1) whose types are insisted on.

        At most 5 redirects are followed, each checked as the first URL is; none leads from https back to http, as anybody
        on the way could then write what the news says. Raises AddressRefused (422), UnexpectedContent (422), SourceRefused,
        SourceTooLarge, FetchFailed (502) and SourceTooSlow (504).
        """
        place = checked(url)
        with failures_told(place), self._client(accept) as client:
            for _ in range(REDIRECTS + 1):
                with client.stream("GET", place) as response:
                    if response.next_request is None:
                        return self._taken(response, accept)
                    place = followed(place, response.next_request.url)
        raise FetchFailed(f"{place.host} redirects more than {REDIRECTS} times.")

    def _client(self, accept: str) -> httpx.Client:
        """A client of this fetch alone: it keeps no connection and no cookie, and asks for no compression but gzip, see `gunzipped`."""
        deadline = Deadline(time.monotonic() + self._settings.outbound_deadline)
        backend = PinnedBackend(deadline, allow_loopback=self._settings.outbound_allow_loopback)
        return httpx.Client(
            transport=PinnedTransport(backend),
            headers={"User-Agent": f"Copydesk/{__version__}", "Accept": accept, "Accept-Encoding": "gzip"},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            timeout=None,  # the backend's deadline rules every wait
            trust_env=False,
        )

    def _taken(self, response: httpx.Response, accept: str) -> Fetched:
        if response.status_code not in {200, 203}:
            raise SourceRefused(f"{response.url.host} answered {response.status_code}.", source_status=response.status_code)
        body = limited(response, self._settings.outbound_max_bytes)
        content_type = sniff(body, response.headers.get("content-type", ""))
        if not any(fnmatchcase(content_type, wanted.partition(";")[0].strip()) for wanted in accept.split(",")):
            raise UnexpectedContent(f"At {response.url.host} there is {content_type}; asked for was {accept}.")
        return Fetched(str(response.url), content_type, charset_of(body, response), body)


def checked(url: str | httpx.URL) -> httpx.URL:
    """Refuse URLs that are not fetched, before any name is resolved. Raises AddressRefused."""
    try:
        place = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise AddressRefused(f"Not a URL: {error}") from error
    host = place.raw_host.decode("ascii").removesuffix(".")
    port = place.port or (443 if place.scheme == "https" else 80)
    if place.scheme not in {"http", "https"}:
        raise AddressRefused("Only http and https URLs are fetched.")
    if place.userinfo:
        raise AddressRefused("A URL with a user name or password is not fetched.")
    if not HOST.fullmatch(host):
        raise AddressRefused("The URL names no host on the internet.")
    if (port < 1024 and port not in WEB_PORTS) or port in CLOSED_PORTS:
        raise AddressRefused(f"Nothing is fetched from port {port}.")
    return place.copy_with(host=host)


def followed(place: httpx.URL, location: httpx.URL) -> httpx.URL:
    """The place a redirect leads to. Raises AddressRefused."""
    target = checked(location)
    if place.scheme == "https" and target.scheme == "http":
        raise AddressRefused(f"{place.host} redirects from https to http.")
    return target


@contextmanager
def failures_told(place: httpx.URL) -> Iterator[None]:
    """Turn what httpx raises into refusals of this service."""
    try:
        yield
    except httpx.TimeoutException as error:
        raise SourceTooSlow(f"{place.host} did not answer completely in time.") from error
    except (httpx.HTTPError, zlib.error) as error:
        raise FetchFailed(f"Nothing could be read from {place.host}: {error}") from error


def limited(response: httpx.Response, limit: int) -> bytes:
    """Read a body, and stop as soon as it is larger than the limit in bytes. Raises SourceTooLarge and FetchFailed."""
    coding = response.headers.get("content-encoding", "identity").strip().lower()
    if coding not in {"identity", "gzip", "x-gzip"}:
        raise FetchFailed(f"{response.url.host} answered in the encoding {coding}, which was not asked for.")
    raw, body = response.iter_raw(), bytearray()
    for part in raw if coding == "identity" else gunzipped(raw, limit):
        body += part
        if len(body) > limit:
            raise SourceTooLarge(f"{response.url.host} sent more than {limit} bytes.")
    return bytes(body)


def gunzipped(raw: Iterable[bytes], limit: int) -> Iterator[bytes]:
    """Decompress piece by piece, each to little more than the limit: httpx would turn one piece of a bomb into gigabytes."""
    member = zlib.decompressobj(GZIP)
    for part in raw:
        rest = part
        while rest:
            member = zlib.decompressobj(GZIP) if member.eof else member
            yield member.decompress(rest, limit + 1)
            rest = member.unused_data
    if not member.eof:
        raise zlib.error("the gzip stream breaks off")


def charset_of(body: bytes, response: httpx.Response) -> str | None:
    """The encoding by the byte order mark, else by the header; None when neither names one that Python knows."""
    for mark, charset in MARKS:
        if body.startswith(mark):
            return charset
    try:
        b"a".decode(response.charset_encoding or "", "replace")
    except (LookupError, ValueError):
        return None
    return response.charset_encoding


def sniff(body: bytes, header: str) -> str:
    """The media type by the first bytes (after WHATWG MIME Sniffing); the header decides only between kinds of text."""
    for signature, image in IMAGES:
        if signature.match(body):
            return image
    head, hint = body[:1445], header.lower()
    if not head.startswith((b"\xff\xfe", b"\xfe\xff")) and NOT_TEXT.search(head):
        return "application/octet-stream"
    text = head.replace(b"\x00", b"").decode("latin-1").lstrip("\xef\xbb\xbf\xff\xfe \t\r\n\f")
    if HTML.match(text) or ("html" in hint and not JSON.match(text)):
        return "text/html"
    if XML.match(text):
        return "text/html" if "<html" in text else "application/xml"
    if JSON.match(text) or "json" in hint:
        return "application/json"
    return "text/plain"
