"""How much a run of the tests tries: `./run test --long` has it try more, `./run test --fast` less."""

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

LONG = os.environ.get("COPYDESK_TEST_LONG") == "1"
FAST = os.environ.get("COPYDESK_TEST_FAST") == "1"
_SLOW = frozenset(
    {
        # Their tests start browsers, servers, builds and whole stores of the past.
        "backup",
        "browser",
        "cluster",
        "faults",
        "generators",
        "stores",
        "upgrade",
        # Theirs start the command line, search by chance, or look at PostgreSQL alone.
        "test_cli.py",
        "test_crash.py",
        "test_cut_off.py",
        "test_dark.py",
        "test_ending.py",
        "test_lifecycle_machine.py",
        "test_migrations.py",
        "test_npm_receiver.py",
        "test_openapi_schema.py",
        "test_pasted.py",
        "test_query_plans.py",
        "test_rows_read.py",
        "test_slow_receivers.py",
        "test_varnish.py",
    }
)
"""Folders and files that a fast run does not look into."""


def is_left_out(path: Path) -> bool:
    """Return whether this run does not look into a folder or file."""
    return FAST and path.name in _SLOW


def left_out(items: Iterable[pytest.Item]) -> list[pytest.Item]:
    """Return the tests that this run has no time for: in a fast one, those that are marked `slow`, those on
    PostgreSQL, and all but the first example of each.
    """
    if LONG:
        return []
    seen = set[str]()
    return [item for item in items if item.get_closest_marker("long") or (FAST and _is_more(item, seen))]


def _is_more(item: pytest.Item, seen: set[str]) -> bool:
    """Return whether a fast run leaves a test out. `seen` are those of which an example was taken."""
    examples = getattr(item, "callspec", None)
    if item.get_closest_marker("slow"):
        return True
    if examples is not None and "postgresql" in examples.params.values():
        return True
    test = item.nodeid.partition("[")[0]
    if test in seen:
        return True
    seen.add(test)
    return False
