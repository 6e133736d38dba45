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
from tests.sync.following import follow, within

DOCUMENT = Path(__file__).parents[2] / "docs/partners/changes.md"


@contextmanager
def partner(folder: Path, origin: str) -> Iterator[None]:
    """Run the document's program, and kill it at the end."""
    [program] = re.findall(r"```python\n(import json.*?)```", DOCUMENT.read_text(), re.DOTALL)
    process = subprocess.Popen([sys.executable, "-c", program, origin], cwd=folder, stderr=subprocess.PIPE)
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
        return file.exists() and json.loads(file.read_text())["copy"] == there

    image = picture(editor)
    kept, gone = published(editor, lead_image_id=image["id"]), published(editor)
    draft(editor)
    with partner(tmp_path, origin):
        within(10, is_perfect)
        edit(editor, kept, headline="Changed while it was followed")
        trash(editor, gone)
        within(10, is_perfect)
    trash(editor, published(editor))
    published(editor)
    with partner(tmp_path, origin):
        within(10, is_perfect)
    stale = json.loads((tmp_path / "copy.json").read_text()) | {
        "next": "/v1/changes?wait=30&since=" + "A" * 32
    }
    (tmp_path / "copy.json").write_text(json.dumps(stale | {"copy": {"nobody": "has this"}}))
    with partner(tmp_path, origin):
        within(10, is_perfect)
