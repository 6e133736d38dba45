"""The network between one process and its PostgreSQL is parted: that process says so, and the
others go on.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from sqlalchemy.engine import make_url

from tests.articles.newsroom import draft, edit, mark, problem, published
from tests.databases import empty_database
from tests.faults.relay import relay
from tests.patience import wait_until
from tests.serving import EDITOR, running, settings_for

DEADLINE = 1.5
TIMES = 10


@pytest.mark.long
def test_a_process_that_is_cut_off_tells_no_lie_and_holds_nobody_up(
    tmp_path: Path, sqlite_template: Path
) -> None:
    with empty_database("postgresql", tmp_path, sqlite_template) as url, relay(make_url(url).port) as network:
        through = make_url(url).set(port=network.port).render_as_string(hide_password=False)
        known = settings_for(url, tmp_path, request_deadline=DEADLINE)
        with (
            running(known) as well,
            running(known.model_copy(update={"database_url": through})) as cut_off,
            well.client(*EDITOR) as editor,
            cut_off.client() as reader,
            ThreadPoolExecutor(4) as pool,
        ):
            writer = cut_off.client()
            writer.headers.update(editor.headers)
            article = published(editor)
            address = f"/v1/articles/{article['id']}"
            for number in range(TIMES):
                wait_until(lambda: reader.get(address).status_code == 200)
                key = mark()
                with network.parted():
                    keyed = pool.submit(create, writer, key)
                    article = edit(editor, article, headline=f"Meanwhile {number}")
                    assert draft(editor)["id"]
                    # After a second without a word of the database, nothing is answered from memory.
                    time.sleep(1)
                    for path in (address, "/v1/articles", f"{address}?body=text"):
                        problem(reader.get(path), 503, "unavailable")
                    assert quick(lambda: reader.get("/health/live")) == 200
                    assert quick(lambda: reader.get("/health/ready")) == 503
                    problem(keyed.result(), 503, "unavailable")
                wait_until(lambda: reader.get("/health/ready").status_code == 200)
                wait_until(lambda key=key: create(writer, key).status_code == 201)
                assert len(made(editor, key)) == 1
                assert reader.get(address).json()["headline"] == f"Meanwhile {number}"
                assert draft(writer)["id"]
            writer.close()


def create(client: httpx.Client, key: str) -> httpx.Response:
    return client.post(
        "/v1/articles", json={"headline": "Once", "section": key}, headers={"Idempotency-Key": key}
    )


def made(client: httpx.Client, section: str) -> list[object]:
    return client.get("/v1/articles", params={"section": section, "status": "draft"}).json()["items"]


def quick(ask: Callable[[], httpx.Response]) -> int:
    """Return the status of an answer that comes within seconds, although the database's never does."""
    began = time.monotonic()
    status = ask().status_code
    assert time.monotonic() - began < 20
    return status
