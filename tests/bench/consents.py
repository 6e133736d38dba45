"""Consent: decisions a second through the API, how long they take at half of what is asked, and where a
reader among a million stands.
"""

from collections.abc import Iterator, Sequence

import orjson

from service.consent.decisions.subjects import COOKIE
from service.settings import Settings
from service.tables import now, write_time
from tests.bench import readers
from tests.bench.figures import Figure
from tests.bench.measure import Bench
from tests.bench.served import Served
from tests.bench.stand import SECRET, served_store
from tests.bench.stores import Stores
from tests.bench.wrk import MARK, Plan

RATE = {"SQLite": 800, "PostgreSQL": 1_500}
SLOWEST = 100.0
"""Milliseconds, for 99 of 100 decisions at half of that rate."""
CURRENT = 2.0
"""Milliseconds."""
CONNECTIONS = 64
ASKED_ABOUT = 2_000
NOTES = (
    f"consent-load: {CONNECTIONS} connections, each decision a new reader's, in a store of a million readers, answered when it is durable; at half"
    " the rate asked for, 99 of 100 are answered within the time shown.",
    f"consent-current: {ASKED_ABOUT:,} of the million readers in turn, one connection. The time is wrk's and so includes the way there and back; the"
    " CPU beside it is what the server works for one.",
)


def load(bench: Bench, stores: Stores) -> Iterator[Figure]:
    """Decisions a second, and how long they take at half of the rate that is asked for."""
    for database, url in _addresses(stores):
        rate = Figure("consent, decisions", database, "/s", RATE[database])
        wait = Figure(f"consent, p99 at {RATE[database] // 2}/s", database, "ms", SLOWEST, at_most=True)
        with served_store(bench, url) as served:
            plan, paced = _decisions(served), _decisions(served, RATE[database] // 2)
            bench.wrk.run(plan, served.port, 2)
            for _ in bench.progress.track(range(bench.rounds), description=f"consent-load, {database}"):
                sample = bench.sample(plan, served)
                rate.note(
                    sample.rate,
                    CPU_µs=sample.cpu * 1e6,
                    p50_ms=sample.load.p50 * 1e3,
                    p99_ms=sample.load.p99 * 1e3,
                )
                sample = bench.sample(paced, served)
                wait.note(
                    sample.load.p99 * 1e3,
                    p50_ms=sample.load.p50 * 1e3,
                    reached_a_s=sample.rate,
                    CPU_µs=sample.cpu * 1e6,
                )
        yield from (rate, wait)


def current(bench: Bench, stores: Stores) -> Iterator[Figure]:
    """How long a reader among a million waits to be told where they stand."""
    for database, url in _addresses(stores):
        figure = Figure("consent, current among 1,000,000", database, "ms", CURRENT, at_most=True)
        cookies = list(
            readers.secrets(
                Settings(_env_file=None, database_url=url, secret_key=SECRET), readers.READERS // ASKED_ABOUT
            )
        )
        plan = Plan([f"/v1/consents/current\tCookie: {COOKIE}={one}" for one in cookies], connections=1)
        with served_store(bench, url) as served:
            bench.wrk.run(plan, served.port, 2)
            for _ in bench.progress.track(range(bench.rounds), description=f"consent-current, {database}"):
                sample = bench.sample(plan, served)
                figure.note(sample.load.p50 * 1e3, p99_ms=sample.load.p99 * 1e3, CPU_ms=sample.cpu * 1e3)
        yield figure


def _addresses(stores: Stores) -> Sequence[tuple[str, str]]:
    return [
        ("SQLite", stores.sqlite("readers")),
        *([("PostgreSQL", stores.postgres)] if stores.postgres else []),
    ]


def _decisions(served: Served, rate: int | None = None) -> Plan:
    """A first decision of a new reader each time, as a banner sends it: some of what is optional, not all."""
    notice = orjson.loads(served.get("/v1/consent-notices/default/current")[1])
    wanted = [
        one["purpose_key"]
        for one in notice["purposes"]
        if one["required"] or one["purpose_key"] == "analytics"
    ]
    decision = {
        "notice_key": notice["notice_key"],
        "notice_version": notice["version"],
        "action": "save",
        "language": "en",
        "ui_surface": "banner",
        "purposes": [
            {
                "purpose_key": one["purpose_key"],
                "decision": "granted" if one["purpose_key"] in wanted else "denied",
            }
            for one in notice["purposes"]
        ],
        "consent_id": MARK,
        "client_event_time": write_time(now()),
    }
    headers = (("Content-Type", "application/json"),)
    return Plan(["/v1/consents"], "POST", orjson.dumps(decision).decode(), headers, CONNECTIONS, rate)
