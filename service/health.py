"""Answer whether the service lives, whether it is ready to be sent requests, and what it counts."""

import asyncio
import hmac
from typing import Literal

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import Field

from service import metrics
from service.background import Background
from service.ending import Ending
from service.errors import Unauthorized
from service.images.lab import sandbox_state
from service.metrics import Figures
from service.mirror.following import Following
from service.probing import Health
from service.published.backlog import Backlog
from service.published.watch import Watch
from service.queues import Queues
from service.services import service
from service.settings import Settings
from service.tables import Reading, Time

router = APIRouter(tags=["running"])
_READING = "; replicas serve readers"
NO_STORE = {"Cache-Control": "no-store"}


class Liveness(Reading):
    """The process answers."""

    status: Literal["ok"] = Field("ok", examples=["ok"])


class MirrorReadiness(Reading):
    """The place of a mirror. It is available while its origin is down."""

    origin: str
    behind: int | None = Field(description="numbers that the origin was ahead when it was heard last")
    heard_at: Time | None = Field(description="when the origin was heard last")
    fault: str | None = Field(description="why it is not heard now")
    checked_at: Time | None = Field(description="when all rows were last compared with the origin's")
    mended: int = Field(description="rows that were wrong and are mended")


class Readiness(Reading):
    """The state of each thing that the service needs: `ok`, or what is wrong with it."""

    status: Literal["ready", "unavailable"]
    database: str = Field(examples=["ok", "unreachable: OperationalError"])
    migration: str = Field(examples=["ok", "behind: run `copydesk migrate`"])
    reader: str = Field(
        description="the connections that readers use; that all are busy is no cause to be unavailable",
        examples=["ok", "busy", "unreachable: PoolClosed"],
    )
    media: str = Field(examples=["ok", "unavailable: The store of the pictures' files does not answer."])
    jobs: str = Field(
        description="the work beside the requests", examples=["ok", "standing still: schedule, watch"]
    )
    picture_sandbox: str = Field(
        description="whether pictures are decoded behind all walls; no cause to be unavailable",
        examples=["ok", "off", "lacks landlock"],
    )
    rendering: str = Field(
        description="how many documents await rendering by this version; no cause to be unavailable",
        examples=["ok", "1204 documents await rendering"],
    )
    changes: str = Field(
        description="whether changes by other processes are heard of; no cause to be unavailable",
        examples=["ok", "polled: no NOTIFY comes back"],
    )
    ending: bool = Field(description="the process was told to end, and serves until a proxy has noticed")
    mirror: MirrorReadiness | None = Field(
        None,
        exclude_if=lambda value: value is None,
        description="of a mirror alone; one that never had everything yet is unavailable",
    )


@router.get("/health/live")
async def get_liveness() -> Liveness:
    """The process is up. Restart it when this does not answer."""
    return Liveness()


@router.get("/health", include_in_schema=False)
@router.get("/health/ready", response_model=Readiness, responses={503: {"model": Readiness}})
async def get_readiness(request: Request) -> Response:
    """Ready for requests: 200, or 503 with the cause. Answers within a second, whatever state the
    rest is in.
    """
    health = service(request, Health)
    ending = service(request, Ending).is_told
    database, reader, media = await asyncio.gather(
        health.database.find(), health.readers.find(), health.media.find()
    )
    still = ", ".join(service(request, Background).standing_still())
    is_reading = service(request, Watch).is_away
    is_ready = (
        (database.is_good or is_reading) and reader.is_good and media.is_good and not still and not ending
    )
    mirror = _mirror(request)
    if mirror is not None and not service(request, Following).standing.is_filled:
        is_ready = False
    is_reached = not database.said.startswith("unreachable")
    checks = Readiness(
        status="ready" if is_ready else "unavailable",
        database="ok" if is_reached else f"{database.said}{_READING if is_reading else ''}",
        migration=database.said if is_reached else "unknown",
        reader=reader.said,
        media=media.said,
        jobs=f"standing still: {still}" if still else "ok",
        picture_sandbox=sandbox_state(service(request, Settings)),
        rendering=_rendering(service(request, Backlog)),
        changes="polled: no NOTIFY comes back" if service(request, Watch).polls else "ok",
        ending=ending,
        mirror=mirror,
    )
    return Response(checks.model_dump_json(), 200 if is_ready else 503, NO_STORE, "application/json")


def _mirror(request: Request) -> MirrorReadiness | None:
    origin = service(request, Settings).mirror_of
    if origin is None:
        return None
    known = service(request, Following).standing
    return MirrorReadiness(
        origin=origin,
        behind=known.behind,
        heard_at=known.heard_at,
        fault=known.fault,
        checked_at=known.checked_at,
        mended=known.mended,
    )


def _rendering(backlog: Backlog) -> str:
    return f"{backlog.waiting} documents await rendering" if backlog.waiting else "ok"


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def get_metrics(request: Request) -> Response:
    """Prometheus metrics of all processes that serve together. Where COPYDESK_METRICS_TOKEN is set, and in
    production, they need that token.
    """
    _admit(request)
    figures = service(request, Figures)
    figures.take()
    found = metrics.exposition(figures.registry) + await service(request, Queues).exposition()
    return Response(found, headers=NO_STORE, media_type=CONTENT_TYPE_LATEST)


def _admit(request: Request) -> None:
    settings = service(request, Settings)
    token = settings.metrics_token
    if token is None:
        if settings.environment == "production":
            raise Unauthorized("Metrics are closed until COPYDESK_METRICS_TOKEN is set.")
        return
    wanted = f"Bearer {token.get_secret_value()}".encode()
    if not hmac.compare_digest(request.headers.get("authorization", "").encode(), wanted):
        raise Unauthorized("This needs COPYDESK_METRICS_TOKEN as its bearer token.")
