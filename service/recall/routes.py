"""The endpoint of a recall, for those who may withdraw."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import TypeAdapter
from sqlmodel import col, select

from service.articles import lifecycle
from service.copies.gathering import Copies
from service.copies.models import CopyHolder
from service.database import SessionDep
from service.http import conditional, pages
from service.http.callers import Caller, Needs, StaffPublisher
from service.http.routing import Route
from service.images import lifecycle as images
from service.recall import followers, pictures, report
from service.recall.followers import FollowerRead
from service.recall.models import EXAMPLE, PICTURE_EXAMPLE, PictureRecallRead, RecallRead
from service.scopes import Scope
from service.services import service

router = APIRouter(tags=["articles"], route_class=Route)
pictures_router = APIRouter(tags=["images"], route_class=Route)
followers_router = APIRouter(tags=["sync"], route_class=Route)
Admin = Annotated[Caller, Depends(Needs(Scope.ADMIN))]
_KEY = TypeAdapter(tuple[UUID])


async def _all_written(request: Request) -> None:
    """Write the followers that this process holds in memory, so that the answer includes them. Those of other
    processes are a second old at the most.
    """
    await service(request, Copies).write()


@router.get(
    "/v1/articles/{article_id}/recall",
    response_model=RecallRead,
    responses={200: {"content": {"application/json": {"example": EXAMPLE}}}},
)
def get_article_recall(
    request: Request,
    article_id: UUID,
    caller: StaffPublisher,
    written: Annotated[None, Depends(_all_written)],
    session: SessionDep,
) -> Response:
    """List who had which version of an article, by the feed with a token or by a webhook, and who has
    received its withdrawal since.
    """
    return conditional.answer(
        request, report.recall(session, lifecycle.get(session, article_id, trashed=True))
    )


@pictures_router.get(
    "/v1/images/{image_id}/recall",
    response_model=PictureRecallRead,
    responses={200: {"content": {"application/json": {"example": PICTURE_EXAMPLE}}}},
)
def get_image_recall(
    request: Request,
    image_id: UUID,
    caller: StaffPublisher,
    written: Annotated[None, Depends(_all_written)],
    session: SessionDep,
) -> Response:
    """List who had a picture, by itself or in an article, by the feed with a token or by a webhook, and who
    has received its withdrawal since.
    """
    return conditional.answer(request, pictures.recall(session, images.get(session, image_id, trashed=True)))


@followers_router.get("/v1/followers", response_model=pages.Page[FollowerRead])
def list_followers(
    request: Request,
    caller: Admin,
    written: Annotated[None, Depends(_all_written)],
    session: SessionDep,
    asked: pages.ListRequestDep,
) -> Response:
    """List who follows the store: tokens, one for each address of the feed, and webhooks that were sent
    something. Of each, how far it has come, and what waits for it since when.
    """
    return pages.answer_rows(
        request,
        session,
        select(CopyHolder),
        col(CopyHolder.id),
        asked,
        _KEY,
        lambda holders: followers.read(session, holders),
        FollowerRead,
    )
