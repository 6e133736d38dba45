"""RSS 2.0 (RSS Advisory Board, 2.0.11), with the whole text (content), authors (Dublin Core) and pictures
(Media RSS 1.5.1).
"""

from collections.abc import Sequence
from email.utils import format_datetime

from lxml import etree

from service.articles.body import as_html
from service.articles.public_lists import FEEDS
from service.formats.feeds.feed import Feed, FeedArticle, last_updated
from service.formats.feeds.media import MEDIA, add_pictures
from service.formats.feeds.written import WrittenArticle
from service.formats.xml import element, filled, inside

ATOM = "http://www.w3.org/2005/Atom"
CONTENT = "http://purl.org/rss/1.0/modules/content/"
DC = "http://purl.org/dc/elements/1.1/"


_NAMESPACES = {"atom": ATOM, "content": CONTENT, "dc": DC, "media": MEDIA}


def write(feed: Feed, articles: Sequence[WrittenArticle]) -> bytes:
    """Return the feed as RSS."""
    root = etree.Element("rss", {"version": "2.0"}, nsmap=_NAMESPACES)
    channel = element(root, "channel")
    updated = last_updated(each.updated_at for each in articles)
    element(channel, "title", feed.title)
    element(channel, "link", feed.settings.public_url)
    element(channel, "description", f"The newest articles of {feed.title}")
    element(channel, "language", feed.language)
    element(channel, "lastBuildDate", format_datetime(updated, usegmt=True))
    element(channel, "generator", "Copydesk")
    itself = {"rel": "self", "href": feed.address("rss.xml"), "type": FEEDS["rss.xml"]}
    element(channel, f"{{{ATOM}}}link", attributes=itself)
    return filled(root, b"</channel></rss>", (each.written for each in articles))


def write_article(feed_article: FeedArticle) -> bytes:
    """Return an article of the feed."""
    article = feed_article.article
    root = etree.Element("rss", nsmap=_NAMESPACES)
    item = element(root, "item")
    element(item, "title", article.headline)
    element(item, "link", feed_article.address)
    element(item, "guid", article.id.urn, {"isPermaLink": "false"})
    element(item, "pubDate", format_datetime(feed_article.published, usegmt=True))
    if article.summary:
        element(item, "description", article.summary)
    for author in article.written_by:
        element(item, f"{{{DC}}}creator", author.name)
    element(item, f"{{{DC}}}language", article.language)
    for category in [*([article.section] if article.section else []), *article.tags]:
        element(item, "category", category)
    if article.copyright_notice:
        element(item, f"{{{DC}}}rights", article.copyright_notice)
    element(item, f"{{{CONTENT}}}encoded", as_html(article.body))
    if feed_article.pictures:
        # Readers of RSS expect one at the most. It must say its length, and says 0 because that is not known
        # before the file is made (RSS Best Practices Profile, "enclosure").
        shown = feed_article.pictures[0].shown
        element(
            item,
            "enclosure",
            attributes={"url": shown.href, "length": "0", "type": shown.content_type},
        )
    add_pictures(item, feed_article.pictures)
    return inside(root)
