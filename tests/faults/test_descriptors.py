"""Descriptors run out: those who are connected are answered, the others are told so, and all is well
afterwards.
"""

import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from service.edge.connections import SPARE_FILES
from tests.articles.newsroom import draft, problem, published
from tests.faults.apart import make_editor, served_by
from tests.images.pictures import noise, upload
from tests.patience import PATIENCE, wait_until
from tests.serving import SECRET

CONNECTIONS = 40
FEW = ("sh", "-c", f'ulimit -n {SPARE_FILES + CONNECTIONS} && exec "$@"', "sh")


@contextmanager
def none_left(pid: int) -> Iterator[None]:
    """Let a process open nothing more."""
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


@pytest.mark.long
def test_descriptors_run_out(database_url: str, tmp_path: Path) -> None:
    settings = {
        "COPYDESK_DATABASE_URL": database_url,
        "COPYDESK_MEDIA_URL": f"file:{tmp_path / 'media'}",
        "COPYDESK_SECRET_KEY": SECRET,
        "COPYDESK_PICTURE_AHEAD": "false",
    }
    token = {"Authorization": f"Bearer {make_editor(database_url)}"}
    with (
        served_by(FEW, tmp_path, **settings) as (base, pid),
        httpx.Client(base_url=base, headers=token, timeout=PATIENCE) as editor,
    ):
        article = published(editor)
        picture = upload(editor, noise((30, 30))).json()["renditions"][-1]["href"]
        with ExitStack() as stack:
            # Connections that say nothing have all that there are for connections.
            place = urlsplit(base)
            for _ in range(CONNECTIONS):
                stack.enter_context(socket.create_connection((place.hostname, place.port), timeout=PATIENCE))
            refused = wait_until(lambda: _refusal(base))
            assert problem(refused, 503, "too-many-connections") and refused.headers["retry-after"]
            # The database and pictures have their own.
            assert draft(editor)["id"]
            assert upload(editor, noise((31, 31))).status_code == 201
            assert editor.get(picture).status_code == 200
        wait_until(lambda: _refusal(base) is None)
        with none_left(pid):
            problem(upload(editor, noise((32, 32))), 503, "media-unavailable")
            for path in (f"/v1/articles/{article['id']}", "/v1/articles?limit=7", "/health/ready"):
                assert editor.get(path).status_code in (200, 503)
            assert editor.get("/health/live").status_code == 200
        assert upload(editor, noise((32, 32))).status_code == 201
        wait_until(lambda: httpx.get(f"{base}/health/ready", timeout=PATIENCE).status_code == 200)


def _refusal(base: str) -> httpx.Response | None:
    answer = httpx.get(f"{base}/health/live", timeout=PATIENCE)
    return answer if answer.status_code == 503 else None
