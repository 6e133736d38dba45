"""The folder of pictures' files, or that of temporary files, is full: uploads say so, and nothing else
notices.
"""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import httpx
import pytest

from tests.articles.newsroom import problem
from tests.faults.apart import make_editor, served_by
from tests.images.pictures import noise, upload
from tests.patience import PATIENCE
from tests.serving import SECRET

# The mounts are in a namespace of the process alone: nobody needs to be root for that, and they end with it.
APART = ("unshare", "--user", "--map-root-user", "--mount")
MOUNTED = 'mount -t tmpfs -o size=3m tmpfs media && mount -t tmpfs -o size=256k tmpfs temporary && exec "$@"'
TOO_LONG = [f"{number}{'x' * 1_000}" for number in range(3)]
"""Names of members that no article has. A refusal tells 300 characters of each."""


def _can_mount(folder: Path) -> bool:
    try:
        tried = subprocess.run(
            [*APART, "mount", "-t", "tmpfs", "tmpfs", folder], capture_output=True, check=False
        )
    except OSError:
        return False
    return tried.returncode == 0


@contextmanager
def full(folder: Path) -> Iterator[None]:
    """Fill a folder to its last byte."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
        _write_for_ever(file)
    yield
    filler.unlink()


def _write_for_ever(file: IO[bytes]) -> None:
    while True:
        file.write(bytes(4096))


def test_a_full_folder_is_507_where_it_is_needed_and_nothing_elsewhere(
    tmp_path: Path, sqlite_template: Path
) -> None:
    if not _can_mount(tmp_path):
        pytest.skip("this machine lets nobody mount a small file system in a namespace of their own")
    for name in ("media", "temporary"):
        (tmp_path / name).mkdir()
    known = {
        "COPYDESK_DATABASE_URL": f"sqlite:///{tmp_path / 'copydesk.db'}",
        "COPYDESK_MEDIA_URL": f"file:{tmp_path / 'media'}",
        "COPYDESK_SECRET_KEY": SECRET,
        "COPYDESK_PICTURE_AHEAD": "false",
        "TMPDIR": str(tmp_path / "temporary"),
    }
    shutil.copy(sqlite_template, tmp_path / "copydesk.db")
    token = make_editor(known["COPYDESK_DATABASE_URL"])
    with (
        served_by([*APART, "sh", "-c", MOUNTED, "sh"], tmp_path, **known) as (base, pid),
        httpx.Client(base_url=base, headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE) as editor,
    ):
        inside = Path(f"/proc/{pid}/root{tmp_path}")
        image = upload(editor, noise((300, 300))).json()
        rendition = next(each["href"] for each in image["renditions"] if each["name"] != "original")
        with full(inside / "media"):
            for answer in (
                upload(editor, noise((301, 301))),
                editor.post("/v1/images", files={"file": noise((302, 302))}),
                editor.get(rendition),
            ):
                problem(answer, 507, "media-full")
                assert answer.headers["retry-after"]
            assert editor.post("/v1/articles", json={"headline": "No picture"}).status_code == 201
        # A form with a file above a megabyte goes through the folder of temporary files.
        problem(editor.post("/v1/images", files={"file": noise((1_200, 1_200))}), 507, "media-full")
        with full(inside / "temporary"):
            # Results of more than a megabyte, which must not need the disk once their items are committed.
            some = [
                {"headline": "Buoy", "source": "coast.example", "external_id": "buoy"},
                *({"headline": "Buoy", **dict.fromkeys(TOO_LONG, number)} for number in range(800)),
            ]
            answer = editor.post("/v1/articles/bulk", json=some)
            assert [result["status"] for result in answer.json()["items"]] == [201, *[422] * 800]
            assert len(answer.content) > 1 << 20
            assert upload(editor, noise((303, 303))).status_code == 201
        assert editor.get(rendition).status_code == 200
