"""Folders that are not what was exported, and stores that are not empty: refused with a sentence, and without
a trace.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from service.backup.folder import Damaged, is_export
from service.backup.restore import StoreInUse, check
from service.settings import Settings
from tests.articles.newsroom import draft, ids, picture, trash
from tests.backup.drilling import QUIET, New, take_in
from tests.serving import running


def manifest(folder: Path, **changes: object) -> None:
    """Change what the folder says of itself."""
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def rewrite(folder: Path, name: str, change: Callable[[bytes], bytes]) -> None:
    """Change a file, and let the manifest agree."""
    path = folder / name
    path.write_bytes(change(path.read_bytes()))
    said = json.loads((folder / "manifest.json").read_text())
    counts = said["counts"] | {path.stem: path.read_bytes().count(b"\n")}
    manifest(
        folder, digests=said["digests"] | {name: hashlib.sha256(path.read_bytes()).hexdigest()}, counts=counts
    )


def other_bytes(folder: Path) -> None:
    (file,) = (folder / "media").iterdir()
    file.write_bytes(b"\x00" + file.read_bytes()[1:])


def unpublish(line: bytes) -> bytes:
    return line.replace(b'"status":"published"', b'"status":"draft"', 1)


DAMAGES: list[tuple[str, Callable[[Path], object]]] = [
    ("never finished", lambda folder: (folder / "manifest.json").unlink()),
    ("is not the manifest", lambda folder: (folder / "manifest.json").write_text("{")),
    ("knows formats up to 1", lambda folder: manifest(folder, format_version=2)),
    ("does not tell of images.ndjson", lambda folder: manifest(folder, digests={})),
    ("captions.ndjson is missing", lambda folder: (folder / "captions.ndjson").unlink()),
    (
        "articles.ndjson is not what was exported",
        lambda folder: (folder / "articles.ndjson").write_bytes(b"{}\n"),
    ),
    ("has 1 lines, and manifest.json tells of 2", lambda folder: manifest(folder, counts={"images": 2})),
    (r"\.png is missing", lambda folder: next((folder / "media").iterdir()).unlink()),
    ("does not have the SHA-256 in its name", other_bytes),
    ("line 1: .*Invalid JSON", lambda folder: rewrite(folder, "captions.ndjson", lambda _: b"{no json\n")),
    (
        "line 2: headline",
        lambda folder: rewrite(folder, "articles.ndjson", lambda lines: lines + b'{"language":"en"}\n'),
    ),
    (
        "tells of a file '../../x",
        lambda folder: rewrite(
            folder, "images.ndjson", lambda line: line.replace(b'"digest":"', b'"digest":"../../x', 1)
        ),
    ),
    (
        "does not agree with itself: .*is not public",
        lambda folder: rewrite(folder, "articles.ndjson", unpublish),
    ),
    (
        "does not agree with itself: .*is public",
        lambda folder: rewrite(folder, "changes.ndjson", lambda _: b""),
    ),
    (
        "does not agree with itself: .*not there",
        lambda folder: rewrite(folder, "captions.ndjson", lambda _: b""),
    ),
    ("does not agree with itself", lambda folder: rewrite(folder, "slugs.ndjson", lambda line: line + line)),
    ("tells of later changes", lambda folder: manifest(folder, seq=1)),
]


@pytest.mark.parametrize(("told", "damage"), DAMAGES, ids=[told for told, _ in DAMAGES])
def test_a_damaged_folder_is_refused_and_leaves_the_store_empty(
    folder: Path, settings: Settings, told: str, damage: Callable[[Path], object]
) -> None:
    whole = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    damage(folder)
    assert is_export(folder)
    with pytest.raises(Damaged, match=told):
        take_in(settings, folder)
    for path, content in whole.items():
        path.write_bytes(content)
    assert take_in(settings, folder).different == 0


def test_a_folder_is_checked_without_a_store(folder: Path) -> None:
    assert check(folder, QUIET).counts["articles"] == 1
    other_bytes(folder)
    with pytest.raises(Damaged, match="SHA-256"):
        check(folder, QUIET)


def test_what_editors_had_changed_meanwhile_is_no_fault_but_is_counted(folder: Path, new: New) -> None:
    rewrite(folder, "images.ndjson", lambda line: line.replace(b"Ana Lind", b"Ana Land"))
    assert take_in(new("sqlite"), folder).different == 2


def test_an_export_of_an_earlier_version_is_taken_in(folder: Path, new: New) -> None:
    rewrite(folder, "images.ndjson", lambda line: line.replace(b'"external_id":null,', b""))
    assert take_in(new("sqlite"), folder).different == 0


def test_only_an_empty_store_takes_a_folder_in(folder: Path, settings: Settings, new: New) -> None:
    take_in(settings, folder)
    with pytest.raises(StoreInUse, match="not empty"):
        take_in(settings, folder)
    for make in (lambda editor: trash(editor, draft(editor)), picture):
        settings = new("sqlite")
        with running(settings) as used, used.client("content:read", "content:write") as editor:
            make(editor)
            with pytest.raises(StoreInUse):
                take_in(settings, folder)


def test_a_store_with_its_notices_and_tokens_is_empty(folder: Path, new: New) -> None:
    settings = new("sqlite")
    with running(settings) as used, used.client("content:read") as reader:
        take_in(settings, folder)
        assert len(ids(reader.get("/v1/articles"))) == 1


def test_other_folders_are_no_exports(tmp_path: Path) -> None:
    assert not is_export(tmp_path)
    (tmp_path / "manifest.json").write_text('{"name": "A web application"}')
    assert not is_export(tmp_path)
    assert not is_export(tmp_path / "missing")


def test_a_picture_that_the_old_store_had_lost_is_lost_and_nothing_else(folder: Path, new: New) -> None:
    (file,) = (folder / "media").iterdir()
    manifest(folder, missing=[file.stem])
    file.unlink()
    settings = new("sqlite")
    assert take_in(settings, folder).manifest.missing == [file.stem]
    with running(settings) as store, store.client() as reader:
        (article,) = reader.get("/v1/articles").json()["items"]
        assert reader.get(article["lead_image"]["renditions"][0]["href"]).status_code == 503
