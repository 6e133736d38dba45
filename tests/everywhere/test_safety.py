"""A browser does with an answer what it is for and nothing else, and files of the store are their owner's
alone.
"""

import base64
import hashlib
import re
from pathlib import Path

import httpx
import pytest

from tests.articles.newsroom import draft, problem, published
from tests.commands import copydesk
from tests.serving import Store, another


@pytest.mark.slow
def test_every_answer_says_that_it_is_no_page(client: httpx.Client, editor: httpx.Client) -> None:
    article = published(editor)
    addresses = ("/v1/articles", f"/v1/articles/{article['id']}", "/v1/changes", "/v1/consents/current")
    for caller in (client, editor):
        for address in (
            *addresses,
            "/v1/nowhere",
            "/v1/articles?x=1",
            "/feeds/rss.xml",
            "/health/live",
            "/openapi.json",
        ):
            for _ in range(2):
                answer = caller.get(address)
                assert answer.headers.get_list("x-content-type-options") == ["nosniff"], address
                assert answer.headers["content-security-policy"].startswith("default-src 'none'"), address
                assert answer.headers["referrer-policy"] == "no-referrer", address
                assert "strict-transport-security" not in answer.headers
    page = client.get("/")
    assert page.headers.get_list("referrer-policy") == ["strict-origin-when-cross-origin"]


def test_https_is_asked_for_by_a_setting(store: Store) -> None:
    with another(store, hsts_seconds=600) as secured, secured.client() as client:
        for address in ("/v1/articles", "/v1/articles/none", "/"):
            assert client.get(address).headers["strict-transport-security"] == "max-age=600"


def test_the_documentation_runs_its_own_script_alone_and_keeps_no_token(client: httpx.Client) -> None:
    page = client.get("/docs")
    (script,) = re.findall("<script>(.*?)</script>", page.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'self' 'sha256-{digest}';" in page.headers["content-security-policy"]
    assert '"persistAuthorization": false' in script


@pytest.mark.parametrize(
    ("link", "kept"),
    [
        ("//host.example/x", "https://host.example/x"),
        (" //host.example/x", "https://host.example/x"),
        (r"\\host.example", None),
        (r"/\host.example", None),
        (r"\/host.example", None),
        ("/&#9;/host.example", None),
        ("/front?a=//b", "/front?a=//b"),
        ("https://host.example//x", "https://host.example//x"),
    ],
)
def test_a_link_names_its_host_or_has_none(editor: httpx.Client, link: str, kept: str | None) -> None:
    article = draft(editor, body=[{"type": "paragraph", "html": f'<a href="{link}">x</a>'}])
    assert article["body"][0]["html"] == ("<a>x</a>" if kept is None else f'<a href="{kept}">x</a>')


@pytest.mark.parametrize(
    "host",
    ["10.0.0.1", "127.0.0.1", "127.1", "0x7f000001", "2130706433", "169.254.169.254", "[::1]", "[fd00::1]"],
)
def test_a_webhook_to_an_address_inside_is_refused_when_it_is_made(store: Store, host: str) -> None:
    with store.client("webhooks:write", "content:read") as keeper:
        problem(keeper.post("/v1/webhooks", json={"url": f"https://{host}/hook"}), 422, "address-refused")


@pytest.mark.slow
def test_files_are_their_owners_alone(tmp_path: Path) -> None:
    assert copydesk(tmp_path, "migrate").returncode == 0
    assert copydesk(tmp_path, "export", "out").returncode == 0
    made = [path for path in tmp_path.rglob("*") if path.name != "__pycache__"]
    assert {"copydesk.db", "out"} <= {path.name for path in made}
    assert [path for path in made if path.stat().st_mode & 0o077] == []
