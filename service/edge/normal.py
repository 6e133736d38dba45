"""Bring a request into one normal form, once, in front of the cache and the router.

The cache's key is made of this form, and the router sees nothing else. Where two parts of a service read one
request differently, a stranger can leave an answer in the cache under an address that it does not belong to.
"""

from collections.abc import Iterable
from functools import lru_cache
from operator import itemgetter
from urllib.parse import parse_qsl, urlencode

from starlette.types import Scope

from service.errors import BadRequest
from service.http.negotiation import choose_type
from service.published.forms import MEDIA_TYPES, Form
from service.sync.stream import MEDIA_TYPE as EVENT_STREAM
from service.tables import composed

Given = dict[bytes, bytes]
"""The headers of a request, each name once."""
MOST_PARAMETERS = 400
LONGEST_REMEMBERED = 512
"""Bytes of a query string whose normal form is remembered: longer ones would let clients fill the memory."""
ONCE = frozenset(
    {b"authorization", b"content-type", b"host", b"idempotency-key", b"last-event-id", b"origin"}
)
"""Headers of which a request has one at the most, because programs differ in which of two they take."""
TRACKING = frozenset(
    "_ _ga _gl dclid epik fbclid gad_source gbraid gclid gclsrc igsh igshid irclickid li_fat_id mkt_tok"
    " msclkid rdt_cid s_kwcid sccid srsltid ttclid twclid vero_id wbraid wickedid yclid".split()
)
"""Parameters that others add to links, in order to follow readers. No endpoint has one of these names."""
TRACKING_PREFIXES = ("utm_", "mc_", "hsa_", "_hs", "mtm_", "pk_", "piwik_", "matomo_", "oly_")
PAGES = {
    "/": frozenset({"section", "cursor"}),
    "/search": frozenset({"q", "cursor"}),
    "/read/": frozenset[str](),
}
"""The parameters of the pages that all readers share. Others are left out, because links carry all kinds of
them.
"""
_FORMS = {media_type: form for form, media_type in MEDIA_TYPES.items()}
_TYPES = tuple(_FORMS)


class RepeatedHeader(BadRequest):
    """A header that may be sent once was sent several times."""

    title = "A header was sent twice"


def normal_form(scope: Scope) -> tuple[Scope, Given]:
    """Return a request in its normal form, and its headers. Raises BadRequest for one that has none."""
    given: Given = dict(scope["headers"])
    changed: Scope = {}
    if len(given) != len(scope["headers"]):
        given = _each_once(scope["headers"])
        changed["headers"] = list(given.items())
    if scope["method"] == "GET":
        path, query, accept = scope["path"], scope["query_string"], given.get(b"accept")
        form = _asked_form(path, accept) if accept is not None and accept != b"*/*" else ""
        if query or form:
            remembered = len(query) <= LONGEST_REMEMBERED
            changed["query_string"] = (_remembered if remembered else _normal_query)(query, _page(path), form)
        if accept is not None and path == "/v1/changes":
            _choose_stream(given)
            changed["headers"] = list(given.items())
    return ({**scope, **changed} if changed else scope), given


def _each_once(headers: Iterable[tuple[bytes, bytes]]) -> Given:
    """Return headers with the values of a repeated one joined, as RFC 9110, 5.3 reads them."""
    given: Given = {}
    for name, value in headers:
        if name not in given:
            given[name] = value
        elif name in ONCE:
            raise RepeatedHeader(f"The header {name.decode('latin-1')} may be sent once.")
        else:
            given[name] += (b"; " if name == b"cookie" else b", ") + value
    return given


def _page(path: str) -> str:
    """Return which of the shared pages a path is of, or "" for none."""
    return path if path in PAGES else "/read/" if path.startswith("/read/") else ""


def _normal_query(query: bytes, page: str, form: str) -> bytes:
    """Return a query with its parameters sorted by name and written in one way, texts as they are kept (NFC),
    without those that track readers.

    Values of one name keep their order, which some lists are answered in. `form` is what `Accept` asks for; a
    query that names a format itself keeps that.
    """
    try:
        pairs = parse_qsl(
            query.decode(errors="replace"), keep_blank_values=True, max_num_fields=MOST_PARAMETERS
        )
    except ValueError:
        raise BadRequest(f"An address has at most {MOST_PARAMETERS} query parameters.") from None
    known = PAGES.get(page)
    kept = [pair for pair in pairs if not is_tracking(pair[0]) and (known is None or pair[0] in known)]
    if form and all(name != "format" for name, _ in kept):
        kept.append(("format", form))
    if not query.isascii() or b"%" in query:
        kept = [(name, composed(value)) for name, value in kept]
    return urlencode(sorted(kept, key=itemgetter(0))).encode()


_remembered = lru_cache(2_000)(_normal_query)


def is_tracking(name: str) -> bool:
    """Return whether a parameter is one of those that are added to links in order to follow readers."""
    lowered = name.lower()
    return lowered in TRACKING or lowered.startswith(TRACKING_PREFIXES)


def _asked_form(path: str, accept: bytes) -> str:
    """Return the form of an article that `Accept` asks for; "" for the store's own, and at other
    addresses.
    """
    if not path.startswith("/v1/articles/") or path.count("/") != 3:
        return ""
    form = _FORMS[choose_type(accept, _TYPES)]
    return "" if form is Form.JSON else str(form)


def _choose_stream(given: Given) -> None:
    """Leave in the headers `Accept: text/event-stream` where that is wanted, and no `Accept`
    where it is not.
    """
    if choose_type(given.pop(b"accept"), ("application/json", EVENT_STREAM)) == EVENT_STREAM:
        given[b"accept"] = EVENT_STREAM.encode()
