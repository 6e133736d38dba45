"""Rule 6: nothing that is kept tells who the caller is."""

from sqlalchemy import inspect, text

from service.consent.models import ConsentEvent
from tests.consent.deciding import decide
from tests.serving import ORIGIN, Store


def test_rule_6_nothing_kept_tells_who_the_caller_is(store: Store) -> None:
    with store.client() as reader:
        headers = {
            "User-Agent": "A very telling browser",
            "Referer": f"{ORIGIN}/read?query=telling",
            "X-Forwarded-For": "203.0.113.77",
        }
        decide(reader, headers=headers)
    columns = {column["name"] for column in inspect(store.database.engine).get_columns("consent_event")}
    assert columns == set(ConsentEvent.model_fields)
    with store.database.reading() as session:
        tables = ("consent_event", "consent_subject", "kept_answer")
        kept = "\n".join(
            str(row) for table in tables for row in session.execute(text(f"SELECT * FROM {table}"))
        )
    assert all(telling not in kept for telling in ("telling", "203.0.113", "127.0.0.1"))
