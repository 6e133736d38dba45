"""Writers that wait for a lock leave readers their connections."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from service.settings import Settings
from tests.articles.newsroom import picture, published
from tests.everywhere.test_metrics import samples
from tests.faults.breaking import locked
from tests.patience import wait_until
from tests.serving import Store, settings_for

WRITERS = 24
"""More than there are connections for requests, on both databases."""


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings of a store in which nobody gives up, with as many connections as a house has."""
    return settings_for(database_url, tmp_path, database_pool_size=10, request_deadline=300)


@contextmanager
def writing(store: Store, editor: httpx.Client) -> Iterator[list[Future[httpx.Response]]]:
    """Have many writers wait for a lock until the block ends."""
    pictures = [picture(editor)["id"] for _ in range(WRITERS)]
    headers, changed = {"If-Match": "*"}, {"credit_line": "Changed"}
    with ThreadPoolExecutor(WRITERS) as pool:
        with locked(store.settings, "image"), store.client() as looking:
            edits = [
                pool.submit(editor.patch, f"/v1/images/{each}", json=changed, headers=headers)
                for each in pictures
            ]
            wait_until(lambda: samples(looking)["copydesk_database_waiting", ()] >= WRITERS - 14)
            yield edits
        assert {edit.result().status_code for edit in edits} == {200}


@pytest.mark.slow
def test_readers_are_answered_while_more_writers_wait_for_a_lock_than_there_are_connections(
    store: Store, client: httpx.Client, editor: httpx.Client
) -> None:
    known = published(editor)
    with writing(store, editor) as edits, ThreadPoolExecutor(6) as pool:
        asked = [
            pool.submit(who.get, "/v1/articles", params={"limit": 1 + number, **params})
            for number in range(3)
            for who, params in ((client, {}), (editor, {"status": "draft"}))
        ]
        assert {each.result().status_code for each in asked} == {200}
        assert client.get(f"/v1/articles/{known['id']}?body=text").status_code == 200
        assert not any(edit.done() for edit in edits)
