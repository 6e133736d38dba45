"""Where the bytes of pictures are kept."""

import hashlib
import os
import resource
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from service.images.intake import Intake
from service.images.storage import BucketStore, FolderStore, MediaStore, MediaUnavailable, open_store
from service.images.storage.keys import LEFT_BEHIND_AFTER
from tests import buckets
from tests.images.pictures import noise
from tests.patience import PATIENCE
from tests.serving import settings_for
from tests.websites import website


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "media"


@pytest.fixture
def kept_in(media: dict[str, object], tmp_path: Path) -> MediaStore:
    """An empty store of each kind."""
    made = open_store(settings_for("sqlite:///unused", tmp_path, **media))
    made.prepare()
    return made


def keep(store: MediaStore, content: bytes, rendition: str | None = None, *, of: bytes | None = None) -> str:
    digest = hashlib.sha256(of or content).hexdigest()
    file = store.incoming() / "a"
    file.write_bytes(content)
    store.keep(file, digest, rendition)
    return digest


def keys(store: MediaStore) -> list[str]:
    return sorted(kept.key for kept in store.listed())


def test_kept_bytes_are_found_under_their_digest(kept_in: MediaStore):
    digest = keep(kept_in, b"some bytes")
    assert kept_in.has(digest)
    with kept_in.open(digest) as file:
        assert file.read() == b"some bytes"
    assert [path for path in kept_in.incoming().iterdir() if path.is_file()] == []


def test_renditions_are_kept_beside_their_original(kept_in: MediaStore):
    digest = keep(kept_in, b"some bytes")
    keep(kept_in, b"fewer", "640.webp", of=b"some bytes")
    with kept_in.open(digest, "640.webp") as file:
        assert file.read() == b"fewer"
    assert not kept_in.has(digest, "320.webp")
    assert keys(kept_in) == [f"originals/{digest}", f"renditions/{digest}/640.webp"]


def test_what_is_not_kept_is_not_there(kept_in: MediaStore):
    assert not kept_in.has("ab" * 32)
    assert kept_in.since("originals/" + "ab" * 32) is None
    with pytest.raises(FileNotFoundError):
        kept_in.open("ab" * 32)
    kept_in.remove("originals/" + "ab" * 32)


def test_the_same_bytes_are_kept_once(kept_in: MediaStore):
    assert keep(kept_in, b"some bytes") == keep(kept_in, b"some bytes")
    assert [kept.size for kept in kept_in.listed()] == [len(b"some bytes")]


@pytest.mark.slow
def test_bytes_that_are_kept_again_count_as_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    store = FolderStore(tmp_path)
    key = f"originals/{keep(store, b'some bytes')}"
    os.utime(tmp_path / key, (1, 1))
    keep(store, b"some bytes")
    assert datetime.now(UTC) - store.since(key) < timedelta(minutes=1)
    bucket = BucketStore(settings_for("sqlite:///unused", tmp_path, **buckets.bucket()))
    keep(bucket, b"some bytes")
    first = bucket.since(key)
    time.sleep(1.1)  # the server tells seconds
    keep(bucket, b"some bytes")
    assert bucket.since(key) == first
    monkeypatch.setattr("service.images.storage.bucket.FRESH", timedelta(0))
    keep(bucket, b"some bytes")
    assert bucket.since(key) > first


def test_of_many_who_keep_the_same_at_once_each_finds_it_kept(kept_in: MediaStore):
    def one(number: int) -> str:
        file = kept_in.incoming() / f"draft-{number}"
        file.write_bytes(b"some bytes")
        kept_in.keep(file, "ab" * 32)
        with kept_in.open("ab" * 32) as found:
            return found.read().decode()

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(one, range(16))) == {"some bytes"}
    assert keys(kept_in) == ["originals/" + "ab" * 32]


def test_what_is_removed_is_gone_and_its_neighbours_stay(kept_in: MediaStore):
    digest = keep(kept_in, b"some bytes")
    for name in ("320.webp", "640.webp"):
        keep(kept_in, b"fewer", name, of=b"some bytes")
    kept_in.remove(f"renditions/{digest}/320.webp")
    assert keys(kept_in) == [f"originals/{digest}", f"renditions/{digest}/640.webp"]
    kept_in.remove(f"renditions/{digest}/640.webp")
    assert keys(kept_in) == [f"originals/{digest}"]


@pytest.mark.slow
def test_more_objects_than_one_listing_holds_are_all_listed(tmp_path: Path):
    settings = settings_for("sqlite:///unused", tmp_path, **buckets.bucket())
    bucket = settings.media_url.removeprefix("s3://")
    with httpx.Client(
        base_url=f"{settings.s3_endpoint}/{bucket}/renditions/{'ab' * 32}", trust_env=False, timeout=PATIENCE
    ) as server:
        for number in range(1001):
            assert server.put(f"/{number}.webp", content=b"x").status_code == 200
    assert sum(1 for _ in open_store(settings).listed()) == 1001


@pytest.mark.slow
def test_a_bucket_holds_nothing_outside_its_prefix(tmp_path: Path):
    settings = settings_for("sqlite:///unused", tmp_path, **buckets.bucket())
    digest = keep(open_store(settings), b"some bytes")
    assert f"<Key>news/desk/originals/{digest}</Key>" in buckets.objects(settings)


@pytest.mark.slow
def test_the_standard_variables_say_where_the_bucket_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    given = buckets.bucket()
    for name, value in {
        "ENDPOINT_URL": given["s3_endpoint"],
        "REGION": "eu-north-1",
        "ACCESS_KEY_ID": "a",
        "SECRET_ACCESS_KEY": "b",
    }.items():
        monkeypatch.setenv(f"AWS_{name}", str(value))
    store = open_store(settings_for("sqlite:///unused", tmp_path, media_url=given["media_url"]))
    store.probe()
    assert store.has(keep(store, b"some bytes"))


@pytest.mark.parametrize(
    ("path_style", "place"), [(True, "s3.example/pictures?"), (False, "pictures.s3.example/?")]
)
def test_the_bucket_stands_in_the_path_or_in_the_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path_style: bool, place: str
):
    known = {
        "media_url": "s3://pictures",
        "s3_endpoint": "http://s3.example",
        "s3_path_style": path_style,
        **buckets.S3,
    }
    with website() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        with pytest.raises(MediaUnavailable):
            open_store(settings_for("sqlite:///unused", tmp_path, **known)).probe()
    assert proxy.requests[0].startswith(f"GET http://{place}")


def test_a_bucket_that_is_not_there_is_unavailable_whatever_is_asked(tmp_path: Path):
    store = open_store(
        settings_for("sqlite:///unused", tmp_path, **buckets.bucket() | {"media_url": "s3://nobody-made-it"})
    )
    for ask in (store.probe, lambda: keep(store, b"some bytes"), lambda: list(store.listed())):
        with pytest.raises(MediaUnavailable):
            ask()


def test_a_folder_that_is_away_is_unavailable_and_not_empty(tmp_path: Path):
    store = FolderStore(tmp_path / "media")
    for ask in (store.probe, lambda: list(store.listed())):
        with pytest.raises(MediaUnavailable):
            ask()


def test_the_file_and_every_new_folder_are_flushed_before_the_bytes_count_as_kept(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    store = FolderStore(folder)
    flushed, names, fsync = [], {}, os.fsync

    def noting(descriptor: int) -> None:
        fsync(descriptor)
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        flushed.append(path)
        names[path] = sorted(entry.name for entry in path.iterdir()) if path.is_dir() else path.stat().st_size

    monkeypatch.setattr(os, "fsync", noting)
    digest = keep(store, b"some bytes")
    assert flushed[0].parent == store.incoming()
    assert names[flushed[0]] == len(b"some bytes")
    assert names[folder / "originals"] == [digest]
    assert "originals" in names[folder]


def test_what_a_dead_process_left_half_written_is_cleared(kept_in: MediaStore):
    store = kept_in
    old, new = store.incoming() / "copydesk-old", store.incoming() / "copydesk-new"
    old.write_bytes(b"half")
    new.write_bytes(b"half")
    os.utime(old, (time.time() - LEFT_BEHIND_AFTER - 60,) * 2)
    store.prepare()
    assert [path for path in store.incoming().iterdir() if path.is_file()] == [new]


def test_a_disk_that_takes_no_more_is_unavailable_and_nothing_stays_on_it(tmp_path: Path):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with closing(Intake(settings_for("sqlite:///unused", tmp_path))) as intake:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
        try:
            with pytest.raises(MediaUnavailable), intake.draft() as draft:
                draft.write(bytes(500_000))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert list(intake.store.incoming().iterdir()) == []


def test_a_kept_picture_is_described(tmp_path: Path):
    content = noise((20, 10))
    with closing(Intake(settings_for("sqlite:///unused", tmp_path))) as intake, intake.draft() as draft:
        draft.write(content[:100])
        draft.write(content[100:])
        kept = intake.keep(draft)
    assert (kept.digest, kept.size) == (hashlib.sha256(content).hexdigest(), len(content))
    assert (kept.found.content_type, kept.found.width, kept.found.height) == ("image/png", 20, 10)
