"""An article's versions: what each was, what it changed, and the way back to it."""

from typing import Annotated
from uuid import UUID

import orjson
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field, JsonValue, TypeAdapter
from sqlmodel import col, select

from service.articles import lifecycle, read
from service.articles.editing import Edit, Editing
from service.articles.models import (
    Article,
    ArticleContent,
    ArticleReplace,
    ArticleVersion,
    ArticleWritten,
    Status,
)
from service.database import Session, SessionDep
from service.errors import NotFound
from service.http import conditional, pages
from service.http.callers import StaffReader, StaffWriter
from service.http.routing import Route
from service.services import service
from service.tables import WHOLE, Reading, Time

router = APIRouter(prefix="/v1/articles/{article_id}/versions", tags=["articles"], route_class=Route)
Number = Annotated[int, Path(ge=1, le=2_147_483_647), WHOLE]
Against = Annotated[
    int | None,
    Query(ge=1, le=2_147_483_647, description="the version to compare with; absent: the one before"),
    WHOLE,
]
_KEY = TypeAdapter(tuple[Annotated[int, Field(ge=1, le=2_147_483_647)]])


class VersionRead(Reading):
    """One version: who wrote it, when, and by what."""

    version: int
    at: Time
    actor_id: UUID | None
    actor: str
    action: str
    slug: str
    status: Status


class VersionWhole(VersionRead):
    """One version with the article's content as it was."""

    content: ArticleContent


class FieldChange(Reading):
    """One member that differs."""

    field: str = Field(examples=["headline"])
    before: JsonValue
    after: JsonValue


class Difference(Reading):
    """The changes that one version made."""

    before: int | None
    after: int
    changes: list[FieldChange]


def find(session: Session, article_id: UUID, number: int) -> ArticleVersion:
    """Return one version of an article. Raises NotFound."""
    version = session.get(ArticleVersion, (article_id, number))
    if version is None:
        raise NotFound(f"This article has no version {number}.")
    return version


@router.get("", response_model=pages.Page[VersionRead])
def list_article_versions(
    request: Request,
    article_id: UUID,
    caller: StaffReader,
    session: SessionDep,
    asked: pages.ListRequestDep,
) -> Response:
    """List an article's versions, newest first."""
    lifecycle.get(session, article_id, trashed=True)
    return pages.answer_rows(
        request,
        session,
        select(ArticleVersion).where(ArticleVersion.article_id == article_id),
        col(ArticleVersion.version),
        asked,
        _KEY,
        lambda versions: map(VersionRead.model_validate, versions),
        VersionRead,
    )


@router.get("/{number}", response_model=VersionWhole)
def get_article_version(
    request: Request,
    article_id: UUID,
    number: Number,
    caller: StaffReader,
    session: SessionDep,
    fields: pages.Fields = None,
) -> Response:
    """Read one version, whole unless `fields` names members."""
    version = VersionWhole.model_validate(find(session, article_id, number))
    return conditional.answer(request, version, number, fields=fields)


@router.get("/{number}/diff", response_model=Difference)
def diff_article_version(
    request: Request,
    article_id: UUID,
    number: Number,
    caller: StaffReader,
    session: SessionDep,
    against: Against = None,
) -> Response:
    """Compare a version with the one before it, or with another (`against`)."""
    version = find(session, article_id, number)
    base = against if against is not None else number - 1
    earlier = find(session, article_id, base) if base >= 1 else None
    before, after = _members(earlier), _members(version)
    changes = [
        FieldChange(field=name, before=before.get(name), after=value)
        for name, value in after.items()
        if before.get(name) != value
    ]
    return conditional.answer(
        request,
        Difference(before=earlier.version if earlier else None, after=number, changes=changes),
        number,
    )


def _members(version: ArticleVersion | None) -> dict[str, JsonValue]:
    if version is None:
        return {}
    members: dict[str, JsonValue] = orjson.loads(version.content.model_dump_json())
    return members | {"slug": version.slug, "status": str(version.status)}


@router.post("/{number}/restore", response_model=ArticleWritten)
async def restore_article_version(
    request: Request, article_id: UUID, number: Number, caller: StaffWriter
) -> Response:
    """Write an old version's content anew, as a new version. Slug and status stay as they are."""

    def work(session: Session, article: Article) -> Response:
        old = ArticleReplace.model_validate(find(session, article_id, number).content.model_dump())
        return read.answer(request, caller, session, *lifecycle.replace(session, caller, article, old))

    return await service(request, Editing).edit(Edit(request, caller, str(article_id), work))
