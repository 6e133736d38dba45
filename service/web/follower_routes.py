"""The administrators' page of followers: who has everything, who is behind, and who still has what was
killed.

The token is pasted into a form, used for one answer, and kept nowhere, as on the page of rates.
"""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.security import HTTPAuthorizationCredentials
from sqlmodel import col, select
from starlette.concurrency import run_in_threadpool

from service.copies.gathering import Copies
from service.copies.models import CopyHolder
from service.database import Database, DatabaseDep
from service.http.callers import CallerDep, get_caller
from service.recall import followers, killed
from service.scopes import Scope
from service.services import service
from service.web import page

router = APIRouter(prefix="/desk/followers", include_in_schema=False, route_class=page.PageRoute)
MOST_SHOWN = 200


@router.get("")
async def get_followers_page(request: Request, caller: CallerDep, database: DatabaseDep) -> Response:
    """The page, for whoever sends a token in the header; the form that asks for it, for whoever does not."""
    if caller.is_anonymous:
        return page.private(request, "followers.html", followers=None)
    caller.need(Scope.ADMIN)
    return await _page(request, database)


@router.post("")
async def show_followers(
    request: Request, database: DatabaseDep, token: Annotated[str, Form(max_length=200)]
) -> Response:
    """The page, for the token in the form."""
    caller = await get_caller(
        request, HTTPAuthorizationCredentials(scheme="Bearer", credentials=token.strip())
    )
    caller.need(Scope.ADMIN)
    return await _page(request, database)


async def _page(request: Request, database: Database) -> Response:
    await service(request, Copies).write()
    return await run_in_threadpool(_shown, request, database)


def _shown(request: Request, database: Database) -> Response:
    with database.reading() as session:
        latest = select(CopyHolder).order_by(col(CopyHolder.acked_at).desc()).limit(MOST_SHOWN)
        found = followers.read(session, session.exec(latest).all())
        kills = killed.newest(session)
    found.sort(key=lambda each: (-_ORDER.index(each.state), -each.lag.seconds, each.name or ""))
    return page.private(
        request,
        "followers.html",
        followers=found,
        kills=kills,
        states=followers.FollowerState,
        most=followers.MOST_COUNTED,
    )


_ORDER = list(followers.FollowerState)
