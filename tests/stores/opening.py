"""Open a kept store with the version of today: unpacked, its database restored, migrated by the command."""

import contextlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from unittest.mock import patch
from uuid import uuid4

import httpx
from click.testing import Result
from typer.testing import CliRunner

from service.cli.program import app
from service.settings import Settings
from tests import postgres
from tests.serving import Store
from tests.stores import keeping
from tests.stores.manifest import Manifest

NEVER = "36500"
"""Days. Whatever a store forgets with time, a kept one is not to forget before it is looked at."""
TODAY = {
    "COPYDESK_TOMBSTONE_DAYS": NEVER,
    "COPYDESK_WEBHOOK_LOG_DAYS": NEVER,
    "COPYDESK_CONSENT_RETENTION_DAYS": NEVER,
    "COPYDESK_OUTBOUND_ALLOW_LOOPBACK": "true",
    "COPYDESK_PICTURE_AHEAD": "false",
    "COPYDESK_DATABASE_POOL_SIZE": "4",
    "COPYDESK_LOG_LEVEL": "error",
}
"""Settings beside those that a manifest names."""


@dataclass(frozen=True)
class Opened:
    """A kept store in a folder of its own, and the address of its database."""

    folder: Path
    manifest: Manifest
    url: str

    @property
    def environment(self) -> dict[str, str]:
        """The settings, as variables."""
        places = {
            "COPYDESK_DATABASE_URL": self.url,
            "COPYDESK_MEDIA_URL": f"file:{self.folder / keeping.MEDIA}",
        }
        return self.manifest.settings | TODAY | places

    @property
    def settings(self) -> Settings:
        """The settings, read from these variables alone."""
        with patch.dict("os.environ", self.environment):
            return Settings(_env_file=None)

    def copydesk(self, *words: str) -> Result:
        """Run the command with these settings, in this process."""
        with contextlib.chdir(self.folder):
            return CliRunner().invoke(app, words, env=self.environment)

    def migrate(self, *words: str) -> None:
        """Run `copydesk migrate`, which must succeed."""
        done = self.copydesk("migrate", *words)
        assert done.exit_code == 0, (done.output, done.exception)


@dataclass(frozen=True)
class Past:
    """A kept store, served by the version of today."""

    opened: Opened
    store: Store

    @property
    def manifest(self) -> Manifest:
        """What the store must still answer."""
        return self.opened.manifest

    @cached_property
    def reader(self) -> httpx.Client:
        """A client without a token."""
        return self._client({})

    @cached_property
    def staff(self) -> httpx.Client:
        """A client with the token that may do everything."""
        return self.with_token("staff")

    def with_token(self, name: str) -> httpx.Client:
        """A client with a token that the store knew."""
        return self._client({"Authorization": f"Bearer {self.manifest.tokens[name]}"})

    def _client(self, headers: dict[str, str]) -> httpx.Client:
        # To compress the answers would take half of the time.
        client = self.store.client()
        client.headers.update({"Accept-Encoding": "identity", **headers})
        return client


@contextmanager
def opened(name: str, database: str, folder: Path) -> Iterator[Opened]:
    """A kept store as its version left it, gone at the end."""
    place = keeping.unpack(name, database, folder)
    manifest = Manifest.read(place)
    with restored(database, place) as url:
        yield Opened(place, manifest, url)
    shutil.rmtree(place)


@contextmanager
def restored(database: str, place: Path) -> Iterator[str]:
    """The address of an unpacked store's database."""
    if database == "sqlite":
        yield f"sqlite:///{place / keeping.FILE}"
        return
    server, name = postgres.server(), f"kept_{uuid4().hex}"
    url = server.create_database(name)
    server.fill(name, place / keeping.DUMP)
    yield url
    server.drop_database(name)
