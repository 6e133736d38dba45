"""No request waits without an end, whatever its database does."""

import time
from pathlib import Path

from tests import postgres
from tests.articles.newsroom import draft, problem
from tests.databases import migrate
from tests.faults.breaking import stopped
from tests.serving import EDITOR, running, settings_for

DEADLINE = 1.5


def test_a_postgresql_that_is_stopped_is_given_up_and_found_again(tmp_path: Path) -> None:
    with postgres.own_server() as server:
        url = server.create_database("store")
        migrate(url)
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
            until = time.monotonic() + 20
            while editor.post("/v1/articles", json={"headline": "After"}).status_code != 201:
                assert time.monotonic() < until
                time.sleep(0.2)
