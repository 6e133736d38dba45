"""Readers decide in a real browser, with scripts and without: first visit, every button, changing,
withdrawing, erasing, being asked again.
"""

import json
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from service.consent.decisions.subjects import COOKIE
from tests.browser.browsing import BRIDGE, Reader, reading, serving_readers
from tests.consent.deciding import OPTIONAL, current, events, granted, impressions, publish
from tests.patience import wait_until
from tests.serving import Store

EITHER_WAY = pytest.mark.parametrize("has_scripts", [True, False], ids=["scripts", "no scripts"])


@pytest.fixture
def has_scripts() -> bool:
    """Where it is not said, the harder way."""
    return False


def shown(newsroom: httpx.Client) -> dict:
    """The notice that readers are shown now, as a draft of the next one."""
    notice = newsroom.get("/v1/consent-notices/default/current").json()
    return {name: notice[name] for name in ("notice_key", "language", "texts", "purposes", "consent_model")}


@EITHER_WAY
def test_a_first_visit_asks_on_one_layer_and_leaves_nothing_behind(reader: Reader) -> None:
    reader.page.goto("/")
    expect(reader.banner).to_be_visible()
    for name in ("Accept", "Reject"):
        expect(reader.banner.get_by_role("button", name=name, exact=True)).to_be_in_viewport(ratio=1)
    expect(reader.banner.locator("summary")).to_be_in_viewport(ratio=1)
    reader.page.goto(BRIDGE)
    expect(reader.banner).to_be_visible()
    assert reader.context.cookies() == []
    assert reader.page.locator("script:not([type='application/ld+json']), iframe, object, embed").count() == 0


@EITHER_WAY
def test_a_banner_that_was_shown_is_counted_and_a_hidden_one_is_not(reader: Reader, store: Store) -> None:
    def shown() -> int:
        return sum(impressions(store).values())

    before = shown()
    reader.page.goto("/")
    reader.page.goto(BRIDGE)
    reader.page.goto("/consent")
    wait_until(lambda: shown() == before + 2)
    reader.press("Reject")
    reader.page.goto("/")
    expect(reader.banner).to_be_hidden()
    assert shown() == before + 2


@EITHER_WAY
@pytest.mark.parametrize(("button", "status"), [("Accept", "ConsentGiven"), ("Reject", "ConsentRefused")])
def test_one_press_decides_and_leaves_the_reader_where_they_were(
    reader: Reader, button: str, status: str
) -> None:
    reader.page.goto(BRIDGE)
    reader.press(button)
    expect(reader.banner).to_be_hidden()
    assert reader.page.url.endswith(BRIDGE)
    reader.page.goto("/")
    expect(reader.banner).to_be_hidden()
    (cookie,) = reader.context.cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["secure"], cookie["sameSite"]) == (
        COOKIE,
        True,
        True,
        "Lax",
    )
    with reader.known() as client:
        assert current(client)["status"] == status
        assert [event["ui_surface"] for event in events(client)] == ["banner"]


def test_what_is_ticked_is_granted_and_can_be_changed(reader: Reader) -> None:
    reader.page.goto("/")
    reader.banner.locator("summary").click()
    for name in OPTIONAL:
        expect(reader.banner.get_by_label(name.capitalize())).not_to_be_checked()
    reader.banner.get_by_label("Analytics").check()
    reader.banner.get_by_role("button", name="Save my choice", exact=True).click()
    expect(reader.banner).to_be_hidden()
    reader.page.get_by_role("link", name="Change or withdraw my cookie choice").click()
    expect(reader.page.get_by_role("status")).to_contain_text("You have agreed to what is ticked below")
    expect(reader.page.get_by_label("Analytics")).to_be_checked()
    reader.page.get_by_label("Analytics").uncheck()
    reader.page.get_by_label("Preferences").check()
    reader.press("Save my choice")
    expect(reader.page.get_by_label("Preferences")).to_be_checked()
    expect(reader.page.get_by_label("Analytics")).not_to_be_checked()
    with reader.known() as client:
        assert granted(current(client)) == {"necessary", "preferences"}
        assert [event["action"] for event in events(client)] == ["save", "save"]


def test_consent_is_withdrawn_from_where_the_reader_is(reader: Reader) -> None:
    reader.page.goto(BRIDGE)
    expect(reader.page.get_by_role("button", name="Withdraw my consent now")).to_be_hidden()
    reader.press("Accept")
    reader.press("Withdraw my consent now")
    expect(reader.page.get_by_role("button", name="Withdraw my consent now")).to_be_hidden()
    expect(reader.banner).to_be_hidden()
    assert reader.page.url.endswith(BRIDGE)
    with reader.known() as client:
        assert current(client)["status"] == "ConsentWithdrawn"


def test_a_reader_sees_what_is_kept_and_has_it_erased(reader: Reader) -> None:
    reader.page.goto("/")
    reader.press("Reject")
    reader.page.goto("/consent")
    expect(reader.page.get_by_role("status")).to_contain_text("You have refused")
    reader.page.get_by_role("link", name="Your signed receipt").click()
    expect(reader.page.get_by_role("heading", name="Consent receipt")).to_be_visible()
    expect(reader.page.locator("body")).to_contain_text("Refused (ConsentRefused, reject_all)")
    reader.page.go_back()
    reader.page.get_by_role("link", name="Everything that you decided here").click()
    assert [event["action"] for event in json.loads(reader.page.locator("pre").inner_text())["items"]] == [
        "reject_all"
    ]
    reader.page.goto("/v1/consents/current")
    assert json.loads(reader.page.locator("pre").inner_text())["status"] == "ConsentRefused"
    reader.page.goto("/consent")
    reader.press("Erase all that leads to me")
    expect(reader.page.get_by_role("status")).to_contain_text("You have not decided anything")
    assert reader.context.cookies() == []
    assert reader.page.get_by_role("link", name="Your signed receipt").count() == 0
    reader.page.goto("/")
    expect(reader.banner).to_be_visible()


def test_a_new_recipient_asks_again_and_better_words_do_not(reader: Reader, newsroom: httpx.Client) -> None:
    reader.page.goto("/")
    reader.press("Accept")
    notice = shown(newsroom)
    notice["texts"]["body"] += " Thank you for reading."
    publish(newsroom, notice)
    reader.page.reload()
    expect(reader.banner).to_be_hidden()
    reader.page.goto("/consent")
    expect(reader.page.locator("main")).to_contain_text("Thank you for reading.")
    notice["purposes"][-1]["services"].append(f"Advertiser {len(notice['purposes'][-1]['services'])}")
    version = publish(newsroom, notice)["version"]
    reader.page.goto("/")
    reader.page.reload()  # past what the browser may keep for some seconds
    expect(reader.banner).to_be_visible()
    reader.press("Reject")
    expect(reader.banner).to_be_hidden()
    with reader.known() as client:
        assert [event["notice_version"] for event in events(client)][-1] == version
        assert current(client)["status"] == "ConsentRefused"


def test_the_banner_speaks_the_language_of_the_article(
    reader: Reader, store: Store, newsroom: httpx.Client
) -> None:
    words = {"title": "Votre choix", "body": "Pouvons-nous compter les lectures ?"}
    words["actions"] = {"accept_all": "Accepter", "reject_all": "Refuser", "save": "Choisir"}
    version = publish(newsroom, shown(newsroom) | {"language": "fr", "texts": words})["version"]
    slug = newsroom.get("/v1/articles?language=fr").json()["items"][0]["slug"]
    reader.page.goto(f"/read/{slug}")
    reader.page.reload()
    assert (reader.banner.get_attribute("lang"), reader.page.locator("article").get_attribute("lang")) == (
        "fr",
        "fr",
    )
    reader.press("Refuser")
    expect(reader.banner).to_be_hidden()
    with reader.known() as client:
        (event,) = events(client)
        assert (event["language"], event["notice_version"]) == ("fr", version)
    reader.page.goto("/")
    expect(reader.banner).to_be_hidden()


def test_global_privacy_control_denies_marketing_until_it_is_ticked(chromium: Browser, store: Store) -> None:
    with reading(chromium, store, extra_http_headers={"Sec-GPC": "1"}) as reader:
        reader.page.goto("/")
        expect(reader.page.locator("#withheld")).to_be_hidden()
        reader.press("Accept")
        expect(reader.banner).to_be_hidden()
        expect(reader.page.locator("#withheld")).to_contain_text("Marketing")
        expect(reader.page.locator("#withheld")).to_be_in_viewport()
        with reader.known() as client:
            assert granted(current(client)) == {"necessary", "preferences", "analytics"}
            assert events(client)[0]["gpc"] is True
        reader.page.goto("/consent")
        expect(reader.page.get_by_label("Marketing")).not_to_be_checked()
        reader.page.get_by_label("Marketing").check()
        reader.press("Save my choice")
        expect(reader.page.get_by_label("Marketing")).to_be_checked()
        with reader.known() as client:
            assert "marketing" in granted(current(client))


def test_deciding_works_on_postgresql_too(chromium: Browser, tmp_path: Path, sqlite_template: Path) -> None:
    with (
        serving_readers("postgresql", tmp_path, sqlite_template) as store,
        reading(chromium, store) as reader,
    ):
        reader.page.goto("/")
        reader.press("Accept")
        expect(reader.banner).to_be_hidden()
        with reader.known() as client:
            assert granted(current(client)) == {"necessary", *OPTIONAL}
