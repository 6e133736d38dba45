"""HEAD is answered as GET, without the body, whatever the server offers for sending it."""

from typing import Any

import httpx
import pytest

from tests.articles.newsroom import published
from tests.edge.asking import messages, scope_of
from tests.images.pictures import href_of, make_article, make_image
from tests.serving import Store


@pytest.mark.parametrize("extensions", [{}, {"http.response.pathsend": {}}])
def test_a_server_that_offers_to_read_files_itself_sends_none_for_head(
    store: Store, editor: httpx.Client, extensions: dict[str, Any]
) -> None:
    image = make_image(editor)
    make_article(editor, image)
    href = href_of(image, "w40", "webp")
    whole, head = (
        messages(store, scope_of(method, href, extensions=extensions)) for method in ("GET", "HEAD")
    )
    assert (whole[0]["status"], head[0]["status"]) == (200, 200)
    assert ("http.response.pathsend" in {message["type"] for message in whole}) == bool(extensions)
    assert {name: value for name, value in head[0]["headers"] if name != b"x-request-id"} == {
        name: value for name, value in whole[0]["headers"] if name != b"x-request-id"
    }
    assert {message["type"] for message in head[1:]} == {"http.response.body"}
    assert b"".join(message["body"] for message in head[1:]) == b""
    assert not head[-1].get("more_body", False)


@pytest.mark.slow
def test_the_head_of_an_article_is_that_of_its_get(client: httpx.Client, editor: httpx.Client) -> None:
    article = published(editor)
    for address in (
        f"/v1/articles/{article['id']}",
        "/v1/articles",
        "/v1/articles/nothing",
        "/v1/nowhere",
        "/openapi.json",
    ):
        for caller in (client, editor):
            whole, head = caller.get(address), caller.head(address)
            assert (head.status_code, head.content) == (whole.status_code, b"")
            kept = [
                {n: v for n, v in answer.headers.items() if n != "x-request-id"} for answer in (whole, head)
            ]
            assert kept[0] == kept[1], address
