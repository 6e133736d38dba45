"""Rule 9: readers can fetch everything that is kept about them, and erase it; the log still verifies, and
nobody else's is shown.
"""

import base64
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.event import listen, remove

from service.consent.decisions.erasing import empty_log
from service.consent.decisions.subjects import COOKIE, digest_of
from service.consent.log.merkle import check_inclusion
from service.consent.log.sealing import seal
from service.consent.signing import Signer
from tests.consent.deciding import ago, current, decide, decision, events, notice, publish, secret_of
from tests.serving import SECRET, Store

RECEIPT = "/v1/consents/current/receipt"


def seal_all(store: Store) -> None:
    seal(store.database, Signer(SECRET.encode()))


def everything(store: Store) -> str:
    """All rows of all tables, as text."""
    with store.database.reading() as session:
        tables = inspect(store.database.engine).get_table_names()
        return "\n".join(
            str(dict(row._mapping))
            for table in tables
            for row in session.execute(text(f'SELECT * FROM "{table}"'))
        )


def assert_signed(receipt: dict[str, Any]) -> None:
    event = {
        name: value for name, value in receipt["event"].items() if name not in ("leaf_index", "leaf_hash")
    }
    signed = orjson.dumps(
        {"event": event, "notice": receipt["notice"], "issuer": receipt["issuer"]},
        option=orjson.OPT_SORT_KEYS,
    )
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(receipt["public_key"]))
    key.verify(base64.b64decode(receipt["signature"]), signed)


def test_rule_9_a_reader_fetches_everything_that_was_recorded(client: httpx.Client) -> None:
    for action in ("accept_all", "reject_all"):
        decide(client, action)
    client.post("/v1/consents/current/withdrawal")
    assert [event["action"] for event in events(client)] == ["accept_all", "reject_all", "withdraw"]
    page = client.get("/v1/consents/current/events?limit=2&count=true&fields=event_id,action").json()
    assert page["total"] == 3
    assert [sorted(event) for event in page["items"]] == [["action", "event_id"]] * 2
    assert len(client.get(page["next"]).json()["items"]) == 1


def test_rule_9_a_receipt_is_signed_and_proves_that_it_is_in_the_log(
    store: Store, client: httpx.Client
) -> None:
    decide(client)
    seal_all(store)
    receipt = client.get(RECEIPT).json()
    assert_signed(receipt)
    head, proof = receipt["log"]["tree_head"], receipt["log"]["inclusion_proof"]
    path = [bytes.fromhex(node) for node in proof["inclusion_path"]]
    leaf, root = bytes.fromhex(receipt["event"]["leaf_hash"]), bytes.fromhex(head["root_hash"])
    check_inclusion(leaf, proof["leaf_index"], head["tree_size"], path, root)
    receipt["event"]["purposes"][1]["decision"] = "denied"
    with pytest.raises(InvalidSignature):
        assert_signed(receipt)


def test_rule_9_every_decision_has_its_receipt(client: httpx.Client) -> None:
    for action in ("accept_all", "reject_all"):
        decide(client, action)
    for event in events(client):
        receipt = client.get(RECEIPT, params={"event_id": event["event_id"]}).json()
        assert receipt["event"]["action"] == event["action"]
        assert_signed(receipt)


def test_rule_9_a_receipt_can_be_printed(store: Store, client: httpx.Client, newsroom: httpx.Client) -> None:
    words = notice()
    words["texts"]["body"] = "May we <b>remember</b> you? You can say no."
    publish(newsroom, words)
    decide(client, notice_key="weather")
    seal_all(store)
    page = client.get(RECEIPT, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert page.headers["content-type"].startswith("text/html")
    assert "May we &lt;b&gt;remember&lt;/b&gt; you?" in page.text
    assert events(client)[0]["leaf_hash"] in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "<script" not in page.text
    assert client.get(RECEIPT).headers["content-type"] == "application/json"


def test_rule_9_erasure_leaves_no_row_that_links_and_a_log_that_verifies(
    store: Store, client: httpx.Client
) -> None:
    key = str(uuid4())
    decide(
        client,
        consent_id="whoever-x7-of-the-page",
        client_event_time=ago(minutes=2),
        headers={"Idempotency-Key": key},
    )
    decide(client, "reject_all", consent_id="whoever-x7-of-the-page")
    seal_all(store)
    with store.database.reading() as session:
        subject = session.execute(text("SELECT id, salt, secret_digest FROM consent_subject")).one()
        keys = session.execute(text("SELECT dedupe, request_digest FROM consent_event")).all()
    links = [
        "whoever-x7",
        str(subject.id).replace("-", ""),
        str(bytes(subject.salt)),
        subject.secret_digest,
        *(one for row in keys for one in row if one),
    ]
    told, before = events(client), client.get("/v1/consent-log/tree-head").json()
    kept = everything(store).replace("-", "")
    assert all(link.replace("-", "") in kept for link in links)

    erased = client.delete("/v1/consents/current")
    assert erased.status_code == 204
    assert secret_of(client) is None

    kept = everything(store).replace("-", "")
    assert all(link.replace("-", "") not in kept for link in links)
    assert client.get("/v1/consent-log/tree-head").json() == before
    for event in told:
        proof = client.get("/v1/consent-log/inclusion-proof", params={"event_id": event["event_id"]}).json()
        path = [bytes.fromhex(node) for node in proof["inclusion_path"]]
        check_inclusion(
            bytes.fromhex(event["leaf_hash"]),
            event["leaf_index"],
            2,
            path,
            bytes.fromhex(before["root_hash"]),
        )


def test_rule_9_an_erased_reader_is_nobody(client: httpx.Client) -> None:
    decide(client)
    secret = secret_of(client)
    client.delete("/v1/consents/current")
    assert current(client)["status"] == "ConsentUnknown"
    assert client.delete("/v1/consents/current").status_code == 404
    client.cookies.set(COOKIE, secret, domain="copydesk.example")
    for path in ("", "/events", "/receipt"):
        assert client.get(f"/v1/consents/current{path}").status_code == 404
    assert client.delete("/v1/consents/current").status_code == 404


def test_rule_9_a_withdrawal_is_accepted_after_erasure(client: httpx.Client) -> None:
    decide(client)
    secret = secret_of(client)
    client.delete("/v1/consents/current")
    client.cookies.set(COOKIE, secret, domain="copydesk.example")
    withdrawn = client.post("/v1/consents/current/withdrawal")
    assert withdrawn.status_code == 200
    assert withdrawn.json()["status"] == "ConsentUnknown"


def test_rule_9_erasing_oneself_erases_nobody_else(store: Store) -> None:
    with store.client() as one, store.client() as other:
        decide(one, consent_id="same")
        decide(other, consent_id="same")
        one.delete("/v1/consents/current")
        assert current(other)["status"] == "ConsentGiven"
        assert events(other)[0]["consent_id"] == "same"


def test_rule_9_somebody_elses_receipt_is_not_found(store: Store) -> None:
    with store.client() as one, store.client() as other:
        decide(one)
        decide(other)
        (theirs,) = events(other)
        strangers = one.get(RECEIPT, params={"event_id": theirs["event_id"]})
        nobodys = one.get(RECEIPT, params={"event_id": str(uuid4())})
        assert (strangers.status_code, nobodys.status_code) == (404, 404)
        assert strangers.content == nobodys.content


def test_rule_9_somebody_elses_id_is_looked_for_as_nobodys_is(store: Store) -> None:
    """The same questions to the database take as long: what takes longer would tell that an id is
    somebody's.
    """
    asked: list[str] = []

    def note(_connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        is_of_reader = "secret_digest" in statement or "consent_event.event_id = " in statement
        # Jobs ask others meanwhile; the one that seals joins events by their ids.
        if is_of_reader and "consent_unsealed" not in statement:
            asked.append(statement)

    with store.client() as one, store.client() as other:
        decide(one)
        decide(other)
        seal_all(store)
        ids = (events(other)[0]["event_id"], str(uuid4()))
        listen(Engine, "before_cursor_execute", note)
        try:
            for id_ in ids:
                assert one.get(RECEIPT, params={"event_id": id_}).status_code == 404
        finally:
            remove(Engine, "before_cursor_execute", note)
    assert len(asked) == 4
    assert asked[: len(asked) // 2] == asked[len(asked) // 2 :]


def test_rule_9_a_page_of_another_origin_erases_nobody(client: httpx.Client) -> None:
    decide(client)
    assert (
        client.delete("/v1/consents/current", headers={"Origin": "https://elsewhere.example"}).status_code
        == 403
    )
    assert client.delete("/v1/consents/current", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert client.post("/v1/consents", json=decision()).status_code == 201
    assert len(events(client)) == 2


ALL_THAT_LEADS_TO_A_READER = text(
    "SELECT id, salt, secret_digest, consent_id, dedupe, request_digest"
    " FROM consent_subject JOIN consent_event USING (pseudonym) WHERE secret_digest = :digest"
)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_rule_9_no_file_of_sqlite_holds_what_was_erased(store: Store) -> None:
    path = store.settings.sqlite_path

    def kept_of(client: httpx.Client) -> list[bytes]:
        digest = digest_of(secret_of(client) or "")
        with store.database.reading() as session:
            row = session.execute(ALL_THAT_LEADS_TO_A_READER, {"digest": digest}).one()
        return [value if isinstance(value, bytes) else value.encode() for value in row]

    def is_held(kept: list[bytes]) -> list[bool]:
        content = b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
        return [needle in content for needle in kept]

    with store.client() as one, store.client() as other:
        for reader in (one, other):
            key = {"Idempotency-Key": str(uuid4())}
            decide(reader, consent_id=f"page-{uuid4()}", headers=key)
        kept, others = kept_of(one), kept_of(other)
        assert all(is_held([*kept, *others]))
        assert one.delete("/v1/consents/current").status_code == 204
        assert not any(is_held(kept))
        with store.database.reading() as somebody:
            somebody.execute(text("SELECT count(*) FROM consent_subject"))
            assert other.delete("/v1/consents/current").status_code == 204
            assert not empty_log(store.database)
        assert empty_log(store.database)
        assert not any(is_held([*kept, *others]))
