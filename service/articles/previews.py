"""Show an article, as it is on the desk or in one version, to everyone who has the address of the preview.

The address holds 256 random bits, of which the store keeps a digest. A preview never falls back to what
readers see: it is there until it expires or is revoked, and then it is not found. Pictures that are not
public are shown in it under addresses of its own, and nowhere else.
"""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

import pydantic
from fastapi import APIRouter, Request, Response
from sqlalchemy import delete
from sqlmodel import Field, col, func, select
from starlette.concurrency import run_in_threadpool

from service.articles import history, lifecycle, read
from service.articles.models import Article, ArticleContent, ArticleRead
from service.articles.unpublished import image_in, negative_in, shown_at
from service.database import Database, DatabaseDep, Session, SessionDep
from service.errors import Conflict, NotFound
from service.http import conditional
from service.http.callers import StaffReader, digest_of, new_secret
from service.http.routing import Route
from service.images.media import PrintsDep, send_size
from service.images.renditions import Negative
from service.images.uploads import IntakeDep
from service.tables import Reading, Secret, Shape, Table, Time, latest, new_id, now

router = APIRouter(tags=["articles"], route_class=Route)
MOST = 100
"""Previews that one article may have at a time."""
LONGEST = 30 * 86_400
"""Seconds for which a preview may be there."""
HEADERS = {**conditional.PRIVATE, "X-Robots-Tag": "noindex", "Referrer-Policy": "no-referrer"}


class Preview(Table, table=True):
    """One preview: of a version, or of whatever the article is when somebody looks."""

    __tablename__ = "article_preview"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    article_id: UUID = Field(foreign_key="article.id", index=True)
    version: int | None = None
    digest: str = Field(unique=True)
    made_by: str
    created_at: Time = Field(default_factory=now)
    expires_at: Time = Field(index=True)


class PreviewCreate(Shape):
    """The life of a preview in seconds, and the version that it shows."""

    expires_in: Annotated[
        pydantic.StrictInt, pydantic.Field(ge=1, le=LONGEST, description="seconds", examples=[3_600])
    ] = 3_600
    version: Annotated[
        pydantic.StrictInt | None,
        pydantic.Field(ge=1, le=2_147_483_647, description="absent: the article as it is at the time"),
    ] = None


class PreviewMade(Reading):
    """A preview's addresses. They are told once: whoever has one sees the article."""

    href: Secret = pydantic.Field(description="of the JSON", examples=["/v1/previews/cd_5b…"])
    page: Secret = pydantic.Field(description="of the page", examples=["/preview/cd_5b…"])
    expires_at: Time


@router.post("/v1/articles/{article_id}/previews", status_code=201, response_model=PreviewMade)
def create_article_preview(
    article_id: UUID, caller: StaffReader, session: SessionDep, create: PreviewCreate | None = None
) -> Response:
    """Make an address that shows this article, as a draft too, to whoever has it."""
    create = create or PreviewCreate()
    lifecycle.get(session, article_id, lock=True)
    if create.version is not None:
        history.find(session, article_id, create.version)
    session.execute(delete(Preview).where(col(Preview.expires_at) <= latest()))
    count = select(func.count()).select_from(Preview).where(Preview.article_id == article_id)
    if session.exec(count).one() >= MOST:
        raise Conflict(f"This article has {MOST} previews. Revoke them, or wait until one has expired.")
    secret = new_secret()
    preview = Preview(
        article_id=article_id,
        version=create.version,
        digest=digest_of(secret),
        made_by=caller.name,
        expires_at=now() + timedelta(seconds=create.expires_in),
    )
    session.add(preview)
    base = session.database.settings.address_base
    made = PreviewMade(
        href=f"{base}/v1/previews/{secret}", page=f"{base}/preview/{secret}", expires_at=preview.expires_at
    )
    return Response(
        made.model_dump_json(), 201, {**HEADERS, "Location": made.href}, media_type="application/json"
    )


@router.delete("/v1/articles/{article_id}/previews", status_code=204)
def revoke_article_previews(article_id: UUID, caller: StaffReader, session: SessionDep) -> Response:
    """End all previews of an article."""
    lifecycle.get(session, article_id, trashed=True)
    session.execute(delete(Preview).where(col(Preview.article_id) == article_id))
    return Response(status_code=204, headers=conditional.PRIVATE)


@router.get("/v1/previews/{token}", response_model=ArticleRead)
def get_preview(request: Request, token: str, session: SessionDep) -> Response:
    """Read the article that a preview shows; 404 once it has expired or is revoked."""
    return conditional.answer(request, show(session, token), headers=HEADERS)


@router.get("/v1/previews/{token}/media/{image_id}/{name}", response_class=Response)
async def get_preview_media(
    request: Request,
    token: str,
    image_id: UUID,
    name: str,
    database: DatabaseDep,
    intake: IntakeDep,
    prints: PrintsDep,
) -> Response:
    """Fetch a file of a picture that a preview shows."""
    negative = await run_in_threadpool(_negative, database, token, image_id)
    sent = await send_size(request, negative, name, intake, prints, is_public=False, base=_base(token))
    sent.headers["X-Robots-Tag"] = HEADERS["X-Robots-Tag"]
    return sent


def show(session: Session, token: str) -> ArticleRead:
    """Return the article that a preview shows, as readers would see it. Raises NotFound."""
    article = _subject(session, token)
    shape = read.read_one(session, article)
    return shown_at(shape, _base(token))


def _none() -> NotFound:
    return NotFound("There is no such preview, or not any more.", headers=HEADERS)


def _base(token: str) -> str:
    return f"/v1/previews/{token}"


def _subject(session: Session, token: str) -> Article:
    """Return the article as the preview shows it; a version of it belongs to no session."""
    preview = session.exec(select(Preview).where(Preview.digest == digest_of(token))).one_or_none()
    if preview is None or _is_over(preview.expires_at):
        raise _none()
    article = session.get(Article, preview.article_id)
    if article is None or article.deleted_at is not None:
        raise _none()
    if preview.version is None:
        return article
    old = history.find(session, article.id, preview.version)
    members = {name: getattr(article, name) for name in Article.model_fields}
    content = {name: getattr(old.content, name) for name in ArticleContent.model_fields}
    return Article(**members | content | {"slug": old.slug, "status": old.status, "version": old.version})


def _is_over(expires_at: datetime) -> bool:
    return expires_at <= latest()


def _negative(database: Database, token: str, image_id: UUID) -> Negative:
    with database.reading() as session:
        article = _subject(session, token)
        return negative_in(image_in(session, article, image_id))
