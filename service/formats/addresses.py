"""The whole addresses that feeds, sitemaps and wire formats give: nobody who reads them knows what ours are
relative to.
"""

from functools import lru_cache
from urllib.parse import urljoin

from service.articles.addresses import address_of, with_whole_links
from service.articles.body import ResolvedBlock, ResolvedImage
from service.articles.models import ArticleRead
from service.images.models import Picture
from service.settings import Settings


def with_whole_addresses(settings: Settings, article: ArticleRead) -> ArticleRead:
    """Return an article whose pictures and links are found from anywhere."""
    lead = article.lead_image
    whole = None if lead is None else lead.model_copy(update={"renditions": _whole(settings, lead)})
    linked = with_whole_links(article.body, address_of(settings, article))
    return article.model_copy(
        update={"body": [_block(settings, block) for block in linked], "lead_image": whole}
    )


def _block(settings: Settings, block: ResolvedBlock) -> ResolvedBlock:
    if not isinstance(block, ResolvedImage) or block.image is None:
        return block
    image = block.image.model_copy(update={"renditions": _whole(settings, block.image)})
    return block.model_copy(update={"image": image})


def _whole(settings: Settings, image: Picture) -> list[object]:
    base = settings.media_base or settings.public_url
    return [shown.model_copy(update={"href": _resolved(base, shown.href)}) for shown in image.renditions]


def _resolved(base: str, href: str) -> str:
    """Resolve an address against a base. Paths of ours need no parsing, which takes most of a feed's time."""
    is_path = href.startswith("/") and not href.startswith("//") and "/." not in href
    return _origin(base) + href if is_path else urljoin(f"{base}/", href)


@lru_cache(16)
def _origin(base: str) -> str:
    return urljoin(f"{base}/", "/").removesuffix("/")
