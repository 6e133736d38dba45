"""Each part of a cluster is killed while it serves: nothing that was acknowledged is lost, no answer is older
than a second, no reader fails, and every follower has everything.
"""

import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.cluster.lives import Lives, number_of
from tests.cluster.parts import IS_INSTALLED, Cluster, cluster
from tests.cluster.standing import kill
from tests.patience import wait_until
from tests.reporting import Figure

WRITERS, READERS, FOLLOWERS = 8, 32, 4
PURGED_WITHIN = 8.0
"""Seconds in which Varnish has dropped what has changed, though the process that purges was killed."""
GONE_FOR = 3.0
"""Seconds for which a part is away."""
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not IS_INSTALLED, reason="pgbouncer, haproxy or varnish is not installed"),
]


def test_nothing_is_lost_and_no_reader_fails_whatever_part_is_killed(
    tmp_path: Path, record_property: Figure
) -> None:
    with cluster(tmp_path) as made:
        with Lives(made.addresses, made.token, WRITERS, READERS, FOLLOWERS) as lives:
            seen = lives.seen
            kept = list[float]()
            wait_until(lambda: seen.writes > 20)
            for name, act in acts(made).items():
                before, seen.kept = (len(seen.failed), len(seen.stale), seen.writes), 0.0
                began = time.monotonic()
                act()
                wait_until(lambda: seen.writes > before[2] + 10, f"no write after {name}")  # noqa: B023
                time.sleep(1)
                took = time.monotonic() - began
                kept.append(seen.kept)
                record_property(
                    f"{name}: seconds, writes, failed reads, stale, seconds kept by Varnish",
                    f"{took:.0f}, {seen.writes - before[2]}, {len(seen.failed) - before[0]},"
                    f" {len(seen.stale) - before[1]}, {seen.kept:.1f}",
                )
            seen.kept = 0.0
            killed_at = fail_over(made)
            first = wait_until(
                lambda: [
                    at
                    for last in list(seen.acknowledged.values())
                    for at, _ in list(last)
                    if at > killed_at + 1
                ]
            )
            refused = [again for at, again in seen.refused if at >= killed_at]
            record_property("failover: seconds to the first write", f"{min(first) - killed_at:.1f}")
            time.sleep(5)
            kept.append(seen.kept)
        lost = [
            (article, all_of[-1][1])
            for article, all_of in seen.acknowledged.items()
            if number_at(made, article) < all_of[-1][1]
        ]
        behind = [
            article
            for copy in seen.copies
            for article, all_of in seen.acknowledged.items()
            if copy.get(article, -1) < all_of[-1][1]
        ]
    record_property(
        "acknowledged, lost, reads, failed, sent again, stale, behind",
        f"{seen.writes}, {len(lost)}, {seen.reads}, {len(seen.failed)}, {seen.again}, {len(seen.stale)}, {len(behind)}",
    )
    record_property(
        "writes refused with 503, seconds kept by Varnish over the failover",
        f"{len(seen.refused)}, {seen.kept:.1f}",
    )
    assert (lost, seen.failed, seen.stale, behind) == ([], [], [], [])
    assert None not in refused
    assert max(kept) < PURGED_WITHIN
    assert min(first) - killed_at < 30


def acts(made: Cluster) -> dict[str, Callable[[], None]]:
    """Name everything that happens to a part which comes back."""
    parts = {
        "instance one": made.instances[0],
        "instance two": made.instances[1],
        "pgbouncer one": made.poolers[0],
        "HAProxy": made.haproxy,
        "Varnish": made.varnish,
    }
    return {
        **{f"kill {name}": lambda part=part: away(part.kill, part.start) for name, part in parts.items()},
        "kill the standby": lambda: away(lambda: kill(made.servers.standby), made.servers.standby.start),
        "part the standby": lambda: part_standby(made),
        "restart both instances": lambda: restart(made),
        "kill the primary": lambda: crash(made),
    }


def away(end: Callable[[], None], start: Callable[[], None]) -> None:
    end()
    time.sleep(GONE_FOR)
    start()


def part_standby(made: Cluster) -> None:
    with made.servers.parted():
        time.sleep(2 * GONE_FOR)


def restart(made: Cluster) -> None:
    for instance in made.instances:
        instance.stop()
        instance.start()
        time.sleep(2)


def crash(made: Cluster) -> None:
    """Kill the primary, which then comes back by itself."""
    made.servers.synchronous()
    away(lambda: kill(made.servers.primary), made.servers.primary.start)


def fail_over(made: Cluster) -> float:
    """Kill the primary, and make the standby the primary; return when it was killed."""
    made.servers.synchronous()
    killed_at = time.monotonic()
    kill(made.servers.primary)
    time.sleep(2)
    made.servers.promote()
    made.point_poolers_at(made.servers.standby.port)
    return killed_at


def number_at(made: Cluster, article: str) -> int:
    answer = httpx.get(f"{made.addresses[0]}/v1/articles/{article}", timeout=30)
    return number_of(answer.json()["headline"]) if answer.status_code == 200 else -1
