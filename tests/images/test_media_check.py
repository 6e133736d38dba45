"""copydesk media check: rows without their file, files without a row."""

import json
import os
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from service.images.storage import MediaStore, MediaUnavailable, check, open_store
from service.images.storage.check import Report
from service.images.storage.keys import Kept
from service.settings import Settings
from tests import buckets
from tests.commands import copydesk
from tests.images.pictures import href_of, make_article, make_image, picture, upload
from tests.patience import PATIENCE
from tests.serving import Store

FORCED = {"If-Match": "*"}
STRAY = "cd" * 32


@pytest.fixture
def settings(settings_on_both: Settings) -> Settings:
    return settings_on_both


@pytest.fixture
def kept_in(settings: Settings) -> MediaStore:
    return open_store(settings)


def add(store: MediaStore, digest: str, rendition: str | None = None) -> None:
    file = store.incoming() / "a"
    file.write_bytes(b"some bytes")
    store.keep(file, digest, rendition)


def look(store: Store, kept_in: MediaStore, *, remove: bool = False) -> Report:
    return check.check(store.database, kept_in, remove=remove)


@pytest.fixture
def a_day_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is as old as an orphan must be."""
    monkeypatch.setattr(check, "AGE", timedelta(seconds=-5))


def test_a_store_in_order_has_nothing_to_say(store: Store, editor: httpx.Client, kept_in: MediaStore):
    image = make_image(editor)
    add(kept_in, image["digest"], "640.webp")
    editor.post("/v1/images", json={"credit_line": "its file comes later"})
    found = look(store, kept_in)
    assert found == Report(originals=1, renditions=1, dangling=[], orphans=[], foreign=[])


def test_a_row_whose_bytes_are_gone_dangles(store: Store, editor: httpx.Client, kept_in: MediaStore):
    lost, image = make_image(editor, "red"), make_image(editor, "blue")
    kept_in.remove(f"originals/{lost['digest']}")
    found = look(store, kept_in)
    assert [(str(gone.image_id), gone.digest) for gone in found.dangling] == [(lost["id"], lost["digest"])]
    assert (found.originals, found.orphans) == (1, [])
    assert kept_in.has(image["digest"])


def test_bytes_that_no_row_names_are_orphans_with_their_renditions(
    store: Store, editor: httpx.Client, kept_in: MediaStore
):
    image = make_image(editor)
    add(kept_in, STRAY)
    add(kept_in, STRAY, "640.webp")
    found = look(store, kept_in)
    assert sorted(orphan.key for orphan in found.orphans) == [
        f"originals/{STRAY}",
        f"renditions/{STRAY}/640.webp",
    ]
    assert {orphan.size for orphan in found.orphans} == {len(b"some bytes")}
    assert kept_in.has(image["digest"])


def test_young_orphans_may_belong_to_an_upload_and_stay(store: Store, kept_in: MediaStore):
    add(kept_in, STRAY)
    assert [orphan.removed for orphan in look(store, kept_in, remove=True).orphans] == [False]
    assert kept_in.has(STRAY)


@pytest.mark.usefixtures("a_day_later")
def test_old_orphans_are_removed_when_that_is_asked_for_and_nothing_else_is(
    store: Store, editor: httpx.Client, kept_in: MediaStore
):
    image = make_image(editor)
    add(kept_in, image["digest"], "640.webp")
    trashed = make_image(editor, "red")
    assert editor.delete(f"/v1/images/{trashed['id']}", headers=FORCED).status_code == 204
    add(kept_in, STRAY)
    add(kept_in, STRAY, "640.webp")
    assert not any(orphan.removed for orphan in look(store, kept_in).orphans)
    assert all(orphan.removed for orphan in look(store, kept_in, remove=True).orphans)
    assert sorted(kept.key for kept in kept_in.listed()) == sorted(
        [
            f"originals/{image['digest']}",
            f"originals/{trashed['digest']}",
            f"renditions/{image['digest']}/640.webp",
        ]
    )
    assert editor.post(f"/v1/images/{trashed['id']}/restore").status_code == 200
    assert editor.get(href_of(trashed)).content == picture(colour="red")


@pytest.mark.usefixtures("a_day_later")
def test_the_file_that_was_replaced_is_an_orphan(
    store: Store, editor: httpx.Client, client: httpx.Client, kept_in: MediaStore
):
    image = make_image(editor)
    make_article(editor, image)
    put = {"content": picture(colour="red"), "headers": FORCED | {"Content-Type": "image/png"}}
    replaced = editor.put(f"/v1/images/{image['id']}/file", **put).json()
    found = look(store, kept_in, remove=True)
    assert [orphan.key for orphan in found.orphans] == [f"originals/{image['digest']}"]
    assert editor.get(href_of(replaced)).content == picture(colour="red")


@pytest.mark.usefixtures("a_day_later")
def test_an_upload_during_the_check_is_neither_dangling_nor_an_orphan(
    store: Store, editor: httpx.Client, kept_in: MediaStore
):
    add(kept_in, STRAY)

    def meanwhile(listing: Iterable[Kept]) -> Iterator[Kept]:
        make_image(editor, "red")  # after the rows were read, before the listing began
        yield from listing
        make_image(editor, "blue")  # after both

    found = check.check(store.database, kept_in, remove=True, watch=meanwhile)
    assert ([orphan.key for orphan in found.orphans], found.dangling) == ([f"originals/{STRAY}"], [])
    assert look(store, kept_in).originals == 2


@pytest.mark.usefixtures("a_day_later")
def test_what_somebody_else_put_there_is_named_and_never_touched(
    store: Store, settings: Settings, kept_in: MediaStore
):
    if settings.media_url.startswith("file:"):
        kept_in.incoming()
        (settings.media_directory / "originals").mkdir()
        (settings.media_directory / "originals" / "ab").mkdir()
        for place in ("notes.txt", "originals/ab/cd", "originals/list.txt"):
            (settings.media_directory / place).write_text("not ours")
        expected = ["notes.txt", "originals/ab/cd", "originals/list.txt"]
    else:
        at = f"http://127.0.0.1:{buckets.server()}/{settings.media_url.removeprefix('s3://')}"
        assert (
            httpx.put(f"{at}/notes.txt", content=b"not ours", trust_env=False, timeout=PATIENCE).status_code
            == 200
        )
        expected = ["notes.txt"]
    assert sorted(look(store, kept_in, remove=True).foreign) == expected
    assert sorted(look(store, kept_in).foreign) == expected


def test_a_store_that_is_away_is_no_empty_store(
    store: Store, editor: httpx.Client, settings: Settings, tmp_path: Path
):
    make_image(editor)
    elsewhere = (
        {"media_url": "s3://nobody-made-it"}
        if settings.media_url.startswith("s3:")
        else {"media_url": f"file:{tmp_path / 'none'}"}
    )
    with pytest.raises(MediaUnavailable):
        check.check(store.database, open_store(settings.model_copy(update=elsewhere)), remove=True)


@pytest.mark.slow
def test_the_command_says_it_to_people_and_to_scripts(tmp_path: Path):
    assert copydesk(tmp_path, "migrate").returncode == 0
    media = tmp_path / "var" / "media"
    (media / "originals").mkdir(parents=True)
    old, new = media / "originals" / STRAY, media / "originals" / ("ef" * 32)
    for orphan in (old, new):
        orphan.write_bytes(b"some bytes")
    os.utime(old, (1_000_000_000, 1_000_000_000))
    said = copydesk(tmp_path, "media", "check")
    assert (said.returncode, old.exists()) == (0, True)
    assert f"orphan originals/{STRAY} 10\n" in said.stdout
    assert (
        "2 originals, 0 renditions; 0 rows without their file, 2 orphans, 0 of them removed." in said.stderr
    )
    found = json.loads(copydesk(tmp_path, "media", "check", "--remove", "--json").stdout)
    assert {orphan["key"]: orphan["removed"] for orphan in found["orphans"]} == {
        f"originals/{STRAY}": True,
        f"originals/{'ef' * 32}": False,
    }
    assert (old.exists(), new.exists()) == (False, True)
    assert next(orphan for orphan in found["orphans"] if orphan["removed"])["since"] == "2001-09-09T01:46:40Z"


@pytest.mark.slow
def test_the_command_fails_when_rows_dangle_and_when_the_store_is_away(
    tmp_path: Path, settings: Settings, store: Store, editor: httpx.Client
):
    image = upload(editor).json()
    open_store(settings).remove(f"originals/{image['digest']}")
    known = {"COPYDESK_DATABASE_URL": settings.database_url, "COPYDESK_MEDIA_URL": settings.media_url}
    if settings.s3_endpoint:
        known |= {
            "AWS_ENDPOINT_URL": settings.s3_endpoint,
            "AWS_ACCESS_KEY_ID": "a",
            "AWS_SECRET_ACCESS_KEY": "b",
            "AWS_REGION": "eu-north-1",
        }
    found = copydesk(tmp_path, "media", "check", **known)
    assert (found.returncode, found.stdout) == (1, f"dangling {image['id']} {image['digest']}\n")
    away = copydesk(tmp_path, "media", "check", **known | {"COPYDESK_MEDIA_URL": f"file:{tmp_path / 'none'}"})
    assert (away.returncode, away.stdout) == (1, "")
    assert "does not answer" in away.stderr
    assert "Traceback" not in away.stderr
