"""Whether the service lives, whether it is ready to be sent requests, and what it counts."""

from typing import Literal

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import Field
from sqlalchemy.exc import SQLAlchemyError

from service.database import DatabaseDep
from service.images.lab import sandbox_state
from service.images.storage import MediaUnavailable
from service.images.uploads import IntakeDep
from service.published.backlog import Backlog
from service.schema import schema_of
from service.tables import Reading

router = APIRouter(tags=["running"])
NO_STORE = {"Cache-Control": "no-store"}


class Liveness(Reading):
    """The process answers."""

    status: Literal["ok"] = Field("ok", examples=["ok"])


class Readiness(Reading):
    """Whether each thing that the service needs is there, and the cause where one is not."""

    status: Literal["ready", "unavailable"]
    database: str = Field(examples=["ok", "unreachable: OperationalError"])
    migration: str = Field(examples=["ok", "behind: run `copydesk migrate`"])
    media: str = Field(examples=["ok", "unavailable: The store of the pictures' files does not answer."])
    picture_sandbox: str = Field(
        description="whether pictures are decoded behind all walls; no cause to be unavailable",
        examples=["ok", "off", "lacks landlock"],
    )
    rendering: str = Field(
        description="how many documents await rendering by this version; no cause to be unavailable",
        examples=["ok", "1204 documents await rendering"],
    )


@router.get("/health/live")
async def get_liveness() -> Liveness:
    """The process is up. Restart it when this does not answer."""
    return Liveness()


@router.get("/health/ready", response_model=Readiness, responses={503: {"model": Readiness}})
def get_readiness(request: Request, database: DatabaseDep, intake: IntakeDep) -> Response:
    """Ready for requests: 200, or 503 with the cause."""
    try:
        schema, _ = schema_of(database)
        reached, migration, can_serve = "ok", str(schema), schema.can_serve
    except SQLAlchemyError as fault:
        reached, migration, can_serve = f"unreachable: {type(fault).__name__}", "unknown", False
    try:
        intake.store.probe()
        media = "ok"
    except MediaUnavailable as fault:
        media = f"unavailable: {fault.detail}"
    ready = can_serve and media == "ok"
    checks = Readiness(
        status="ready" if ready else "unavailable",
        database=reached,
        migration=migration,
        media=media,
        picture_sandbox=sandbox_state(database.settings),
        rendering=_rendering(request.app.state.backlog),
    )
    return Response(checks.model_dump_json(), 200 if ready else 503, NO_STORE, "application/json")


def _rendering(backlog: Backlog) -> str:
    return f"{backlog.waiting} documents await rendering" if backlog.waiting else "ok"


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def get_metrics(request: Request) -> Response:
    """Prometheus metrics of this process."""
    return Response(
        generate_latest(request.app.state.registry), headers=NO_STORE, media_type=CONTENT_TYPE_LATEST
    )
