"""Only public addresses are ever connected to, whatever a URL, a name server or a redirect says: the one door
to other hosts.

A URL that an editor hands in is a request that this service makes from within its own network (server-side
request forgery, CWE-918). So names are resolved here, all their addresses are checked, and the connection is
made to a checked address, not to the name, which a second look-up could answer otherwise. Not recognised: a
NAT64 prefix of an operator's own, as it looks public.
"""

import codecs
import re
import socket
import ssl
import time
import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ipaddress import ip_address, ip_network

import httpcore
import httpx

from service import __version__
from service.errors import ServiceError
from service.settings import Settings

REDIRECTS = 5
# getaddrinfo knows no deadline, so it is waited for from outside; at most this many slow name servers are
# borne at once.
RESOLVERS = ThreadPoolExecutor(max_workers=16, thread_name_prefix="resolve")
# Beside what `is_global` knows: protocol assignments, 6to4 relays, the agent of Azure's machines; of IPv6 all
# but 2000::/3 (so mapped, compatible, NAT64, local), and of that protocols (Teredo, ORCHID, benchmarks),
# documentation, 6to4 and the returned 6bone.
CLOSED_4 = ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32")
CLOSED_6 = (
    "::/3",
    "4000::/2",
    "8000::/1",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "3ffe::/16",
    "3fff::/20",
)
CLOSED = tuple(ip_network(net) for net in CLOSED_4 + CLOSED_6)
# News is served on 80, 443, or a port of an application above 1023. Closed are databases, caches, queues and
# remote control, which answer HTTP or take harm from a line of it, and what browsers refuse (WHATWG Fetch,
# "bad port").
DATABASES = {
    1433,
    1521,
    3306,
    5432,
    5984,
    6379,
    7474,
    7687,
    8086,
    9042,
    9160,
    9200,
    9300,
    11211,
    26379,
    27017,
    28015,
    50000,
}
SERVICES = {
    1883,
    2181,
    2375,
    2376,
    2379,
    2380,
    3389,
    4222,
    5672,
    5900,
    5985,
    5986,
    6443,
    8500,
    9092,
    10250,
    10255,
    15672,
}
BAD_PORTS = {
    1719,
    1720,
    1723,
    2049,
    3659,
    4045,
    4190,
    5060,
    5061,
    6000,
    6566,
    *range(6665, 6670),
    6679,
    6697,
    10080,
}
CLOSED_PORTS = frozenset(range(1024)) - {80, 443} | DATABASES | SERVICES | BAD_PORTS
HOST = re.compile(r"(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}|[0-9a-f:.]*:[0-9a-f:.]*")
IMAGE = re.compile(
    rb"(?s)(?P<jpeg>\xff\xd8\xff)|(?P<png>\x89PNG\r\n\x1a\n)|(?P<gif>GIF8[79]a)|(?P<webp>RIFF.{4}WEBP)"
    rb"|(?P<avif>\x00{3}.ftyp(?:.{4}){0,12}avi[fs])"
)
NOT_TEXT = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
HTML = re.compile(
    r"<(?:!doctype html|html|head|body|meta|title|link|script|main|article|section|div|h1|p)\b|<!--",
    re.IGNORECASE,
)
XML = re.compile(r"<(?:\?xml|rss|feed|svg)\b", re.IGNORECASE)
JSON = re.compile(r'\{\s*["}]|\[\s*[\[{"\]]')


class AddressRefused(ServiceError):
    """The address is not one that this service fetches: not http or https, with credentials, or not on the
    public internet.
    """

    status, title = 422, "This address is not fetched"


class FetchFailed(ServiceError):
    """The other side could not be reached or understood, or answered with an error; `source_status` is then
    its HTTP status.
    """

    status, title = 502, "The other side failed"


class SourceTooLarge(FetchFailed):
    """The other side sent more than this service takes."""

    status, title = 502, "The other side sent too much"


class SourceTooSlow(FetchFailed):
    """The other side did not answer completely in time."""

    status, title = 504, "The other side took too long"


class UnexpectedContent(FetchFailed):
    """What is at the address is of another kind than was asked for: a picture instead of a page, or a page
    instead of a picture.
    """

    status, title = 422, "Something else is at this address"


@dataclass(frozen=True)
class Fetched:
    """What was found, and where: `url` after all redirects, `body` decompressed.

    `content_type` goes by the content: text/html, text/plain, application/json, application/xml, image/jpeg,
    image/png, image/gif, image/webp, image/avif or application/octet-stream. `charset` is the header's, if
    `bytes.decode` knows it.
    """

    url: str
    content_type: str
    charset: str | None
    body: bytes


def left(ends: float) -> float:
    """Seconds until a moment of the monotonic clock, always above zero. Raises SourceTooSlow when there are
    none.
    """
    if (seconds := ends - time.monotonic()) > 0:
        return seconds
    raise SourceTooSlow("The other side did not answer completely in time.")


def is_website(address: str, *, allow_loopback: bool = False) -> bool:
    """Whether this IP address may be connected to."""
    ip = ip_address(address)
    if ip.is_loopback:
        return allow_loopback
    return ip.is_global and not ip.is_multicast and not any(ip in net for net in CLOSED)


def resolve(host: str, port: int) -> list[str]:
    """Ask the system for all addresses of a host, which may itself be an address in any notation. Raises
    socket.gaierror.
    """
    return list(
        dict.fromkeys(
            str(found[4][0]) for found in socket.getaddrinfo(host.encode(), port, type=socket.SOCK_STREAM)
        )
    )


class TimedStream(httpcore.NetworkStream):
    """A connection on which each wait ends at the deadline, so that a drip of single bytes does not prolong
    it.
    """

    def __init__(self, inner: httpcore.NetworkStream, ends: float) -> None:
        self._inner, self._ends = inner, ends

    def read(self, max_bytes: int, timeout: object = None) -> bytes:
        return self._inner.read(max_bytes, left(self._ends))

    def write(self, buffer: bytes, timeout: object = None) -> None:
        self._inner.write(buffer, left(self._ends))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: object = None
    ) -> "TimedStream":
        return TimedStream(self._inner.start_tls(ssl_context, server_hostname, left(self._ends)), self._ends)

    def get_extra_info(self, info: str) -> object:
        return self._inner.get_extra_info(info)


class PinnedBackend(httpcore.NetworkBackend):
    """Connects to checked addresses only. A host is refused altogether when one of its addresses is."""

    def __init__(self, ends: float, *, allow_loopback: bool) -> None:
        self._inner, self._ends, self._allow_loopback = httpcore.SyncBackend(), ends, allow_loopback

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: object = None,
        local_address: object = None,
        socket_options: object = None,
    ) -> TimedStream:
        addresses = self._checked(host, port)[:4]
        failure: httpcore.ConnectError | httpcore.ConnectTimeout = httpcore.ConnectError("it has no address")
        for still, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
            try:
                return TimedStream(
                    self._inner.connect_tcp(address, port, left(self._ends) / still), self._ends
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    def _checked(self, host: str, port: int) -> list[str]:
        asked = RESOLVERS.submit(resolve, host, port)
        try:
            addresses = asked.result(left(self._ends))
        except TimeoutError as error:
            asked.cancel()
            raise SourceTooSlow(f"The name {host} was not resolved in time.") from error
        except socket.gaierror as error:
            raise FetchFailed(f"There is no host {host}.") from error
        if all(is_website(address, allow_loopback=self._allow_loopback) for address in addresses):
            return addresses
        raise AddressRefused(f"{host} is not on the public internet.")


@cache
def tls() -> ssl.SSLContext:
    """The certificate authorities that are believed: Mozilla's, whatever the environment names. Reading them
    takes time, so once.
    """
    return httpx.create_ssl_context(trust_env=False)


class PinnedTransport(httpx.HTTPTransport):
    """httpx takes no network backend as an argument, so its pool is replaced. A test fails when that no
    longer works.
    """

    def __init__(self, backend: PinnedBackend) -> None:
        super().__init__(verify=tls(), trust_env=False)
        self._pool = httpcore.ConnectionPool(ssl_context=tls(), network_backend=backend)


@dataclass(frozen=True)
class Outbound:
    """Fetches what others publish."""

    settings: Settings

    def fetch(self, url: str, *, accept: str) -> Fetched:
        """Fetch what is at an http or https URL. `accept` is an Accept header (RFC 9110, 12.5.1) whose types
        are insisted on.

        At most 5 redirects are followed, each checked as the first URL is, and none from https back to http,
        where anybody on the way could write the news. Raises AddressRefused, UnexpectedContent, FetchFailed,
        SourceTooLarge and SourceTooSlow.
        """
        place = checked(url)
        try:
            with self._client(accept) as client:
                for _ in range(REDIRECTS + 1):
                    with client.stream("GET", place) as response:
                        if response.next_request is None:
                            return self._taken(response, accept)
                        place = checked(response.next_request.url, before=place)
        except httpx.TimeoutException as error:
            raise SourceTooSlow(f"{place.host} did not answer completely in time.") from error
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, zlib.error) as error:
            raise FetchFailed(f"Nothing could be read from {place.host}: {error}") from error
        raise FetchFailed(f"{place.host} redirects, after {REDIRECTS} redirects before.")

    def _client(self, accept: str) -> httpx.Client:
        """A client of this fetch alone. It keeps no cookies, and its backend's deadline stands in for
        timeouts.
        """
        ends, loopback = (
            time.monotonic() + self.settings.outbound_deadline,
            self.settings.outbound_allow_loopback,
        )
        return httpx.Client(
            transport=PinnedTransport(PinnedBackend(ends, allow_loopback=loopback)),
            headers={"User-Agent": f"Copydesk/{__version__}", "Accept": accept, "Accept-Encoding": "gzip"},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            trust_env=False,
        )

    def _taken(self, response: httpx.Response, accept: str) -> Fetched:
        host, status = response.url.host, response.status_code
        if status not in {200, 203}:
            raise FetchFailed(f"{host} answered with the status {status}.", source_status=status)
        body = limited(response, self.settings.outbound_max_bytes)
        content_type = sniff(body, response.headers.get("content-type", ""))
        if not any(
            fnmatchcase(content_type, wanted.partition(";")[0].strip()) for wanted in accept.split(",")
        ):
            raise UnexpectedContent(f"{host} sent {content_type}; asked for was {accept}.")
        return Fetched(str(response.url), content_type, charset_of(response.charset_encoding), body)


def checked(url: str | httpx.URL, *, before: httpx.URL | None = None) -> httpx.URL:
    """Refuse URLs that are not fetched, before any name is resolved; `before` is what redirects here. Raises
    AddressRefused.
    """
    try:
        place = httpx.URL(url)
        name, host = (
            place.host,
            place.raw_host.decode("ascii").removesuffix("."),
        )  # httpx decodes xn-- only when it is asked for the name
    except (httpx.InvalidURL, UnicodeError) as error:
        raise AddressRefused(f"Not a URL: {error}") from error
    port = {"http": 80, "https": 443}.get(place.scheme, 0) if place.port is None else place.port
    if place.scheme not in {"http", "https"} or place.userinfo or not name or not HOST.fullmatch(host):
        raise AddressRefused(
            "Only http and https URLs of hosts on the public internet are fetched, and without credentials."
        )
    if port in CLOSED_PORTS or port > 65535:  # which the system would take modulo 65536: 65558 is 22
        raise AddressRefused(f"Nothing is fetched from port {port}.")
    if before is not None and (before.scheme, place.scheme) == ("https", "http"):
        raise AddressRefused(f"{before.host} redirects from https to http.")
    return place.copy_with(host=host)


def limited(response: httpx.Response, limit: int) -> bytes:
    """Read a body, and stop as soon as it is larger than the limit in bytes. Raises SourceTooLarge and
    FetchFailed.
    """
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
    """Decompress piece by piece, none to more than a byte above the limit: httpx would make gigabytes of one
    piece of a bomb.
    """
    member = zlib.decompressobj(zlib.MAX_WBITS | 16)
    for part in raw:
        rest = part
        while rest:
            member = zlib.decompressobj(zlib.MAX_WBITS | 16) if member.eof else member
            yield member.decompress(rest, limit + 1)
            rest = member.unused_data
    if not member.eof:
        raise zlib.error("its gzip stream breaks off")


def charset_of(named: str | None) -> str | None:
    """Python's name of the encoding that a header names; None for none, an unknown one, or one that is none
    of text.
    """
    try:
        b"a".decode(named or "", "replace")
        charset = codecs.lookup(named or "").name
    except (LookupError, ValueError):
        return None
    return (
        "cp1252" if charset in {"iso8859-1", "ascii"} else charset
    )  # what the web means by these names (WHATWG Encoding)


def sniff(body: bytes, header: str) -> str:
    """The media type by the first bytes (after WHATWG MIME Sniffing); the header decides only between kinds
    of text.
    """
    if image := IMAGE.match(body):
        return f"image/{image.lastgroup}"
    head, hint = body[:1445], header.lower()
    if NOT_TEXT.search(head):
        return "application/octet-stream"
    text = head.decode("latin-1").lstrip("\xef\xbb\xbf \t\r\n\f")  # a byte order mark of UTF-8 reads so
    if HTML.match(text) or ("html" in hint and not JSON.match(text)):
        return "text/html"
    if XML.match(text):
        return "text/html" if "<html" in text else "application/xml"
    if JSON.match(text) or "json" in hint:
        return "application/json"
    return "text/plain"
