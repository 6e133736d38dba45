"""Where the bytes of pictures are kept."""

import hashlib
import os
import time
from pathlib import Path

import pytest

from service.images.decoding import DamagedPicture, TooManyPixels, UnknownPicture, inspect
from service.images.intake import Intake
from service.images.storage import LEFT_BEHIND_AFTER, FolderStore
from tests.conftest import settings_for
from tests.images.pictures import TYPES, noise, picture


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "media"


def keep(store: FolderStore, content: bytes) -> str:
    digest = hashlib.sha256(content).hexdigest()
    file = store.incoming() / "a"
    file.write_bytes(content)
    store.keep(file, digest)
    return digest


def test_kept_bytes_are_found_under_their_digest(folder: Path):
    store = FolderStore(folder)
    digest = keep(store, b"some bytes")
    assert store.has(digest)
    with store.open(digest) as file:
        assert file.read() == b"some bytes"
    assert list(store.incoming().iterdir()) == []


def test_what_is_not_kept_is_not_there(folder: Path):
    store = FolderStore(folder)
    assert not store.has("ab" * 32)
    with pytest.raises(FileNotFoundError):
        store.open("ab" * 32)


def test_the_same_bytes_are_kept_once(folder: Path):
    store = FolderStore(folder)
    assert keep(store, b"some bytes") == keep(store, b"some bytes")
    assert sum(path.is_file() for path in folder.rglob("*")) == 1


def test_the_file_and_every_new_folder_are_flushed_before_the_bytes_count_as_kept(folder: Path, monkeypatch: pytest.MonkeyPatch):
    store = FolderStore(folder)
    flushed, names, fsync = [], {}, os.fsync

    def noting(descriptor: int) -> None:
        fsync(descriptor)
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        flushed.append(path)
        names[path] = sorted(entry.name for entry in path.iterdir()) if path.is_dir() else path.stat().st_size

    monkeypatch.setattr(os, "fsync", noting)
    digest = keep(store, b"some bytes")
    first, second = folder / digest[:2], folder / digest[:2] / digest[2:4]
    assert flushed[0].parent == store.incoming()
    assert names[flushed[0]] == len(b"some bytes")
    assert names[second] == [digest]
    assert names[first] == [digest[2:4]]
    assert digest[:2] in names[folder]


def test_what_a_dead_process_left_half_written_is_cleared(folder: Path):
    store = FolderStore(folder)
    old, new = store.incoming() / "old", store.incoming() / "new"
    old.write_bytes(b"half")
    new.write_bytes(b"half")
    os.utime(old, (time.time() - LEFT_BEHIND_AFTER - 60,) * 2)
    store.prepare()
    assert list(store.incoming().iterdir()) == [new]


@pytest.mark.parametrize("kind", TYPES)
def test_a_damaged_picture_is_taken_or_refused_but_never_a_fault(tmp_path: Path, kind: str):
    whole, file = picture(kind, (64, 48)), tmp_path / "a"
    outcomes = set()
    for at in range(0, len(whole), max(1, len(whole) // 150)):
        for damaged in (whole[:at], whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :], whole[:at] + b"\xff" * 40 + whole[at + 40 :]):
            file.write_bytes(damaged)
            try:
                inspect(file, 1_000_000)
                outcomes.add("taken")
            except (DamagedPicture, UnknownPicture, TooManyPixels) as refused:
                outcomes.add(refused.slug())
    assert {"taken", "damaged-picture", "unknown-picture"} <= outcomes


def test_a_kept_picture_is_described(tmp_path: Path):
    intake = Intake(settings_for("sqlite:///unused", tmp_path))
    content = noise((20, 10))
    with intake.draft() as draft:
        draft.write(content[:100])
        draft.write(content[100:])
        kept = intake.keep(draft)
    assert (kept.digest, kept.size) == (hashlib.sha256(content).hexdigest(), len(content))
    assert (kept.content_type, kept.width, kept.height) == ("image/png", 20, 10)
