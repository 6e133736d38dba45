"""No request waits without an end, whatever its database does."""

import asyncio
from pathlib import Path

import pytest
from psycopg_pool import PoolTimeout

from service.deadlines import Deadlines
from service.published.reader import STALLS_AFTER, PostgresReader
from service.settings import Settings
from tests import postgres
from tests.articles.newsroom import draft, problem
from tests.databases import migrate
from tests.faults.breaking import stopped
from tests.patience import wait_until
from tests.serving import EDITOR, running, settings_for

DEADLINE = 1.5


def test_a_postgresql_that_is_stopped_is_given_up_and_found_again(tmp_path: Path) -> None:
    with postgres.own_server() as server:
        url = server.create_database("store")
        migrate(url)
        assert asyncio.run(ask_slowly(settings_for(url, tmp_path, database_pool_size=1))) == [(0,)] * 6
        assert asyncio.run(refuse_at_once(settings_for(url, tmp_path, database_pool_size=1)))
        settings = settings_for(url, tmp_path, request_deadline=DEADLINE)
        with running(settings) as store, store.client(*EDITOR) as editor, store.client() as reader:
            article = draft(editor, status="published")
            with stopped(server):
                for ask in (
                    lambda: reader.get(f"/v1/articles/{article['slug']}?body=text"),
                    lambda: editor.post("/v1/articles", json={"headline": "During"}),
                    lambda: editor.get(f"/v1/articles/{article['id']}"),
                ):
                    problem(ask(), 503, "unavailable")
            wait_until(lambda: editor.post("/v1/articles", json={"headline": "After"}).status_code == 201)


async def ask_slowly(settings: Settings) -> list[tuple[int]]:
    """Ask on one connection what takes longer in all than anybody waits who sees nobody answered."""
    reader = PostgresReader(settings, Deadlines())
    await reader.open()
    try:
        asked = [reader.rows("SELECT count(pg_sleep(0.3)) - 1") for _ in range(6)]
        return [row for (row,) in await asyncio.gather(*asked)]
    finally:
        await reader.close()


async def refuse_at_once(settings: Settings) -> bool:
    """Ask on one connection what takes for ever. Return whether one more question is refused without its
    wait, once the one before was refused.
    """
    reader = PostgresReader(settings, Deadlines())
    await reader.open()
    try:
        hanging = asyncio.create_task(reader.rows("SELECT count(pg_sleep(60))"))
        await asyncio.sleep(0)
        with pytest.raises(PoolTimeout):
            await reader.seq()
        refused, waited = (
            asyncio.create_task(reader.seq()),
            asyncio.create_task(asyncio.sleep(STALLS_AFTER / 2)),
        )
        done, _ = await asyncio.wait([refused, waited], return_when=asyncio.FIRST_COMPLETED)
        hanging.cancel()
        await asyncio.gather(hanging, refused, waited, return_exceptions=True)
        return refused in done and isinstance(refused.exception(), PoolTimeout)
    finally:
        await reader.close()
