"""Make the card of an article: all that lists give of it, which is everything but its body."""

from uuid import UUID

import pydantic

from service.articles.models import SNIPPET, ArticleFacts, ArticleRead, LeadImage
from service.images.models import Rendition
from service.images.srcset import WHOLE, files
from service.published import documents
from service.tables import Reading, Time

WIDTH = 960
"""Pixels across of the size that a card names, or the largest that the picture has below it."""


class CardCaption(Reading):
    """The words that replace seeing the picture of a card."""

    alt_text: str | None


class CardPicture(Reading):
    """The lead picture of a card, in one size. Its other sizes have the same address with another name."""

    id: UUID
    width: int | None
    height: int | None
    credit_line: str | None
    placeholder: str | None
    usable_until: Time | None = None
    renditions: list[Rendition] = pydantic.Field(max_length=1)
    caption: CardCaption | None


class ArticleCard(ArticleFacts):
    """An article without its body, as lists give it. With `body=` a list gives whole articles instead."""

    lead_image: CardPicture | None
    snippet: str | None = pydantic.Field(
        None,
        exclude_if=lambda value: value is None,
        description=SNIPPET,
        examples=["The <mark>tram</mark> …"],
    )


_FACTS = tuple(ArticleFacts.model_fields)


def card_of(article: ArticleRead) -> bytes:
    """Return the card of an article as JSON."""
    known = {name: getattr(article, name) for name in _FACTS}
    lead = None if article.lead_image is None else _picture(article.lead_image)
    return ArticleCard.model_construct(**known, lead_image=lead).model_dump_json().encode()


def card_of_document(document: bytes) -> bytes:
    """Return the card of a document that was rendered before there were cards."""
    return card_of(documents.read(ArticleRead, document))


def _picture(lead: LeadImage) -> CardPicture:
    sizes = files(lead, WHOLE, "jpg")
    shown = [next((each for each in sizes if each.width <= WIDTH), sizes[-1])] if sizes else []
    return CardPicture(
        id=lead.id,
        width=lead.width,
        height=lead.height,
        credit_line=lead.credit_line,
        placeholder=lead.placeholder,
        usable_until=lead.usable_until,
        renditions=shown,
        caption=None if lead.caption is None else CardCaption(alt_text=lead.caption.alt_text),
    )
