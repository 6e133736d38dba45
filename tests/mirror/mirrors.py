"""Run mirrors, and wait until they are where their origin is."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from sqlmodel import select

from service.published.models import PublishedSequence
from tests.patience import wait_until
from tests.serving import Store, serving


@contextmanager
def mirroring(kind: str, origin: str, folder: Path, template: Path, **changes: object) -> Iterator[Store]:
    """Run a mirror on a new database for as long as the block lasts."""
    with serving(kind, folder, template, mirror_of=origin, **changes) as mirror:
        yield mirror


def number(store: Store) -> int:
    """The number at which a store stands."""
    with store.database.reading() as session:
        return session.exec(select(PublishedSequence.seq)).one()


def caught_up(store: Store, mirror: Store) -> None:
    """Wait until the mirror has everything that its origin has published now."""
    with store.client() as client:
        last = max((entry["seq"] for entry in everything(client)), default=0)
    wait_until(lambda: number(mirror) >= last)


def everything(client: httpx.Client) -> list[dict]:
    """The whole feed, from its beginning."""
    found, address = [], "/v1/changes?limit=200"
    while True:
        page = client.get(address).json()
        found += page["items"]
        address = page["next"]
        if page["caught_up"]:
            return found
