"""The partner in docs/partners/changes.md, as it stands there, keeps a perfect copy."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.articles.newsroom import draft, edit, picture, published, trash
from tests.patience import wait_until
from tests.sync.following import follow

DOCUMENT = Path(__file__).parents[2] / "docs/partners/changes.md"


def programs() -> list[str]:
    """The document's programs: the partner, and the one that checks it."""
    return re.findall(r"```python\n(import .*?)```", DOCUMENT.read_text(), re.DOTALL)


def checked(folder: Path, origin: str) -> tuple[int, str]:
    """The exit status of the check, and what it prints."""
    words = [sys.executable, "-c", programs()[1], origin]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout.strip()


@contextmanager
def partner(folder: Path, origin: str) -> Iterator[None]:
    """Run the document's program, and kill it at the end."""
    process = subprocess.Popen(
        [sys.executable, "-c", programs()[0], origin], cwd=folder, stderr=subprocess.PIPE
    )
    try:
        yield
        assert process.poll() is None, process.stderr.read()
    finally:
        process.kill()
        process.communicate()


@pytest.mark.slow
def test_the_documented_partner_keeps_a_perfect_copy(
    origin: str, client: httpx.Client, editor: httpx.Client, tmp_path: Path
) -> None:
    def is_perfect() -> bool:
        file = tmp_path / "copy.json"
        there = {entry["id"]: entry["data"] for entry in follow(client)[0] if entry["op"] == "put"}
        if not file.exists():
            return False
        copy = json.loads(file.read_text())["copy"]
        return {id_: entry["data"] for id_, entry in copy.items()} == there

    image = picture(editor)
    kept, gone = published(editor, lead_image_id=image["id"]), published(editor)
    draft(editor)
    with partner(tmp_path, origin):
        wait_until(is_perfect)
        edit(editor, kept, headline="Changed while it was followed")
        trash(editor, gone)
        wait_until(is_perfect)
    trash(editor, published(editor))
    published(editor)
    with partner(tmp_path, origin):
        wait_until(is_perfect)
    assert checked(tmp_path, origin) == (0, "equal")
    state = json.loads((tmp_path / "copy.json").read_text())
    entry = state["copy"][kept["id"]]
    entry["data"]["headline"] = "Spoilt"
    (tmp_path / "copy.json").write_text(json.dumps(state))
    assert checked(tmp_path, origin) == (1, str(entry["seq"]))
    stale = json.loads((tmp_path / "copy.json").read_text()) | {
        "next": "/v1/changes?wait=30&since=" + "A" * 32
    }
    (tmp_path / "copy.json").write_text(json.dumps(stale | {"copy": {"nobody": {"op": "put", "data": None}}}))
    with partner(tmp_path, origin):
        wait_until(is_perfect)
