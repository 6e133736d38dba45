"""Show articles before their time to holders of a contract with early access, who prepare them.

An article that waits for its time is not in the published table, so that no list, feed, search or cache can
show it by mistake. It has addresses of its own. These read the working articles, and no cache keeps their
answers. They show an article from `early_hours` before its time on until that time, when it is public.
"""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, exists, false, func
from sqlmodel import col, select
from starlette.concurrency import run_in_threadpool

from service.articles import read
from service.articles.models import Article, ArticleRead, ArticleTerm, Status
from service.articles.unpublished import image_in, negative_in, shown_at
from service.contracts import Contract, ContractKind
from service.database import Database, DatabaseDep, Session, SessionDep
from service.errors import NotFound
from service.http import conditional, pages, sparse
from service.http.callers import Caller, Needs
from service.http.pages import in_ranges, one_of
from service.http.routing import Route
from service.images.media import PrintsDep, send_size
from service.images.renditions import Negative
from service.images.uploads import IntakeDep
from service.published.models import NameField
from service.published.withdrawn import Gone, without
from service.scopes import Scope
from service.tables import latest

router = APIRouter(prefix="/v1/embargoed-articles", tags=["articles"], route_class=Route)
_PLACE = TypeAdapter(tuple[datetime, UUID])
_AFTER = [col(Article.scheduled_for), col(Article.id)]


class _NeedsEarlyAccess(Needs):
    """A dependency that lets through the desk, and holders of a contract with early access."""

    def __init__(self) -> None:
        super().__init__(Scope.CONTENT_READ)

    def check(self, caller: Caller) -> None:
        """Refuse a caller with neither. Raises Unauthorized and Forbidden."""
        if caller.contract is None or not caller.contract.early_hours:
            super().check(caller)


EarlyReader = Annotated[Caller, Depends(_NeedsEarlyAccess())]


@router.get("", response_model=pages.Page[ArticleRead])
def list_embargoed_articles(
    request: Request, caller: EarlyReader, session: SessionDep, asked: pages.ListRequestDep
) -> Response:
    """List the articles that wait for their time (`scheduled_for`), those that are due first: to the desk all
    of them, and to holders of a contract those within its `early_hours`. What is not in the list any more is
    public, or was taken back.
    """
    after = pages.read_cursor(request, asked.cursor, _PLACE)
    conditions = _waiting(caller.contract)
    waiting = pages.after(select(Article).where(*conditions), _AFTER, after, asked.limit, descending=False)
    articles = session.exec(waiting).all()
    shown = articles[: asked.limit]
    count = select(func.count()).select_from(Article).where(*conditions)
    last = shown[-1] if len(articles) > len(shown) else None
    return pages.answer_page(
        request,
        [_document(caller, each) for each in read.read(session, shown)],
        next_key=None if last is None else (last.scheduled_for, last.id),
        total=session.exec(count).one() if asked.count else None,
        fields=asked.fields,
        shape=ArticleRead,
    )


@router.get("/{article_id}", response_model=ArticleRead)
def get_embargoed_article(
    request: Request, article_id: UUID, caller: EarlyReader, session: SessionDep, fields: pages.Fields = None
) -> Response:
    """Read an article that waits for its time; 404 from that time on, when it is at `/v1/articles`."""
    article = _find(session, caller, article_id)
    document = sparse.chosen(_document(caller, read.read_one(session, article)), fields, ArticleRead)
    return conditional.answer_bytes(request, document, article.version)


@router.get("/{article_id}/media/{image_id}/{name}", response_class=Response)
async def get_embargoed_media(
    request: Request,
    article_id: UUID,
    image_id: UUID,
    name: str,
    caller: EarlyReader,
    database: DatabaseDep,
    intake: IntakeDep,
    prints: PrintsDep,
) -> Response:
    """Fetch a file of a picture in an article that waits for its time."""
    negative = await run_in_threadpool(_negative, database, caller, article_id, image_id)
    base = _base(article_id)
    return await send_size(request, negative, name, intake, prints, is_public=False, base=base)


def _waiting(contract: Contract | None) -> list[ColumnElement[bool]]:
    """Return the conditions of what waits for its time and is given before it, judged as by
    `Contract.admits`.
    """
    waits = [col(Article.status) == Status.SCHEDULED, col(Article.deleted_at).is_(None)]
    if contract is None:
        return waits
    if ContractKind.ARTICLE not in contract.kinds or contract.has_ended(latest()):
        return [false()]
    waits.append(col(Article.scheduled_for) <= latest() + timedelta(hours=contract.early_hours))
    if contract.sections:
        waits.append(one_of(col(Article.section), contract.sections))
    if contract.sources:
        waits.append(one_of(col(Article.source), contract.sources))
    if contract.languages:
        waits.append(in_ranges(col(Article.language), contract.languages))
    if contract.tags:
        tagged = exists().where(
            col(ArticleTerm.field) == NameField.TAG.value,
            one_of(col(ArticleTerm.value), contract.tags),
            col(ArticleTerm.article_id) == col(Article.id),
        )
        waits.append(tagged.correlate(Article))
    return waits


def _find(session: Session, caller: Caller, article_id: UUID) -> Article:
    waiting = select(Article).where(Article.id == article_id, *_waiting(caller.contract))
    article = session.exec(waiting).one_or_none()
    if article is None:
        raise NotFound("No such article waits for its time, or you have no early access to it.")
    return article


def _document(caller: Caller, article: ArticleRead) -> bytes:
    document = shown_at(article, _base(article.id)).model_dump_json().encode()
    return without(document, Gone(contract=caller.contract))


def _base(article_id: UUID) -> str:
    return f"/v1/embargoed-articles/{article_id}"


def _negative(database: Database, caller: Caller, article_id: UUID, image_id: UUID) -> Negative:
    with database.reading() as session:
        image = image_in(session, _find(session, caller, article_id), image_id)
        if caller.contract is not None and not caller.contract.gives_picture(image.source):
            raise NotFound("There is no such file.")
        return negative_in(image)
