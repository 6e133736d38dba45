"""Sitemaps as XML: sitemaps.org 0.9, with Google's news and image extensions where they say something."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from lxml import etree

from service.articles.addresses import as_uri, own_address
from service.formats.feeds.feed import FeedArticle
from service.formats.feeds.written import WrittenArticle
from service.formats.sitemaps.parts import ListedArticle
from service.formats.xml import element, filled, inside, written
from service.settings import Settings
from service.tables import write_time

SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
NEWS = "http://www.google.com/schemas/sitemap-news/0.9"
IMAGE = "http://www.google.com/schemas/sitemap-image/1.1"
_HEAD = f"<?xml version='1.0' encoding='UTF-8'?>\n<urlset xmlns=\"{SITEMAP}\""
_CHINESE = ("zh-Hans", "zh-cn"), ("zh-Hant", "zh-tw"), ("zh-TW", "zh-tw"), ("zh-HK", "zh-tw"), ("zh", "zh-cn")


def write_index(addresses: Iterable[str]) -> bytes:
    """Return the index of all files."""
    root = etree.Element(f"{{{SITEMAP}}}sitemapindex", nsmap={None: SITEMAP})
    for address in addresses:
        element(element(root, f"{{{SITEMAP}}}sitemap"), f"{{{SITEMAP}}}loc", address)
    return written(root)


def write_places(settings: Settings, places: Iterable[ListedArticle]) -> bytes:
    """Return one file of articles, which has too many of them for an element each."""
    urls = "".join(
        f"<url><loc>{_written_address(settings, place)}</loc>"
        f"<lastmod>{write_time(place.updated_at)}</lastmod></url>"
        for place in places
    )
    return f"{_HEAD}>{urls}</urlset>".encode() if urls else f"{_HEAD}/>".encode()


def _written_address(settings: Settings, place: ListedArticle) -> str:
    # Of what XML has other signs for, only this one has a place in a URI's text.
    return as_uri(own_address(settings, place.id, place.slug)).replace("&", "&amp;")


def write_news(articles: Sequence[WrittenArticle]) -> bytes:
    """Return the news of the last two days."""
    root = _news_root()
    if not articles:
        return written(root)
    root.text = ""
    return filled(root, b"</urlset>", (each.written for each in articles))


def write_news_article(settings: Settings, feed_article: FeedArticle) -> bytes:
    """Return an article of the news."""
    root, article = _news_root(), feed_article.article
    url = _url(root, own_address(settings, article.id, article.slug), article.updated_at)
    news = element(url, f"{{{NEWS}}}news")
    publication = element(news, f"{{{NEWS}}}publication")
    element(publication, f"{{{NEWS}}}name", settings.site_name)
    element(publication, f"{{{NEWS}}}language", news_language(article.language))
    element(news, f"{{{NEWS}}}publication_date", write_time(feed_article.published))
    element(news, f"{{{NEWS}}}title", article.headline)
    for picture in feed_article.pictures:
        element(element(url, f"{{{IMAGE}}}image"), f"{{{IMAGE}}}loc", picture.shown.href)
    return inside(root)


def _news_root() -> etree._Element:
    return etree.Element(f"{{{SITEMAP}}}urlset", nsmap={None: SITEMAP, "news": NEWS, "image": IMAGE})


def news_language(tag: str) -> str:
    """Return a language as news sitemaps name it: the ISO 639 code alone, and Chinese by its script."""
    return next(
        (name for prefix, name in _CHINESE if (tag + "-").startswith(prefix + "-")),
        tag.split("-", maxsplit=1)[0],
    )


def _url(root: etree._Element, address: str, updated_at: datetime) -> etree._Element:
    url = element(root, f"{{{SITEMAP}}}url")
    element(url, f"{{{SITEMAP}}}loc", as_uri(address))
    element(url, f"{{{SITEMAP}}}lastmod", write_time(updated_at))
    return url
