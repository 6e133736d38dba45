"""The reader's own choice, by forms that need no script: deciding from the banner, seeing what holds,
changing and withdrawing it.

The pages that everybody shares are cached, so the one thing about them that is a reader's own is a style
sheet. It hides the banner from whoever has decided; where it cannot be had, the banner is shown and nothing
optional is granted, which harms nobody. That a browser asks for it and is not told to hide the banner is how
a shown banner is counted, without a script.
"""

import re
from contextlib import suppress
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import AfterValidator
from starlette.background import BackgroundTask

from service.consent.decisions import subjects
from service.consent.decisions.deciding import Decision, Withdrawal
from service.consent.decisions.door import Door
from service.consent.decisions.impressions import Impression
from service.consent.decisions.ledger import Ledger, NeverPublished
from service.consent.decisions.readers import find_reader
from service.consent.decisions.record import Record
from service.consent.decisions.routes import LedgerDep, asked_by, count_shown, decide, has_gpc, known_by
from service.consent.models import GRANTS, Choice, Key, Override, PurposeDecision
from service.consent.notices.defaults import DEFAULT_KEY
from service.database import SessionDep
from service.services import service
from service.settings import Settings
from service.tables import Language
from service.web import page, shared

router = APIRouter(prefix="/consent", include_in_schema=False, route_class=page.PageRoute)
ways_out = APIRouter(prefix="/consent", include_in_schema=False, route_class=page.WayOutRoute)
BANNER, CHOICES = "banner", "choices"
HIDE_BANNER = "#notice{display:none}:root{--notice:0rem}"
HIDE_WITHDRAWAL = ".withdrawal{display:none}"
_OWN_PATH = re.compile(r"/(?![/\\])[^\x00-\x20\\\x7f]{0,1000}")


def _own(path: str) -> str:
    """Return an address of ours, or the front page: a form must not lead anywhere else."""
    return quote(path, safe="/?&=%+~-._") if _OWN_PATH.fullmatch(path) else "/"


Back = Annotated[str, Form(), AfterValidator(_own)]
Keys = Annotated[list[Key], Form(max_length=50)]


@router.get("/reader.css")
def get_reader_style(
    request: Request,
    session: SessionDep,
    ledger: LedgerDep,
    shown: Annotated[
        int | None,
        Query(ge=1, le=2**31 - 1, description="the version in the page's banner; absent: it has none"),
    ] = None,
) -> Response:
    """Hide the parts of the shared pages that this reader need not see."""
    record = _record(request, session, ledger)
    hidden = ("" if record.reconsent_required else HIDE_BANNER) + (
        "" if record.status in GRANTS else HIDE_WITHDRAWAL
    )
    # After the answer: a page waits for its style sheets.
    counting = (
        BackgroundTask(_count, request, ledger, shown)
        if record.reconsent_required and shown is not None
        else None
    )
    return Response(hidden, 200, page.PRIVATE, "text/css; charset=utf-8", counting)


async def _count(request: Request, ledger: Ledger, version: int) -> None:
    if service(request, Door).is_looked_at(request):
        shown = Impression(notice_key=DEFAULT_KEY, notice_version=version, ui_surface=BANNER)
        with suppress(NeverPublished):
            await count_shown(request, ledger, shown)


def _record(request: Request, session: SessionDep, ledger: LedgerDep) -> Record:
    reader = find_reader(session, request.cookies.get(subjects.COOKIE))
    # Of a reader who was erased, or of a cookie that somebody made up, nothing is kept: they are asked.
    return ledger.current(session, reader, DEFAULT_KEY, gpc=has_gpc(request))


def _granted(record: Record) -> set[str]:
    return {one.purpose_key for one in record.purposes if one.decision is Choice.GRANTED}


def _withheld(record: Record, why: Override) -> set[str]:
    return {one.purpose_key for one in record.purposes if one.overridden_by is why}


@router.get("")
def get_choices(request: Request, session: SessionDep, ledger: LedgerDep) -> Response:
    """Show the reader's decisions, and everything that can be done about them."""
    settings = service(request, Settings)
    record = _record(request, session, ledger)
    return page.private(
        request,
        "choices.html",
        shared.around(session, settings, "/consent", asks=False),
        record=record,
        granted=_granted(record),
        withheld=_withheld(record, Override.GPC),
        notice=shared.find_notice(session, settings, settings.language),
        is_known=record.event_id is not None,
    )


@router.post("")
async def record_choice(
    request: Request,
    ledger: LedgerDep,
    notice_key: Annotated[Key, Form()],
    notice_version: Annotated[int, Form(ge=1, le=2**31 - 1)],
    action: Annotated[Literal["accept_all", "reject_all", "save", "acknowledge"], Form()],
    language: Annotated[Language, Form()],
    surface: Annotated[Literal["banner", "choices"], Form()],
    offered: Keys = [],  # noqa: B006  # FastAPI copies it
    granted: Keys = [],  # noqa: B006
    back: Back = "/",
) -> Response:
    """Record what the reader chose, and lead back to where the reader was. Where Global Privacy Control
    withheld a part of it, the page says so: the fragment shows what every page holds ready.
    """
    # By `accept_all` and `reject_all` the boxes mean nothing.
    purposes = [
        PurposeDecision(purpose_key=key, decision=Choice.GRANTED if key in granted else Choice.DENIED)
        for key in offered
    ]
    decision = Decision.model_validate(
        {
            "notice_key": notice_key,
            "notice_version": notice_version,
            "action": action,
            "language": language,
            "ui_surface": surface,
            "purposes": purposes if action == "save" else [],
        }
    )
    outcome = await decide(request, ledger, decision)
    told = "#withheld" if _withheld(outcome.recorded, Override.GPC) else ""
    return RedirectResponse(back + told, 303, known_by(request, outcome))


@ways_out.post("/withdrawal")
async def withdraw_choice(request: Request, ledger: LedgerDep, back: Back = "/consent") -> Response:
    """Withdraw everything, by one press of a button and without a reason."""
    await ledger.withdraw(Withdrawal(ui_surface=CHOICES), asked_by(request))
    return RedirectResponse(back, 303, page.PRIVATE)


@ways_out.post("/erasure")
async def erase_choice(request: Request, ledger: LedgerDep) -> Response:
    """Erase what leads to the reader; when nothing does, there is nothing to do."""
    await ledger.erase(request.cookies.get(subjects.COOKIE))
    cross_site = service(request, Settings).consent_cookie_cross_site
    return RedirectResponse(
        "/consent", 303, {**page.PRIVATE, "Set-Cookie": subjects.no_cookie(cross_site=cross_site)}
    )
