"""The endpoints that readers' pages call: recording a decision, reading where one stands, withdrawing.

A reader is known by the cookie alone. Without one, `current` says that nothing was decided (200,
`ConsentUnknown`, `reconsent_required: true`), so that a page needs one rule: show the notice when
`reconsent_required` is true. A cookie under which nothing is kept is answered 404, whoever made it up.
"""

from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Cookie, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import TypeAdapter

from service.consent.decisions import receipts, subjects
from service.consent.decisions.deciding import Decision, Withdrawal
from service.consent.decisions.door import Door, GuardedRoute, WayOutRoute
from service.consent.decisions.impressions import Impression
from service.consent.decisions.ledger import DecisionRequest, Ledger, Outcome
from service.consent.decisions.readers import (
    NoRecord,
    Reader,
    count_events,
    events_of,
    find_event,
    find_reader,
)
from service.consent.decisions.receipts import SignedReceipt
from service.consent.decisions.record import Record, Recorded, receipt
from service.consent.log.tree import with_leaves
from service.consent.models import EventRead, Key
from service.database import Session, SessionDep
from service.errors import BadRequest
from service.http import conditional, pages
from service.http.negotiation import choose_type
from service.published import answers
from service.services import service
from service.settings import Settings

router = APIRouter(prefix="/v1/consents", tags=["consent"], route_class=GuardedRoute)
ways_out = APIRouter(prefix="/v1/consents", tags=["consent"], route_class=WayOutRoute)
counters = APIRouter(prefix="/v1/consent-impressions", tags=["consent"], route_class=GuardedRoute)
well_known = APIRouter(tags=["consent"], route_class=GuardedRoute)
LONGEST_KEY = 255
PRIVATE = {"Cache-Control": "private, no-store", "Vary": "Cookie"}
GPC_SINCE = "2026-11-23"
_EVENT_ID = TypeAdapter(tuple[UUID])
NoticeKeyQuery = Annotated[
    Key | None, Query(description="on this notice; absent: on that which was decided about last")
]


async def get_ledger(request: Request) -> Ledger:
    """Return the ledger of the running service."""
    return service(request, Ledger)


async def is_cross_site(request: Request) -> bool:
    """Return whether this deployment's pages are on other sites than the service."""
    return service(request, Settings).consent_cookie_cross_site


CrossSite = Annotated[bool, Depends(is_cross_site)]
SubjectCookie = Annotated[str | None, Cookie(alias=subjects.COOKIE, include_in_schema=False)]
LedgerDep = Annotated[Ledger, Depends(get_ledger)]


def asked_by(request: Request) -> DecisionRequest:
    """Return the facts that the ledger takes from a request. Raises BadRequest for a malformed key."""
    key = request.headers.get("idempotency-key")
    if key is not None and not 1 <= len(key) <= LONGEST_KEY:
        raise BadRequest(f"Idempotency-Key must have 1 to {LONGEST_KEY} characters.")
    secret, country = request.cookies.get(subjects.COOKIE), service(request, Door).country(request)
    return DecisionRequest(secret, key, has_gpc(request), country)


def has_gpc(request: Request) -> bool:
    """Return whether the browser sends Global Privacy Control."""
    return request.headers.get("sec-gpc", "").strip() == "1"


async def decide(request: Request, ledger: Ledger, decision: Decision) -> Outcome:
    """Record a decision, whatever way it came: by the API, a form or a banner's own protocol."""
    with service(request, Door).press(request, decision.notice_key, decision.consent_id) as repeats:
        return await ledger.record(decision, replace(asked_by(request), repeats=repeats))


async def count_shown(request: Request, ledger: Ledger, impression: Impression) -> None:
    """Count that a notice was shown, except to a program that says that it collects pages."""
    door = service(request, Door)
    if not door.is_robot(request):
        await ledger.count(impression, door.country(request))


def known_by(request: Request, outcome: Outcome) -> dict[str, str]:
    """Return the headers that go with a decision's answer: the reader's cookie, and that nobody
    may keep it.
    """
    if outcome.secret is None:
        return PRIVATE
    cross_site = service(request, Settings).consent_cookie_cross_site
    return {**PRIVATE, "Set-Cookie": subjects.cookie(outcome.secret, cross_site=cross_site)}


_BEACON = {
    "text/plain": {
        "schema": {
            "type": "string",
            "contentMediaType": "application/json",
            "description": "the same JSON, from a beacon",
        }
    }
}
_HEADERS = [
    {
        "name": "Idempotency-Key",
        "in": "header",
        "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY},
        "description": (
            "the same for every retry of this decision and for no other; a retry gets the cookie again if"
            " nobody can guess it"
        ),
    },
    {
        "name": "Sec-GPC",
        "in": "header",
        "schema": {"type": "string"},
        "description": "1: Global Privacy Control is on",
    },
]


@router.post(
    "",
    status_code=201,
    response_model=Recorded,
    openapi_extra={"requestBody": {"content": _BEACON}, "parameters": _HEADERS},
)
async def record_consent(request: Request, decision: Decision, ledger: LedgerDep) -> Response:
    """Record a reader's decision, and give the reader the cookie that leads back to it.

    A retry (the same `Idempotency-Key`, or the same body with `consent_id` and `client_event_time`) records
    nothing and is answered like the first, 201 with `Idempotent-Replayed: true`. Only a key of 16 characters
    or more, such as a UUID, gets a lost cookie again. A body sent as text/plain (`navigator.sendBeacon`) is
    taken when it holds this JSON.
    """
    outcome = await decide(request, ledger, decision)
    headers = {
        "Location": "/v1/consents/current",
        **({"Idempotent-Replayed": "true"} if outcome.replayed else {}),
        **known_by(request, outcome),
    }
    return Response(outcome.recorded.model_dump_json().encode(), 201, headers, "application/json")


@router.get("/current", response_model=Record)
def get_current_consent(
    request: Request, session: SessionDep, ledger: LedgerDep, notice_key: NoticeKeyQuery = None
) -> Response:
    """Return the reader's record: the purposes that are granted now, until when, and whether to ask again.

    Before a decision nothing is granted, except by an opt_out notice: its defaults are, without what Global
    Privacy Control withholds. Without `notice_key` the notice `default` is meant then.
    """
    secret = request.cookies.get(subjects.COOKIE)
    reader = None if secret is None else _reader(request, session)
    record = ledger.current(session, reader, notice_key, gpc=has_gpc(request))
    return conditional.answer(request, record, headers={**PRIVATE, "Vary": "Cookie, Sec-GPC"})


@router.get("/current/events", response_model=pages.Page[EventRead])
def list_current_events(
    request: Request,
    session: SessionDep,
    asked: pages.ListRequestDep,
) -> Response:
    """Everything that the reader decided, oldest first, as it was recorded."""
    reader = _reader(request, session)
    after = pages.read_cursor(request, asked.cursor, _EVENT_ID)
    events = events_of(session, reader, after[0] if after else None, asked.limit + 1)
    shown = events[: asked.limit]
    return pages.answer_page(
        request,
        [event.model_dump_json().encode() for event in with_leaves(session, shown)],
        next_key=(shown[-1].event_id,) if len(events) > len(shown) else None,
        total=count_events(session, reader) if asked.count else None,
        fields=asked.fields,
        shape=EventRead,
        headers=PRIVATE,
    )


@router.get("/current/receipt", response_model=SignedReceipt)
def get_current_receipt(
    request: Request,
    session: SessionDep,
    ledger: LedgerDep,
    notice_key: NoticeKeyQuery = None,
    event_id: Annotated[
        UUID | None, Query(description="of this event of the reader's; absent: of the one that holds")
    ] = None,
) -> Response:
    """The receipt of a decision, for the reader to keep: the event, the words that it was about, signed; as
    HTML to print, by `Accept: text/html`.
    """
    reader = _reader(request, session)
    event = _decisive(reader, notice_key) if event_id is None else find_event(session, reader, event_id)
    if event is None:
        raise NoRecord("There is no such decision.")
    signed = receipts.sign(session, receipt(session, event, ledger.shelves), service(request, Settings))
    headers = {**PRIVATE, "Vary": "Cookie, Accept"}
    if choose_type(request.headers.get("accept", ""), ("application/json", "text/html")) == "text/html":
        return HTMLResponse(receipts.page(signed), headers={**headers, **receipts.PAGE_HEADERS})
    return conditional.answer(request, signed, headers=headers)


def _decisive(reader: Reader, key: str | None) -> EventRead | None:
    standing = reader.latest(key)
    return None if standing is None else standing.decisive


@ways_out.delete("/current", status_code=204)
async def erase_current_consent(
    ledger: LedgerDep, cross_site: CrossSite, cookie: SubjectCookie = None
) -> Response:
    """Erase everything that leads to the reader, at once and for good. What was decided stays in the log and
    belongs to nobody.
    """
    if not await ledger.erase(cookie):
        raise NoRecord("Nothing is kept under this cookie.")
    return Response(
        status_code=204, headers={**PRIVATE, "Set-Cookie": subjects.no_cookie(cross_site=cross_site)}
    )


@ways_out.post("/current/withdrawal", response_model=Record)
async def withdraw_consent(
    request: Request, ledger: LedgerDep, withdrawal: Withdrawal | None = None
) -> Response:
    """Withdraw consent, without a reason and at once. Accepted whether or not anything is kept, and as often
    as it is asked.
    """
    record = await ledger.withdraw(withdrawal or Withdrawal(), asked_by(request))
    return Response(record.model_dump_json().encode(), 200, PRIVATE, "application/json")


def _reader(request: Request, session: Session) -> Reader:
    reader = find_reader(session, request.cookies.get(subjects.COOKIE))
    if reader is None:
        raise NoRecord("Nothing is kept under this cookie.")
    return reader


@counters.post("", status_code=204, openapi_extra={"requestBody": {"content": _BEACON}})
async def record_impression(request: Request, impression: Impression, ledger: LedgerDep) -> None:
    """Count that a notice was shown: by day, version, country and surface, and nothing about the reader.

    What is shown to programs that collect pages, by their own `User-Agent`, is not counted.
    """
    await count_shown(request, ledger, impression)


@well_known.get(
    "/.well-known/gpc.json",
    responses={200: {"content": {"application/json": {"example": {"gpc": True, "lastUpdate": GPC_SINCE}}}}},
)
async def get_gpc_support(request: Request) -> Response:
    """Say that Global Privacy Control is honoured (GPC specification, section 4.2)."""
    body = b'{"gpc":true,"lastUpdate":"%b"}' % GPC_SINCE.encode()
    return conditional.answer_bytes(request, body, headers=answers.public_headers(service(request, Settings)))
