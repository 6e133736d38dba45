"""Many small writes in one transaction, each with its own answer."""

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError

from service import group_commit
from service.database import Session
from service.errors import Conflict, Unavailable
from service.group_commit import GroupCommit, Write, each
from service.rooms import open_database
from tests.faults.breaking import locked
from tests.serving import Store

Commits = GroupCommit[Write, Any]


def add(session: Session, key: str) -> str:
    session.execute(
        text(
            "INSERT INTO consent_subject (id, salt, pseudonym, secret_digest, created_at) VALUES (:id, :salt, :key, :key, '2026-01-01')"
        ),
        {"id": f"{abs(hash(key)) % 10**12:032d}", "salt": b"salt", "key": key},
    )
    return key


def refuse(session: Session) -> str:
    raise Conflict("No.")


def kept(store: Store) -> set[str]:
    with store.database.reading() as session:
        return set(session.execute(text("SELECT pseudonym FROM consent_subject")).scalars())


async def run_all(commits: Commits, *keys: str) -> list[object]:
    writes = [
        commits.run((lambda session, key=key: add(session, key)) if key != "refuse" else refuse)
        for key in keys
    ]
    return await asyncio.gather(*writes, return_exceptions=True)


def test_everybody_gets_their_own_answer(store: Store) -> None:
    answers = asyncio.run(run_all(Commits(store.database, each), "a", "refuse", "b"))
    assert answers[0] == "a"
    assert isinstance(answers[1], Conflict)
    assert answers[2] == "b"
    assert kept(store) == {"a", "b"}


def test_more_than_may_wait_are_refused_at_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "MOST_TOGETHER", 2)
    monkeypatch.setattr(group_commit, "MOST_BATCHES", 3)
    answers = asyncio.run(run_all(Commits(store.database, each), *"abcdefg"))
    assert answers[:6] == [*"abcdef"]
    assert isinstance(answers[6], Unavailable)
    assert kept(store) == {*"abcdef"}


def test_one_that_cannot_be_stored_spoils_nothing_else(store: Store) -> None:
    answers = asyncio.run(run_all(Commits(store.database, each), "a", "b", "a", "c"))
    assert [answers[0], answers[1], answers[3]] == ["a", "b", "c"]
    assert isinstance(answers[2], IntegrityError)
    assert kept(store) == {"a", "b", "c"}


def test_more_than_fit_into_one_transaction_are_all_made(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "STALLS_AFTER", 60)  # A busy machine may take long.
    keys = [f"reader {number}" for number in range(250)]
    assert asyncio.run(run_all(Commits(store.database, each), *keys)) == keys
    assert kept(store) == set(keys)


@pytest.mark.slow
def test_processes_whose_writes_cross_do_not_fail(store: Store) -> None:
    met = threading.Barrier(2)

    def meet(session: Session) -> str:
        with suppress(threading.BrokenBarrierError):
            met.wait(0.5)
        return "met"

    async def cross(first: str, second: str) -> list[object]:
        database = open_database(store.settings)
        commits = Commits(database, each)
        writes = (lambda session: add(session, first), meet, lambda session: add(session, second))
        answers = await asyncio.gather(*(commits.run(write) for write in writes), return_exceptions=True)
        database.close()
        return answers

    with ThreadPoolExecutor(2) as processes:
        crossing = [processes.submit(asyncio.run, cross(*keys)) for keys in (("a", "b"), ("b", "a"))]
    answers = [answer for one in crossing for answer in one.result() if answer != "met"]
    assert sorted(answer for answer in answers if isinstance(answer, str)) == ["a", "b"]
    assert len([answer for answer in answers if isinstance(answer, IntegrityError)]) == 2
    assert kept(store) == {"a", "b"}


def test_whoever_goes_away_takes_nobody_along(store: Store) -> None:
    async def leave() -> tuple[set[str], object]:
        commits = Commits(store.database, each)
        leaving = asyncio.create_task(commits.run(lambda session: add(session, "leaving")))
        staying = asyncio.create_task(commits.run(lambda session: add(session, "staying")))
        await asyncio.sleep(0)
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        # What was asked for is there by then: to ask for it again would else make it twice.
        return kept(store), await staying

    assert asyncio.run(leave()) == ({"leaving", "staying"}, "staying")


def test_a_fault_of_the_stores_fails_all_of_them_at_once(store: Store) -> None:
    tried: list[int] = []

    def insert_all(session: Session, keys: Sequence[str]) -> list[str]:
        tried.append(len(keys))
        return [add(session, key) for key in keys]

    async def write() -> list[object]:
        database = open_database(store.settings.model_copy(update={"request_deadline": 0.4}))
        commits = GroupCommit[str, str](database, insert_all)
        answers = await asyncio.gather(
            *(commits.run(f"reader {n}") for n in range(10)), return_exceptions=True
        )
        database.close()
        return answers

    with locked(store.settings, "consent_subject"):
        answers = asyncio.run(write())
    assert {type(answer) for answer in answers} == {OperationalError}
    # Not one by one: each would wait for the lock.
    assert tried == [10]
    assert kept(store) == set()


def test_while_one_batch_takes_long_no_more_wait_than_go_into_the_next(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "STALLS_AFTER", 0.05)
    most = max(store.database.admission.most_waiting, group_commit.MOST_TOGETHER)
    goes_on = threading.Event()

    def wait(session: Session) -> str:
        goes_on.wait(30)
        return "waited"

    async def work() -> tuple[list[object], list[object], object]:
        commits = Commits(store.database, each)
        at_work = asyncio.create_task(commits.run(wait))
        await asyncio.sleep(0)
        waiting = [asyncio.create_task(commits.run(lambda _, n=n: n)) for n in range(2 * most)]
        # Those that came last are refused though the database has answered nothing.
        refused = await asyncio.gather(*waiting[most:], return_exceptions=True)
        (newcomer,) = await asyncio.gather(commits.run(lambda _: "new"), return_exceptions=True)
        goes_on.set()
        assert await at_work == "waited"
        assert await commits.run(lambda _: "after") == "after"
        return await asyncio.gather(*waiting[:most]), refused, newcomer

    answered, refused, newcomer = asyncio.run(work())
    assert answered == list(range(most))
    assert {type(one) for one in [*refused, newcomer]} == {Unavailable}


@pytest.mark.slow
def test_while_a_statement_is_left_unanswered_no_more_wait_than_other_requests(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "STALLS_AFTER", 0.05)
    monkeypatch.setattr(group_commit, "MOST_TOGETHER", 1_000)
    settings = store.settings.model_copy(update={"database_pool_size": 3})
    database = open_database(settings, serves=True)
    most, many = database.admission.most_waiting, 500

    async def work() -> tuple[list[object], list[object]]:
        commits = Commits(database, each)
        with locked(store.settings, "consent_subject"):
            at_work = asyncio.create_task(commits.run(lambda session: add(session, "at work")))
            await asyncio.sleep(0)
            waiting = [asyncio.create_task(commits.run(lambda _, n=n: n)) for n in range(many)]
            refused = await asyncio.gather(*waiting[most:], return_exceptions=True)
        assert await at_work == "at work"
        return await asyncio.gather(*waiting[:most]), refused

    answered, refused = asyncio.run(work())
    database.close()
    assert most < many
    assert answered == list(range(most))
    assert {type(one) for one in refused} == {Unavailable}


def test_a_fault_of_the_codes_own_reaches_everybody(store: Store) -> None:
    def fail(_session: Session, _writes: Sequence[Write]) -> list[object]:
        raise ZeroDivisionError

    async def work() -> list[object]:
        commits = Commits(store.database, fail)
        return await asyncio.gather(*(commits.run(refuse) for _ in range(3)), return_exceptions=True)

    assert {type(one) for one in asyncio.run(work())} == {ZeroDivisionError}
