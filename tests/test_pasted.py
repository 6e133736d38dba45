"""Every command of every document works when it is pasted, from top to bottom, beside a running demo."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands import ROOT, environment, free_port, served, warm
from tests.patience import PATIENCE

LEFT_OUT = {"CONTRIBUTING.md"}  # ./run test, which runs this
PAGES = {
    str(path.relative_to(ROOT)): re.findall(r"^```sh\n(.*?)^```", path.read_text(), re.DOTALL | re.MULTILINE)
    for path in sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
}
# An answer of 400 or more is a failure, as one would see with one's eyes. A stream goes on; two seconds of it
# are enough.
SHELL = """
set -meuo pipefail
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
curl() {
    local failed=0
    command curl --silent --show-error --fail-with-body --max-time "$(if [[ " $* " == *" -N "* ]]; then echo 2; else echo 60; fi)" "$@" || failed=$?
    [ "$failed" = 0 ] || { [ "$failed" = 28 ] && [[ " $* " == *" -N "* ]]; }
}
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the documents, and with `./run` as in a checkout, but for starting Python anew."""
    folder = tmp_path_factory.mktemp("checkout")
    (folder / "docs").symlink_to(ROOT / "docs")
    run = folder / "run"
    asking = f'"{sys.executable}" -I -S "{ROOT}/tests/forked.py" {warm().fileno()}'
    run.write_text(f'#!/bin/sh\nexec {asking} "$@"\n')
    run.chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def demo(checkout: Path) -> Iterator[str]:
    with served(checkout, "demo", **settings()) as (base, _):
        yield base


def settings() -> dict[str, str]:
    return {
        "COPYDESK_PICTURE_AHEAD": "false",
        "COPYDESK_LOG_LEVEL": "error",
        "COPYDESK_OUTBOUND_ALLOW_LOOPBACK": "true",
    }


@pytest.mark.parametrize("name", [name for name, blocks in PAGES.items() if blocks and name not in LEFT_OUT])
def test_the_commands_of_a_page_work_as_pasted(name: str, checkout: Path, demo: str) -> None:
    pasted = SHELL + "\n".join(PAGES[name])
    pasted = pasted.replace("9001", str(free_port()))
    pasted = re.sub(r"(127\.0\.0\.1|localhost):8000", demo.removeprefix("http://"), pasted)
    done = subprocess.run(
        ["bash", "-c", pasted],
        cwd=checkout,
        env=environment(**settings()),
        pass_fds=[warm().fileno()],
        capture_output=True,
        text=True,
        check=False,
        timeout=4 * PATIENCE,
    )
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
