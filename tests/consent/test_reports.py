"""Rates by day, version, country and surface, in which small figures are not told; and where each reader
stands, by pseudonym.
"""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import httpx
import pytest

from service.consent.audit.reports import SMALLEST, Dimension, _hidden_parts
from service.consent.decisions.callers import PRESSED_AGAIN
from tests.articles.newsroom import problem
from tests.consent.deciding import decide, events, notice, publish, rows
from tests.serving import Store

TODAY = datetime.now(UTC).date()


@pytest.fixture
def auditor(store: Store) -> Iterator[httpx.Client]:
    with store.client("consent:read", name="auditor") as reader:
        yield reader


def rates(auditor: httpx.Client, **params: object) -> list[dict[str, Any]]:
    answer = auditor.get("/v1/consent-reports/rates", params={"by": "day,notice_version", **params})
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def test_rates_are_counted_by_each_dimension(
    store: Store, auditor: httpx.Client, client: httpx.Client
) -> None:
    shown = {"notice_key": "default", "notice_version": 1, "ui_surface": "banner"}
    assert client.post("/v1/consent-impressions", json=shown).status_code == 204
    decide_often(store, "accept_all", 1)
    for dimension in Dimension:
        assert rates(auditor, by=dimension), dimension
        assert all(dimension in cell for cell in rates(auditor, by=dimension))
    assert rates(auditor, by=",".join(Dimension))


@pytest.mark.parametrize(
    ("period", "wrong"),
    [
        ({"since": "2026-02-01", "until": "2026-01-01"}, "/since"),
        ({"since": "2020-01-01", "until": "2026-01-01"}, "/since"),
        ({"until": "1999-12-31"}, "/until"),
    ],
)
def test_a_period_that_is_none_is_refused_where_it_is_wrong(
    auditor: httpx.Client, period: dict[str, str], wrong: str
) -> None:
    refused = problem(auditor.get("/v1/consent-reports/rates", params=period), 422, "wrong-period")
    assert [(each["in"], each["pointer"]) for each in refused["errors"]] == [("query", wrong)]


def decide_often(store: Store, action: str, count: int, **members: Any) -> None:
    for _ in range(count):
        with store.client() as reader:
            decide(reader, action, **members)


@pytest.mark.slow
def test_rates_tell_how_readers_decided(store: Store, auditor: httpx.Client, client: httpx.Client) -> None:
    for _ in range(40):
        client.post(
            "/v1/consent-impressions",
            json={"notice_key": "default", "notice_version": 1, "ui_surface": "banner"},
        )
    decide_often(store, "accept_all", 15)
    decide_often(store, "reject_all", 10)
    decide_often(store, "save", 11, granted=("analytics",))
    (cell,) = rates(auditor)
    assert cell["day"] in (str(TODAY), str(datetime.now(UTC).date()))
    assert (cell["notice_key"], cell["notice_version"]) == ("default", 1)
    told = {
        name: cell[name]
        for name in (
            "impressions",
            "decisions",
            "accepted",
            "rejected",
            "custom",
            "withdrawn",
            "acceptance_rate",
        )
    }
    assert told == {
        "impressions": 40,
        "decisions": 36,
        "accepted": 15,
        "rejected": 10,
        "custom": 11,
        "withdrawn": 0,
        "acceptance_rate": 0.4167,
    }
    assert not cell["suppressed"]


def test_figures_below_ten_are_not_told(store: Store, auditor: httpx.Client) -> None:
    decide_often(store, "accept_all", 9)
    (cell,) = rates(auditor)
    assert (cell["decisions"], cell["accepted"], cell["acceptance_rate"], cell["suppressed"]) == (
        None,
        None,
        None,
        True,
    )
    decide_often(store, "accept_all", 1)
    (cell,) = rates(auditor)
    assert (cell["decisions"], cell["accepted"], cell["acceptance_rate"], cell["suppressed"]) == (
        10,
        10,
        1.0,
        False,
    )


def test_a_small_figure_cannot_be_worked_out_from_the_others() -> None:
    for accepted, rejected, custom in product((0, 1, 4, 9, 10, 15), repeat=3):
        counted = {"accepted": accepted, "rejected": rejected, "custom": custom}
        hidden = [counted[part] for part in _hidden_parts(counted)]
        told = [figure for part, figure in counted.items() if part not in _hidden_parts(counted)]
        assert all(figure == 0 or figure >= SMALLEST for figure in told)
        # What is left of the sum is none, or too large to be about one small figure alone; only where nothing
        # else is there to hide it.
        assert not hidden or (len(hidden) > 1 and sum(hidden) >= SMALLEST) or not any(told)


@pytest.mark.slow
def test_rates_are_told_apart_by_what_is_asked_for(
    store: Store, auditor: httpx.Client, newsroom: httpx.Client
) -> None:
    publish(newsroom, notice())
    decide_often(store, "accept_all", 10, ui_surface="banner")
    decide_often(store, "reject_all", 10, ui_surface="settings")
    decide_often(store, "reject_all", 10, notice_key="weather")
    by_surface = {cell["ui_surface"]: cell for cell in rates(auditor, by="ui_surface", notice_key="default")}
    assert (by_surface["banner"]["accepted"], by_surface["settings"]["rejected"]) == (10, 10)
    assert {cell["notice_key"] for cell in rates(auditor)} == {"default", "weather"}
    assert [cell["decisions"] for cell in rates(auditor, by="")] == [20, 10]
    assert {cell["country"] for cell in rates(auditor, by="country")} == {None}


def test_withdrawals_are_counted(store: Store, auditor: httpx.Client) -> None:
    for _ in range(10):
        with store.client() as reader:
            decide(reader)
            reader.post("/v1/consents/current/withdrawal")
    (cell,) = rates(auditor)
    assert (cell["decisions"], cell["withdrawn"]) == (10, 10)


@pytest.mark.slow
@pytest.mark.parametrize("by_id", [False, True])
def test_two_presses_without_a_cookie_within_seconds_are_one_reader(
    store: Store, auditor: httpx.Client, monkeypatch: pytest.MonkeyPatch, by_id: bool
) -> None:
    def press(reader: int, action: str = "accept_all") -> None:
        known = {"consent_id": f"page-{reader}"} if by_id else {}
        with store.client() as browser:
            decide(browser, action, headers={"User-Agent": f"Mozilla/5.0 (Reader {reader})"}, **known)

    with store.client() as browser:
        refused = browser.post(
            "/v1/consents", json={"notice_key": "default", "notice_version": 99, "action": "save"}
        )
        assert refused.status_code == 422
    for reader in range(10):
        press(reader)
        press(reader)
        press(reader, "reject_all")
    (cell,) = rates(auditor)
    assert (cell["decisions"], cell["accepted"], cell["rejected"]) == (10, 10, 0)
    assert rows(store) == 30
    later = time.monotonic() + PRESSED_AGAIN + 1
    monkeypatch.setattr("service.consent.decisions.callers.time.monotonic", lambda: later)
    press(0, "reject_all")
    press(0)
    (cell,) = rates(auditor)
    assert cell["decisions"] == 11


def test_a_report_is_of_the_days_that_are_asked_for(store: Store, auditor: httpx.Client) -> None:
    decide_often(store, "accept_all", 10)
    yesterday = TODAY - timedelta(days=1)
    assert rates(auditor, since=yesterday - timedelta(days=1), until=yesterday) == []
    assert len(rates(auditor, since=TODAY, until=TODAY + timedelta(days=1))) == 1
    path = "/v1/consent-reports/rates"
    assert auditor.get(path, params={"since": TODAY, "until": yesterday}).status_code == 422
    assert auditor.get(path, params={"by": "shoe_size"}).status_code == 422
    for wrong in (
        {"since": "yesterday"},
        {"until": "0"},
        {"until": "0001-01-01"},
        {"until": "9999-12-31"},
        {"since": "0001-01-01"},
    ):
        assert auditor.get(path, params=wrong).status_code == 422


def test_records_tell_where_readers_stand_by_pseudonym(
    store: Store, auditor: httpx.Client, newsroom: httpx.Client
) -> None:
    publish(newsroom, notice())
    with store.client() as one, store.client() as other:
        decide(one, consent_id="page-1")
        decide(one, "reject_all", notice_key="weather")
        decide(other, "reject_all")
        pseudonyms = [events(reader)[0]["pseudonym"] for reader in (one, other)]
    listed = auditor.get("/v1/consent-records").json()["items"]
    assert [(item["pseudonym"], item["notice_key"], item["status"]) for item in listed] == [
        (pseudonyms[1], "default", "ConsentRefused"),
        (pseudonyms[0], "default", "ConsentGiven"),
        (pseudonyms[0], "weather", "ConsentRefused"),
    ]
    assert len(auditor.get("/v1/consent-records?notice_key=weather").json()["items"]) == 1
    found = auditor.get("/v1/consent-records?consent_id=page-1").json()["items"]
    assert {item["pseudonym"] for item in found} == {pseudonyms[0]}


def test_records_are_listed_page_by_page_without_a_gap(
    store: Store, auditor: httpx.Client, newsroom: httpx.Client
) -> None:
    publish(newsroom, notice())
    for number in range(5):
        with store.client() as reader:
            decide(reader)
            if number % 2:
                decide(reader, "reject_all", notice_key="weather")
    for query, count in (("", 7), ("notice_key=weather&", 2)):
        assert auditor.get(f"/v1/consent-records?{query}limit=2&count=true").json()["total"] == count
        path, seen = f"/v1/consent-records?{query}limit=2", []
        while path:
            page = auditor.get(path).json()
            seen += [(item["pseudonym"], item["notice_key"]) for item in page["items"]]
            path = page["next"]
        assert len(seen) == len(set(seen)) == count
        assert auditor.get(f"/v1/consent-records?{query}limit=1&count=true").json()["total"] == count


def test_only_who_may_read_consent_sees_reports(store: Store, client: httpx.Client) -> None:
    for path in ("/v1/consent-reports/rates", "/v1/consent-records"):
        assert client.get(path).status_code == 401
        with store.client("consent:write") as other:
            assert other.get(path).status_code == 403
