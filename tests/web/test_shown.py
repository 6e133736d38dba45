"""That a banner was shown is counted without a script: when a browser fetches the style sheet that does not
hide it.
"""

import httpx
import pytest
from lxml import html

from tests.consent.deciding import decide, impressions, notice, publish
from tests.serving import Store, another

LOOKED_AT = {"Sec-Fetch-Dest": "style", "Sec-Fetch-Site": "same-origin"}


def kept(store: Store) -> dict[int, int]:
    """Count how often each version was shown in the banner."""
    return {
        version: count for (version, _, surface), count in impressions(store).items() if surface == "banner"
    }


def style_of(client: httpx.Client, page: str = "/") -> str:
    """The address of a page's style sheet for its reader."""
    (address,) = html.fromstring(client.get(page).text).xpath(
        "//link[@rel='stylesheet']/@href[starts-with(., '/consent/')]"
    )
    return str(address)


def fetch(client: httpx.Client, address: str, headers: dict[str, str] = LOOKED_AT) -> None:
    response = client.get(address, headers=headers)
    assert response.status_code == 200
    assert "set-cookie" not in response.headers


def test_a_banner_is_counted_each_time_that_it_is_shown_and_no_cookie_is_set(
    store: Store, client: httpx.Client
) -> None:
    before = sum(kept(store).values())
    for page in ("/", "/?section=nowhere", "/read/nothing-of-this-name"):
        fetch(client, style_of(client, page))
    assert sum(kept(store).values()) == before + 3


def test_the_version_that_the_page_shows_is_counted(store: Store, client: httpx.Client) -> None:
    with store.client("consent:write") as newsroom:
        version = publish(newsroom, notice("default"))["version"]
    fetch(client, style_of(client))
    assert kept(store)[version] == 1


def test_readers_who_have_decided_are_shown_none(store: Store, client: httpx.Client) -> None:
    before, address = kept(store), style_of(client)
    version = int(address.rpartition("=")[2])
    decide(client, "reject_all", notice_version=version)
    fetch(client, address)
    assert kept(store) == before


@pytest.mark.parametrize("page", ["/consent", "/consent/report"])
def test_a_page_without_a_banner_counts_none(store: Store, client: httpx.Client, page: str) -> None:
    before = kept(store)
    fetch(client, style_of(client, page))
    assert kept(store) == before


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Dest": "style", "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "none"},
        {**LOOKED_AT, "Sec-Purpose": "prefetch;prerender"},
        {**LOOKED_AT, "User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"},
    ],
)
def test_what_no_reader_looks_at_is_not_counted(
    store: Store, client: httpx.Client, headers: dict[str, str]
) -> None:
    before = kept(store)
    fetch(client, style_of(client), headers)
    assert kept(store) == before


def test_a_version_that_was_never_published_is_not_counted(store: Store, client: httpx.Client) -> None:
    before = kept(store)
    fetch(client, "/consent/reader.css?shown=9999")
    assert kept(store) == before


def test_more_than_people_look_at_is_not_counted_and_takes_nobodys_decision_away(store: Store) -> None:
    before = sum(kept(store).values())
    with another(store, consent_rate_limit=3) as second, second.client() as client:
        address = style_of(client)
        for _ in range(5):
            fetch(client, address)
        assert (
            client.post(
                "/v1/consents", json={"notice_key": "default", "notice_version": 1, "action": "accept_all"}
            ).status_code
            == 201
        )
    assert sum(kept(store).values()) == before + 3
