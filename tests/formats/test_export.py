"""The folder that `copydesk export` writes."""

import hashlib
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from rich.console import Console

from service.export import FolderInUse, write_export
from service.images.storage import open_store
from tests.articles.newsroom import do, draft, edit, picture, published
from tests.formats.front_page import illustrated
from tests.serving import Store


def export(store: Store, folder: Path, *, everything: bool = False) -> dict[str, list[Any]]:
    done = write_export(store.database, open_store(store.settings), folder, Console(quiet=True), everything=everything)
    assert done.missing == []
    return {path.stem: [json.loads(line) for line in path.read_bytes().splitlines()] for path in folder.glob("*.ndjson")}


def test_what_is_published_is_exported_as_readers_get_it(store: Store, editor: httpx.Client, client: httpx.Client, tmp_path: Path) -> None:
    article = illustrated(editor, edition_note="Not for readers.")
    article = edit(editor, article, slug="bridge-reopens-early")
    draft(editor, headline="A draft")
    picture(editor)
    killed = published(editor, headline="Killed")
    do(editor, killed, "withdraw", reason="Wrong.")
    folder = tmp_path / "new" / "export"
    found = export(store, folder)
    lines = {name: (folder / f"{name}.ndjson").read_bytes().splitlines() for name in ("articles", "images", "captions")}
    assert lines["articles"] == [client.get(f"/v1/articles/{article['id']}").content]
    assert lines["images"] == [client.get(f"/v1/images/{article['lead_image_id']}").content]
    assert lines["captions"] == [client.get(f"/v1/captions/{article['lead_image']['caption']['id']}").content]
    assert {each["slug"] for each in found["slugs"]} >= {"bridge-reopens", "bridge-reopens-early"}
    assert [(each["id"], each["reason"], each["detail"]) for each in found["removed"]] == [(killed["id"], "withdrawn", "Wrong.")]
    digest = found["images"][0]["digest"]
    (file,) = (folder / "media").iterdir()
    assert file.name == f"{digest}.png"
    assert hashlib.sha256(file.read_bytes()).hexdigest() == digest
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["counts"] == {"images": 1, "captions": 1, "articles": 1, "files": 1, "slugs": 3, "removed": 1}
    assert (manifest["format"], manifest["everything"]) == ("copydesk-export", False)


def test_everything_is_drafts_and_unused_pictures_too_and_nothing_from_the_trash(
    store: Store, editor: httpx.Client, tmp_path: Path
) -> None:
    unfinished, image = draft(editor, edition_note="Check."), picture(editor)
    made = [published(editor)["id"], unfinished["id"]]
    trashed = draft(editor, headline="Trashed")
    assert editor.delete(f"/v1/articles/{trashed['id']}", headers={"If-Match": "*"}).status_code == 204
    found = export(store, tmp_path / "all", everything=True)
    assert sorted(each["id"] for each in found["articles"]) == sorted(made)
    assert (
        next(each for each in found["articles"] if each["id"] == unfinished["id"]) == editor.get(f"/v1/articles/{unfinished['id']}").json()
    )
    assert [each["id"] for each in found["images"]] == [image["id"]]


def test_more_than_fits_at_once_is_exported_once_each(
    store: Store, editor: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.export.AT_ONCE", 2)
    made = [published(editor)["id"] for _ in range(5)]
    for everything in (False, True):
        found = export(store, tmp_path / str(everything), everything=everything)
        assert [each["id"] for each in found["articles"]] == sorted(made)


def test_nothing_is_written_over(store: Store, tmp_path: Path) -> None:
    (tmp_path / "kept").touch()
    with pytest.raises(FolderInUse, match="not empty"):
        export(store, tmp_path)
    assert not (tmp_path / "manifest.json").exists()


def test_a_file_that_is_missing_is_told_and_the_rest_is_exported(store: Store, editor: httpx.Client, tmp_path: Path) -> None:
    article = illustrated(editor)
    digest = article["lead_image"]["digest"]
    open_store(store.settings).remove(f"originals/{digest}")
    done = write_export(store.database, open_store(store.settings), tmp_path / "out", Console(quiet=True), everything=False)
    assert done.missing == [digest]
    assert done.counts["articles"] == 1
