"""Rule 12: retention removes what is past its period, the log keeps verifying, and notices outlive the events
that cite them.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, text
from sqlalchemy.exc import DBAPIError

from service.consent.audit import retention
from service.consent.audit.verify import verify
from service.consent.log.sealing import seal
from service.consent.models import ConsentEvent
from service.consent.signing import Signer
from tests.commands import copydesk
from tests.consent.deciding import current, decide, events, rows
from tests.serving import SECRET, Store


def in_days(days: float) -> datetime:
    return datetime.now(UTC) + timedelta(days=days)


def subjects(store: Store) -> int:
    with store.database.reading() as session:
        return session.execute(text("SELECT count(*) FROM consent_subject")).scalar_one()


def test_rule_12_what_is_past_its_period_goes_and_nothing_else(store: Store) -> None:
    with store.client() as reader:
        decide(reader)
        assert retention.retain(store.database, in_days(182 + 1094)) == 0
        assert retention.retain(store.database, in_days(182 + 1096)) == 1
        assert (rows(store), subjects(store)) == (0, 0)
        notice = reader.get("/v1/consent-notices/default/versions/1")
        assert notice.status_code == 200


def test_rule_12_the_log_verifies_after_retention(store: Store, tmp_path: Path) -> None:
    with store.client() as reader, store.client("consent:read") as auditor:
        decide(reader)
        seal(store.database, Signer(SECRET.encode()))
        before = auditor.get("/v1/consent-log/tree-head").json()
        assert retention.retain(store.database, in_days(2000)) == 1
        decide(reader)
        for written in ("ndjson", "csv"):
            (tmp_path / written).write_bytes(
                auditor.get("/v1/consent-exports", params={"format": written}).content
            )
            verdict = verify(tmp_path / written)
            assert verdict.faults == []
            assert verdict.removed >= 1
        proof = auditor.get("/v1/consent-log/consistency-proof", params={"first": 1}).json()
        assert proof["root_hash_1"] == before["root_hash"]


def test_rule_12_a_grant_does_not_come_back_because_its_withdrawal_went_first(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(store.database.settings.__dict__, "consent_retention_days", 30)
    with store.client() as reader:
        decide(reader)
        reader.post("/v1/consents/current/withdrawal")
        assert retention.retain(store.database, in_days(100)) == 0
        assert current(reader)["status"] == "ConsentWithdrawn"


def test_rule_12_the_database_lets_no_event_go_that_is_not_past_its_period(store: Store) -> None:
    with store.client() as reader:
        decide(reader)
    with store.database.writing() as session:
        session.add(retention.ConsentRetention(before=datetime.now(UTC) - timedelta(days=1)))
    with pytest.raises(DBAPIError, match="only ever added"), store.database.writing() as session:
        session.execute(delete(ConsentEvent))
    assert rows(store) == 1


@pytest.mark.parametrize("action", ["accept_all", "reject_all"])
def test_a_decision_that_ran_out_is_noted_once(store: Store, action: str) -> None:
    with store.client() as reader:
        decide(reader, action, consent_id="page-1")
        assert retention.note_expired(store.database, in_days(181)) == 0
        assert retention.note_expired(store.database, in_days(183)) == 1
        assert retention.note_expired(store.database, in_days(184)) == 0
        decided, noted = events(reader)
        assert (noted["event_state"], noted["action"], noted["previous_event_id"]) == (
            "ConsentExpired",
            "expire",
            decided["event_id"],
        )
        assert [one["decision"] for one in noted["purposes"]] == ["granted", "denied", "denied", "denied"]
        assert noted["pseudonym"] == decided["pseudonym"]


def test_what_holds_does_not_depend_on_the_note(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with store.client() as reader:
        decide(reader)
        at = datetime.now(UTC) + timedelta(days=200)
        monkeypatch.setattr("service.consent.decisions.ledger.now", lambda: at)
        computed = current(reader)
        assert retention.note_expired(store.database, in_days(200)) == 1
        assert current(reader) == computed
        assert (computed["status"], computed["reconsent_reasons"]) == ("ConsentExpired", ["expired"])
        assert decide(reader)["status"] == "RenewedConsentGiven"


def test_what_was_decided_again_or_withdrawn_does_not_run_out(store: Store) -> None:
    with store.client() as one, store.client() as other:
        decide(one)
        decide(one, "reject_all")
        decide(other)
        other.post("/v1/consents/current/withdrawal")
        assert retention.note_expired(store.database, in_days(183)) == 1


@pytest.mark.slow
def test_the_command_retains(store: Store, tmp_path: Path) -> None:
    with store.client() as reader:
        decide(reader)
    settings = {
        "COPYDESK_DATABASE_URL": store.settings.database_url,
        "COPYDESK_SECRET_KEY": SECRET,
    }
    done = copydesk(tmp_path, "consent", "retain", **settings)
    assert (done.returncode, "removed 0 events" in done.stderr) == (0, True), done.stderr
    assert rows(store) == 1
