"""Rule 1: every event keeps who (as a pseudonym), when, the exact words and what was done."""

import hashlib
import re
from datetime import datetime, timedelta

import httpx
import orjson
import pytest
from sqlalchemy import text

from tests.consent.deciding import decide, decision, events, secret_of
from tests.serving import Store


def test_rule_1_every_event_keeps_pseudonym_time_wording_and_action(client: httpx.Client) -> None:
    shown = client.get("/v1/consent-notices/default/current").json()
    decide(client, "save", granted=("analytics",), ui_surface="banner")
    client.post("/v1/consents/current/withdrawal")
    first, second = events(client)
    assert [event["action"] for event in (first, second)] == ["save", "withdraw"]
    assert first["pseudonym"] == second["pseudonym"]
    assert re.fullmatch("[0-9a-f]{64}", first["pseudonym"])
    assert abs(datetime.fromisoformat(first["event_time"]) - datetime.now().astimezone()) < timedelta(
        minutes=1
    )
    assert first["notice_content_hash"] == second["notice_content_hash"] == shown["content_hash"]
    assert (first["notice_key"], first["notice_version"], first["language"], first["ui_surface"]) == (
        "default",
        1,
        "en",
        "banner",
    )
    assert (first["previous_event_id"], second["previous_event_id"]) == (None, first["event_id"])
    kept = client.get("/v1/consents/current/receipt").json()
    assert kept["event"] == second
    assert kept["notice"]["texts"] == shown["texts"]
    assert kept["notice"]["purposes"] == shown["purposes"]


def test_rule_1_the_hash_is_that_of_the_words_in_canonical_json(client: httpx.Client) -> None:
    shown = client.get("/v1/consent-notices/default/current").json()
    members = (
        "consent_model",
        "language",
        "texts",
        "purposes",
        "privacy_notice_url",
        "terms_url",
        "controller",
        "jurisdiction",
    )
    canonical = orjson.dumps({name: shown[name] for name in members}, option=orjson.OPT_SORT_KEYS)
    assert shown["content_hash"] == hashlib.sha256(canonical).hexdigest()


def test_rule_1_the_pseudonym_follows_from_a_salt_of_the_readers_own(store: Store) -> None:
    readers = [store.client() for _ in range(2)]
    pseudonyms = {decide(reader)["receipt"]["event"]["pseudonym"] for reader in readers}
    with store.database.reading() as session:
        kept = session.execute(text("SELECT pseudonym, salt, secret_digest FROM consent_subject")).all()
    assert {row.pseudonym for row in kept} == pseudonyms
    assert len({bytes(row.salt) for row in kept}) == 2
    assert {row.secret_digest for row in kept} == {
        hashlib.sha256(str(secret_of(reader)).encode()).hexdigest() for reader in readers
    }


@pytest.mark.parametrize(
    ("said", "status"), [("en", 201), ("en-NZ", 201), (None, 201), ("fr", 422), ("en-Shaw", 422)]
)
def test_rule_1_a_decision_is_about_words_in_the_notices_language(
    client: httpx.Client, said: str | None, status: int
) -> None:
    answer = client.post("/v1/consents", json=decision(language=said))
    assert answer.status_code == status
    if status == 201:
        assert events(client)[0]["language"] == "en"
    else:
        assert answer.json()["type"] == "/problems/another-language"
        assert answer.json()["errors"][0]["pointer"] == "/language"
