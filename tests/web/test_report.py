"""The staff's page of rates: only for the scope, with a chart that leaves gaps, and every figure
in a table.
"""

from datetime import UTC, datetime

import httpx
import pytest

from tests.consent.deciding import decide
from tests.serving import ORIGIN, Store
from tests.web.looking import one, page_of


def test_the_report_needs_a_token_with_its_scope(store: Store, client: httpx.Client) -> None:
    page_of(client.get("/consent/report"))
    assert not page_of(client.get("/consent/report")).xpath("//table")
    page_of(client.post("/consent/report", data={"token": "cd_wrong"}), 401)
    page_of(client.post("/consent/report", data={"token": store.token("content:read")}), 403)
    with store.client("content:read") as other:
        page_of(other.get("/consent/report"), 403)


@pytest.mark.slow
def test_rates_are_drawn_and_every_figure_is_in_the_table(store: Store, client: httpx.Client) -> None:
    for number in range(40):
        with store.client() as reader:
            decide(reader, "accept_all" if number < 24 else "reject_all")
    token = store.token("consent:read")
    today = datetime.now(UTC).date()
    response = client.post(
        "/consent/report", data={"token": token, "since": "", "until": str(today)}, headers={"Origin": ORIGIN}
    )
    assert response.headers["cache-control"] == "private, no-store"
    assert token not in response.text
    page = page_of(response)
    # The chart is SVG in HTML: one point for the one day that there is.
    (chart,) = page.xpath("//svg")
    assert len(chart.xpath(".//circle")) == len(chart.xpath(".//rect")) == 1
    assert "accepted: 60%" in one(chart, ".//desc/text()")
    (row,) = page.xpath("//tbody/tr")
    assert [cell.text_content() for cell in row.xpath("./td")] == [
        "0",
        "40",
        "24",
        "16",
        "0",
        "0",
        "0",
        "60.0%",
    ]
    with store.client("consent:read") as auditor:
        assert page_of(auditor.get("/consent/report")).xpath("//tbody/tr")


def test_a_period_that_is_none_is_refused_as_a_page(store: Store, client: httpx.Client) -> None:
    token = store.token("consent:read")
    page_of(
        client.post("/consent/report", data={"token": token, "since": "2026-02-02", "until": "2026-02-01"}),
        422,
    )
