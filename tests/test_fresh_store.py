"""A store that nobody has put anything into."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.articles.newsroom import ids
from tests.consent.deciding import decide, notice
from tests.databases import KINDS, empty_database
from tests.serving import running, settings_for

NOTICES = "/v1/consent-notices"


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path, sqlite_template: Path) -> Iterator[str]:
    """The address of a database in which nothing is, but its schema."""
    with empty_database(request.param, tmp_path, sqlite_template) as url:
        yield url


def test_a_store_begins_with_the_honest_notice_and_keeps_one_of_its_own(
    database_url: str, tmp_path: Path
) -> None:
    with running(settings_for(database_url, tmp_path)) as fresh, fresh.client("consent:write") as newsroom:
        assert [item["notice_key"] for item in newsroom.get(NOTICES).json()["items"]] == ["default"]
        newsroom.post(NOTICES, json=notice("default"))
        own = newsroom.post(f"{NOTICES}/default/publish").json()
    with running(settings_for(database_url, tmp_path)) as again, again.client() as reader:
        assert reader.get(f"{NOTICES}/default/current").json()["content_hash"] == own["content_hash"]


def test_an_empty_store_answers_everything_with_nothing(client: httpx.Client) -> None:
    for address in ("/v1/articles", "/v1/articles?q=word&count=true", "/v1/images", "/v1/captions"):
        assert ids(client.get(address)) == []
    assert decide(client, "reject_all")["status"] == "ConsentRefused"
