"""Serve a store in a process whose surroundings another command has made."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from service.rooms import open_database
from service.settings import Settings
from service.tokens import TokenCreate, make_token
from tests.commands import environment, free_port
from tests.patience import PATIENCE, wait_until
from tests.serving import EDITOR


@contextmanager
def served_by(before: Sequence[str], folder: Path, **settings: str) -> Iterator[tuple[str, int]]:
    """Serve by a command that ends in `copydesk serve`; yield the store's address and its process's id."""
    base = f"http://127.0.0.1:{(port := free_port())}"
    serve = (sys.executable, "-m", "service", "serve", "--port", str(port))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*before, *serve], cwd=folder, env=environment(**settings), stdout=log, stderr=log
        )
    try:
        wait_until(lambda: process.poll() is not None or _answers(base), "the service never answered")
        assert process.poll() is None, (folder / "log").read_text()
        yield base, process.pid
    finally:
        process.kill()
        process.wait()


def _answers(base: str) -> bool:
    try:
        return httpx.get(f"{base}/health/ready", timeout=PATIENCE).status_code == 200
    except httpx.TransportError:
        return False


def make_editor(url: str) -> str:
    """Make an editor's token in a database."""
    database = open_database(Settings(_env_file=None, database_url=url))
    with database.writing() as session:
        made = make_token(session, TokenCreate.model_validate({"name": "desk", "scopes": list(EDITOR)}))
    database.close()
    return made.token
