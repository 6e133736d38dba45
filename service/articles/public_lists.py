"""Answer everybody, or the holder of a token, with a page of a list of public articles."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Literal
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Request, Response
from pydantic import TypeAdapter

from service.articles import asked
from service.articles.asked import BodyForm
from service.articles.models import ArticleRead
from service.database import Session
from service.http import pages
from service.http.shortcuts import Arguments
from service.published import answers, keys, plain, several, store
from service.published.filters import Chosen, Filter
from service.published.models import Kind
from service.published.plain import Question
from service.published.related import related
from service.published.rows import Part
from service.published.store import Listed, Sort
from service.published.waiting import View
from service.services import service
from service.settings import Settings
from service.tables import Time

FEEDS = {
    "rss.xml": "application/rss+xml",
    "atom.xml": "application/atom+xml",
    "feed.json": "application/feed+json",
}
_NEWEST = TypeAdapter(tuple[Time, UUID])
_RANKED = TypeAdapter(tuple[Literal[0, 1], Time, UUID])
_MOST_NAMED_FEEDS = 200


@dataclass(frozen=True, slots=True)
class PublicList:
    """A list of public articles as it is asked for."""

    wanted: Filter
    named: Chosen
    related_to: str | None
    order: Sort
    page: pages.ListRequest
    body: BodyForm | None

    @property
    def part(self) -> Part:
        """Return the columns that it needs."""
        if not asked.are_cards(self.body, self.page.fields):
            return "documents"
        return "cards" if self.wanted.q is None else "both"

    def read(self, session: Session, after: Sequence[object] | None) -> Listed:
        """Read the page that begins after a key."""
        named = self.named
        if self.related_to is not None:
            named = Chosen(tuple(related(session, self.related_to, self.wanted, self.page.limit)))
        if named or self.related_to is not None:
            return store.chosen(session, self.wanted, named, self.part)
        limit, count = self.page.limit, self.page.count
        return store.page(
            session, Kind.ARTICLE, self.wanted, self.order, after, limit, count=count, part=self.part
        )

    def answer(self, request: Request, listed: Listed, *, is_for_all: bool) -> Response:
        """Answer with a page that was read."""
        settings = service(request, Settings)
        answers.depend(request, answers.any_of(Kind.ARTICLE))
        keys.name(request, asked.keys_of(self.wanted, self.named, self.related_to, self.order, listed))
        return pages.answer_page(
            request,
            asked.items(listed, self.body, self.page.fields, self.wanted.q, settings),
            also=feeds(self.wanted.section, self.wanted.language),
            next_key=listed.next_key,
            total=listed.total if self.page.count else None,
            fields=self.page.fields,
            shape=ArticleRead,
            headers=answers.public_headers(settings) if is_for_all else None,
        )


@dataclass(frozen=True, slots=True)
class PlainList:
    """A list for everybody that prepared statements read."""

    question: Question
    asked: PublicList

    def answer(self, request: Request, listed: Listed) -> Response:
        """Answer with a page that was read."""
        return self.asked.answer(request, listed, is_for_all=True)


def plain_list(request: Request, arguments: Arguments) -> PlainList | None:
    """Return the list that the arguments of `list_articles` ask for; None for one that is not plain."""
    wanted, page, sort = arguments["wanted"], arguments["page"], arguments["sort"]
    is_public = arguments["status"] is None and arguments["view"] is View.PUBLIC
    if not is_public or arguments["named"] or arguments["related_to"] is not None:
        return None
    order: Sort = sort or "-published_at"
    listed = PublicList(wanted, arguments["named"], None, order, page, arguments["body"])
    key = key_of(request, page.cursor, ranked=False)
    settings, limit, part = service(request, Settings), page.limit, listed.part
    question: Question | None = plain.ask(
        settings, Kind.ARTICLE, wanted, order, key, limit, part, counts=page.count
    ) or several.ask(settings, wanted, order, key, limit, part, counts=page.count)
    return None if question is None else PlainList(question, listed)


def key_of(request: Request, cursor: str | None, *, ranked: bool) -> tuple[datetime | UUID | int, ...] | None:
    """Return the key after which a page begins. Raises BadCursor."""
    return (
        pages.read_cursor(request, cursor, _RANKED) if ranked else pages.read_cursor(request, cursor, _NEWEST)
    )


@lru_cache(_MOST_NAMED_FEEDS)
def feeds(section: tuple[str, ...], language: tuple[str, ...]) -> tuple[str, ...]:
    """Return the feeds of a list, for readers to discover (RFC 8288)."""
    narrowed = urlencode({"section": section, "language": language}, doseq=True)
    query = f"?{narrowed}" if narrowed else ""
    return tuple(
        f'</feeds/{name}{query}>; rel="alternate"; type="{media_type}"' for name, media_type in FEEDS.items()
    )
