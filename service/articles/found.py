"""Add to the articles that a search has found the words for which they were."""

from collections.abc import Iterator

import orjson

from service.articles.body import ResolvedImage, as_text
from service.articles.models import ArticleRead
from service.published.query import Query
from service.published.snippets import snippet


def with_snippet(written: bytes, shape: ArticleRead, query: Query) -> bytes:
    """Return an article that is written out with the snippet for a query."""
    return written[:-1] + b',"snippet":' + orjson.dumps(find_snippet(shape, query)) + b"}"


def find_snippet(article: ArticleRead, query: Query) -> str:
    """Return as HTML the words for which a query has found an article."""
    return snippet(query, _texts(article))


def _texts(article: ArticleRead) -> Iterator[str]:
    """The texts of an article that are searched, the most telling first."""
    yield article.summary or ""
    yield as_text(article.body)
    for block in article.body:
        if isinstance(block, ResolvedImage) and block.caption is not None:
            yield block.caption.alt_text or ""
    if article.lead_image is not None and article.lead_image.caption is not None:
        yield article.lead_image.caption.text or ""
        yield article.lead_image.caption.alt_text or ""
    yield article.headline
    yield ", ".join(filter(None, [article.byline, *(author.name for author in article.authors)]))
    yield ", ".join(filter(None, [article.dateline, article.section, *article.tags]))
