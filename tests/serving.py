"""Speak to the real app from ordinary tests: its lifespan runs, requests go through every layer, nothing is
replaced.
"""

import asyncio
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource
from starlette.types import ASGIApp, Message

from service.main import create_app
from service.rooms import open_database
from service.settings import Settings
from service.tokens import TokenCreate, make_token
from tests.databases import begun_database, empty_database

ORIGIN = "https://copydesk.example"
SECRET = "a secret of the tests, long enough to be taken"
EDITOR = ("content:read", "content:write", "content:publish")


def settings_for(url: str, folder: Path, **changes: object) -> Settings:
    """Return the settings of a store on this database. Neither the environment nor `.env` is read."""
    known = {
        "database_url": url,
        "media_url": f"file:{folder / 'media'}",
        "public_url": ORIGIN,
        "secret_key": SECRET,
        "log_level": "error",
        "database_pool_size": 4,
        "picture_ahead": False,
    }
    return _Said(**known | changes)


class _Said(Settings):
    """Settings that are read from nowhere, which takes a tenth of the time."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: InitSettingsSource,
        **_: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


for own in [name for name in os.environ if re.match(r"COPYDESK_(?!TEST_)", name)]:
    # A developer may have exported the settings of a store of their own, which no test may touch.
    del os.environ[own]


class AppTransport(httpx.BaseTransport):
    """Carries requests of a synchronous client into an app that runs in an event loop of another thread."""

    def __init__(self, app: ASGIApp, portal: BlockingPortal) -> None:
        self._inner = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        self._portal = portal

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._portal.call(self._handle, request)

    async def _handle(self, request: httpx.Request) -> httpx.Response:
        body = request.read()
        # As a stream, for else a body that comes in pieces would be given a length.
        stream = httpx.ByteStream(body)
        inner = httpx.Request(
            request.method, request.url, headers=request.headers, stream=stream, extensions=request.extensions
        )
        response = await self._inner.handle_async_request(inner)
        return httpx.Response(
            response.status_code, headers=response.headers, stream=httpx.ByteStream(await _raw(response))
        )


async def _raw(response: httpx.Response) -> bytes:
    assert isinstance(response.stream, httpx.AsyncByteStream)
    return b"".join([part async for part in response.stream])


class Store:
    """A running store: its settings, its database, and clients for it."""

    def __init__(self, settings: Settings, app: ASGIApp, portal: BlockingPortal) -> None:
        self.settings = settings
        self.app = app
        self.portal = portal
        self.database = open_database(settings)

    def client(
        self,
        *scopes: str,
        name: str = "tester",
        source: str | None = None,
        contract: Mapping[str, object] | None = None,
    ) -> httpx.Client:
        """A client: anonymous, or with a token of these scopes, which may be bound to a source, or carry a
        contract.
        """
        has_token = scopes or contract is not None
        token = self.token(*scopes, name=name, source=source, contract=contract) if has_token else None
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(transport=AppTransport(self.app, self.portal), base_url=ORIGIN, headers=headers)

    def token(
        self,
        *scopes: str,
        name: str = "tester",
        source: str | None = None,
        contract: Mapping[str, object] | None = None,
    ) -> str:
        """Make a token."""
        asked = {"name": name, "scopes": list(scopes), "source": source, "contract": contract}
        with self.database.writing() as session:
            create = TokenCreate.model_validate(asked)
            return make_token(session, create).token


@contextmanager
def running(settings: Settings) -> Iterator[Store]:
    """Run the app with its lifespan for as long as the block lasts."""
    with start_blocking_portal() as portal:
        app = create_app(settings)
        stop = portal.call(asyncio.Event)
        started = portal.call(asyncio.Event)
        life = portal.start_task_soon(_live, app, started, stop)
        portal.call(started.wait)
        if life.done():
            life.result()
        store = Store(settings, app, portal)
        try:
            yield store
        finally:
            store.database.close()
            portal.call(stop.set)
            life.result()


@contextmanager
def serving(kind: str, folder: Path, template: Path, **changes: object) -> Iterator[Store]:
    """Run a store on a new database, with settings of its own, for as long as the block lasts."""
    # A mirror begins with nothing of its own.
    made = empty_database if changes.get("mirror_of") else begun_database
    with (
        made(kind, folder, template) as url,
        running(settings_for(url, folder, **changes)) as store,
    ):
        yield store


@contextmanager
def another(store: Store, **changes: object) -> Iterator[Store]:
    """Run a second app on the database of a running store for as long as the block lasts."""
    known = store.settings
    with running(settings_for(known.database_url, known.media_directory.parent, **changes)) as second:
        yield second


async def _live(app: ASGIApp, started: asyncio.Event, stop: asyncio.Event) -> None:
    async def receive() -> Message:
        if not started.is_set():
            return {"type": "lifespan.startup"}
        await stop.wait()
        return {"type": "lifespan.shutdown"}

    async def send(message: Message) -> None:
        started.set()
        assert not message["type"].endswith("failed"), message

    try:
        await app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, receive, send)
    finally:
        started.set()
