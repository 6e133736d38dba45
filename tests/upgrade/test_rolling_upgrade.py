"""Two versions serve one store while clients write, read, follow and decide: no request fails, nothing
acknowledged is lost, and in the end every document is of the newer version's rendering.
"""

from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from alembic import command
from sqlalchemy import func
from sqlmodel import col, select

from service.database import Database
from service.published import backlog
from service.published.models import Published, Rendering
from service.rooms import open_database
from service.settings import Settings
from tests import postgres
from tests.patience import PATIENCE, wait_until
from tests.reporting import Figure
from tests.serving import EDITOR, SECRET, running, settings_for
from tests.stores.make.version import ROOT, Version, checked_out
from tests.sync.following import follow
from tests.upgrade.balancing import Balancer
from tests.upgrade.clients import FOLLOW, Clients
from tests.upgrade.planting import planted

FIRST_RELEASE = "4678da2"
SCOPES = [word for scope in EDITOR for word in ("--scope", scope)]
EACH = 40
"""Answers of each process in service, between two steps."""
WIDENS = "op.add_column('published', sa.Column('mood', sa.Integer(), nullable=False, server_default='0'))"


def assert_nothing_is_lost(clients: Clients, reader: httpx.Client, database: Database) -> None:
    """Ask a store for all that it has acknowledged, and the followers for all that it publishes."""
    wait_until_rendered(database)
    clients.catch_up()
    assert clients.headlines and clients.captions and clients.decisions
    for id_, headline in clients.headlines.items():
        answer = reader.get(f"/v1/articles/{id_}")
        assert (answer.json()["headline"] if answer.status_code == 200 else None) == headline
    for cookie, status in clients.decisions.items():
        read = reader.get("/v1/consents/current", headers={"Cookie": cookie})
        assert read.json()["status"] == status
    public = {(entry["kind"], entry["id"]) for entry in follow(reader, FOLLOW)[0] if entry["op"] == "put"}
    for copy in clients.copies:
        assert copy.keys() == public
        for (kind, id_), document in copy.items():
            if kind != "notice":
                assert reader.get(f"/v1/{kind}s/{id_}").text == document
    wait_until(lambda: sealed(reader) >= len(clients.decisions))
    shown = {
        caption["id"]: caption["text"]
        for id_, headline in clients.headlines.items()
        if headline is not None
        for caption in [reader.get(f"/v1/articles/{id_}").json()["body"][0]["caption"]]
    }
    assert {id_: clients.captions[id_] for id_ in shown} == shown


def sealed(reader: httpx.Client) -> int:
    """Return how many decisions the log has."""
    return int(reader.get("/v1/consent-log/tree-head").json()["tree_size"])


def wait_until_rendered(database: Database) -> None:
    """Wait until every public document is of the newest rendering."""
    older = select(func.count()).where(
        col(Published.reason).is_(None),
        Published.rendering < select(func.max(Rendering.id)).scalar_subquery(),
    )

    def is_done() -> bool:
        with database.reading() as session:
            return session.exec(older).one() == 0

    wait_until(is_done)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_two_processes_that_render_otherwise_serve_one_store(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another language of the house is to documents what another version is."""
    monkeypatch.setattr(backlog, "COUNTS_EVERY", 0.2)
    balancer = Balancer()
    with ExitStack() as older, ExitStack() as newer:
        first = older.enter_context(running(settings))
        clients = Clients(balancer, first.token(*EDITOR))
        balancer.take_in("older", older.enter_context(first.client()))
        with clients.at_work():
            balancer.wait_for_answers(EACH)
            second = newer.enter_context(running(settings.model_copy(update={"language": "de"})))
            reader = newer.enter_context(second.client())
            balancer.take_in("newer", reader)
            command.upgrade(planted(settings, tmp_path / "planted", WIDENS), "head")
            balancer.wait_for_answers(EACH)
            balancer.drain("older")
            older.close()
            balancer.wait_for_answers(EACH)
        assert_nothing_is_lost(clients, reader, second.database)


@pytest.mark.long
def test_the_first_release_is_upgraded_while_it_serves(tmp_path: Path, record_property: Figure) -> None:
    balancer = Balancer()
    with ExitStack() as older, ExitStack() as newer:
        url = newer.enter_context(postgres.own_server()).create_database("store")
        settings = {
            "COPYDESK_DATABASE_URL": url,
            "COPYDESK_MEDIA_URL": f"file:{tmp_path / 'media'}",
            "COPYDESK_SECRET_KEY": SECRET,
            "COPYDESK_LOG_LEVEL": "warning",
        }
        old, new = newer.enter_context(checked_out(FIRST_RELEASE, tmp_path)), Version(ROOT)
        old.run(settings, tmp_path, "migrate")
        token = old.run(settings, tmp_path, "token", "create", "--name", "editor", *SCOPES).strip()
        clients = Clients(balancer, token)
        address = older.enter_context(old.serving(settings, tmp_path))
        balancer.take_in("older", older.enter_context(httpx.Client(base_url=address, timeout=PATIENCE)))
        with clients.at_work():
            balancer.wait_for_answers(10 * EACH)
            new.run(settings, tmp_path, "migrate")
            balancer.wait_for_answers(EACH)
            address = newer.enter_context(new.serving(settings, tmp_path))
            reader = newer.enter_context(httpx.Client(base_url=address, timeout=PATIENCE))
            balancer.take_in("newer", reader)
            balancer.wait_for_answers(20 * EACH)
            balancer.drain("older")
            older.close()
            balancer.wait_for_answers(10 * EACH)
        database = open_database(settings_for(url, tmp_path))
        assert_nothing_is_lost(clients, reader, database)
        database.close()
    record_property("answers, none of 500 and above", balancer.answered)
    record_property(
        "acknowledged articles and decisions, none lost", len(clients.headlines) + len(clients.decisions)
    )
