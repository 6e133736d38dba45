"""The drill of an operator of PostgreSQL: pg_dump while everybody writes, a new database, and the same store
again.
"""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests import postgres
from tests.articles.newsroom import draft, published
from tests.consent.deciding import decision
from tests.databases import empty_database
from tests.formats.front_page import illustrated
from tests.patience import wait_until
from tests.serving import EDITOR, Store, running, settings_for
from tests.sync.following import follow

DUMPS = 5


@contextmanager
def writing(store: Store) -> Iterator[None]:
    """Have four writers publish beside the block."""
    ends = threading.Event()

    def write(client: httpx.Client) -> None:
        with client:
            while not ends.is_set():
                published(client)

    with ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(write, store.client(*EDITOR)) for _ in range(4)]
        try:
            yield
        finally:
            ends.set()
        for writer in writers:
            writer.result(60)


@contextmanager
def restored(dump: Path, folder: Path) -> Iterator[Store]:
    """A store made of a dump, with the pictures that there are."""
    server, name = postgres.server(), f"restored_{uuid4().hex}"
    try:
        with running(settings_for(filled(server, name, dump), folder)) as store:
            yield store
    finally:
        server.drop_database(name)


def filled(server: postgres.Server, name: str, dump: Path) -> str:
    url = server.create_database(name)
    server.fill(name, dump)
    return url


@pytest.mark.long
def test_a_dump_that_was_made_under_load_is_the_store_again(tmp_path: Path, sqlite_template: Path) -> None:
    with (
        empty_database("postgresql", tmp_path, sqlite_template) as url,
        running(settings_for(url, tmp_path)) as store,
        store.client(*EDITOR) as editor,
        store.client() as reader,
    ):
        name, token = url.rpartition("/")[2], {"authorization": editor.headers["authorization"]}
        decided = reader.post("/v1/consents", json=decision("reject_all"))
        cookie = {"Cookie": decided.headers["set-cookie"].partition(";")[0]}
        wait_until(lambda: reader.get("/v1/consent-log/tree-head").json()["tree_size"] == 1)
        head = reader.get("/v1/consent-log/tree-head").json()
        article, hidden = illustrated(editor), draft(editor)
        for _ in range(DUMPS):
            before = {entry["id"]: entry for entry in follow(reader)[0]}
            with writing(store):
                wait_until(lambda before=before: len(follow(reader)[0]) > len(before) + 8)
                (tmp_path / "dump").write_bytes(postgres.server().dump(name))
            with restored(tmp_path / "dump", tmp_path) as again, again.client() as client:
                after = {entry["id"]: entry for entry in follow(client)[0]}
                assert before.items() <= after.items()
                assert len(after) > len(before)
                # Of the writers it has all up to one number, and nothing of what came later.
                last = max(entry["seq"] for entry in after.values())
                assert after == {entry["id"]: entry for entry in follow(reader)[0] if entry["seq"] <= last}
                for id_ in {entry["id"] for entry in after.values() if entry["kind"] == "article"}:
                    assert client.get(f"/v1/articles/{id_}").json() == after[id_]["data"]
                assert client.get(article["lead_image"]["renditions"][-1]["href"]).status_code == 200
                assert client.get(f"/v1/articles/{hidden['id']}", headers=token).status_code == 200
                assert (
                    client.get("/v1/consents/current", headers=cookie).json()["status"]
                    == decided.json()["status"]
                )
                assert client.get("/v1/consent-log/tree-head").json()["root_hash"] == head["root_hash"]
                assert client.post("/v1/articles", json={"headline": "On"}, headers=token).status_code == 201
