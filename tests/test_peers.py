"""The bench's comparison with other frameworks keeps its page, and serves them with the versions that Copydesk
has.
"""

import re
from pathlib import Path

import pytest

from tests.bench.peers import contest
from tests.bench.peers.contenders import COPYDESK, CREATE, LIST, LOCK
from tests.bench.peers.contest import Cost
from tests.commands import ROOT

COSTS = [
    Cost(LIST, COPYDESK, [0.0021, 0.002, 0.0024], [400.0, 410.0, 390.0]),
    Cost(CREATE, COPYDESK, [0.006], [150.0]),
    Cost(LIST, "Datasette", [0.0124], [70.0]),
]


@pytest.mark.parametrize("after", ["", "\n## Bulk\n\nfast\n"])
def test_a_comparison_is_written_into_its_own_section_and_nowhere_else(tmp_path: Path, after: str) -> None:
    path, before = tmp_path / "performance.md", "# Performance\n\n## Size\n\nflat\n"
    path.write_text(f"{before}\n{contest.TITLE}\n\nformer figures\n{after}")
    contest.write(path, COSTS, machine="a machine")
    once = path.read_text()
    assert once.startswith(f"{before}\n{contest.TITLE}\n\nWritten by ")
    assert once.endswith(f"| create | 6.0 | – |\n{after}")
    assert "| list of 20 | 2.1 (2.0–2.4) | 12 |" in once
    assert "former figures" not in once
    contest.write(path, COSTS, machine="a machine")
    assert path.read_text() == once


def test_a_comparison_is_added_to_a_page_without_one(tmp_path: Path) -> None:
    path = tmp_path / "performance.md"
    path.write_text("# Performance\n\nfigures\n")
    contest.write(path, COSTS, machine="a machine")
    assert path.read_text().startswith(f"# Performance\n\nfigures\n\n{contest.TITLE}\n")


def test_peers_have_the_versions_of_what_they_share_with_copydesk() -> None:
    own, theirs = (
        dict(re.findall(r"^([a-z0-9-]+)(?:\[.*\])?==(\S+)", path.read_text(), re.MULTILINE))
        for path in (ROOT / "requirements.lock", LOCK)
    )
    shared = own.keys() & theirs.keys()
    assert {"fastapi", "sqlmodel", "uvicorn", "starlette", "pydantic"} <= shared
    assert {name: theirs[name] for name in shared} == {name: own[name] for name in shared}
