"""The endpoint of a recall, for those who may withdraw."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from service import conditional
from service.articles import lifecycle
from service.auth import StaffPublisher
from service.copies.following import Copies
from service.database import SessionDep
from service.images import lifecycle as images
from service.recall import pictures, report
from service.recall.models import EXAMPLE, PICTURE_EXAMPLE, PictureRecallRead, RecallRead
from service.routing import Route
from service.services import service

router = APIRouter(tags=["articles"], route_class=Route)
pictures_router = APIRouter(tags=["images"], route_class=Route)


async def _all_written(request: Request, caller: StaffPublisher) -> None:
    """What this process holds in memory of its followers comes first; that of other processes is a second old
    at the most.
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
    """Who had which version of an article, by the feed with a token or by a webhook, and who has received its
    withdrawal since.
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
    """Who had a picture, by itself or in an article, by the feed with a token or by a webhook, and who has received its
    withdrawal since.
    """
    return conditional.answer(request, pictures.recall(session, images.get(session, image_id, trashed=True)))
