"""The folder that `copydesk export` writes."""

import hashlib
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from rich.console import Console

from service.backup.export import write_export
from service.backup.folder import FolderInUse
from service.images.storage import open_store
from tests.articles.newsroom import do, draft, edit, picture, published, trash
from tests.formats.front_page import illustrated
from tests.serving import Store


def export(store: Store, folder: Path, *, everything: bool = False) -> dict[str, list[Any]]:
    done = write_export(
        store.database, open_store(store.settings), folder, Console(quiet=True), everything=everything
    )
    assert done.missing == []
    return {
        path.stem: [json.loads(line) for line in path.read_bytes().splitlines()]
        for path in folder.glob("*.ndjson")
    }


def test_what_is_published_is_exported_as_readers_get_it(
    store: Store, editor: httpx.Client, client: httpx.Client, tmp_path: Path
) -> None:
    article = illustrated(editor, edition_note="Not for readers.")
    article = edit(editor, article, slug="bridge-reopens-early")
    draft(editor, headline="A draft")
    picture(editor)
    killed = published(editor, headline="Killed")
    do(editor, killed, "withdraw", reason="Wrong.")
    folder = tmp_path / "new" / "export"
    found = export(store, folder)
    lines = {
        name: (folder / f"{name}.ndjson").read_bytes().splitlines()
        for name in ("articles", "images", "captions")
    }
    assert lines["articles"] == [client.get(f"/v1/articles/{article['id']}").content]
    (image,) = (json.loads(line) for line in lines["images"])
    unseen = {name: image[name] for name in ("digest", "external_id", "source_url")}
    assert image == client.get(f"/v1/images/{article['lead_image_id']}").json() | unseen
    assert lines["captions"] == [client.get(f"/v1/captions/{article['lead_image']['caption']['id']}").content]
    assert {each["slug"] for each in found["slugs"]} >= {"bridge-reopens", "bridge-reopens-early"}
    removed = [each for each in found["changes"] if each["reason"]]
    assert [(each["id"], each["reason"], each["detail"]) for each in removed] == [
        (killed["id"], "withdrawn", "Wrong.")
    ]
    digest = found["images"][0]["digest"]
    (file,) = (folder / "media").iterdir()
    assert file.name == f"{digest}.png"
    assert hashlib.sha256(file.read_bytes()).hexdigest() == digest
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["counts"] == {
        "images": 1,
        "captions": 1,
        "articles": 1,
        "files": 1,
        "slugs": 3,
        "changes": 4,
    }
    assert (manifest["format"], manifest["everything"]) == ("copydesk-export", False)
    assert manifest["digests"] == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.ndjson")
    }


def test_everything_is_drafts_and_unused_pictures_and_the_trash_too(
    store: Store, editor: httpx.Client, tmp_path: Path
) -> None:
    unfinished, image, trashed = (
        draft(editor, edition_note="Check."),
        picture(editor),
        draft(editor, headline="Trashed"),
    )
    killed = do(editor, published(editor), "withdraw", reason="Wrong.")
    trash(editor, trashed)
    found = export(store, tmp_path / "all", everything=True)
    articles = {each["id"]: each for each in found["articles"]}
    assert sorted(articles) == sorted([unfinished["id"], trashed["id"], killed["id"]])
    assert articles[unfinished["id"]] == editor.get(f"/v1/articles/{unfinished['id']}").json()
    assert articles[killed["id"]] == editor.get(f"/v1/articles/{killed['id']}").json() | {
        "withdrawn_for": "Wrong."
    }
    assert articles[trashed["id"]]["deleted_at"] is not None
    assert [each["id"] for each in found["images"]] == [image["id"]]
    assert [
        (each["article_id"], each["action"])
        for each in found["versions"]
        if each["article_id"] == killed["id"]
    ] == [
        (killed["id"], "created"),
        (killed["id"], "withdrawn"),
    ]


def test_more_than_fits_at_once_is_exported_once_each(
    store: Store, editor: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.backup.export.AT_ONCE", 2)
    made = [published(editor)["id"] for _ in range(5)]
    for everything in (False, True):
        found = export(store, tmp_path / str(everything), everything=everything)
        assert [each["id"] for each in found["articles"]] == sorted(made)


def test_nothing_is_written_over(store: Store, tmp_path: Path) -> None:
    (tmp_path / "kept").touch()
    with pytest.raises(FolderInUse, match="not empty"):
        export(store, tmp_path)
    assert not (tmp_path / "manifest.json").exists()


def test_a_file_that_is_missing_is_told_and_the_rest_is_exported(
    store: Store, editor: httpx.Client, tmp_path: Path
) -> None:
    article = illustrated(editor)
    digest = editor.get(f"/v1/images/{article['lead_image_id']}").json()["digest"]
    open_store(store.settings).remove(f"originals/{digest}")
    done = write_export(
        store.database, open_store(store.settings), tmp_path / "out", Console(quiet=True), everything=False
    )
    assert done.missing == [digest]
    assert done.counts["articles"] == 1
