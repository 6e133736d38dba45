"""PostgreSQL is killed again and again: what was acknowledged is there, and the service goes on by itself."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests import postgres
from tests.databases import migrate
from tests.patience import wait_until
from tests.reporting import Figure
from tests.serving import EDITOR, Store, running, settings_for

KILLS = 15


@pytest.mark.long
def test_what_was_acknowledged_survives_kills_of_postgresql(tmp_path: Path, record_property: Figure) -> None:
    acknowledged: list[tuple[str, str]] = []
    with postgres.own_server() as server:
        url = server.create_database("store")
        migrate(url)
        with running(settings_for(url, tmp_path, request_deadline=3)) as store, store.client() as reader:
            ends = threading.Event()
            with ThreadPoolExecutor(4) as pool:
                lives = [pool.submit(write, store, ends, acknowledged) for _ in range(4)]
                for _ in range(KILLS):
                    known = len(acknowledged)
                    wait_until(lambda known=known: len(acknowledged) > known + 10)
                    server.restart()
                    wait_until(lambda: reader.get("/health/ready").status_code == 200)
                ends.set()
                for life in lives:
                    life.result()
            lost = [
                id_
                for id_, headline in acknowledged
                if reader.get(f"/v1/articles/{id_}").json().get("headline") != headline
            ]
    record_property("kills, acknowledged articles, lost", f"{KILLS}, {len(acknowledged)}, {len(lost)}")
    assert lost == []


def write(store: Store, ends: threading.Event, acknowledged: list[tuple[str, str]]) -> None:
    """Publish one article after the other; note those that were acknowledged."""
    with store.client(*EDITOR) as editor:
        while not ends.is_set():
            headline = f"Line {len(acknowledged)}"
            answer = editor.post("/v1/articles", json={"headline": headline, "status": "published"})
            assert answer.status_code in (201, 503), answer.text
            if answer.status_code == 201:
                acknowledged.append((answer.json()["id"], headline))
            else:
                ends.wait(0.2)
