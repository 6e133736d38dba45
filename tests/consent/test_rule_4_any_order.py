"""Rule 4, for any decisions in any order of arrival: the end is that of the same decisions in their order,
told by a plain model.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.consent.deciding import OPTIONAL, current, decide, granted
from tests.serving import Store

MINUTES = st.integers(0, 6)
GRANTS = st.frozensets(st.sampled_from(OPTIONAL))


class Told(NamedTuple):
    """One decision as a reader's clock tells it."""

    minute: int
    grants: frozenset[str]


def expected(decisions: Sequence[Told]) -> tuple[str, set[str]]:
    """Where a reader must stand: status and optional purposes granted."""
    last = max(decision.minute for decision in decisions)
    latest = [decision.grants for decision in decisions if decision.minute == last]
    both = frozenset.intersection(*latest)
    if not both or not all(latest):
        return "ConsentRefused", set()
    before = any(decision.grants for decision in decisions if decision.minute < last)
    return ("RenewedConsentGiven" if before else "ConsentGiven"), set(both)


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.builds(Told, MINUTES, GRANTS), min_size=1, max_size=6))
def test_rule_4_decisions_in_any_order_of_arrival_end_alike(store: Store, decisions: list[Told]) -> None:
    start = datetime.now(UTC) - timedelta(hours=1)
    with store.client() as reader:
        for minute, grants in decisions:
            at = (start + timedelta(minutes=minute)).isoformat()
            answered = decide(reader, "save", granted=tuple(grants), client_event_time=at)
        record = current(reader)
    assert (record["status"], granted(record) - {"necessary"}) == expected(decisions)
    assert record["status"] == answered["status"]
    assert record["purposes"] == answered["purposes"]
