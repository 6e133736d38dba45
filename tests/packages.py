"""Programs of npm and PyPI that `.ci/run` installs for tests. Where one is missing, its test is skipped and
says so.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.commands import ROOT
from tests.patience import PATIENCE

PACKAGES = ROOT / "node_modules"
STRICT = "--strict --skipLibCheck --noEmit --target es2022 --module esnext --moduleResolution bundler --lib es2022,dom,dom.iterable"
"""How TypeScript is compiled: as a front end that lets nothing pass."""


def link_packages(folder: Path) -> None:
    """Let programs that run in a folder find the packages of npm."""
    if PACKAGES.is_dir():
        (folder / "node_modules").symlink_to(PACKAGES)


def run(folder: Path, command: str, **environment: str) -> str:
    """Run a command of npm or Python in a folder and return what it prints. A command that fails fails the
    test.
    """
    name, *rest = command.split()
    found = shutil.which(name, path=f"{PACKAGES / '.bin'}{os.pathsep}{os.environ['PATH']}")
    if found is None:
        pytest.skip(f"{name} is not installed (.ci/run installs it)")
    done = subprocess.run(
        [found, *rest],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=4 * PATIENCE,
        check=False,
        env={**os.environ, "CI": "1", "REDOCLY_TELEMETRY": "off", "NO_COLOR": "1", **environment},
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout
