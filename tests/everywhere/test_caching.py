"""What caches may keep: public answers for a while, anything seen with a token never."""

import httpx
import pytest

from tests.articles.newsroom import caption, do, draft, picture, published
from tests.serving import Store, another


@pytest.fixture
def addresses(editor: httpx.Client) -> list[str]:
    """Addresses that answer in every way there is."""
    image = picture(editor)
    words = caption(editor, image["id"])
    article, gone = published(editor, lead_image_id=image["id"]), published(editor)
    do(editor, gone, "withdraw", reason="Wrong.")
    return [
        f"/v1/articles/{article['id']}",
        f"/v1/articles/{article['slug']}",
        f"/v1/articles/{article['id']}?body=text",
        f"/v1/articles/{gone['id']}",
        f"/v1/articles/{draft(editor)['id']}",
        "/v1/articles/nothing-here",
        "/v1/articles",
        "/v1/articles?q=tram&count=true",
        "/v1/images",
        f"/v1/images/{image['id']}",
        f"/v1/captions/{words['id']}",
        f"/v1/images/{image['id']}/captions",
    ]


def test_public_answers_may_be_kept_for_as_long_as_the_settings_say(
    client: httpx.Client, addresses: list[str]
) -> None:
    for address in addresses:
        for _ in range(2):
            answer = client.get(address)
            assert answer.headers["cache-control"] in (
                "public, max-age=5, stale-while-revalidate=60, stale-if-error=86400",
                "no-store",
            ), address
            if answer.status_code == 200:
                assert answer.headers["cache-control"].startswith("public")
                varied = {name.strip().lower() for name in answer.headers["vary"].split(",")}
                assert {"accept-encoding", "authorization"} <= varied


def test_what_is_seen_with_a_token_is_private(
    store: Store, editor: httpx.Client, client: httpx.Client, addresses: list[str]
) -> None:
    with store.client("consent:read") as other:
        for caller in (editor, other):
            for address in [*addresses, "/v1/consent-log/tree-head", "/.well-known/gpc.json"]:
                client.get(address)
                answer = caller.get(address)
                assert answer.headers["cache-control"] == "private, no-store", address
                assert "authorization" in answer.headers["vary"].lower()
    for body in ({"headline": "x"}, {"headline": ""}):
        assert editor.post("/v1/articles", json=body).headers["cache-control"] == "private, no-store"


def test_the_settings_say_how_long(store: Store, editor: httpx.Client) -> None:
    article = published(editor)
    with (
        another(store, public_max_age=0, public_stale_while_revalidate=7) as second,
        second.client() as client,
    ):
        for address in (f"/v1/articles/{article['id']}", "/v1/articles"):
            assert (
                client.get(address).headers["cache-control"]
                == "public, max-age=0, stale-while-revalidate=7, stale-if-error=86400"
            )


def test_without_memory_for_answers_everything_is_still_answered(store: Store, editor: httpx.Client) -> None:
    article = published(editor)
    with another(store, cache_bytes=0) as second, second.client() as client:
        for _ in range(3):
            answer = client.get(f"/v1/articles/{article['id']}")
            assert client.get("/v1/articles").status_code == 200
        unchanged = client.get(
            f"/v1/articles/{article['id']}", headers={"If-None-Match": answer.headers["etag"]}
        )
        assert unchanged.status_code == 304
        lines = client.get("/metrics").text.splitlines()
        assert "copydesk_cache_entries 0.0" in lines
        assert "copydesk_cache_bytes 0.0" in lines
