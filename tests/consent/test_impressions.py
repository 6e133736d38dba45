"""That a notice was shown is counted, and nothing is known about whoever saw it."""

from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from service.tables import Table
from tests.consent.deciding import decide, events, impressions
from tests.serving import AppTransport, Store, running, settings_for


def shown(client: httpx.Client, **members: object) -> httpx.Response:
    return client.post(
        "/v1/consent-impressions", json={"notice_key": "default", "notice_version": 1, **members}
    )


def kept(store: Store) -> list[tuple[object, ...]]:
    return sorted((*place, count) for place, count in impressions(store).items())


def test_impressions_are_counted_and_set_no_cookie(store: Store, client: httpx.Client) -> None:
    for surface in ("banner", "banner", "settings", None):
        answer = shown(client, ui_surface=surface)
        assert answer.status_code == 204
        assert "set-cookie" not in answer.headers
    assert kept(store) == [(1, "", "", 1), (1, "", "banner", 2), (1, "", "settings", 1)]


def test_a_notice_that_was_never_published_is_not_counted(store: Store, client: httpx.Client) -> None:
    assert shown(client, notice_version=99).status_code == 422
    assert shown(client, notice_key="nowhere").status_code == 422
    assert (
        client.post(
            "/v1/consent-impressions", json={}, headers={"Origin": "https://elsewhere.example"}
        ).status_code
        == 403
    )
    assert kept(store) == []


@pytest.mark.parametrize(
    ("agent", "counted"),
    [
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", 0),
        ("AdsBot-Google (+http://www.google.com/adsbot.html)", 0),
        ("Mozilla/5.0 (Linux; Android 5.0) AppleWebKit/537.36 (compatible; Bytespider)", 0),
        ("Example Crawler", 0),
        ("Mozilla/5.0 (Linux; Android 9; CUBOT_X19) AppleWebKit/537.36 Chrome/80 Mobile Safari/537.36", 2),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36", 2),
        ("front-end-of-ours/1.0 httpx", 2),
    ],
)
def test_programs_that_say_that_they_collect_pages_are_shown_nothing_that_counts(
    store: Store, client: httpx.Client, agent: str, counted: int
) -> None:
    client.headers["User-Agent"] = agent
    assert shown(client).status_code == 204
    told = {"consent_data": {"type": "show", "config": "default/1"}}
    assert client.post("/v1/privacy-managers/default/submit", json=told).status_code == 200
    assert sum(int(str(row[-1])) for row in kept(store)) == counted
    with store.database.reading() as session:
        everything = [
            session.execute(text(f"SELECT * FROM {table}")).all() for table in Table.metadata.tables
        ]
    assert agent not in str(everything)


@pytest.mark.parametrize(("proxies", "country"), [("127.0.0.1", "NZ"), ("", None)])
def test_a_country_is_believed_from_a_trusted_proxy_only(
    database_url: str, tmp_path: Path, proxies: str, country: str | None
) -> None:
    settings = settings_for(
        database_url, tmp_path, consent_country_header="CF-IPCountry", trusted_proxies=proxies
    )
    with running(settings) as store, store.client() as reader:
        assert isinstance(reader._transport, AppTransport)
        reader.headers["CF-IPCountry"] = "nz"
        shown(reader)
        decide(reader)
        assert events(reader)[0]["country"] == country
        assert [row[1] for row in kept(store)] == [country or ""]
        reader.headers["CF-IPCountry"] = "<script>"
        decide(reader)
        assert events(reader)[1]["country"] is None
