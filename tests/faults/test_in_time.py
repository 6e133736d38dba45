"""Through every fault of its database the service says within a second how it is, and refuses in time what it
cannot do.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests import postgres
from tests.articles.newsroom import published
from tests.commands import copydesk, served
from tests.databases import migrate
from tests.faults.breaking import locked, stopped
from tests.faults.crowd import crowd
from tests.patience import PATIENCE, wait_until
from tests.reporting import Figure
from tests.serving import EDITOR, SECRET, settings_for

CLIENTS, POOL = 200, 5
LASTS = 6.0
"""Seconds of each fault."""
MOST = {"/health/live": 0.1, "/health/ready": 1.0, "/metrics": 1.0}
"""Seconds for each answer, of a machine that has nothing else to do."""
FIRST_REFUSAL = 1.0
"""Seconds until the first of a crowd is refused, of such a machine."""
BUSY = 5
"""How many times as long it may take on one that has."""


def nothing_is_wrong(_url: str, _folder: Path, _server: postgres.OwnServer) -> ExitStack:
    return ExitStack()


def everything_is_locked(url: str, folder: Path, _server: postgres.OwnServer) -> ExitStack:
    stack = ExitStack()
    stack.enter_context(locked(settings_for(url, folder)))
    return stack


def it_is_stopped(_url: str, _folder: Path, server: postgres.OwnServer) -> ExitStack:
    stack = ExitStack()
    stack.enter_context(stopped(server))
    return stack


def it_is_away(_url: str, _folder: Path, server: postgres.OwnServer) -> ExitStack:
    stack = ExitStack()
    server.stop()
    stack.callback(server.start)
    return stack


FAULTS: dict[str, tuple[Callable[[str, Path, postgres.OwnServer], ExitStack], tuple[str, ...]]] = {
    "a crowd": (nothing_is_wrong, ("sqlite", "postgresql")),
    "locked": (everything_is_locked, ("sqlite", "postgresql")),
    "stopped": (it_is_stopped, ("postgresql",)),
    "away": (it_is_away, ("postgresql",)),
}


@pytest.mark.long
@pytest.mark.parametrize(
    ("fault", "kind"), [(fault, kind) for fault, (_, kinds) in FAULTS.items() for kind in kinds]
)
def test_the_service_says_in_time_how_it_is(
    fault: str, kind: str, tmp_path: Path, record_property: Figure
) -> None:
    scopes = [word for scope in EDITOR for word in ("--scope", scope)]
    with postgres.own_server() as server:
        url = f"sqlite:///{tmp_path / 'copydesk.db'}" if kind == "sqlite" else server.create_database("store")
        migrate(url)
        settings = {
            "COPYDESK_DATABASE_URL": url,
            "COPYDESK_SECRET_KEY": SECRET,
            "COPYDESK_DATABASE_POOL_SIZE": str(POOL),
            "COPYDESK_LOG_LEVEL": "error",
        }
        token = copydesk(tmp_path, "token", "create", "--name", "desk", *scopes, **settings).stdout.strip()
        headers = {"Authorization": f"Bearer {token}"}
        with (
            served(tmp_path, "serve", **settings) as (base, _),
            httpx.Client(base_url=base, headers=headers, timeout=PATIENCE) as editor,
        ):
            published(editor)
            with FAULTS[fault][0](url, tmp_path, server), crowd(base, headers, CLIENTS) as refused:
                worst = watch(base)
            wait_until(lambda: httpx.get(f"{base}/health/ready", timeout=PATIENCE).status_code == 200)
            published(editor)
    for path, seconds in worst.items():
        record_property(f"seconds, {path}", f"{seconds:.3f}")
        assert seconds < BUSY * MOST[path], path
    if refused:
        record_property("seconds, the first refusal", f"{min(refused):.2f}")
        assert min(refused) < BUSY * FIRST_REFUSAL


def watch(base: str) -> dict[str, float]:
    """Ask how the service is for as long as the fault lasts; return the longest that each answer took."""
    worst = dict.fromkeys(MOST, 0.0)
    ends_at = time.monotonic() + LASTS
    with httpx.Client(base_url=base, timeout=PATIENCE) as client:
        while time.monotonic() < ends_at:
            for path in MOST:
                began = time.monotonic()
                assert client.get(path).status_code in (200, 503)
                worst[path] = max(worst[path], time.monotonic() - began)
    return worst
