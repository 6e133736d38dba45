"""The backup drill: what was exported, and taken in by an empty store of the other kind and back again, is
the same store.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from service.settings import Settings
from tests.articles.newsroom import do, draft, edit, problem, published, soon
from tests.backup import answers
from tests.backup.drilling import New, export, take_in
from tests.backup.everything import fill
from tests.formats.front_page import illustrated
from tests.patience import wait_until
from tests.serving import EDITOR, Store, running
from tests.sync.following import follow

KINDS = pytest.mark.parametrize("kind", ["sqlite", "postgresql"])


@contextmanager
def restored(settings: Settings, folder: Path) -> Iterator[Store]:
    """The store, serving what was exported."""
    assert take_in(settings, folder).different == 0
    with running(settings) as store:
        yield store


@pytest.mark.parametrize("everything", [False, True], ids=["published", "everything"])
def test_from_sqlite_to_postgresql_and_back_every_answer_stays_byte_for_byte_the_same(
    new: New, tmp_path: Path, everything: bool
) -> None:
    with running(new("sqlite")) as store, store.client(*EDITOR) as editor, store.client() as reader:
        fill(editor)
        slugs = answers.slugs_of(store)
        before, told = answers.of(reader, slugs), answers.changes(reader)
        for_staff = answers.of_staff(editor) if everything else {}
        folder = export(store, tmp_path / "first", everything=everything)
    assert {status for status, _, _ in before.values()} == {200, 308, 404, 410}
    assert {entry["reason"] for entry in told[""]} == {None, "withdrawn", "unpublished", "deleted"}
    for kind in ("postgresql", "sqlite"):
        with restored(new(kind), folder) as store, store.client(*EDITOR) as editor, store.client() as reader:
            assert answers.of(reader, slugs) == before
            assert answers.changes(reader) == told
            assert everything is False or answers.of_staff(editor) == for_staff
            again = export(store, tmp_path / f"again-{kind}", everything=everything)
        lines = {path.name: path.read_bytes() for path in folder.glob("*.ndjson")}
        assert {path.name: path.read_bytes() for path in again.glob("*.ndjson")} == lines
        shutil.rmtree(folder)
        folder = again


@KINDS
def test_life_goes_on_in_the_new_store(new: New, kind: str, tmp_path: Path) -> None:
    with running(new("sqlite")) as store, store.client(*EDITOR) as editor:
        article, killed = (
            illustrated(editor),
            published(editor, headline="Killed", source="wire.example", external_id="13"),
        )
        do(editor, killed, "withdraw", reason="Wrong.")
        waiting = do(editor, draft(editor, headline="On time"), "publish", at=soon(3))
        at, end, shorter = soon(7200), soon(36000), soon(3600)
        held = do(editor, draft(editor, headline="Held", embargoed_until=end), "publish", at=at)
        trashed = draft(editor, headline="Thrown away")
        assert editor.delete(f"/v1/articles/{trashed['id']}", headers={"If-Match": "*"}).status_code == 204
        folder = export(store, tmp_path / "exported", everything=True)
    with restored(new(kind), folder) as store, store.client(*EDITOR) as editor, store.client() as reader:
        place = follow(reader)[1]
        edited = edit(editor, article, headline="Bridge closes again", slug="bridge-closes")
        assert edited["version"] == article["version"] + 1
        assert (
            reader.get(f"/v1/articles/{article['slug']}").headers["location"] == "/v1/articles/bridge-closes"
        )
        assert published(editor, headline=article["headline"])["slug"] != article["slug"]
        assert edit(editor, held, embargoed_until=shorter)["scheduled_for"] == at
        assert do(editor, trashed, "restore")["headline"] == "Thrown away"
        resent = {"source": "wire.example", "external_id": "13", "headline": "Killed", "status": "published"}
        assert editor.post("/v1/articles/bulk", json=[resent]).json()["items"][0]["status"] == 409
        wait_until(lambda: reader.get(f"/v1/articles/{waiting['id']}").status_code == 200)
        assert article["id"] in {entry["id"] for entry in follow(reader, place)[0]}


def test_a_history_begins_where_only_what_is_published_was_exported(new: New, tmp_path: Path) -> None:
    with running(new("sqlite")) as store, store.client(*EDITOR) as editor:
        article = edit(editor, published(editor), headline="Second thoughts")
        folder = export(store, tmp_path / "exported", everything=False)
    with restored(new("sqlite"), folder) as store, store.client(*EDITOR) as editor:
        edit(editor, article, headline="Third")
        versions = f"/v1/articles/{article['id']}/versions"
        assert [(each["version"], each["action"]) for each in editor.get(versions).json()["items"]] == [
            (3, "edited"),
            (2, "imported"),
        ]
        assert [change["field"] for change in editor.get(f"{versions}/3/diff").json()["changes"]] == [
            "headline"
        ]


def test_cursors_of_the_old_store_are_sent_back_to_the_beginning(new: New, tmp_path: Path) -> None:
    with running(new("sqlite")) as store, store.client(*EDITOR) as editor:
        published(editor)
        _, place = follow(editor)
        folder = export(store, tmp_path / "exported", everything=True)
    with restored(new("sqlite"), folder) as store, store.client() as reader:
        assert problem(reader.get(place), 410, "start-again")["start"] == "/v1/changes?limit=200"


@KINDS
def test_a_store_that_serves_already_takes_a_folder_in_and_shows_it_at_once(
    new: New, kind: str, tmp_path: Path
) -> None:
    with running(new("sqlite")) as store, store.client(*EDITOR) as editor:
        article, gone = illustrated(editor), published(editor, headline="Gone")
        do(editor, gone, "withdraw", reason="Wrong.")
        folder = export(store, tmp_path / "exported", everything=True)
    settings = new(kind)
    with running(settings) as store, store.client() as reader:
        addresses = [f"/v1/articles/{each['id']}" for each in (article, gone)]
        assert [reader.get(address).status_code for address in (*addresses, "/v1/articles")] == [
            404,
            404,
            200,
        ]
        _, place = follow(reader)
        assert take_in(settings, folder).different == 0
        wait_until(lambda: [reader.get(address).status_code for address in addresses] == [200, 410])
        assert [each["id"] for each in reader.get("/v1/articles").json()["items"]] == [article["id"]]
        start = problem(reader.get(place), 410, "start-again")["start"]
        assert {entry["id"] for entry in follow(reader, start)[0]} >= {
            article["id"],
            article["lead_image_id"],
            gone["id"],
        }
