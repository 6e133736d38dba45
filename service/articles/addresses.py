"""Tell the addresses at which readers find articles, and to which the links in their bodies lead."""

import html
import re
from collections.abc import Callable
from urllib.parse import quote, urljoin, urlsplit
from uuid import UUID

from service.articles.body import Heading, ItemList, Paragraph, Quote, ResolvedBlock, Table
from service.articles.models import ArticleRead
from service.settings import Settings

_IN_A_URI = "!#$%&'()*+,/:;=?@[]~"
"""Characters with a place in a URI (RFC 3986) beside letters, digits and `-._`."""
_HREF = re.compile(r'(?<=<a href=")[^"]*(?=")')


def own_address(settings: Settings, id_: UUID, slug: str | None) -> str:
    """Return the address at which this publication shows an article."""
    pages = "/read" if settings.web == "on" else "/v1/articles"
    template = settings.article_url or f"{settings.public_url}{pages}/{{slug}}"
    return template.replace("{slug}", slug or str(id_)).replace("{id}", str(id_))


def address_of(settings: Settings, article: ArticleRead) -> str:
    """Return the address at which readers find an article: on this publication's pages, or else the address
    that the article names as its own.
    """
    if article.canonical_url and not settings.article_url:
        return as_uri(article.canonical_url)
    return own_address(settings, article.id, article.slug)


def as_uri(address: str) -> str:
    """Return an address with everything percent-encoded that a URI may not hold (RFC 3987, 3.1)."""
    return quote(address, safe=_IN_A_URI)


def with_whole_links(blocks: list[ResolvedBlock], base: str) -> list[ResolvedBlock]:
    """Resolve the links of a body against its article's address; a link within the text stays one."""

    def whole(inline: str) -> str:
        return _HREF.sub(lambda found: _resolved(found[0], base), inline) if "<a " in inline else inline

    return [_block(block, whole) for block in blocks]


def _block(block: ResolvedBlock, whole: Callable[[str], str]) -> ResolvedBlock:
    match block:
        case Paragraph() | Heading() | Quote():
            return block.model_copy(update={"html": whole(block.html)})
        case ItemList():
            return block.model_copy(update={"items": [whole(item) for item in block.items]})
        case Table():
            rows = {
                name: [[whole(cell) for cell in row] for row in getattr(block, name)]
                for name in ("header", "rows")
            }
            return block.model_copy(update=rows)
    return block


def _resolved(href: str, base: str) -> str:
    address = html.unescape(href)
    if address.startswith("#"):
        return href
    try:
        return html.escape(urljoin(base, address)) if not urlsplit(address).scheme else href
    except ValueError:  # An address that cannot be taken apart, such as `//[`, leads nowhere from anywhere.
        return href
