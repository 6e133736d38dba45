"""How much a run of the tests tries: `./run test --long` has it try more, `./run test --fast` less."""

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

LONG = os.environ.get("COPYDESK_TEST_LONG") == "1"
FAST = os.environ.get("COPYDESK_TEST_FAST") == "1"
EXAMPLES = 3
"""Of each test with many examples, how many a fast run tries."""
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
    """Return the tests that this run has no time for."""
    if LONG:
        return []
    seen = Counter[str]()
    return [item for item in items if item.get_closest_marker("long") or (FAST and _is_more(item, seen))]


def _is_more(item: pytest.Item, seen: Counter[str]) -> bool:
    """Return whether a test is one on PostgreSQL, or one example too many. `seen` counts those that were
    taken.
    """
    examples = getattr(item, "callspec", None)
    if examples is not None and "postgresql" in examples.params.values():
        return True
    test = item.nodeid.partition("[")[0]
    seen[test] += 1
    return seen[test] > EXAMPLES
