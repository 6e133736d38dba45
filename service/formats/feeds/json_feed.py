"""JSON Feed 1.1, modelled whole: a member that the format does not know is refused before it is sent."""

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from service.articles.body import as_html
from service.formats.feeds.feed import Feed, FeedArticle, FeedPicture
from service.formats.feeds.written import WrittenArticle
from service.tables import Time


class Part(BaseModel):
    """A part of the feed. What is None is left out, as the format asks."""

    model_config = ConfigDict(extra="forbid", serialize_by_alias=True, validate_by_name=True)


class Person(Part):
    """An author."""

    name: str
    url: str | None = None


class Attachment(Part):
    """A file that belongs to an item."""

    url: str
    mime_type: str
    title: str | None = None


class PictureWords(Part):
    """The words of a picture, for which the format itself has no place."""

    url: str
    caption: str | None = None
    alt_text: str | None = None
    credit_line: str | None = None
    width: int
    height: int


class Extension(Part):
    """Copydesk's extension of an item."""

    dateline: str | None = None
    credit_line: str | None = None
    pictures: list[PictureWords]


class FeedItem(Part):
    """An article."""

    id: str
    url: str
    title: str
    content_html: str
    summary: str | None = None
    image: str | None = None
    date_published: Time
    date_modified: Time
    authors: list[Person] | None = None
    tags: list[str]
    language: str
    attachments: list[Attachment] | None = None
    extension: Extension = Field(alias="_copydesk")


class JsonFeed(Part):
    """The feed."""

    version: Literal["https://jsonfeed.org/version/1.1"] = "https://jsonfeed.org/version/1.1"
    title: str = Field(examples=["The Harbour Press"])
    home_page_url: str
    feed_url: str
    description: str
    language: str
    authors: list[Person]
    items: list[FeedItem]


def write(feed: Feed, articles: Sequence[WrittenArticle]) -> bytes:
    """Return the feed as JSON."""
    shape = JsonFeed(
        title=feed.title,
        home_page_url=feed.settings.public_url,
        feed_url=feed.address("feed.json"),
        description=f"The newest articles of {feed.title}",
        language=feed.language,
        authors=[Person(name=feed.settings.site_name)],
        items=[],
    )
    frame = shape.model_dump_json(exclude_none=True).encode()
    assert frame.endswith(b'"items":[]}')
    return frame[:-2] + b",".join(each.written for each in articles) + b"]}"


def write_article(feed_article: FeedArticle) -> bytes:
    """Return an article of the feed."""
    return _item(feed_article).model_dump_json(exclude_none=True).encode()


def _item(feed_article: FeedArticle) -> FeedItem:
    article, pictures = feed_article.article, feed_article.pictures
    return FeedItem(
        id=article.id.urn,
        url=feed_article.address,
        title=article.headline,
        content_html=as_html(article.body),
        summary=article.summary,
        image=pictures[0].shown.href if pictures else None,
        date_published=feed_article.published,
        date_modified=article.updated_at,
        authors=[Person(name=author.name, url=author.url) for author in article.written_by] or None,
        tags=[*([article.section] if article.section else []), *article.tags],
        language=article.language,
        attachments=[_attachment(picture) for picture in pictures] or None,
        extension=Extension(
            dateline=article.dateline,
            credit_line=article.credit_line,
            pictures=[_words(picture) for picture in pictures],
        ),
    )


def _attachment(picture: FeedPicture) -> Attachment:
    caption = picture.caption
    title = (caption.text or caption.alt_text) if caption else None
    return Attachment(url=picture.shown.href, mime_type=picture.shown.content_type, title=title)


def _words(picture: FeedPicture) -> PictureWords:
    caption, shown = picture.caption, picture.shown
    return PictureWords(
        url=shown.href,
        caption=caption.text if caption else None,
        alt_text=caption.alt_text if caption else None,
        credit_line=picture.image.credit_line,
        width=shown.width,
        height=shown.height,
    )
