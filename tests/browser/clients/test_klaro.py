"""npm's Klaro, unmodified, with the one line of docs/consent/banners.md: its configuration comes from the
store, and what readers decide goes back.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.browsing import Reader
from tests.browser.clients.publishing import PLACES, documented, package, page, visiting
from tests.consent.deciding import OPTIONAL, current, events, granted, impressions, notice, publish, rows
from tests.patience import wait_until
from tests.serving import Store
from tests.websites import Website

SCRIPT = documented(r'(<script defer src="klaro\.js"[^>]*></script>)')


@contextmanager
def reading(
    chromium: Browser, store: Store, site: Website, place: str = "same origin", more: str = ""
) -> Iterator[Reader]:
    """A reader of a page with this banner."""
    script = SCRIPT.replace("https://news.example", store.settings.public_url).replace(
        "<script ", f"<script {more}"
    )
    counter = '<script type="text/plain" data-type="application/javascript" data-name="analytics" data-src="/analytics.js"></script>'
    files = {
        "tides.html": page(script + counter),
        "analytics.js": "",
        "klaro.js": package("klaro", "0.7.22", "dist/klaro.js"),
    }
    with visiting(chromium, store, site, place, files) as reader:
        yield reader


def banner(reader: Reader) -> Locator:
    return reader.page.locator(".klaro .cookie-notice")


def press(reader: Reader, button: Locator) -> None:
    """Press a button, and wait until what Klaro sends is answered; that it has shown its notice, it sends as
    well.
    """
    with reader.page.expect_response(
        lambda answer: answer.url.endswith("/submit") and '"type":"show"' not in str(answer.request.post_data)
    ):
        button.click()


def choose(reader: Reader, name: str) -> None:
    press(reader, banner(reader).get_by_role("button", name=name, exact=True))


def come_back(reader: Reader) -> None:
    """Visit the page again, and wait until Klaro is there, whether or not it asks."""
    reader.page.reload()
    reader.page.locator("#klaro").wait_for(state="attached")


def shown(store: Store) -> int:
    return sum(count for (_, _, surface), count in impressions(store).items() if surface == "klaro")


@pytest.mark.parametrize("place", PLACES, scope="module")
def test_deciding_and_coming_back(chromium: Browser, store: Store, site: Website, place: str) -> None:
    with reading(chromium, store, site, place) as reader:
        expect(banner(reader)).to_contain_text("With your permission we would also remember your preferences")
        assert reader.context.cookies() == []
        assert not any(address.endswith("/analytics.js") for address in reader.asked)
        with reader.page.expect_request("**/analytics.js"):
            choose(reader, "Accept")
        assert rows(store) == 1
        wait_until(lambda: shown(store) == 1)
        come_back(reader)
        expect(banner(reader)).to_be_hidden()
        assert (rows(store), shown(store), reader.complaints) == (1, 1, [])


def test_refusing_choosing_and_changing_are_one_readers_decisions(
    chromium: Browser, store: Store, site: Website
) -> None:
    with reading(chromium, store, site) as reader:
        choose(reader, "Reject")
        reader.page.evaluate("klaro.show()")
        reader.page.get_by_label("Analytics").first.press("Space")
        expect(reader.page.get_by_label("Analytics").first).to_be_checked()
        press(reader, reader.page.locator(".klaro .cm-btn-accept"))
        with reader.known() as client:
            assert granted(current(client)) == {"necessary", "analytics"}
            assert [event["action"] for event in events(client)] == ["reject_all", "save"]


def test_klaro_asks_again_exactly_when_the_store_would(
    chromium: Browser, store: Store, site: Website
) -> None:
    with store.client("consent:write") as newsroom, reading(chromium, store, site) as reader:
        choose(reader, "Accept")
        shown = newsroom.get("/v1/consent-notices/default/current").json()
        changed = notice(
            "default", texts=shown["texts"] | {"body": "Better words."}, purposes=shown["purposes"]
        )
        publish(newsroom, changed)
        come_back(reader)
        expect(banner(reader)).to_be_hidden()
        changed["purposes"][1]["services"] = ["Someone New"]
        version = publish(newsroom, changed)["version"]
        reader.page.reload()
        expect(banner(reader)).to_contain_text("Better words.")
        choose(reader, "Reject")
        with reader.known() as client:
            assert (events(client)[-1]["notice_version"], current(client)["status"]) == (
                version,
                "ConsentRefused",
            )


def test_klaro_speaks_the_language_that_the_page_names(
    chromium: Browser, store: Store, site: Website
) -> None:
    words = {
        "title": "Votre choix",
        "body": "Pouvons-nous ?",
        "actions": {"accept_all": "Oui", "reject_all": "Non", "save": "Choisir"},
    }
    with store.client("consent:write") as newsroom:
        shown = newsroom.get("/v1/consent-notices/default/current").json()
        publish(newsroom, notice("default", language="fr", texts=words, purposes=shown["purposes"]))
    with reading(chromium, store, site, more='data-klaro-config="fr" ') as reader:
        expect(banner(reader)).to_contain_text("Pouvons-nous ?")
        choose(reader, "Oui")
        with reader.known() as client:
            assert (granted(current(client)), events(client)[0]["language"]) == (
                {"necessary", *OPTIONAL},
                "fr",
            )


def test_global_privacy_control_denies_marketing(chromium: Browser, store: Store, site: Website) -> None:
    with reading(chromium, store, site) as reader:
        reader.context.set_extra_http_headers({"Sec-GPC": "1"})
        choose(reader, "Accept")
        with reader.known() as client:
            assert events(client)[0]["gpc"] is True
