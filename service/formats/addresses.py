"""The whole addresses that feeds, sitemaps and wire formats give: nobody who reads them knows what ours are
relative to.
"""

from urllib.parse import quote, urljoin
from uuid import UUID

from service.articles.body import ResolvedBlock, ResolvedImage
from service.articles.models import ArticleRead
from service.images.models import Picture
from service.settings import Settings

_IN_A_URI = "!#$%&'()*+,/:;=?@[]~"
"""What has a place in a URI (RFC 3986) beside letters, digits and `-._`."""


def own_address(settings: Settings, id_: UUID, slug: str | None) -> str:
    """Where this publication shows an article."""
    pages = "/read" if settings.web == "on" else "/v1/articles"
    template = settings.article_url or f"{settings.public_url}{pages}/{{slug}}"
    return template.replace("{slug}", slug or str(id_)).replace("{id}", str(id_))


def address_of(settings: Settings, article: ArticleRead) -> str:
    """Where an article is to be read: on this publication's pages, else where it says that it belongs."""
    if article.canonical_url and not settings.article_url:
        return as_uri(article.canonical_url)
    return own_address(settings, article.id, article.slug)


def as_uri(address: str) -> str:
    """An address with everything percent-encoded that a URI may not hold (RFC 3987, 3.1)."""
    return quote(address, safe=_IN_A_URI)


def with_whole_addresses(settings: Settings, article: ArticleRead) -> ArticleRead:
    """An article whose pictures are found from anywhere."""
    lead = article.lead_image
    whole = None if lead is None else lead.model_copy(update={"renditions": _whole(settings, lead)})
    return article.model_copy(
        update={"body": [_block(settings, block) for block in article.body], "lead_image": whole}
    )


def _block(settings: Settings, block: ResolvedBlock) -> ResolvedBlock:
    if not isinstance(block, ResolvedImage) or block.image is None:
        return block
    image = block.image.model_copy(update={"renditions": _whole(settings, block.image)})
    return block.model_copy(update={"image": image})


def _whole(settings: Settings, image: Picture) -> list[object]:
    return [
        shown.model_copy(update={"href": urljoin(f"{settings.public_url}/", shown.href)})
        for shown in image.renditions
    ]
