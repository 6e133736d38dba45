"""Atom (RFC 4287), with pictures as enclosures and in Media RSS."""

from collections.abc import Sequence

from lxml import etree

from service.articles.body import as_html
from service.articles.public_lists import FEEDS
from service.formats.feeds.feed import Feed, FeedArticle, last_updated
from service.formats.feeds.media import MEDIA, add_pictures
from service.formats.feeds.written import WrittenArticle
from service.formats.xml import element, filled, inside
from service.tables import write_time

ATOM = "http://www.w3.org/2005/Atom"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


_NAMESPACES = {None: ATOM, "media": MEDIA}


def write(feed: Feed, articles: Sequence[WrittenArticle]) -> bytes:
    """Return the feed as Atom."""
    root = etree.Element(_in("feed"), {_LANG: feed.language}, nsmap=_NAMESPACES)
    itself = feed.address("atom.xml")
    element(root, _in("id"), itself)
    element(root, _in("title"), feed.title)
    element(root, _in("updated"), write_time(last_updated(each.updated_at for each in articles)))
    element(root, _in("link"), attributes={"rel": "self", "href": itself, "type": FEEDS["atom.xml"]})
    element(root, _in("link"), attributes={"rel": "alternate", "href": feed.settings.public_url})
    element(root, _in("generator"), "Copydesk")
    # An entry whose article names no author has this one.
    element(element(root, _in("author")), _in("name"), feed.settings.site_name)
    return filled(root, b"</feed>", (each.written for each in articles))


def _in(name: str) -> str:
    return f"{{{ATOM}}}{name}"


def write_article(feed_article: FeedArticle) -> bytes:
    """Return an article of the feed."""
    article = feed_article.article
    root = etree.Element(_in("feed"), nsmap=_NAMESPACES)
    made = element(root, _in("entry"), attributes={_LANG: article.language})
    element(made, _in("id"), article.id.urn)
    element(made, _in("title"), article.headline)
    element(made, _in("link"), attributes={"rel": "alternate", "href": feed_article.address})
    element(made, _in("published"), write_time(feed_article.published))
    element(made, _in("updated"), write_time(article.updated_at))
    for author in article.written_by:
        person = element(made, _in("author"))
        element(person, _in("name"), author.name)
        if author.url:
            element(person, _in("uri"), author.url)
    for category in [*([article.section] if article.section else []), *article.tags]:
        element(made, _in("category"), attributes={"term": category})
    if article.summary:
        element(made, _in("summary"), article.summary)
    element(made, _in("content"), as_html(article.body), {"type": "html"})
    if article.copyright_notice:
        element(made, _in("rights"), article.copyright_notice)
    for picture in feed_article.pictures:
        shown = picture.shown
        element(
            made,
            _in("link"),
            attributes={"rel": "enclosure", "href": shown.href, "type": shown.content_type},
        )
    add_pictures(made, feed_article.pictures)
    return inside(root)
