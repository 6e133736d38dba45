"""Answer with an article as the request asks: as a card, whole with a form of its body, or as
some members.
"""

from typing import Annotated, Literal
from uuid import UUID

import orjson
from fastapi import Depends, Query

from service.articles.addresses import address_of, with_whole_links
from service.articles.body import as_html, as_text
from service.articles.cards import card_of_document
from service.articles.found import with_snippet
from service.articles.models import ArticleFacts, ArticleRead
from service.errors import BadRequest, FieldProblem, Unprocessable
from service.http import pages, sparse
from service.published import answers, documents, keys
from service.published.filters import Chosen, Filter
from service.published.models import Kind
from service.published.query import SYNTAX, parse
from service.published.store import Listed, Sort
from service.settings import Settings

BodyForm = Literal["none", "blocks", "html", "text"]
ListBody = Annotated[
    BodyForm | None,
    Query(
        alias="body",
        description=(
            "absent or none: cards, without bodies; blocks: whole articles; html adds body_html, text"
            " adds body_text"
        ),
    ),
]
OneBody = Annotated[
    BodyForm, Query(alias="body", description="none leaves it out; html adds body_html, text adds body_text")
]

_MOST_OF_A_KIND = 100
_FACTS = frozenset(ArticleFacts.model_fields)
MOST_NAMED = 2 * _MOST_OF_A_KIND
"""Articles that a request names at the most: by id, and by slug."""


async def read_filter(
    section: pages.Several = None,
    tag: pages.Several = None,
    language: pages.Languages = None,
    author: pages.Several = None,
    source: pages.Several = None,
    image_id: pages.Ids = None,
    published_after: pages.After | None = None,
    published_before: pages.Before | None = None,
    updated_after: pages.After | None = None,
    q: Annotated[str | None, Query(max_length=500, description=SYNTAX)] = None,
) -> Filter:
    """Return what a list of articles is narrowed to."""
    if q is not None and not q.strip():
        message = "must have something to search for"
        problem = FieldProblem(place="query", pointer="/q", message=message)
        raise Unprocessable(f"q: {message}.", errors=[problem])
    return Filter(
        tuple(section or ()),
        tuple(tag or ()),
        tuple(language or ()),
        tuple(author or ()),
        tuple(source or ()),
        tuple(image_id or ()),
        published_after,
        published_before,
        updated_after,
        q,
    )


async def read_chosen(
    ids: Annotated[
        list[UUID] | None,
        Query(
            alias="id",
            max_length=_MOST_OF_A_KIND,
            description="these articles, in the order given, on one page",
        ),
    ] = None,
    slugs: Annotated[
        list[str] | None,
        Query(
            alias="slug", max_length=_MOST_OF_A_KIND, description="as `id`, by slugs; old ones are taken too"
        ),
    ] = None,
) -> Chosen:
    """Return the articles that a request names."""
    return Chosen(tuple(ids or ()), tuple(slugs or ()))


RelatedTo = Annotated[
    str | None,
    Query(
        max_length=500,
        description=(
            "an article's id or slug: those that share a tag with it, then those of its section, each the"
            " newest first, on one page"
        ),
    ),
]
FilterDep = Annotated[Filter, Depends(read_filter)]
ChosenDep = Annotated[Chosen, Depends(read_chosen)]


def is_one_page(wanted: Filter, named: Chosen, related_to: str | None, *, is_public: bool) -> bool:
    """Return whether a list is of named or related articles. Raises BadRequest for what does not
    go together.
    """
    if related_to is not None and (named or wanted.tag or wanted.q is not None or not is_public):
        raise BadRequest("related_to: goes with no tag, q, id, slug, status or view.")
    return bool(named) or related_to is not None


def keys_of(wanted: Filter, named: Chosen, related_to: str | None, order: Sort, listed: Listed) -> list[str]:
    """Return the keys of a list of public articles. What is found by words, or by when it was updated,
    depends on every change of an article.
    """
    if wanted.q is not None or wanted.updated_after is not None or order == "-updated_at":
        return [keys.of_dependency(answers.any_of(Kind.ARTICLE))]
    lists = wanted.keys()
    if related_to is not None or named.slugs:
        lists = [keys.LISTED]
    elif named.ids:
        lists = []
    return keys.of_page(Kind.ARTICLE, lists, dict.fromkeys([*named.ids, *listed.ids]))


def cards(listed: Listed) -> list[bytes]:
    """Return the cards of a page. Rows that were rendered before there were cards have documents alone."""
    return [
        card_of_document(document) if card is None else card
        for document, card in zip(listed.documents, listed.cards, strict=True)
    ]


def items(
    listed: Listed, form: BodyForm | None, fields: str | None, q: str | None, settings: Settings
) -> list[bytes]:
    """Return the items of a list in the form that is asked for, and with their snippets."""
    written = (
        cards(listed)
        if are_cards(form, fields)
        else [with_body(document, form, settings) for document in listed.documents]
    )
    if q is None:
        return written
    query = parse(q)
    return [
        with_snippet(item, document, query) for item, document in zip(written, listed.documents, strict=True)
    ]


def are_cards(form: BodyForm | None, fields: str | None) -> bool:
    """Return whether a list is made of cards: without bodies, or of members that cards have as articles do.
    Others may be asked for by name.
    """
    if fields is None:
        return form in (None, "none")
    return _FACTS.issuperset(name.strip().partition(".")[0] for name in fields.split(",") if name.strip())


def only_fields(document: bytes, fields: str | None) -> bytes:
    """Leave of an article the members that `fields` names. Raises Unprocessable."""
    return sparse.chosen(document, fields, ArticleRead)


def with_body(document: bytes, form: BodyForm | None, settings: Settings) -> bytes:
    """Add `body_html` or `body_text` to an article that is written out, or leave out its body."""
    if form in (None, "blocks"):
        return document
    if form == "none":
        members = orjson.loads(document)
        del members["body"]
        return orjson.dumps(members)
    shape = documents.read(ArticleRead, document)
    if form == "text":
        added = {"body_text": as_text(shape.body)}
    else:
        added = {"body_html": as_html(with_whole_links(shape.body, address_of(settings, shape)))}
    return shape.model_copy(update=added).model_dump_json().encode()
