"""What somebody who knows nothing of the store tries first leads on."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import orjson
import pytest

from tests.databases import KINDS
from tests.serving import ORIGIN, Store, serving

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/v1", "/v1/"])
def test_the_index_says_what_is_where(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    addresses = [value for value in answer.json().values() if value.startswith("/")]
    assert len(addresses) == 10
    found = {
        address: client.get(address, params={"limit": 1} if "v1" in address else {}) for address in addresses
    }
    assert {
        address: answer.status_code for address, answer in found.items() if answer.status_code != 200
    } == {}


def test_the_index_leads_a_browser_to_the_documentation(client: httpx.Client) -> None:
    answer = client.get("/v1", headers=BROWSER)
    assert (answer.status_code, answer.headers["location"]) == (303, "/docs")


def test_crawlers_are_told_of_the_sitemaps_and_kept_from_the_rest(client: httpx.Client) -> None:
    answer = client.get("/robots.txt")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text.startswith("User-agent: *\nDisallow: /v1/\n")
    for address in re.findall(r"^Sitemap: (.*)$", answer.text, re.MULTILINE):
        assert client.get(address.removeprefix(ORIGIN)).status_code in (200, 404)
    assert client.get("/sitemap.xml", follow_redirects=True).url.path == "/sitemaps/index.xml"


@pytest.mark.slow
def test_the_shape_of_the_api_is_there_as_yaml_too(client: httpx.Client) -> None:
    answer = client.get("/openapi.yaml")
    assert answer.headers["content-type"] == "application/yaml"
    assert orjson.loads(answer.content) == client.get("/openapi.json").json()


def test_health_is_readiness(client: httpx.Client) -> None:
    assert client.get("/health").json() == client.get("/health/ready").json()


@pytest.mark.parametrize("path", ["/nothing", "/read/nothing", "/2026/05/04/story.html"])
def test_a_link_that_leads_nowhere_is_a_page_in_a_browser(client: httpx.Client, path: str) -> None:
    answer = client.get(path, headers=BROWSER)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "Not found" in answer.text


@pytest.mark.parametrize("path", ["/nothing", "/v1/nothing", "/media/nothing", "/v1/articles/nothing"])
def test_a_program_is_told_by_problem_details(client: httpx.Client, path: str) -> None:
    headers = BROWSER if path != "/nothing" else {"Accept": "*/*"}
    answer = client.get(path, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


@pytest.fixture(params=KINDS)
def bare(request: pytest.FixtureRequest, tmp_path: Path, sqlite_template: Path) -> Iterator[Store]:
    """A store that shows no pages."""
    with serving(request.param, tmp_path, sqlite_template, web="off") as store:
        yield store


def test_without_pages_the_front_is_the_index(bare: Store) -> None:
    with bare.client() as client:
        assert client.get("/").json() == client.get("/v1").json()
        assert "/v1" not in client.get("/robots.txt").text  # where articles are to be read now
        assert client.get("/nothing", headers=BROWSER).headers["content-type"] == "application/problem+json"
