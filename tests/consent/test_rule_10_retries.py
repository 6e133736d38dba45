"""Rule 10: a retry of a decision is the same decision."""

from datetime import timedelta
from uuid import uuid4

import httpx
import orjson
import pytest

from tests.consent.deciding import ago, current, decide, decision, retries, rows, secret_of
from tests.serving import Store


@pytest.mark.slow
def test_rule_10_100_concurrent_retries_with_a_key_are_one_row(store: Store) -> None:
    answers = retries(store, decision(), {"Idempotency-Key": str(uuid4())})
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert len({answer.headers["set-cookie"] for answer in answers}) == 1
    assert sum("idempotent-replayed" in answer.headers for answer in answers) == 99
    assert rows(store) == 1


@pytest.mark.slow
def test_rule_10_100_concurrent_retries_with_an_id_and_a_time_are_one_row(store: Store) -> None:
    answers = retries(store, decision(consent_id="a3b9", client_event_time=ago(seconds=5)), {})
    assert len({answer.content for answer in answers}) == 1
    assert sum("set-cookie" in answer.headers for answer in answers) == 1
    assert rows(store) == 1


def test_rule_10_decisions_that_are_no_retries_are_rows_of_their_own(store: Store) -> None:
    answers = retries(store, decision(), {}, 20)
    assert len({answer.headers["set-cookie"] for answer in answers}) == 20
    assert rows(store) == 20


def test_rule_10_a_retry_whose_first_answer_was_lost_gets_the_cookie_again(store: Store) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    with store.client() as first, store.client() as again:
        recorded = first.post("/v1/consents", json=decision("reject_all"), headers=key)
        replayed = again.post("/v1/consents", json=decision("reject_all"), headers=key)
        assert replayed.content == recorded.content
        assert secret_of(again) == secret_of(first)
        assert current(again)["status"] == "ConsentRefused"


def test_rule_10_the_cookie_is_not_given_again_for_long(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.consent.decisions.ledger.COOKIE_GIVEN_AGAIN_FOR", timedelta(0))
    key = {"Idempotency-Key": str(uuid4())}
    with store.client() as first, store.client() as again:
        recorded = first.post("/v1/consents", json=decision(), headers=key)
        replayed = again.post("/v1/consents", json=decision(), headers=key)
        assert replayed.content == recorded.content
        assert secret_of(again) is None


def test_rule_10_a_later_retry_is_answered_as_the_first_was(client: httpx.Client) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    decide(client, "reject_all", client_event_time=ago(minutes=1))
    recorded = client.post("/v1/consents", json=decision(client_event_time=ago(hours=2)), headers=key)
    assert recorded.json()["status"] == "ConsentRefused"
    client.post("/v1/consents/current/withdrawal")
    body = orjson.loads(recorded.request.content)
    assert client.post("/v1/consents", json=body, headers=key).content == recorded.content
    assert current(client)["status"] == "ConsentWithdrawn"


def test_rule_10_a_key_belongs_to_one_decision(client: httpx.Client) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    decide(client, headers=key)
    reused = client.post("/v1/consents", json=decision("reject_all"), headers=key)
    assert reused.status_code == 422
    assert reused.json()["type"] == "/problems/key-reused"
    assert (
        client.post("/v1/consents", json=decision(), headers={"Idempotency-Key": "x" * 256}).status_code
        == 400
    )


def test_rule_10_who_guesses_a_key_gets_nobodys_cookie(store: Store) -> None:
    key = {"Idempotency-Key": "banner-1"}
    with store.client() as first, store.client() as other:
        recorded = first.post("/v1/consents", json=decision(), headers=key)
        replayed = other.post("/v1/consents", json=decision(), headers=key)
        assert (replayed.content, replayed.headers["idempotent-replayed"]) == (recorded.content, "true")
        assert (secret_of(first) is not None, secret_of(other)) == (True, None)
        assert first.post("/v1/consents", json=decision(), headers=key).content == recorded.content
