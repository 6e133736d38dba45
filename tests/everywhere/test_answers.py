"""What every address of the API does alike: problems, tokens, keys, codings, ids."""

import gzip
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import brotli
import httpx
import pytest

from tests.articles.newsroom import mark, problem, published
from tests.serving import Store


@pytest.mark.parametrize(
    ("method", "address", "content", "headers", "status"),
    [
        ("GET", "/nowhere", None, {}, 404),
        ("GET", "/v1/articles/no-such-slug", None, {}, 404),
        ("GET", "/v1/articles/%00", None, {}, 404),
        ("GET", "/v1/articles?nonsense=1", None, {}, 400),
        ("GET", "/v1/articles?limit=0", None, {}, 422),
        ("GET", "/v1/articles?limit=many", None, {}, 422),
        ("GET", "/v1/articles?cursor=made-up", None, {}, 400),
        ("GET", "/v1/articles?fields=headline,secret", None, {}, 422),
        ("GET", "/v1/images/not-an-id", None, {}, 404),
        ("POST", "/v1/articles", b"{", {"Content-Type": "application/json"}, 400),
        ("POST", "/v1/articles", b"\xff", {"Content-Type": "application/json"}, 400),
        ("POST", "/v1/articles", b"[" * 100_000, {"Content-Type": "application/json"}, 400),
        ("POST", "/v1/articles", b'{"headline": "a\\u0000b"}', {"Content-Type": "application/json"}, 422),
        ("POST", "/v1/articles", b'{"headline": "\\ud800"}', {"Content-Type": "application/json"}, 422),
        ("POST", "/v1/articles", b"headline=x", {"Content-Type": "application/x-www-form-urlencoded"}, 415),
        (
            "POST",
            "/v1/articles",
            b'{"headline": "' + b"x" * 3_000_000 + b'"}',
            {"Content-Type": "application/json"},
            413,
        ),
        ("PUT", "/v1/articles", b"{}", {"Content-Type": "application/json"}, 405),
    ],
)
def test_bad_input_is_told_what_is_wrong_in_problem_details(
    editor: httpx.Client,
    method: str,
    address: str,
    content: bytes | None,
    headers: dict[str, str],
    status: int,
) -> None:
    answer = editor.request(method, address, content=content, headers=headers)
    said = problem(answer, status)
    assert said["instance"] == httpx.URL(address).path
    assert editor.get(said["type"]).status_code == 200
    assert "Traceback" not in answer.text


def test_a_405_lists_the_methods_that_are_there(editor: httpx.Client) -> None:
    assert editor.put("/v1/articles").headers["allow"] == "GET, HEAD, POST"


def test_a_token_allows_what_its_scopes_say_and_nothing_once_revoked(
    store: Store, client: httpx.Client
) -> None:
    with store.client("admin") as admin:
        made = admin.post("/v1/tokens", json={"name": "wire", "scopes": ["content:read"]}).json()
        holder = {"Authorization": f"Bearer {made['token']}"}
        assert client.get("/v1/articles?status=draft", headers=holder).status_code == 200
        problem(client.post("/v1/articles", json={"headline": "x"}, headers=holder), 403)
        problem(client.get("/v1/tokens", headers=holder), 403)
        assert admin.get(f"/v1/tokens/{made['id']}").json()["last_used_at"] is not None
        assert "token" not in admin.get(f"/v1/tokens/{made['id']}").json()
        assert admin.delete(f"/v1/tokens/{made['id']}").status_code == 204
    refused = client.get("/v1/articles", headers=holder)
    problem(refused, 401)
    assert refused.headers["www-authenticate"].startswith("Bearer")


def test_twenty_requests_of_one_key_make_one_article_and_its_answer_is_replayed_byte_for_byte(
    editor: httpx.Client,
) -> None:
    headline, key = f"Tram {mark()}", {"Idempotency-Key": uuid4().hex}
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(
                lambda _: editor.post("/v1/articles", json={"headline": headline}, headers=key), range(20)
            )
        )
    assert {answer.status_code for answer in answers} <= {201, 409}
    replayed = editor.post("/v1/articles", json={"headline": headline}, headers=key)
    assert replayed.content in [answer.content for answer in answers if answer.status_code == 201]
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    assert editor.get(f"/v1/articles?view=staff&q={headline.split()[1]}&count=true").json()["total"] == 1
    problem(editor.post("/v1/articles", json={"headline": "Other"}, headers=key), 422, "key-reused")


def test_a_refused_request_leaves_its_key_free(editor: httpx.Client) -> None:
    key = {"Idempotency-Key": uuid4().hex}
    problem(editor.post("/v1/articles", json={"headline": ""}, headers=key), 422)
    assert editor.post("/v1/articles", json={"headline": ""}, headers=key).status_code == 422
    assert editor.post("/v1/articles", json={"headline": "Tram"}, headers=key).status_code == 201


def test_public_answers_are_coded_as_asked_and_validated_by_their_etags(
    editor: httpx.Client, client: httpx.Client
) -> None:
    article = published(editor, body=[{"type": "paragraph", "html": "The tide came in. " * 60}])
    address = f"/v1/articles/{article['slug']}"
    plain = client.get(address, headers={"Accept-Encoding": "identity"})
    assert plain.headers["cache-control"].startswith("public, max-age=")
    for coding, opened in (("br", brotli.decompress), ("gzip", gzip.decompress)):
        with client.stream("GET", address, headers={"Accept-Encoding": coding}) as coded:
            assert coded.headers["content-encoding"] == coding
            assert opened(b"".join(coded.iter_raw())) == plain.content
            assert coded.headers["etag"] != plain.headers["etag"]
            etag = coded.headers["etag"]
        unchanged = client.get(address, headers={"Accept-Encoding": coding, "If-None-Match": etag})
        assert (unchanged.status_code, unchanged.content) == (304, b"")
    head = client.head(address, headers={"Accept-Encoding": "identity"})
    assert (head.status_code, head.content, head.headers["content-length"]) == (
        200,
        b"",
        str(len(plain.content)),
    )


def test_an_answer_to_a_token_is_never_kept_by_a_cache(editor: httpx.Client) -> None:
    article = published(editor)
    for address in (f"/v1/articles/{article['id']}", "/v1/articles", "/v1/images"):
        assert editor.get(address).headers["cache-control"] == "private, no-store"


def test_a_request_id_is_given_back_or_made(client: httpx.Client) -> None:
    for address in ("/v1/articles", "/v1/articles", "/health/live", "/nowhere"):
        assert client.get(address, headers={"X-Request-ID": "edge-42"}).headers["x-request-id"] == "edge-42"
        assert len(client.get(address).headers["x-request-id"]) == 32


def test_another_origin_may_read_and_sees_the_headers_that_it_needs(client: httpx.Client) -> None:
    answer = client.get("/v1/articles", headers={"Origin": "https://front.example"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "ETag" in answer.headers["access-control-expose-headers"]
    preflight = {
        "Origin": "https://front.example",
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "if-match",
    }
    assert client.options("/v1/articles/x", headers=preflight).status_code == 200


def test_the_service_says_that_it_is_ready_and_what_it_counts(client: httpx.Client) -> None:
    assert client.get("/health/ready").json()["status"] == "ready"
    assert "copydesk_cache_hits" in client.get("/metrics").text
