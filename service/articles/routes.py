"""The endpoints of `/v1/articles`: reading, writing, and what happens in an article's life."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Path, Query, Request, Response
from pydantic import Field, JsonValue

from service.articles import asked, lifecycle, lists, one, read
from service.articles.asked import BodyForm, ChosenDep, FilterDep, ListBody, OneBody, RelatedTo
from service.articles.cards import ArticleCard, card_of
from service.articles.creating import Creating
from service.articles.editing import Edit, Editing
from service.articles.models import (
    Article,
    ArticleCreate,
    ArticleRead,
    ArticleReplace,
    ArticleWrite,
    ArticleWritten,
    Status,
)
from service.articles.public_lists import PublicList, key_of
from service.database import Session, SessionDep
from service.errors import BadRequest, NotFound, PreconditionFailed
from service.http import pages
from service.http.callers import CallerDep, StaffPublisher, StaffWriter
from service.http.pages import Total
from service.http.patching import merged
from service.http.routing import Route
from service.published.filters import Chosen, Filter
from service.published.forms import Form
from service.published.store import Listed, Sort
from service.published.waiting import View
from service.scopes import Scope
from service.services import service
from service.settings import Settings
from service.tables import Line, NonEmptyText, Shape, Time

router = APIRouter(prefix="/v1/articles", tags=["articles"], route_class=Route)
Format = Annotated[Form, Query(alias="format", include_in_schema=False)]
ArticleKey = Annotated[str, Path(description="its id, or any slug that it has had")]
_WRITTEN = set(ArticleWrite.model_fields)
_DEFAULTED = _WRITTEN - {"published_at"}
"""Members of which null takes the default. A date of publication that was given is taken back by null."""


class Publication(Shape):
    """The time of publication; absent: now."""

    at: Time | None = Field(default=None, examples=["2030-05-01T06:00:00Z"])


class Withdrawal(Shape):
    """The reason why an article is withdrawn. It is public."""

    reason: NonEmptyText = Field(examples=["It named the wrong person."])


class CorrectionCreate(Shape):
    """The words of a correction."""

    kind: Line = "correction"
    text: NonEmptyText = Field(examples=["The bridge has four lanes, not three."])


@router.get("", response_model=pages.Page[ArticleCard | ArticleRead])
def list_articles(
    request: Request,
    caller: CallerDep,
    session: SessionDep,
    wanted: FilterDep,
    named: ChosenDep,
    page: pages.ListRequestDep,
    related_to: RelatedTo = None,
    status: Annotated[
        Status | None, Query(description="working articles in this status; needs content:read")
    ] = None,
    view: Annotated[
        View, Query(description="staff: working articles, drafts included; needs content:read")
    ] = View.PUBLIC,
    sort: Annotated[Sort | None, Query(description="relevance with `q`, else -published_at")] = None,
    body: ListBody = None,
) -> Response:
    """List articles, newest first: what readers see, or with `view=staff` or `status` everything that is not
    in the trash. Those that `id` and `slug` name come in the order given. `related_to` finds what goes with
    an article.
    """
    is_public = status is None and view is View.PUBLIC
    is_one_page = asked.is_one_page(wanted, named, related_to, is_public=is_public)
    if is_one_page and not (sort is None and page.cursor is None):
        raise BadRequest("These articles come on one page and in an order of their own: no sort, no cursor.")
    order: Sort = sort or ("relevance" if wanted.q else "-published_at")
    after = key_of(request, page.cursor, ranked=order == "relevance" and wanted.q is not None)
    if not is_public:
        caller.need(Scope.CONTENT_READ)
        return _list_for_editors(request, session, wanted, named, status, order, after, page, body)
    asked_for = PublicList(wanted, named, related_to, order, page, body)
    return asked_for.answer(request, asked_for.read(session, after), is_for_all=caller.is_anonymous)


def _list_for_editors(
    request: Request,
    session: Session,
    wanted: Filter,
    named: Chosen,
    status: Status | None,
    order: Sort,
    after: tuple[datetime | UUID | int, ...] | None,
    page: pages.ListRequest,
    body: BodyForm | None,
) -> Response:
    found = (
        lists.Listed(lists.chosen(session, wanted, status, named), None)
        if named
        else lists.page(session, wanted, status, order, after, page.limit)
    )
    shapes, settings = read.read(session, found.articles), service(request, Settings)
    documents = [shape.model_dump_json().encode() for shape in shapes]
    cards = [card_of(shape) for shape in shapes] if asked.are_cards(body, page.fields) else []
    items = asked.items(Listed(documents, list(cards), None, None), body, page.fields, wanted.q, settings)
    total: Total | int | None = None
    if page.count:
        total = len(found.articles) if named else lists.count(session, wanted, status)
    return pages.answer_page(
        request, items, next_key=found.next_key, total=total, fields=page.fields, shape=ArticleRead
    )


@router.post("", status_code=201, response_model=ArticleWritten)
async def create_article(request: Request, create: ArticleCreate, caller: StaffWriter) -> Response:
    """Create an article, as a draft or published at once."""
    creating = service(request, Creating)
    return await creating.create(request, caller, caller.signed(create))


@router.get(
    "/{article_id}",
    response_model=ArticleRead,
    responses={308: {"description": "An old slug: the article is at its new one."}},
)
def get_article(
    request: Request,
    key: one.Key,
    caller: CallerDep,
    session: SessionDep,
    body: OneBody = "blocks",
    form: Format = Form.JSON,
    fields: pages.Fields = None,
) -> Response:
    """Read an article by its id or its slug.

    `format=ninjs`, or `Accept: application/ninjs+json`, answers as `…/ninjs` does, with ninjs 3.1;
    `format=jsonld`, or `Accept: application/ld+json`, as `…/jsonld` does, with a NewsArticle of schema.org.
    """
    return one.answer(request, caller, session, key, body=body, form=form, fields=fields)


@router.put("/{article_id}", response_model=ArticleWritten, responses={201: {"model": ArticleWritten}})
async def replace_article(
    request: Request, article_id: UUID, replace: ArticleReplace, caller: StaffWriter
) -> Response:
    """Replace an article, or create one under an id of your own (`If-None-Match: *` creates only)."""
    signed = caller.signed(replace)

    def work(session: Session, article: Article) -> Response:
        return read.answer(request, caller, session, *lifecycle.replace(session, caller, article, signed))

    edit = Edit(request, caller, str(article_id), work, status=signed.status, needs_match=True)
    try:
        return await _edit(edit)
    except NotFound:
        if "if-match" in request.headers:
            raise PreconditionFailed("There is no article at this address.", current_version=None) from None
    return await service(request, Creating).create_under(request, caller, article_id, signed)


@router.patch(
    "/{article_id}",
    response_model=ArticleWritten,
    openapi_extra={
        "requestBody": {"content": {"application/merge-patch+json": {"schema": {"type": "object"}}}}
    },
)
async def edit_article(
    request: Request,
    article_id: ArticleKey,
    patch: Annotated[
        dict[str, JsonValue], Body(examples=[{"headline": "Harbour bridge open again", "summary": None}])
    ],
    caller: StaffWriter,
) -> Response:
    """Edit an article by JSON Merge Patch (RFC 7396): absent members stay, null removes."""

    def work(session: Session, article: Article) -> Response:
        written = lifecycle.replace(session, caller, article, _merged(article, patch))
        return read.answer(request, caller, session, *written)

    status = patch.get("status")
    return await _edit(Edit(request, caller, article_id, work, status=status, needs_match=True))


async def _edit(edit: Edit) -> Response:
    return await service(edit.request, Editing).edit(edit)


def _merged(article: Article, patch: dict[str, JsonValue]) -> ArticleReplace:
    # Not validated: an edit must be able to mend what has been refused only since it was written.
    stored = ArticleWrite.model_construct(**{name: getattr(article, name) for name in _WRITTEN})
    return merged(ArticleReplace, stored, patch, defaulted=_DEFAULTED)


@router.delete("/{article_id}", status_code=204)
async def delete_article(request: Request, article_id: ArticleKey, caller: StaffWriter) -> Response:
    """Put an article into the trash."""

    def work(session: Session, article: Article) -> Response:
        lifecycle.trash(session, caller, article)
        return Response(status_code=204)

    return await _edit(Edit(request, caller, article_id, work, needs_match=True))


@router.post("/{article_id}/restore", response_model=ArticleWritten)
async def restore_article(request: Request, article_id: ArticleKey, caller: StaffWriter) -> Response:
    """Bring an article back from the trash, as it was."""

    def work(session: Session, article: Article) -> Response:
        return read.answer(request, caller, session, lifecycle.restore(session, caller, article))

    return await _edit(Edit(request, caller, article_id, work, trashed=True))


@router.post("/{article_id}/publish", response_model=ArticleWritten)
async def publish_article(
    request: Request,
    article_id: ArticleKey,
    caller: StaffPublisher,
    publication: Publication | None = None,
) -> Response:
    """Publish an article now, or at a time; an embargo in the future holds it back."""
    at = publication.at if publication else None

    def work(session: Session, article: Article) -> Response:
        return read.answer(request, caller, session, lifecycle.publish(session, caller, article, at))

    return await _edit(Edit(request, caller, article_id, work))


@router.post("/{article_id}/unpublish", response_model=ArticleWritten)
async def unpublish_article(request: Request, article_id: ArticleKey, caller: StaffPublisher) -> Response:
    """Take an article back to a draft."""

    def work(session: Session, article: Article) -> Response:
        return read.answer(request, caller, session, lifecycle.unpublish(session, caller, article))

    return await _edit(Edit(request, caller, article_id, work))


@router.post("/{article_id}/withdraw", response_model=ArticleWritten)
async def withdraw_article(
    request: Request,
    article_id: ArticleKey,
    withdrawal: Withdrawal,
    caller: StaffPublisher,
) -> Response:
    """Kill an article: readers and followers get a tombstone with the reason."""

    def work(session: Session, article: Article) -> Response:
        withdrawn = lifecycle.withdraw(session, caller, article, withdrawal.reason)
        return read.answer(request, caller, session, withdrawn)

    return await _edit(Edit(request, caller, article_id, work))


@router.post("/{article_id}/corrections", status_code=201, response_model=ArticleWritten)
async def correct_article(
    request: Request,
    article_id: ArticleKey,
    correction: CorrectionCreate,
    caller: StaffWriter,
) -> Response:
    """Say what was put right."""

    def work(session: Session, article: Article) -> Response:
        corrected = lifecycle.correct(session, caller, article, correction.kind, correction.text)
        return read.answer(request, caller, session, corrected, status=201)

    return await _edit(Edit(request, caller, article_id, work))
