"""The rules of consent, each a test or several that are named after it."""

import hashlib
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import orjson
import pytest
from sqlalchemy import inspect, text

from service.consent.models import ConsentEvent
from service.consent.subjects import COOKIE
from service.settings import Settings
from tests.conftest import settings_for
from tests.consent.deciding import OPTIONAL, ago, current, decide, decision, events, granted, notice, publish, secret_of
from tests.serving import ORIGIN, Store, running


def test_rule_1_every_event_keeps_pseudonym_time_wording_and_action(client: httpx.Client) -> None:
    shown = client.get("/v1/consent-notices/default/current").json()
    decide(client, "save", granted=("analytics",), ui_surface="banner")
    client.post("/v1/consents/current/withdrawal")
    first, second = events(client)
    assert [event["action"] for event in (first, second)] == ["save", "withdraw"]
    assert first["pseudonym"] == second["pseudonym"]
    assert re.fullmatch("[0-9a-f]{64}", first["pseudonym"])
    assert abs(datetime.fromisoformat(first["event_time"]) - datetime.now().astimezone()) < timedelta(minutes=1)
    assert first["notice_content_hash"] == second["notice_content_hash"] == shown["content_hash"]
    assert (first["notice_key"], first["notice_version"], first["language"], first["ui_surface"]) == ("default", 1, "en", "banner")
    assert (first["previous_event_id"], second["previous_event_id"]) == (None, first["event_id"])
    kept = client.get("/v1/consents/current/receipt").json()
    assert kept["event"] == second
    assert kept["notice"]["texts"] == shown["texts"]
    assert kept["notice"]["purposes"] == shown["purposes"]


def test_rule_1_the_hash_is_that_of_the_words_in_canonical_json(client: httpx.Client) -> None:
    shown = client.get("/v1/consent-notices/default/current").json()
    members = ("consent_model", "language", "texts", "purposes", "privacy_notice_url", "terms_url", "controller", "jurisdiction")
    canonical = orjson.dumps({name: shown[name] for name in members}, option=orjson.OPT_SORT_KEYS)
    assert shown["content_hash"] == hashlib.sha256(canonical).hexdigest()


def test_rule_1_the_pseudonym_follows_from_a_salt_of_the_readers_own(store: Store) -> None:
    readers = [store.client() for _ in range(2)]
    pseudonyms = {decide(reader)["receipt"]["event"]["pseudonym"] for reader in readers}
    with store.database.reading() as session:
        kept = session.execute(text("SELECT pseudonym, salt, secret_digest FROM consent_subject")).all()
    assert {row.pseudonym for row in kept} == pseudonyms
    assert len({bytes(row.salt) for row in kept}) == 2
    assert {row.secret_digest for row in kept} == {hashlib.sha256(str(secret_of(reader)).encode()).hexdigest() for reader in readers}


def test_rule_2_a_purpose_left_out_is_denied(client: httpx.Client) -> None:
    record = decide(client, "save", purposes=[{"purpose_key": "analytics", "decision": "granted"}])
    stored = {one["purpose_key"]: one["decision"] for one in events(client)[0]["purposes"]}
    assert stored == {"necessary": "granted", "preferences": "denied", "analytics": "granted", "marketing": "denied"}
    assert granted(record) == {"necessary", "analytics"}


def test_rule_2_an_unknown_purpose_is_refused(client: httpx.Client) -> None:
    unknown = [{"purpose_key": "analytics", "decision": "granted"}, {"purpose_key": "horoscopes", "decision": "granted"}]
    refused = client.post("/v1/consents", json=decision("save", purposes=unknown))
    assert refused.status_code == 422
    assert refused.json()["type"] == "/problems/unknown-purpose"
    assert refused.json()["errors"][0]["pointer"] == "/purposes/1/purpose_key"
    assert "set-cookie" not in refused.headers


@pytest.mark.parametrize(
    ("action", "status", "expected"),
    [("accept_all", "ConsentGiven", {"necessary", *OPTIONAL}), ("reject_all", "ConsentRefused", {"necessary"})],
)
def test_rule_2_accepting_grants_all_and_rejecting_only_what_is_required(
    client: httpx.Client, action: str, status: str, expected: set[str]
) -> None:
    record = decide(client, action)
    assert record["status"] == status
    assert granted(record) == expected


def test_rule_3_rejecting_costs_the_same_one_request_as_accepting(store: Store) -> None:
    for action in ("accept_all", "reject_all"):
        with store.client() as reader:
            assert reader.post("/v1/consents", json=decision(action)).status_code == 201
            assert current(reader)["notice_version"] == 1


def test_rule_3_withdrawing_is_one_request_without_a_reason_and_holds_on_the_next_read(client: httpx.Client) -> None:
    decide(client)
    answer = client.post("/v1/consents/current/withdrawal")
    assert answer.status_code == 200
    assert answer.json() == current(client)
    assert answer.json()["status"] == "ConsentWithdrawn"
    assert granted(current(client)) == {"necessary"}
    assert [event["event_state"] for event in events(client)] == ["ConsentGiven", "ConsentWithdrawn"]


def test_rule_3_a_withdrawal_outlasts_a_grant_by_a_clock_that_runs_ahead(client: httpx.Client) -> None:
    decide(client, client_event_time=ago(minutes=-4))
    client.post("/v1/consents/current/withdrawal")
    assert current(client)["status"] == "ConsentWithdrawn"


def test_rule_3_a_withdrawal_covers_every_notice_unless_it_names_one(client: httpx.Client, newsroom: httpx.Client) -> None:
    publish(newsroom, notice())
    decide(client)
    decide(client, notice_key="weather")
    client.post("/v1/consents/current/withdrawal", json={"notice_key": "weather"})
    standing = {key: client.get(f"/v1/consents/current?notice_key={key}").json()["status"] for key in ("default", "weather")}
    assert standing == {"default": "ConsentGiven", "weather": "ConsentWithdrawn"}
    client.post("/v1/consents/current/withdrawal")
    assert client.get("/v1/consents/current?notice_key=default").json()["status"] == "ConsentWithdrawn"
    assert len(events(client)) == 4


def test_rule_3_a_withdrawal_is_accepted_where_nothing_is_kept(client: httpx.Client) -> None:
    assert client.post("/v1/consents/current/withdrawal").json()["status"] == "ConsentUnknown"
    client.cookies.set(COOKIE, "made-up", domain="copydesk.example")
    assert client.post("/v1/consents/current/withdrawal").status_code == 200


def test_rule_4_a_late_older_grant_does_not_override_a_newer_refusal(client: httpx.Client) -> None:
    decide(client, "reject_all", client_event_time=ago(minutes=1))
    record = decide(client, client_event_time=ago(minutes=10))
    assert record["status"] == current(client)["status"] == "ConsentRefused"
    assert granted(record) == {"necessary"}
    assert record["receipt"]["event"]["event_state"] == "ConsentGiven"


def test_rule_4_a_late_older_grant_does_not_override_a_withdrawal(client: httpx.Client) -> None:
    decide(client)
    client.post("/v1/consents/current/withdrawal")
    assert decide(client, client_event_time=ago(hours=1))["status"] == "ConsentWithdrawn"


def test_rule_4_equal_times_go_to_denied(store: Store) -> None:
    at = ago(minutes=1)
    for actions in (("accept_all", "reject_all"), ("reject_all", "accept_all")):
        with store.client() as reader:
            for action in actions:
                decide(reader, action, client_event_time=at)
            assert current(reader)["status"] == "ConsentRefused"


def test_rule_4_of_equal_times_a_purpose_needs_every_grant(client: httpx.Client) -> None:
    at = ago(minutes=1)
    decide(client, "save", granted=("analytics", "preferences"), client_event_time=at)
    assert granted(decide(client, "save", granted=("marketing", "preferences"), client_event_time=at)) == {"necessary", "preferences"}
    assert decide(client, "save", granted=("analytics",), client_event_time=at)["status"] == "ConsentRefused"


def test_rule_4_a_clock_that_runs_ahead_is_clamped_and_the_original_kept(client: httpx.Client) -> None:
    ahead = ago(days=-3)
    event = decide(client, client_event_time=ahead)["receipt"]["event"]
    assert datetime.fromisoformat(event["client_event_time"]) == datetime.fromisoformat(ahead)
    assert event["decided_at"] == event["event_time"]
    slightly = ago(minutes=-4)
    assert datetime.fromisoformat(decide(client, client_event_time=slightly)["decided_at"]) == datetime.fromisoformat(slightly)


def test_rule_4_two_decisions_by_a_clock_that_runs_ahead_may_arrive_in_the_wrong_order(client: httpx.Client) -> None:
    decide(client, "reject_all", client_event_time=ago(days=-3, seconds=-1))
    assert decide(client, client_event_time=ago(days=-3))["status"] == "ConsentRefused"


def test_rule_4_a_clock_that_lost_its_date_can_refuse_and_not_override(client: httpx.Client) -> None:
    lost = "1970-01-01T00:10:00Z"
    record = decide(client, client_event_time=lost)
    assert record["status"] == "ConsentGiven"
    assert datetime.fromisoformat(record["valid_until"]) > datetime.now().astimezone()
    assert decide(client, "reject_all", client_event_time="1970-01-01T00:05:00Z")["status"] == "ConsentRefused"
    assert decide(client, client_event_time=lost)["status"] == "ConsentRefused"


def test_rule_5_a_new_purpose_asks_again(client: httpx.Client, newsroom: httpx.Client) -> None:
    body = notice()
    publish(newsroom, body)
    decide(client, notice_key="weather")
    body["purposes"].append({"purpose_key": "alerts", "name": "Alerts"})
    assert publish(newsroom, body)["requires_reconsent"] is True
    record = current(client)
    assert record["reconsent_required"] is True
    assert record["reconsent_reasons"] == ["new_purpose:alerts"]


def test_rule_5_a_new_recipient_asks_again(client: httpx.Client, newsroom: httpx.Client) -> None:
    body = notice()
    publish(newsroom, body)
    decide(client, "reject_all", notice_key="weather")
    body["purposes"][1]["services"].append("Cloud Counters")
    publish(newsroom, body)
    assert current(client)["reconsent_reasons"] == ["new_recipient:places:Cloud Counters"]


def test_rule_5_a_cosmetic_change_does_not_ask_again(client: httpx.Client, newsroom: httpx.Client) -> None:
    body = notice()
    publish(newsroom, body)
    decide(client, notice_key="weather")
    body["texts"]["body"] = "May we remember the places where you look for rain? You can say no."
    assert publish(newsroom, body)["requires_reconsent"] is False
    assert current(client)["reconsent_required"] is False


def test_rule_5_the_newsroom_can_say_otherwise(client: httpx.Client, newsroom: httpx.Client) -> None:
    body = notice()
    publish(newsroom, body)
    decide(client, notice_key="weather")
    publish(newsroom, body | {"jurisdiction": "EU"}, requires_reconsent=True)
    assert current(client)["reconsent_reasons"] == ["asked_for_by_publisher"]


def test_rule_5_versions_in_another_language_ask_nobody_again(client: httpx.Client, newsroom: httpx.Client) -> None:
    publish(newsroom, notice())
    decide(client, notice_key="weather")
    publish(newsroom, notice(language="de", purposes=[{"purpose_key": "wetter", "name": "Wetter"}]))
    assert current(client)["reconsent_required"] is False


def test_rule_5_a_stale_version_is_accepted_and_asks_again(client: httpx.Client, newsroom: httpx.Client) -> None:
    publish(newsroom, notice())
    publish(newsroom, notice(jurisdiction="EU"))
    record = decide(client, notice_key="weather")
    assert record["status"] == "ConsentGiven"
    assert record["reconsent_reasons"] == ["stale_notice"]
    assert current(client)["reconsent_required"] is True


def test_rule_5_a_version_that_was_never_published_is_refused(client: httpx.Client, newsroom: httpx.Client) -> None:
    newsroom.post("/v1/consent-notices", json=notice())
    for body in (decision(notice_version=2), decision(notice_key="weather"), decision(notice_key="nothing")):
        refused = client.post("/v1/consents", json=body)
        assert refused.status_code == 422
        assert refused.json()["type"] == "/problems/never-published"


@pytest.mark.parametrize("action", ["accept_all", "reject_all"])
def test_rule_5_consent_and_refusal_both_expire(client: httpx.Client, newsroom: httpx.Client, action: str) -> None:
    publish(newsroom, notice(validity_days=30))
    assert decide(client, action, notice_key="weather", client_event_time=ago(days=29))["status"] != "ConsentExpired"
    expired = decide(client, action, notice_key="default", client_event_time=ago(days=183))
    assert expired["status"] == "ConsentExpired"
    assert expired["reconsent_reasons"] == ["expired"]
    assert granted(expired) == {"necessary"}


def test_rule_6_nothing_kept_tells_who_the_caller_is(store: Store) -> None:
    with store.client() as reader:
        headers = {"User-Agent": "A very telling browser", "Referer": f"{ORIGIN}/read?query=telling", "X-Forwarded-For": "203.0.113.77"}
        decide(reader, headers=headers)
    columns = {column["name"] for column in inspect(store.database.engine).get_columns("consent_event")}
    assert columns == set(ConsentEvent.model_fields)
    with store.database.reading() as session:
        tables = ("consent_event", "consent_subject", "kept_answer")
        kept = "\n".join(str(row) for table in tables for row in session.execute(text(f"SELECT * FROM {table}")))
    assert all(telling not in kept for telling in ("telling", "203.0.113", "127.0.0.1"))


def test_rule_7_only_a_decision_sets_a_cookie(client: httpx.Client) -> None:
    for path in ("/v1/consent-notices", "/v1/consent-notices/default/current", "/v1/consents/current", "/.well-known/gpc.json"):
        assert "set-cookie" not in client.get(path).headers
    assert "set-cookie" not in client.post("/v1/consents/current/withdrawal").headers
    cookie = client.post("/v1/consents", json=decision()).headers["set-cookie"]
    name, _, rest = cookie.partition("=")
    secret, *attributes = rest.split("; ")
    assert name == "__Host-consent_subject"
    assert re.fullmatch("[A-Za-z0-9_-]{22}", secret)
    assert set(attributes) >= {"Path=/", "Secure", "HttpOnly", "SameSite=Lax"}
    assert "Domain" not in cookie


def test_rule_7_a_deployment_across_sites_partitions_its_cookie(database_url: str, tmp_path: Path) -> None:
    settings = settings_for(database_url, tmp_path, consent_cookie_cross_site=True)
    with running(settings) as store, store.client() as reader:
        cookie = reader.post("/v1/consents", json=decision()).headers["set-cookie"]
    assert {"SameSite=None", "Partitioned", "Secure"} <= set(cookie.split("; "))


def test_rule_7_a_reader_keeps_one_cookie(client: httpx.Client) -> None:
    decide(client)
    secret = secret_of(client)
    decide(client, "reject_all")
    assert secret_of(client) == secret
    assert len(events(client)) == 2


def test_rule_7_a_consent_id_correlates_and_never_authorises(store: Store) -> None:
    body = decision(consent_id="4f2c", client_event_time=ago(minutes=1))
    with store.client() as reader, store.client() as stranger:
        reader.post("/v1/consents", json=body)
        reader.post("/v1/consents/current/withdrawal")
        replayed = stranger.post("/v1/consents", json=body)
        assert "set-cookie" not in replayed.headers
        assert replayed.json()["status"] == "ConsentGiven", "what came after the event is the reader's alone"
        assert current(stranger)["status"] == "ConsentUnknown"
        decide(stranger, "reject_all", consent_id="4f2c")
        assert len(events(stranger)) == 1
        assert current(reader)["status"] == "ConsentWithdrawn"


def test_rule_7_a_made_up_cookie_is_nobodys(client: httpx.Client) -> None:
    client.cookies.set(COOKIE, "AAAAAAAAAAAAAAAAAAAAAA", domain="copydesk.example")
    for path in ("", "/events", "/receipt"):
        assert client.get(f"/v1/consents/current{path}").status_code == 404
    decide(client)
    assert secret_of(client) != "AAAAAAAAAAAAAAAAAAAAAA"
    assert current(client)["status"] == "ConsentGiven"


def test_rule_8_gpc_denies_advertising_unless_it_is_granted_by_name(store: Store) -> None:
    signal = {"Sec-GPC": "1"}
    with store.client() as reader:
        record = decide(reader, headers=signal)
        assert granted(record) == {"necessary", "preferences", "analytics"}
        assert record["receipt"]["event"]["gpc"] is True
        assert granted(decide(reader, "save", granted=("marketing",), headers=signal)) == {"necessary", "marketing"}
        by_name = [{"purpose_key": "marketing", "decision": "granted"}]
        assert granted(decide(reader, purposes=by_name, headers=signal)) == {"necessary", *OPTIONAL}
        assert "marketing" in granted(decide(reader, headers={"Sec-GPC": "0"}))


def test_rule_8_the_support_of_gpc_is_declared(client: httpx.Client) -> None:
    answer = client.get("/.well-known/gpc.json")
    assert answer.json()["gpc"] is True
    assert answer.headers["content-type"] == "application/json"


def retries(store: Store, body: dict[str, object], headers: dict[str, str], count: int = 100) -> list[httpx.Response]:
    def send(_: int) -> httpx.Response:
        with store.client() as reader:
            return reader.post("/v1/consents", json=body, headers=headers)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(send, range(count)))


def rows(store: Store) -> int:
    with store.database.reading() as session:
        return session.execute(text("SELECT count(*) FROM consent_event")).scalar_one()


def test_rule_10_100_concurrent_retries_with_a_key_are_one_row(store: Store) -> None:
    answers = retries(store, decision(), {"Idempotency-Key": str(uuid4())})
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert len({answer.headers["set-cookie"] for answer in answers}) == 1
    assert sum("idempotent-replayed" in answer.headers for answer in answers) == 99
    assert rows(store) == 1


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


def test_rule_10_the_cookie_is_not_given_again_for_long(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.consent.ledger.COOKIE_GIVEN_AGAIN_FOR", timedelta(0))
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
    assert client.post("/v1/consents", json=decision(), headers={"Idempotency-Key": "guessable"}).status_code == 400


def test_rule_11_pages_of_foreign_origins_record_nothing(store: Store, client: httpx.Client) -> None:
    foreign = [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ]
    for headers in foreign:
        for path in ("/v1/consents", "/v1/consents/current/withdrawal"):
            refused = client.post(path, json={}, headers=headers)
            assert refused.status_code == 403
            assert refused.json()["type"] == "/problems/foreign-origin"
    assert rows(store) == 0
    for headers in ({"Origin": ORIGIN}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {}):
        decide(client, headers=headers)


def test_rule_11_origins_can_be_let_in(database_url: str, tmp_path: Path) -> None:
    front = "https://front.example"
    with running(settings_for(database_url, tmp_path, consent_origins=(front,))) as store, store.client() as reader:
        decide(reader, headers={"Origin": front, "Sec-Fetch-Site": "cross-site"})


def test_rule_11_bodies_are_small(client: httpx.Client) -> None:
    body = orjson.dumps(decision()) + b" " * 8192
    refused = client.post("/v1/consents", content=body, headers={"Content-Type": "application/json"})
    assert refused.status_code == 413
    assert refused.json()["type"] == "/problems/too-large"


def test_rule_11_media_types_are_known_and_beacons_are_taken(client: httpx.Client) -> None:
    body = orjson.dumps(decision())
    for media_type in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "image/png", "text/html"):
        assert client.post("/v1/consents", content=body, headers={"Content-Type": media_type}).status_code == 415
    assert client.post("/v1/consents", content=body).status_code == 415
    for media_type in ("text/plain;charset=UTF-8", "application/json", "application/vnd.example+json"):
        assert client.post("/v1/consents", content=body, headers={"Content-Type": media_type}).status_code == 201
    assert client.post("/v1/consents", content=b"a=1&b=2", headers={"Content-Type": "text/plain"}).status_code == 400
    assert client.post("/v1/consents", content=b'"text"', headers={"Content-Type": "text/plain"}).status_code == 422


@pytest.fixture
def busy_settings(database_url: str, tmp_path: Path) -> Settings:
    return settings_for(database_url, tmp_path, consent_rate_limit=5, trusted_proxies=("127.0.0.0/8", "10.0.0.1"))


def test_rule_11_a_flood_from_one_network_is_turned_away(busy_settings: Settings) -> None:
    with running(busy_settings) as store, store.client() as reader:
        for last in range(5):
            decide(reader, headers={"X-Forwarded-For": f"198.51.100.{last}, 10.0.0.1"})
        flooded = reader.post("/v1/consents", json=decision(), headers={"X-Forwarded-For": "198.51.100.200"})
        assert flooded.status_code == 429
        assert 1 <= int(flooded.headers["retry-after"]) <= 12
        decide(reader, headers={"X-Forwarded-For": "198.51.100.9, 198.51.101.9"})
        decide(reader, headers={"X-Forwarded-For": "2001:db8:1::1"})


def test_rule_11_a_client_that_retries_is_not_a_flood(busy_settings: Settings) -> None:
    with running(busy_settings) as store:
        answers = retries(store, decision(), {"Idempotency-Key": str(uuid4())}, 30)
    assert {answer.status_code for answer in answers} == {201}
