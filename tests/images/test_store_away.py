"""The media store is away: whoever needs it is told, everybody else notices nothing, and when it is back all
is as before.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from service.images.storage import breaker, bucket, open_store
from service.settings import Settings
from tests import buckets
from tests.images.pictures import (
    change,
    href_of,
    kept_files,
    make_article,
    make_caption,
    make_image,
    picture,
    upload,
)
from tests.patience import wait_until
from tests.serving import Store, serving, settings_for
from tests.websites import answer, website

FORCED = {"If-Match": "*"}


@dataclass
class Outage:
    """A store that can be taken away and brought back."""

    settings: dict[str, object]
    begin: Callable[[], None]
    end: Callable[[], None]


def _folder(place: Path) -> Outage:
    aside = place.with_name("elsewhere")

    def begin() -> None:
        place.rename(aside)
        place.write_text("a file, where the folder was")

    def end() -> None:
        place.unlink()
        aside.rename(place)

    return Outage({"media_url": f"file:{place}"}, begin, end)


@pytest.fixture
def gate() -> Iterator[buckets.Gate]:
    with buckets.gate() as made:
        yield made


@pytest.fixture(params=["file", "s3"])
def outage(request: pytest.FixtureRequest, tmp_path: Path) -> Outage:
    if request.param == "file":
        return _folder(tmp_path / "media")
    gate = request.getfixturevalue("gate")
    return Outage(buckets.bucket(gate.port), gate.shut, gate.open)


@pytest.fixture
def settings(database_url: str, tmp_path: Path, outage: Outage) -> Settings:
    return settings_for(database_url, tmp_path, outbound_allow_loopback=True, **outage.settings)


def assert_unavailable(response: httpx.Response) -> None:
    assert (response.status_code, response.json()["type"]) == (503, "/problems/media-unavailable"), (
        response.text
    )
    assert int(response.headers["retry-after"]) > 0
    assert "127.0.0.1" not in response.text


@pytest.mark.slow
def test_text_goes_on_uploads_are_put_off_and_readiness_says_why(
    store: Store, editor: httpx.Client, client: httpx.Client, outage: Outage
):
    image = make_image(editor)
    article = make_article(editor, image)
    shown = client.get(image["renditions"][0]["href"]).content
    waiting = editor.post("/v1/images", json={"credit_line": "Ana Lind"}).json()
    kept = kept_files(store)
    outage.begin()

    for path in (
        "/v1/articles",
        f"/v1/articles/{article['slug']}",
        "/v1/articles?q=harbour",
        f"/v1/images/{image['id']}",
        "/v1/captions",
    ):
        assert client.get(path).status_code == editor.get(path).status_code == 200
    change(editor, f"/v1/articles/{article['id']}", {"headline": "Harbour closed again"})
    assert client.get(f"/v1/articles/{article['slug']}").json()["headline"] == "Harbour closed again"
    make_caption(editor, image)
    image = change(editor, f"/v1/images/{image['id']}", {"focal_point": {"x": 0.1, "y": 0.2}})
    another = make_article(editor, image, headline="A second story")
    assert editor.delete(f"/v1/articles/{another['id']}", headers=FORCED).status_code == 204

    new = picture(colour="red")
    assert_unavailable(upload(editor, new))
    assert_unavailable(editor.post("/v1/images", files={"file": new}))
    assert_unavailable(
        editor.put(
            f"/v1/images/{image['id']}/file", content=new, headers=FORCED | {"Content-Type": "image/png"}
        )
    )
    with website() as site:
        site.pages["/red.png"] = answer(new)
        assert_unavailable(editor.post("/v1/images", json={"source_url": f"{site.url}/red.png"}))
        assert_unavailable(
            editor.put(
                f"/v1/images/{waiting['id']}/file", json={"source_url": f"{site.url}/red.png"}, headers=FORCED
            )
        )
    assert_unavailable(client.get(image["renditions"][0]["href"]))
    assert_unavailable(client.get(image["renditions"][1]["href"]))
    assert_unavailable(editor.get(href_of(image), headers={"Range": "bytes=0-3"}))
    wait_until(lambda: client.get("/health/ready").status_code == 503)
    ready = client.get("/health/ready")
    assert (ready.status_code, ready.json()["status"], ready.json()["database"]) == (503, "unavailable", "ok")
    assert ready.json()["media"].startswith("unavailable: The ")
    assert client.get("/health/live").status_code == 200

    outage.end()
    wait_until(lambda: client.get("/health/ready").json()["media"] == "ok")
    assert kept_files(store) == kept
    assert client.get(image["renditions"][0]["href"]).content == shown
    assert editor.get(href_of(image)).content == picture()
    assert upload(editor, new).status_code == 201
    assert len(editor.get("/v1/images").json()["items"]) == 3


@pytest.mark.slow
def test_a_store_that_is_away_at_the_start_does_not_keep_articles_from_being_served(
    tmp_path: Path, sqlite_template: Path, outage: Outage
):
    (tmp_path / "media").mkdir()
    outage.begin()
    with serving("sqlite", tmp_path, sqlite_template, **outage.settings) as store, store.client() as client:
        assert client.get("/v1/articles").status_code == 200
        wait_until(lambda: client.get("/health/ready").status_code == 503)
        outage.end()
        wait_until(lambda: client.get("/health/ready").status_code == 200)
        with store.client("content:write") as writer:
            assert upload(writer).status_code == 201


class TestASilentStore:
    """It takes connections and never answers, which is worse than being away."""

    @pytest.fixture
    def settings(
        self, database_url: str, tmp_path: Path, gate: buckets.Gate, monkeypatch: pytest.MonkeyPatch
    ) -> Settings:
        for name in ("SILENCE", "ANSWERS_WITHIN", "CONNECTING"):
            monkeypatch.setattr(bucket, name, timedelta(seconds=1))
        return settings_for(database_url, tmp_path, **buckets.bucket(gate.port))

    @pytest.mark.slow
    def test_those_who_wait_for_it_hold_nobody_else_up(
        self, store: Store, editor: httpx.Client, client: httpx.Client, gate: buckets.Gate
    ):
        image = make_image(editor)
        article = make_article(editor, image)
        gate.stick()
        with ThreadPoolExecutor(90) as threads, ExitStack() as at_last:
            at_last.callback(gate.shut)
            waiting = [
                threads.submit(upload, editor, picture(size=(10, 10 + number))) for number in range(30)
            ]
            waiting += [threads.submit(client.get, image["renditions"][0]["href"]) for _ in range(60)]
            for number in range(20):
                assert editor.get(f"/v1/articles/{article['id']}").status_code == 200
                change(editor, f"/v1/articles/{article['id']}", {"headline": f"Harbour {number}"})
                assert client.get(f"/v1/articles/{article['slug']}").json()["headline"] == f"Harbour {number}"
            wait_until(lambda: client.get("/health/ready").json()["media"].startswith("un"))
            for one in waiting:
                assert_unavailable(one.result())
        assert [shown["id"] for shown in editor.get("/v1/images").json()["items"]] == [image["id"]]

    @pytest.mark.slow
    def test_after_one_has_waited_the_others_are_told_at_once_until_it_answers(
        self, editor: httpx.Client, client: httpx.Client, gate: buckets.Gate, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(breaker, "HOLDS", 1_000.0)
        image = make_image(editor)
        gate.stick()
        assert_unavailable(editor.get(href_of(image)))
        asked = gate.came
        for _ in range(20):
            assert_unavailable(editor.get(href_of(image)))
            assert_unavailable(upload(editor, picture(colour="navy")))
        assert gate.came == asked
        gate.open()
        wait_until(lambda: client.get("/health/ready").json()["media"] == "ok")
        assert editor.get(href_of(image)).content == picture()
        assert upload(editor, picture(colour="navy")).status_code == 201


def test_bytes_that_are_lost_are_said_to_be(store: Store, editor: httpx.Client, settings: Settings):
    image = make_image(editor)
    open_store(settings).remove(f"originals/{image['digest']}")
    for answered in (
        editor.get(href_of(image)),
        editor.head(href_of(image)),
        editor.get(image["renditions"][0]["href"]),
    ):
        assert (answered.status_code, answered.headers["retry-after"]) == (503, "10")
    assert upload(editor).json()["id"] == image["id"]
    assert editor.get(href_of(image)).content == picture()
