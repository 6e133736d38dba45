"""The endpoints of consent notices: what readers are shown, and how the newsroom writes it.

Readers are answered from the published table, like all that is public. Holders of `consent:read` or
`consent:write` see drafts too.
"""

from collections.abc import Sequence
from typing import Annotated

import langcodes
import orjson
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from sqlalchemy import func
from sqlmodel import col, select

from service.consent.models import ConsentNotice, NoticeStatus, notice_id
from service.consent.notices import lifecycle as notices
from service.consent.notices.lifecycle import NoticeCreate, NoticeRead, NoticeReplace, Publication
from service.database import Session, SessionDep
from service.http import conditional, pages, sparse
from service.http.callers import Caller, CallerDep, Needs
from service.http.routing import Route
from service.published import answers, store
from service.published.answers import Row
from service.published.filters import Filter
from service.published.lists import NEWEST, answer_newest
from service.published.models import Kind
from service.scopes import Scope
from service.services import service
from service.settings import Settings
from service.tables import WHOLE, Language

router = APIRouter(prefix="/v1/consent-notices", tags=["consent notices"], route_class=Route)
Editor = Annotated[Caller, Depends(Needs(Scope.CONSENT_WRITE))]
NoticeVersion = Annotated[int, Path(ge=1, le=2**31 - 1), WHOLE]
_LANGUAGES = 200
_FAR = 50
"""The distance, as CLDR measures it, up to which one language stands in for another: nn reads nb, and pt
reads pt-BR.
"""


def _sees_drafts(caller: Caller) -> bool:
    return caller.may(Scope.CONSENT_READ) or caller.may(Scope.CONSENT_WRITE)


@router.get("", response_model=pages.Page[NoticeRead])
def list_consent_notices(
    request: Request,
    caller: CallerDep,
    session: SessionDep,
    asked: pages.ListRequestDep,
    notice_key: pages.Several = None,
    language: pages.Languages = None,
    status: Annotated[
        NoticeStatus | None,
        Query(description="drafts need consent:read; absent: published, or all of them with it"),
    ] = None,
) -> Response:
    """List notices, newest first: those that hold now, and for editors all versions and drafts."""
    if status is NoticeStatus.DRAFT:
        caller.need(Scope.CONSENT_READ if not _sees_drafts(caller) else Scope.CONSENT_WRITE)
    if _sees_drafts(caller):
        return _list_for_editors(request, session, notice_key, language, status, asked)
    wanted = Filter(
        section=((status or NoticeStatus.PUBLISHED).value,),
        language=tuple(language or ()),
        source=tuple(notice_key or ()),
    )
    return answer_newest(request, session, caller, Kind.NOTICE, wanted, asked, NoticeRead)


def _list_for_editors(
    request: Request,
    session: Session,
    keys: Sequence[str] | None,
    languages: Sequence[str] | None,
    status: NoticeStatus | None,
    asked: pages.ListRequest,
) -> Response:
    after = pages.read_cursor(request, asked.cursor, NEWEST)
    chosen = select(ConsentNotice)
    if keys:
        chosen = chosen.where(pages.one_of(col(ConsentNotice.notice_key), keys))
    if languages:
        chosen = chosen.where(pages.in_ranges(col(ConsentNotice.language), languages))
    if status is not None:
        chosen = chosen.where(ConsentNotice.status == status)
    total = session.exec(select(func.count()).select_from(chosen.subquery())).one() if asked.count else None
    place = (col(ConsentNotice.created_at), col(ConsentNotice.id))
    found = session.exec(pages.after(chosen, place, after, asked.limit)).all()
    items = [notices.read(notice).model_dump_json().encode() for notice in found[: asked.limit]]
    last = found[asked.limit - 1] if len(found) > asked.limit else None
    return pages.answer_page(
        request,
        items,
        next_key=None if last is None else (last.created_at, last.id),
        total=total,
        fields=asked.fields,
        shape=NoticeRead,
    )


@router.post("", status_code=201, response_model=NoticeRead)
def create_consent_notice(
    request: Request, create: NoticeCreate, caller: Editor, session: SessionDep
) -> Response:
    """Write a draft: the next version of its key."""
    notice = notices.create(session, create)
    location = f"/v1/consent-notices/{notice.notice_key}/versions/{notice.version}"
    return _answer(request, notice, status=201, headers={"Location": location})


@router.get("/{notice_key}/current", response_model=NoticeRead)
def get_current_consent_notice(
    request: Request,
    notice_key: str,
    caller: CallerDep,
    session: SessionDep,
    language: Language | None = None,
    fields: pages.Fields = None,
) -> Response:
    """Read the version that holds now, in the language that is nearest to the one asked for."""
    row = find_current(session, notice_key, language, service(request, Settings).language)
    answers.depend(request, answers.any_of(Kind.NOTICE))
    return _serve(request, caller, row, notice_key, fields)


def find_current(session: Session, key: str, wanted: str | None, house: str) -> Row | None:
    """Find the published version that holds now, in the language that is nearest to the one wanted, or to the
    house's.
    """
    holding = store.page(
        session,
        Kind.NOTICE,
        Filter(source=(key,), section=(NoticeStatus.PUBLISHED,)),
        "-published_at",
        None,
        _LANGUAGES,
    )
    versions = {one["language"]: one["version"] for one in map(orjson.loads, reversed(holding.documents))}
    if not versions:
        return None
    return store.find(
        session, Kind.NOTICE, str(notice_id(key, versions[_nearest(list(versions), wanted, house)]))
    )


def _nearest(languages: list[str], wanted: str | None, house: str) -> str:
    """Return the language to answer in: the one asked for, the house's, or the one that was
    published last.
    """
    for tag in (wanted, house):
        nearest = (
            None if tag is None else langcodes.closest_supported_match(tag, languages, max_distance=_FAR)
        )
        if nearest is not None:
            return nearest
    return languages[-1]


@router.get("/{notice_key}/versions/{version}", response_model=NoticeRead)
def get_consent_notice(
    request: Request,
    notice_key: str,
    version: NoticeVersion,
    caller: CallerDep,
    session: SessionDep,
    fields: pages.Fields = None,
) -> Response:
    """Read one version, as it was shown to readers; drafts with consent:read."""
    if _sees_drafts(caller):
        notice = notices.find(session, notice_key, version)
        return conditional.answer(request, notices.read(notice), notice.revision, fields=fields)
    return _serve(
        request,
        caller,
        store.find(session, Kind.NOTICE, str(notice_id(notice_key, version))),
        f"{notice_key}/{version}",
        fields,
    )


@router.put("/{notice_key}/versions/{version}", response_model=NoticeRead)
def replace_consent_notice(
    request: Request,
    notice_key: str,
    version: NoticeVersion,
    replace: NoticeReplace,
    caller: Editor,
    session: SessionDep,
) -> Response:
    """Replace a draft. A published version never changes (409)."""
    notice = notices.find(session, notice_key, version, lock=True)
    conditional.require_match(request, notice.revision)
    notices.replace(notice, replace)
    return _answer(request, notice)


@router.delete("/{notice_key}/versions/{version}", status_code=204)
def delete_consent_notice(
    request: Request, notice_key: str, version: NoticeVersion, caller: Editor, session: SessionDep
) -> None:
    """Throw a draft away. A published version is kept (409)."""
    notice = notices.find(session, notice_key, version, lock=True)
    conditional.require_match(request, notice.revision)
    notices.delete(session, notice)


@router.post("/{notice_key}/publish", response_model=NoticeRead)
def publish_consent_notice(
    request: Request,
    notice_key: str,
    caller: Editor,
    session: SessionDep,
    publication: Publication | None = None,
) -> Response:
    """Publish the draft: readers are shown it from now on, and it never changes again.

    An `opt_in` notice with findings is refused (422) with what was found. Whether earlier decisions still
    hold follows from what changed, unless `requires_reconsent` says it. Not asking again although something
    is new needs a `reason` (422), which is kept as `reconsent_override`.
    """
    return _answer(request, notices.publish(session, notice_key, publication or Publication()))


def _answer(
    request: Request, notice: ConsentNotice, *, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    return conditional.answer(request, notices.read(notice), notice.revision, status=status, headers=headers)


def _serve(request: Request, caller: Caller, row: Row | None, key: str, fields: str | None) -> Response:
    """Answer with a published document: publicly, or privately to whoever sent a token."""
    if row is not None and not caller.is_anonymous:
        document = sparse.chosen(row.document, fields, NoticeRead)
        return conditional.answer_bytes(request, document, row.version)
    answer = answers.answer_row(row, Kind.NOTICE, key, request.url.path, service(request, Settings))
    return answers.respond(request, answers.narrowed(answer, fields, NoticeRead))
