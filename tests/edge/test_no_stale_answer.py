"""Random writes and anonymous reads: a reader never gets an answer that is older than the writes
before it.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests import postgres
from tests.databases import migrate
from tests.serving import EDITOR, Store, running, settings_for

CODINGS = st.sampled_from(["identity", "br", "gzip", "zstd, gzip;q=0.5"])
PLACES = st.integers(0, 30)


class Newsroom(RuleBasedStateMachine):
    """Writers on one side, readers on the other; the model is what was answered to the writers."""

    store: Store

    @initialize()
    def open(self) -> None:
        self.section = f"s{uuid4().hex[:10]}"
        self.editor, self.reader = self.store.client(*EDITOR), self.store.client()
        self.public: dict[str, str] = {}
        self.slugs: dict[str, str] = {}
        self.all: list[str] = []
        self.gone: dict[str, int] = {}
        self.kept: dict[str, httpx.Response] = {}

    def teardown(self) -> None:
        if hasattr(self, "editor"):
            self.editor.close()
            self.reader.close()

    def one(self, place: int) -> str | None:
        return self.all[place % len(self.all)] if self.all else None

    @rule(live=st.booleans())
    def create(self, live: bool) -> None:
        headline = f"Tide {uuid4().hex[:8]}"
        create = {"headline": headline, "section": self.section, "status": "published" if live else "draft"}
        article = self.editor.post("/v1/articles", json=create).json()
        self.all.append(article["id"])
        self.slugs[article["id"]] = article["slug"]
        if live:
            self.public[article["id"]] = headline

    @rule(place=PLACES)
    def edit(self, place: int) -> None:
        id_ = self.one(place)
        if id_ is None or self.gone.get(id_) == 410:
            return
        headline = f"Ebb {uuid4().hex[:8]}"
        assert (
            self.editor.patch(
                f"/v1/articles/{id_}", json={"headline": headline}, headers={"If-Match": "*"}
            ).status_code
            == 200
        )
        if id_ in self.public:
            self.public[id_] = headline

    @rule(place=PLACES)
    def publish(self, place: int) -> None:
        id_ = self.one(place)
        if id_ is None or self.gone.get(id_) == 410:
            return
        self.public[id_] = self.editor.post(f"/v1/articles/{id_}/publish").json()["headline"]
        self.gone.pop(id_, None)

    @rule(place=PLACES)
    def unpublish(self, place: int) -> None:
        id_ = self.one(place)
        if id_ in self.public:
            assert self.editor.post(f"/v1/articles/{id_}/unpublish").status_code == 200
            del self.public[id_]
            self.gone[id_] = 404

    @rule(place=PLACES)
    def withdraw(self, place: int) -> None:
        id_ = self.one(place)
        if id_ in self.public:
            assert (
                self.editor.post(f"/v1/articles/{id_}/withdraw", json={"reason": "wrong"}).status_code == 200
            )
            del self.public[id_]
            self.gone[id_] = 410

    @rule(place=PLACES, coding=CODINGS, by_slug=st.booleans(), conditional=st.booleans())
    def read(self, place: int, coding: str, by_slug: bool, conditional: bool) -> None:
        id_ = self.one(place)
        if id_ is None:
            return
        address = f"/v1/articles/{self.slugs[id_] if by_slug else id_}"
        known = self.kept.get(address + coding)
        headers = {"Accept-Encoding": coding} | (
            {"If-None-Match": known.headers["ETag"]} if conditional and known else {}
        )
        answer = self.reader.get(address, headers=headers)
        if id_ not in self.public:
            assert answer.status_code == self.gone.get(id_, 404)
            return
        if answer.status_code == 304:
            assert known is not None
            answer = known
        assert answer.json()["headline"] == self.public[id_]
        self.kept[address + coding] = answer

    @rule(coding=CODINGS)
    def read_list(self, coding: str) -> None:
        answer = self.reader.get(
            f"/v1/articles?section={self.section}&limit=200", headers={"Accept-Encoding": coding}
        ).json()
        assert {item["id"]: item["headline"] for item in answer["items"]} == self.public

    @rule(place=PLACES)
    def search(self, place: int) -> None:
        id_ = self.one(place)
        if id_ is None:
            return
        headline = self.public.get(id_, "")
        word = headline.split()[-1] if headline else uuid4().hex[:8]
        found = self.reader.get(f"/v1/articles?q={word}").json()["items"]
        assert [item["id"] for item in found] == ([id_] if headline else [])

    @invariant()
    def the_newest_is_as_it_was_written(self) -> None:
        if getattr(self, "all", None):
            self.read(len(self.all) - 1, "identity", by_slug=False, conditional=False)


@pytest.mark.slow
def test_no_reader_gets_an_answer_older_than_the_writes_before_it(store: Store) -> None:
    machine = type("Here", (Newsroom,), {"store": store})
    health = [HealthCheck.too_slow]
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=health
        ),
    )


@pytest.fixture
def two_workers(tmp_path: Path) -> Iterator[tuple[Store, Store]]:
    """Two processes' worth of the app on one PostgreSQL."""
    server, name = postgres.server(), f"test_{uuid4().hex}"
    url = server.create_database(name, server.template("migrated", migrate))
    with running(settings_for(url, tmp_path)) as one, running(settings_for(url, tmp_path)) as other:
        yield one, other
    server.drop_database(name)


@pytest.mark.slow
def test_another_workers_reader_sees_a_write_within_a_second(two_workers: tuple[Store, Store]) -> None:
    one, other = two_workers
    with one.client(*EDITOR) as editor, other.client() as reader:
        article = editor.post("/v1/articles", json={"headline": "High tide", "status": "published"}).json()
        address = f"/v1/articles/{article['id']}"
        for number in range(8):
            headline = f"High tide {number}"
            editor.patch(address, json={"headline": headline}, headers={"If-Match": "*"})
            written_at = time.monotonic()
            while reader.get(address).json()["headline"] != headline:
                assert time.monotonic() - written_at < 1.0
            assert reader.get(address).json()["headline"] == headline


@pytest.mark.slow
def test_ready_answers_stay_within_their_bytes(database_url: str, tmp_path: Path) -> None:
    limit = 60_000
    with (
        running(settings_for(database_url, tmp_path, cache_bytes=limit)) as store,
        store.client(*EDITOR) as editor,
        store.client() as reader,
    ):
        body = [{"type": "paragraph", "html": "The tide came in. " * 100}]
        made = [
            editor.post(
                "/v1/articles", json={"headline": f"Tide {n}", "status": "published", "body": body}
            ).json()
            for n in range(40)
        ]
        for article in made:
            assert reader.get(f"/v1/articles/{article['id']}").status_code == 200
        metrics = dict(
            line.rsplit(" ", 1)
            for line in reader.get("/metrics").text.splitlines()
            if not line.startswith("#")
        )
    assert 0 < float(metrics["copydesk_cache_bytes"]) <= limit
    assert 0 < float(metrics["copydesk_cache_entries"]) < 40
