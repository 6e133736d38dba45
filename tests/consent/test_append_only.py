"""Events are only ever added and published notices stay: the session refuses to change them, and so does the
database.
"""

import re
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import delete, text, update
from sqlalchemy.exc import DBAPIError
from sqlmodel import col, select

from service.consent.models import ConsentEvent, ConsentNotice, Unchangeable
from tests.consent.deciding import ago, current, decide, events, notice
from tests.serving import Store

WHY = r"only ever added|never change|are kept"
REFUSED = pytest.raises(DBAPIError, match=WHY)


@pytest.fixture(autouse=True)
def a_decision(client: httpx.Client) -> None:
    decide(client, consent_id="7d1e", client_event_time=ago(minutes=1))


def another(value: object) -> object:
    """A value of the same type that is not the one that is stored."""
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case list():
            return []
        case datetime():
            return value + timedelta(days=1)
        case StrEnum():
            return next(member for member in type(value) if member is not value)
        case UUID():
            return uuid4()
        case _:
            return "another"


def test_the_database_refuses_to_change_any_member_of_an_event(store: Store, client: httpx.Client) -> None:
    with store.database.reading() as session:
        event = session.exec(select(ConsentEvent)).one()
    for name in ConsentEvent.model_fields:
        of_another_type = {"previous_event_id": uuid4(), "repeats": True}
        value = of_another_type.get(name) or another(getattr(event, name))
        with store.database.writing() as session:
            try:
                session.execute(update(ConsentEvent).values({name: value}))
            except DBAPIError as fault:
                assert re.search(WHY, str(fault)), name  # noqa: PT017  # the name is what matters of a failure
                session.rollback()
            else:
                pytest.fail(f"{name} was changed")
    assert len(events(client)) == 1


def test_the_database_refuses_to_delete_an_event(store: Store, client: httpx.Client) -> None:
    with REFUSED, store.database.writing() as session:
        session.execute(delete(ConsentEvent))
    if not store.settings.is_sqlite:
        with REFUSED, store.database.writing() as session:
            session.execute(text("TRUNCATE consent_event"))
    assert len(events(client)) == 1


def test_the_session_refuses_to_change_or_delete_an_event(store: Store) -> None:
    with store.database.reading() as session:
        event = session.exec(select(ConsentEvent)).one()
    event.language = "xx"
    with pytest.raises(Unchangeable), store.database.writing() as session:
        session.add(event)
    with pytest.raises(Unchangeable), store.database.writing() as session:
        session.delete(session.exec(select(ConsentEvent)).one())


def test_erasure_may_forget_what_links_an_event_to_a_reader_and_nothing_else(
    store: Store, client: httpx.Client
) -> None:
    forget = {"consent_id": None, "dedupe": None, "request_digest": None}
    with REFUSED, store.database.writing() as session:
        session.execute(update(ConsentEvent).values(consent_id=None))
    with REFUSED, store.database.writing() as session:
        session.execute(update(ConsentEvent).values(**forget, gpc=True))
    with store.database.writing() as session:
        session.execute(update(ConsentEvent).values(**forget))
    with REFUSED, store.database.writing() as session:
        session.execute(update(ConsentEvent).values(**forget | {"consent_id": "another"}))
    assert events(client)[0]["consent_id"] is None
    assert current(client)["status"] == "ConsentGiven"


def test_the_database_refuses_to_change_or_delete_a_published_notice(
    store: Store, newsroom: httpx.Client
) -> None:
    for statement in (
        update(ConsentNotice).values(content_hash="0"),
        update(ConsentNotice).values(status="draft"),
        update(ConsentNotice).values(status="retired", language="xx"),
        delete(ConsentNotice).where(col(ConsentNotice.notice_key) == "browsewrap"),
    ):
        with REFUSED, store.database.writing() as session:
            session.execute(statement)
    newsroom.post("/v1/consent-notices", json=notice())
    with store.database.writing() as session:
        session.execute(delete(ConsentNotice).where(col(ConsentNotice.notice_key) == "weather"))


def test_the_session_refuses_to_change_or_delete_a_published_notice(store: Store) -> None:
    chosen = select(ConsentNotice).where(ConsentNotice.notice_key == "default")
    with pytest.raises(Unchangeable), store.database.writing() as session:
        session.exec(chosen).one().jurisdiction = "US"
    with pytest.raises(Unchangeable), store.database.writing() as session:
        session.delete(session.exec(chosen).one())
