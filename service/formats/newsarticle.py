"""An article as a schema.org NewsArticle in JSON-LD, modelled whole: what search engines read
beside a page.
"""

from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from service.articles.addresses import address_of, as_uri
from service.articles.body import ResolvedImage, as_text
from service.articles.models import ArticleRead
from service.formats.addresses import with_whole_addresses
from service.images.models import EffectiveCaption, Picture, Rendition
from service.published import documents
from service.settings import Settings
from service.tables import Time


class Thing(BaseModel):
    """A thing of schema.org. What is None is left out."""

    model_config = ConfigDict(extra="forbid", serialize_by_alias=True, validate_by_name=True)


class AuthorPerson(Thing):
    """An author."""

    type: Literal["Person"] = Field("Person", alias="@type")
    name: str
    url: str | None = None


class Organization(Thing):
    """The publication."""

    type: Literal["NewsMediaOrganization"] = Field("NewsMediaOrganization", alias="@type")
    name: str
    url: str


class ImageObject(Thing):
    """One crop of a picture, with what is said of it."""

    type: Literal["ImageObject"] = Field("ImageObject", alias="@type")
    url: str
    width: int
    height: int
    encoding_format: str = Field(alias="encodingFormat")
    caption: str | None = None
    description: str | None = None
    credit_text: str | None = Field(None, alias="creditText")
    copyright_notice: str | None = Field(None, alias="copyrightNotice")


class WebPage(Thing):
    """The page of the article."""

    type: Literal["WebPage"] = Field("WebPage", alias="@type")
    id: str = Field(alias="@id")


class CorrectionComment(Thing):
    """A correction, as schema.org has it."""

    type: Literal["CorrectionComment"] = Field("CorrectionComment", alias="@type")
    text: str
    date_published: Time = Field(alias="datePublished")


class NewsArticle(Thing):
    """The article."""

    context: Literal["https://schema.org"] = Field("https://schema.org", alias="@context")
    type: Literal["NewsArticle"] = Field("NewsArticle", alias="@type")
    id: str = Field(alias="@id")
    url: str
    main_entity_of_page: WebPage = Field(alias="mainEntityOfPage")
    headline: str = Field(examples=["Harbour bridge reopens after winter repairs"])
    description: str | None = None
    image: list[ImageObject] | None = None
    date_published: Time | None = Field(None, alias="datePublished")
    date_modified: Time = Field(alias="dateModified")
    author: list[AuthorPerson | Organization]
    publisher: Organization
    article_section: str | None = Field(None, alias="articleSection")
    keywords: list[str] | None = None
    in_language: str = Field(alias="inLanguage")
    dateline: str | None = None
    article_body: str = Field(alias="articleBody")
    credit_text: str | None = Field(None, alias="creditText")
    copyright_notice: str | None = Field(None, alias="copyrightNotice")
    correction: list[CorrectionComment] | None = None


def write(document: bytes, settings: Settings) -> bytes:
    """Return an article's document as a NewsArticle."""
    article = with_whole_addresses(settings, documents.read(ArticleRead, document))
    return _news_article(article, settings).model_dump_json(exclude_none=True).encode()


def _news_article(article: ArticleRead, settings: Settings) -> NewsArticle:
    address = address_of(settings, article)
    publisher = Organization(name=settings.site_name, url=settings.public_url)
    people = [
        AuthorPerson(name=author.name, url=as_uri(author.url) if author.url else None)
        for author in article.written_by
    ]
    return NewsArticle(
        id=article.id.urn,
        url=address,
        main_entity_of_page=WebPage(id=address),
        headline=article.headline,
        description=article.summary,
        image=list(_images(article)) or None,
        date_published=article.published_at,
        date_modified=article.updated_at,
        author=[*people] or [publisher],
        publisher=publisher,
        article_section=article.section,
        keywords=article.tags or None,
        in_language=article.language,
        dateline=article.dateline,
        article_body=as_text(article.body),
        credit_text=article.credit_line,
        copyright_notice=article.copyright_notice,
        correction=[CorrectionComment(text=each.text, date_published=each.at) for each in article.corrections]
        or None,
    )


def _images(article: ArticleRead) -> Iterator[ImageObject]:
    """Yield the crops of the lead picture, or of the first that the body shows."""
    placed = (
        (block.image, block.caption)
        for block in article.body
        if isinstance(block, ResolvedImage) and block.image is not None
    )
    lead = article.lead_image
    image, caption = (
        (lead, lead.caption) if lead is not None and lead.renditions else next(placed, (None, None))
    )
    if image is not None:
        for crop in _crops(image):
            yield _image_object(image, crop, caption)


def _crops(image: Picture) -> list[Rendition]:
    """Of each shape the largest: search engines choose among shapes, not among sizes."""
    largest: dict[float, Rendition] = {}
    for each in image.renditions:
        shape = round(each.width / each.height, 2)
        if shape not in largest or each.width > largest[shape].width:
            largest[shape] = each
    return list(largest.values())


def _image_object(image: Picture, crop: Rendition, caption: EffectiveCaption | None) -> ImageObject:
    return ImageObject(
        url=crop.href,
        width=crop.width,
        height=crop.height,
        encoding_format=crop.content_type,
        caption=caption.text if caption else None,
        description=caption.alt_text if caption else None,
        credit_text=image.credit_line,
        copyright_notice=image.copyright_notice,
    )
