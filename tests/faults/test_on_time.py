"""What is scheduled comes out on time, however much there is and however much else is to be done."""

import asyncio
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlmodel import col, func, select, update

from service.articles.models import Article, Status
from service.database import Database
from service.rooms import open_database
from service.tables import now
from tests.articles.newsroom import mark, published, soon
from tests.commands import copydesk, served
from tests.faults.crowd import crowd
from tests.patience import PATIENCE, wait_until
from tests.reporting import Figure
from tests.serving import EDITOR, SECRET, Store, settings_for

CLIENTS, TOGETHER = 64, 200
MOST_SECONDS_LATE = 1.0


def test_what_falls_due_together_comes_out_in_one_transaction(store: Store, editor: httpx.Client) -> None:
    section = mark()
    for _ in range(20):
        published(editor, section=section, embargoed_until=soon(3600))
    with store.database.writing() as session:
        due = now() - timedelta(seconds=1)
        held = update(Article).where(col(Article.section) == section)
        session.execute(held.values(scheduled_for=due, embargoed_until=due))
    address = f"/v1/articles?status=published&section={section}&limit=50"
    shown = wait_until(lambda: editor.get(address).json()["items"])
    assert len(shown) == 20
    assert len({article["updated_at"] for article in shown}) == 1


def test_who_goes_first_waits_for_one_writer_and_for_nobody_else(tmp_path: Path) -> None:
    database = open_database(settings_for(f"sqlite:///{tmp_path / 'copydesk.db'}", tmp_path))
    went: list[str] = []

    async def go(name: str) -> None:
        async with database.first() if name == "clock" else database.turn():
            went.append(name)
            await asyncio.sleep(0)

    async def ask() -> None:
        async with database.admission.slot(writes=False):
            went.append("reader")

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            for name in ("writer", "writer", "writer", "writer", "clock"):
                group.create_task(go(name))
        async with database.first():
            asking = asyncio.create_task(ask())
            await asyncio.sleep(0)
            assert not asking.done()
        await asking

    asyncio.run(main())
    database.close()
    assert went == ["writer", "writer", "clock", "writer", "writer", "reader"]


@pytest.mark.long
def test_two_hundred_articles_of_one_instant_are_at_most_a_second_late(
    database_url: str, tmp_path: Path, record_property: Figure
) -> None:
    settings = {"COPYDESK_DATABASE_URL": database_url, "COPYDESK_SECRET_KEY": SECRET}
    scopes = [word for scope in EDITOR for word in ("--scope", scope)]
    token = copydesk(tmp_path, "token", "create", "--name", "desk", *scopes, **settings).stdout.strip()
    headers, section = {"Authorization": f"Bearer {token}"}, mark()
    items = [
        {"headline": "A result", "source": "desk.example", "external_id": str(number), "section": section}
        for number in range(TOGETHER)
    ]
    database = open_database(settings_for(database_url, tmp_path))
    with served(tmp_path, "serve", **settings) as (base, _):
        made = httpx.post(f"{base}/v1/articles/bulk", json=items, headers=headers, timeout=PATIENCE)
        assert {item["status"] for item in made.json()["items"]} == {201}
        due = now() + timedelta(seconds=4)
        with database.writing() as session:
            held = update(Article).where(col(Article.section) == section)
            session.execute(held.values(scheduled_for=due, status=Status.SCHEDULED))
        with crowd(base, headers, CLIENTS):
            wait_until(lambda: public(database, section) == TOGETHER)
            late = (now() - due).total_seconds()
    database.close()
    record_property(f"seconds late, {CLIENTS} clients", f"{late:.2f}")
    assert late <= MOST_SECONDS_LATE


def public(database: Database, section: str) -> int:
    """Count the articles of a section that are published."""
    asked = select(func.count()).where(Article.section == section, Article.status == Status.PUBLISHED)
    with database.reading() as session:
        return session.exec(asked).one()
