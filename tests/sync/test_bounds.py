"""Followers are bounded in number, and those who are turned away learn when to come again."""

from pathlib import Path

import httpx
import pytest

from tests.databases import KINDS
from tests.patience import PATIENCE, wait_until
from tests.serving import serving
from tests.sync.following import listening, now_at


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_one_network_has_so_many_followers(kind: str, tmp_path: Path, sqlite_template: Path) -> None:
    with (
        serving(kind, tmp_path, sqlite_template, followers_per_address=1) as store,
        listening(store.app, store.portal) as origin,
        httpx.Client(base_url=origin, timeout=PATIENCE) as client,
    ):
        end = now_at(client)
        wanted = {"Accept": "text/event-stream"}
        with client.stream("GET", end, headers=wanted) as stream:
            lines = stream.iter_lines()
            assert next(lines) == "retry: 2000"
            for refused in (client.get(f"{end}&wait=30"), client.get(end, headers=wanted)):
                assert (refused.status_code, refused.headers["retry-after"]) == (503, "10")
                assert refused.json()["type"] == "/problems/too-many-followers"
            assert client.get(end).status_code == 200
        wait_until(lambda: client.get(f"{end}&wait=0.01").status_code == 200)
