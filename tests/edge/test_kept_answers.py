"""After any write the cache answers what a store answers that keeps nothing, and what it has dropped by key
is at least what has changed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from uuid import UUID

import orjson
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from service.articles import clock as schedule
from service.images import clock as licences
from service.published import keys, moves
from service.published.backlog import Backlog
from service.server import openapi
from tests.clocks import MovableClock, clock
from tests.edge.asking import Answered, ask, cache_of
from tests.edge.desk import WRITES, Desk, Write, addresses
from tests.effort import LONG
from tests.serving import Store, another

__all__ = ["clock"]
TOLD = ("etag", "location", "link", "content-type", "content-length")
"""Headers that are the same for all who ask; the ages of an answer are told by the second."""
WRITES_NOTHING_PUBLIC = {"create_article_preview", "revoke_article_previews"}
NOT_KEPT = {
    "get_current_consent",
    "list_current_events",
    "get_current_receipt",
    "get_klaro_config",
    "get_tree_head",
    "get_inclusion_proof",
    "get_consistency_proof",
    "get_preview",
    "get_preview_media",
    "stream_changes",
}
"""Operations under the cache's addresses whose answers are of one reader, or of the log of consents."""
TELLING = {"items", "digest", "parts"}
"""Members of the change feed that tell of what is public. Others say how far it was read, and what is not
public is numbered too.
"""
OF_STAFF = {"status", "view", "without_file", "in_use", "missing", "expires_before", "digest", "wait"}
ELSEWHERE = {"If-None-Match", "cursor", "last-event-id", "published", "id", "since"}
"""Parameters of which some are told in the answers that are asked for here."""


@pytest.fixture
def stores(
    store: Store, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Store, Store]]:
    """A store that keeps answers, and one on the same database that keeps none. No job of either acts by
    itself between two questions.
    """
    monkeypatch.setattr(schedule, "next_due", lambda _: None)
    monkeypatch.setattr(licences, "is_due", lambda _: False)
    monkeypatch.setattr(Backlog, "next_of_ended_rights", lambda _: None)
    with (
        another(store, cache_keys="surrogate-key") as keeping,
        another(store, cache_keys="surrogate-key", cache_bytes=0) as forgetful,
    ):
        yield keeping, forgetful


@dataclass(frozen=True)
class Seen:
    """An answer, as far as it is the same for all who ask."""

    status: int
    told: tuple[str | None, ...]
    body: bytes
    keys: frozenset[str]

    @classmethod
    def of(cls, answer: Answered) -> "Seen":
        named = answer.headers.get("surrogate-key", "")
        told = tuple(answer.headers.get(name) for name in TOLD)
        return cls(answer.status, told, answer.body, frozenset(named.split(" ")))


def seen(store: Store, address: str, method: str = "GET") -> Seen:
    path, _, query = address.partition("?")
    said = Seen.of(ask(store, path, query, method=method))
    if not path.startswith("/v1/changes") or not said.body:
        return said
    members = {name: value for name, value in orjson.loads(said.body).items() if name in TELLING}
    return replace(said, told=(), body=orjson.dumps(members))


def number(store: Store) -> int:
    return store.portal.call(cache_of(store)._reader.seq)


def concerned(store: Store, since: int) -> set[str]:
    """Return the keys that the changes since a number name."""
    _, changes = store.portal.call(cache_of(store)._reader.changes, since)
    return {
        key
        for kind, id_, _, seq, written in changes
        for key in keys.of_change(kind, UUID(id_), moves.since(written, seq, since))
    }


def asked_of(desk: Desk) -> list[str]:
    return [address for each in addresses(desk).values() for address in each]


def faults(desk: Desk, forgetful: Store, name: str, write: Write, place: int) -> list[str]:
    """Have all answers kept, write, and return what differs from the answers of a store that keeps none."""
    keeping, every = desk.store, asked_of(desk)
    before = {address: seen(keeping, address) for address in every}
    since, time = number(keeping), desk.clock.ahead
    write(desk, place)
    now, has_passed = concerned(keeping, since), desk.clock.ahead != time
    fresh = {address: seen(forgetful, address) for address in every}
    found = []
    for address in every:
        kept = seen(keeping, address)
        if _is_late_by_right(address, before, fresh):
            assert kept in (before[address], fresh[address])
        elif kept != fresh[address]:
            found.append(f"{name} {place}: {address} is kept")
        elif fresh[address] != before[address] and not has_passed and not before[address].keys & now:
            found.append(f"{name} {place}: {address} is dropped by no key")
    path, _, query = every[place % len(every)].partition("?")
    head, whole = ask(keeping, path, query, method="HEAD"), ask(keeping, path, query)
    assert (head.status, Seen.of(head).told, head.body) == (whole.status, Seen.of(whole).told, b"")
    return found


def _is_late_by_right(address: str, before: dict[str, Seen], fresh: dict[str, Seen]) -> bool:
    """Return whether an address is the page of an article that has not changed itself: the page may show new
    sections, and new related articles, a minute later.
    """
    path = address.removeprefix("/read/")
    own = f"/v1/articles/{path}"
    return path != address and own in before and before[own] == fresh[own]


@pytest.mark.slow
def test_every_write_of_the_document_is_tried_and_every_address_asked_for(
    stores: tuple[Store, Store], clock: MovableClock
) -> None:
    document = openapi(stores[0].settings)["paths"]
    operations = {
        said["operationId"]: (method, path, said)
        for path, methods in document.items()
        for method, said in methods.items()
    }
    content = ("/v1/articles", "/v1/images", "/v1/captions", "/v1/consent-notices", "/v1/imports")
    writes = {
        name for name, (method, path, _) in operations.items() if method != "get" and path.startswith(content)
    }
    assert writes - WRITES_NOTHING_PUBLIC == {name for name, _ in WRITES}
    asked = addresses(Desk(stores[0], clock))
    reads = {
        name
        for name, (method, path, said) in operations.items()
        if method == "get"
        and path.startswith(("/v1/", "/feeds/", "/sitemaps/"))
        and said.get("x-required-scope") is None
    }
    assert reads - NOT_KEPT == asked.keys() - {"pages"}
    for name in reads - NOT_KEPT:
        given = {each["name"] for each in operations[name][2]["parameters"] if each["in"] == "query"}
        left = {each for each in given if not any(f"{each}=" in address for address in asked[name])}
        assert left <= OF_STAFF | ELSEWHERE, (name, left)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_each_kind_of_write_leaves_no_answer_of_before(
    stores: tuple[Store, Store], clock: MovableClock
) -> None:
    keeping, forgetful = stores
    desk = Desk(keeping, clock)
    hits = cache_of(keeping).hits
    assert [
        fault
        for place, (name, write) in enumerate(WRITES)
        for fault in faults(desk, forgetful, name, write, place)
    ] == []
    assert cache_of(keeping).hits - hits > len(WRITES) * 40, "the answers were kept"
    assert desk.accepted == {name for name, _ in WRITES}, "no write was refused each time"


@pytest.mark.slow
@pytest.mark.parametrize("count", [40 if LONG else 2])
def test_no_order_of_writes_leaves_an_answer_of_before(
    stores: tuple[Store, Store], clock: MovableClock, count: int
) -> None:
    acts = st.lists(st.tuples(st.integers(0, len(WRITES) - 1), st.integers(0, 40)), min_size=6, max_size=12)

    # An example takes seconds: what fails is told as it was found, because shrinking would take an hour.
    phases = [Phase.explicit, Phase.generate]

    @settings(max_examples=count, deadline=None, suppress_health_check=list(HealthCheck), phases=phases)
    @given(acts)
    def try_out(acts: list[tuple[int, int]]) -> None:
        desk = Desk(stores[0], clock)
        for act, place in acts:
            assert faults(desk, stores[1], *WRITES[act], place) == []

    try_out()
