"""The notices that a store begins with, and the banners of imported pages."""

import httpx
import pytest
from pydantic import ValidationError

from service.consent.notices.defaults import ensure_defaults, record_banner
from tests.consent.deciding import decide, granted, notice
from tests.serving import Store

NOTICES = "/v1/consent-notices"
BANNER = {
    "key": "gazette.example",
    "title": "Cookies & Terms",
    "accept_label": "Fine by me",
    "language": "en",
    "body": "By continuing to use this site you consent to cookies, our Privacy Notice and our Terms of Service.\n"
    "Cookies can be blocked in your browser's settings.",
}


def keep(store: Store, **changes: str | None) -> int:
    with store.database.writing() as session:
        return record_banner(session, **BANNER | changes).version


def test_the_shipped_notices_are_published_once(store: Store, client: httpx.Client) -> None:
    before = client.get(NOTICES).json()
    with store.database.writing() as session:
        ensure_defaults(session)
    assert client.get(NOTICES).json() == before
    assert {(item["notice_key"], item["version"], item["valid_for_consent"]) for item in before["items"]} == {
        ("default", 1, True),
        ("browsewrap", 1, False),
    }


def test_the_honest_notice_offers_three_actions_on_one_layer(client: httpx.Client) -> None:
    shown = client.get(f"{NOTICES}/default/current").json()
    assert shown["texts"]["actions"] == {
        "accept_all": "Accept",
        "reject_all": "Reject",
        "save": "Choose",
        "acknowledge": None,
    }
    assert [(one["purpose_key"], one["required"]) for one in shown["purposes"]] == [
        ("necessary", True),
        ("preferences", False),
        ("analytics", False),
        ("marketing", False),
    ]
    assert all(one["google_consent_types"] for one in shown["purposes"])


def test_a_store_that_has_its_own_default_keeps_it(store: Store, newsroom: httpx.Client) -> None:
    newsroom.post(NOTICES, json=notice("default"))
    newsroom.post(f"{NOTICES}/default/publish")
    with store.database.writing() as session:
        ensure_defaults(session)
    assert newsroom.get(f"{NOTICES}/default/current").json()["version"] == 2


def test_a_banner_is_kept_word_for_word_and_judged_truthfully(store: Store, client: httpx.Client) -> None:
    keep(store)
    shown = client.get(f"{NOTICES}/gazette.example/current").json()
    assert shown["texts"]["title"] == BANNER["title"]
    assert shown["texts"]["body"] == BANNER["body"]
    assert shown["texts"]["actions"] == {
        "accept_all": None,
        "reject_all": None,
        "save": None,
        "acknowledge": "Fine by me",
    }
    assert (shown["consent_model"], shown["valid_for_consent"], shown["status"]) == (
        "notice_only",
        False,
        "published",
    )
    assert shown["validity_findings"] == [
        "implied_by_browsing",
        "no_reject_action",
        "bundled_with_terms",
        "no_purposes",
        "browser_settings_only",
    ]
    record = decide(client, "acknowledge", notice_key="gazette.example")
    assert (record["status"], granted(record)) == ("ConsentUnknown", set())


def test_the_same_words_change_nothing_and_others_are_a_new_version(
    store: Store, client: httpx.Client
) -> None:
    assert [keep(store), keep(store)] == [1, 1]
    etag = client.get(f"{NOTICES}/gazette.example/current").headers["etag"]
    assert keep(store) == 1
    assert client.get(f"{NOTICES}/gazette.example/current").headers["etag"] == etag
    assert [keep(store, accept_label="OK"), keep(store, accept_label="OK"), keep(store)] == [2, 2, 3]
    assert keep(store, language="fr") == 4
    assert (
        client.get(f"{NOTICES}/gazette.example/versions/2").json()["texts"]["actions"]["acknowledge"] == "OK"
    )


def test_the_same_banner_twice_in_one_transaction_is_one_notice(store: Store) -> None:
    with store.database.writing() as session:
        assert [record_banner(session, **BANNER).version for _ in range(2)] == [1, 1]


def test_a_banner_that_can_be_refused_is_told_so(store: Store, client: httpx.Client) -> None:
    keep(store, body="We use cookies.", title=None, reject_label="Only necessary", settings_label="Settings")
    assert client.get(f"{NOTICES}/gazette.example/current").json()["validity_findings"] == ["no_purposes"]


def test_a_banner_does_not_disturb_the_newsrooms_draft(store: Store, newsroom: httpx.Client) -> None:
    newsroom.post(NOTICES, json=notice("gazette.example"))
    assert keep(store) == 2
    published = newsroom.post(f"{NOTICES}/gazette.example/publish").json()
    assert (published["version"], published["status"]) == (3, "published")
    assert newsroom.get(f"{NOTICES}/gazette.example/versions/1").status_code == 404
    assert newsroom.get(f"{NOTICES}/gazette.example/versions/2").json()["status"] == "retired"


def test_words_that_cannot_be_stored_are_refused(store: Store) -> None:
    with pytest.raises(ValidationError):
        keep(store, key="Not A Key")
