"""Make an article's card and its words from the published document."""

from collections.abc import Iterator
from uuid import UUID

from service.articles.body import ResolvedImage, as_text
from service.articles.cards import card_of
from service.articles.models import ArticleRead
from service.images.models import EffectiveCaption
from service.published import documents
from service.published.words import Words


def card_and_words(document: bytes) -> tuple[bytes, Words]:
    """Return the card and the words, as rendering the article makes them."""
    article = documents.read(ArticleRead, document)
    return card_of(article), _words(article)


def _words(article: ArticleRead) -> Words:
    rest = [
        article.summary,
        article.byline,
        *(author.name for author in article.authors),
        article.dateline,
        article.section,
        *article.tags,
        as_text([block for block in article.body if not isinstance(block, ResolvedImage)]),
        *_captions(article),
    ]
    return Words(article.headline, "\n".join(part for part in rest if part))


def _captions(article: ArticleRead) -> Iterator[str | None]:
    lead = article.lead_image
    placed: dict[tuple[UUID, UUID | None], EffectiveCaption | None] = {}
    if lead is not None:
        placed[lead.id, None] = lead.caption
    for block in article.body:
        if isinstance(block, ResolvedImage):
            placed.setdefault((block.image_id, block.caption_id), block.caption)
    for caption in placed.values():
        if caption is not None:
            yield from (caption.text, caption.alt_text)
