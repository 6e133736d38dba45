"""Give of an article what a request asks for: a card, whole with a form of its body, or some members."""

from typing import Annotated, Literal

import orjson
from fastapi import Query

from service import sparse
from service.articles.body import as_html, as_text
from service.articles.cards import card_of_document
from service.articles.models import ArticleRead
from service.published import documents
from service.published.store import Listed

BodyForm = Literal["none", "blocks", "html", "text"]
ListBody = Annotated[
    BodyForm | None,
    Query(
        alias="body",
        description="absent or none: cards, without bodies; blocks: whole articles; html adds body_html, text"
        " adds body_text",
    ),
]
OneBody = Annotated[
    BodyForm, Query(alias="body", description="none leaves it out; html adds body_html, text adds body_text")
]


def cards(listed: Listed) -> list[bytes]:
    """Return the cards of a page. Rows that were rendered before there were cards have documents alone."""
    return [
        card_of_document(each) if place in listed.without_card else each
        for place, each in enumerate(listed.documents)
    ]


def only_fields(document: bytes, fields: str | None) -> bytes:
    """Leave of an article the members that `fields` names. Raises Unprocessable."""
    return document if fields is None else sparse.only(document, sparse.read(fields, ArticleRead))


def with_body(document: bytes, form: BodyForm | None) -> bytes:
    """Add `body_html` or `body_text` to an article that is written out, or leave out its body."""
    if form in (None, "blocks"):
        return document
    if form == "none":
        members = orjson.loads(document)
        del members["body"]
        return orjson.dumps(members)
    shape = documents.read(ArticleRead, document)
    added = {"body_html": as_html(shape.body)} if form == "html" else {"body_text": as_text(shape.body)}
    return shape.model_copy(update=added).model_dump_json().encode()
