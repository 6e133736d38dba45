"""npm's vanilla-cookieconsent, unmodified, with the very lines of docs/consent/banners.md: every decision
reaches the store, and reaches it once.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.browsing import Reader
from tests.browser.clients.publishing import PLACES, documented, origin_of, package, page, visiting
from tests.consent.deciding import OPTIONAL, current, events, granted, notice, publish, rows
from tests.serving import Store
from tests.websites import Website

SNIPPET = documented(r"```js\n(const at = .*?CookieConsent\.run.*?)```")
BUTTONS = {"acceptAllBtn": "Accept", "acceptNecessaryBtn": "Reject"}
YOURS = {
    "hideFromBots": False,  # this browser says that it is driven
    "categories": {"necessary": {"enabled": True, "readOnly": True}, **{key: {} for key in OPTIONAL}},
    "language": {
        "default": "en",
        "translations": {
            "en": {
                "consentModal": {
                    "title": "Cookies",
                    "description": "May we?",
                    **BUTTONS,
                    "showPreferencesBtn": "Choose",
                },
                "preferencesModal": {
                    "title": "Your choice",
                    **BUTTONS,
                    "savePreferencesBtn": "Save",
                    "sections": [{"title": key, "linkedCategory": key} for key in ("necessary", *OPTIONAL)],
                },
            }
        },
    },
}


@contextmanager
def reading(
    chromium: Browser, store: Store, site: Website, place: str = "another origin"
) -> Iterator[Reader]:
    """A reader of a page with this banner."""
    at = "" if origin_of(place, store, site) == store.settings.public_url else store.settings.public_url
    lines = SNIPPET.replace('const at = ""', f'const at = "{at}"')
    head = (
        '<link rel="stylesheet" href="/cookieconsent.css"><script src="/cookieconsent.js"></script>'
        '<script type="text/plain" data-category="analytics" src="/analytics.js"></script>'
        f'<script type="module">const yours = {json.dumps(YOURS)};\n{lines}</script>'
    )
    files = {
        "tides.html": page(head),
        "analytics.js": "",
        "cookieconsent.js": package("vanilla-cookieconsent", "3.1.0", "dist/cookieconsent.umd.js"),
        "cookieconsent.css": package("vanilla-cookieconsent", "3.1.0", "dist/cookieconsent.css"),
    }
    with visiting(chromium, store, site, place, files) as reader:
        yield reader


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).filter(visible=True).click()


def banner(reader: Reader):
    return reader.page.get_by_role("dialog", name="Cookies")


def come_back(reader: Reader) -> None:
    """Visit the page again, and wait until it has decided whether to ask."""
    reader.page.reload()
    reader.page.wait_for_function("CookieConsent.getConfig('categories')")


def counts(reader: Reader) -> bool:
    return any(address.endswith("/analytics.js") for address in reader.asked)


@pytest.mark.parametrize("place", PLACES, scope="module")
def test_deciding_changing_and_coming_back(
    chromium: Browser, store: Store, site: Website, place: str
) -> None:
    with reading(chromium, store, site, place) as reader:
        expect(banner(reader)).to_be_visible()
        assert (reader.context.cookies(), rows(store)) == ([], 0)
        with reader.page.expect_response("**/v1/consents"):
            press(reader.page, "Reject")
        assert not counts(reader)
        with reader.known() as client:
            assert (current(client)["status"], granted(current(client))) == ("ConsentRefused", {"necessary"})
        come_back(reader)
        expect(banner(reader)).to_be_hidden()
        reader.page.evaluate("CookieConsent.showPreferences()")
        counting = reader.page.get_by_label("analytics")
        reader.page.locator(".section__toggle-wrapper").filter(has=counting).click()
        expect(counting).to_be_checked()
        with reader.page.expect_request("**/analytics.js"), reader.page.expect_response("**/v1/consents"):
            press(reader.page, "Save")
        with reader.known() as client:
            assert granted(current(client)) == {"necessary", "analytics"}
            assert [event["action"] for event in events(client)] == ["reject_all", "save"]
            assert all(event["consent_id"] and event["client_event_time"] for event in events(client))
        come_back(reader)
        expect(banner(reader)).to_be_hidden()
        assert rows(store) == 2
        assert reader.complaints == []


def test_what_was_decided_without_a_network_is_sent_when_it_is_back_and_recorded_once(
    chromium: Browser, store: Store, site: Website
) -> None:
    before = rows(store)
    with reading(chromium, store, site) as reader:
        expect(banner(reader)).to_be_visible()
        reader.context.set_offline(True)
        with reader.page.expect_event("requestfailed"):
            press(reader.page, "Accept")
        expect(banner(reader)).to_be_hidden()
        assert rows(store) == before
        with reader.page.expect_response("**/v1/consents"):
            reader.context.set_offline(False)
        with reader.known() as client:
            assert (current(client)["status"], len(events(client))) == ("ConsentGiven", 1)
        come_back(reader)
        assert rows(store) == before + 1


def test_what_was_decided_before_the_page_was_closed_is_sent_on_the_next_visit(
    chromium: Browser, store: Store, site: Website
) -> None:
    before = rows(store)
    with reading(chromium, store, site) as reader:
        expect(banner(reader)).to_be_visible()
        reader.context.set_offline(True)
        press(reader.page, "Reject")
        expect(banner(reader)).to_be_hidden()
        reader.page.close()
        reader.context.set_offline(False)
        later = reader.context.new_page()
        with later.expect_response("**/v1/consents"):
            later.goto("/tides.html")
        with reader.known() as client:
            assert current(client)["status"] == "ConsentRefused"
        assert rows(store) == before + 1


@pytest.mark.parametrize("lost", ["answer lost", "store busy"])
def test_an_answer_that_never_came_is_asked_for_again_and_recorded_once(
    chromium: Browser, store: Store, site: Website, lost: str
) -> None:
    before = rows(store)

    def lose(route: Route) -> None:
        if lost == "answer lost":
            route.fetch()
            route.abort()
        else:
            route.fulfill(
                status=503,
                headers={"Access-Control-Allow-Origin": site.url, "Access-Control-Allow-Credentials": "true"},
            )

    with reading(chromium, store, site) as reader:
        reader.context.route("**/v1/consents", lose, times=1)
        with (
            reader.page.expect_event("requestfailed")
            if lost == "answer lost"
            else reader.page.expect_response("**/v1/consents")
        ):
            press(reader.page, "Accept")
        assert rows(store) == before + (lost == "answer lost")
        with reader.page.expect_response("**/v1/consents"):
            reader.page.reload()
        with reader.known() as client:
            assert (current(client)["status"], len(events(client))) == ("ConsentGiven", 1)
        assert rows(store) == before + 1
        assert reader.page.evaluate("localStorage.length") == 0


def test_the_banner_asks_again_exactly_when_the_store_would(
    chromium: Browser, store: Store, site: Website
) -> None:
    with store.client("consent:write") as newsroom, reading(chromium, store, site) as reader:
        with reader.page.expect_response("**/v1/consents"):
            press(reader.page, "Accept")
        shown = newsroom.get("/v1/consent-notices/default/current").json()
        changed = notice(
            "default", texts=shown["texts"] | {"body": "Better words."}, purposes=shown["purposes"]
        )
        publish(newsroom, changed)
        come_back(reader)
        expect(banner(reader)).to_be_hidden()
        changed["purposes"][1]["services"] = ["Someone New"]
        version = publish(newsroom, changed)["version"]
        come_back(reader)
        expect(banner(reader)).to_be_visible()
        with reader.page.expect_response("**/v1/consents"):
            press(reader.page, "Reject")
        with reader.known() as client:
            assert (current(client)["status"], current(client)["reconsent_required"]) == (
                "ConsentRefused",
                False,
            )
            assert events(client)[-1]["notice_version"] == version


def test_global_privacy_control_is_kept_with_what_is_decided(
    chromium: Browser, store: Store, site: Website
) -> None:
    with reading(chromium, store, site) as reader:
        reader.context.set_extra_http_headers({"Sec-GPC": "1"})
        with reader.page.expect_response("**/v1/consents"):
            press(reader.page, "Accept")
        with reader.known() as client:
            assert events(client)[0]["gpc"] is True
