"""Fetch a document that others publish, within a deadline, a size and a few redirects."""

import re
import time
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from service import __version__
from service.outbound.addresses import checked
from service.outbound.connections import FetchFailed, PinnedBackend, PinnedTransport, SourceTooSlow
from service.settings import Settings
from service.tracing import called

REDIRECTS = 5
IMAGE = re.compile(
    rb"(?s)(?P<jpeg>\xff\xd8\xff)|(?P<png>\x89PNG\r\n\x1a\n)|(?P<gif>GIF8[79]a)|(?P<webp>RIFF.{4}WEBP)"
    rb"|(?P<avif>\x00{3}.ftyp(?:.{4}){0,12}avi[fs])"
)
NOT_TEXT = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
UTF_16 = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
HTML = re.compile(
    r"<(?:!doctype html|html|head|body|meta|title|link|script|main|article|section|div|h1|p)\b|<!--",
    re.IGNORECASE,
)
XML = re.compile(r"<(?:\?xml|rss|feed|svg)\b", re.IGNORECASE)
JSON = re.compile(r'\{\s*["}]|\[\s*[\[{"\]]')


class SourceTooLarge(FetchFailed):
    """The other side sent more than this service takes."""

    status, title = 502, "The other side sent too much"


class UnexpectedContent(FetchFailed):
    """The address answers with another kind of content than the caller wanted: a picture instead of a page,
    or a page instead of a picture.
    """

    status, title = 422, "Something else is at this address"


@dataclass(frozen=True)
class Fetched:
    """The content that was fetched: `url` after all redirects, `body` decompressed.

    `content_type` goes by the content: text/html, text/plain, application/json, application/xml, image/jpeg,
    image/png, image/gif, image/webp, image/avif or application/octet-stream. `charset` is what the
    header says, unchecked.
    """

    url: str
    content_type: str
    charset: str | None
    body: bytes


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
        """Return a client of this fetch alone. It keeps no cookies, and its backend's deadline stands in for
        timeouts.
        """
        ends, loopback = (
            time.monotonic() + self.settings.outbound_deadline,
            self.settings.outbound_allow_loopback,
        )
        return httpx.Client(
            transport=called(PinnedTransport(PinnedBackend(ends, allow_loopback=loopback))),
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
        return Fetched(str(response.url), content_type, response.charset_encoding, body)


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


def sniff(body: bytes, header: str) -> str:
    """Return the media type by the first bytes (after WHATWG MIME Sniffing); the header decides only between
    kinds of text.
    """
    if image := IMAGE.match(body):
        return f"image/{image.lastgroup}"
    head, hint = body[:1445], header.lower()
    wide = next((name for mark, name in UTF_16 if head.startswith(mark)), None)
    if wide is None and NOT_TEXT.search(head):
        return "application/octet-stream"
    # A byte order mark of UTF-8 reads as three characters of Latin-1.
    text = head.decode(wide or "latin-1", "ignore").lstrip("\ufeff\xef\xbb\xbf \t\r\n\f")
    if HTML.match(text) or ("html" in hint and not JSON.match(text)):
        return "text/html"
    if XML.match(text):
        return "text/html" if "<html" in text else "application/xml"
    if JSON.match(text) or "json" in hint:
        return "application/json"
    return "text/plain"
