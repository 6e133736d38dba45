"""Whatever is wrong with a request, the answer is a problem that explains itself and shows
nothing internal.
"""

import re

import httpx
import pytest

from service.errors import ServiceError
from tests.articles.newsroom import draft, if_match, problem
from tests.serving import AppTransport, Store, another

JSON = {"Content-Type": "application/json"}
DEEP = 100_000


@pytest.mark.parametrize(
    ("content", "statuses"),
    [
        (b"{", {400}),
        (b"", {422}),
        (b"\xff\xfe", {400}),
        (b'{"headline": "\xc3"}', {400}),
        (b'{"headline": x}', {400}),
        (b"{}" * 2, {400}),
        (b"[" * DEEP, {400}),
        (b'{"a":' * DEEP, {400}),
        (b"[" * DEEP + b"]" * DEEP, {400, 422}),
        (b'{"headline": "x", "body": ' + b"[" * 400 + b"]" * 400 + b"}", {400, 422}),
        (
            b'{"headline": "x", "body": [{"type": "image", "image_id": "x", "image": '
            + b"[" * 300
            + b"]" * 300
            + b"}]}",
            {422},
        ),
        (b'{"headline": ' + b"9" * 5_000 + b"}", {400, 422}),
        (b'{"headline": NaN}', {400}),
        (b'{"headline": "x", "body": [-Infinity]}', {400}),
        (b'{"headline": "\xed\xa0\x80"}', {400}),
        (b'{"headline": 1e999}', {422}),
        (b"null", {422}),
        (b"[]", {422}),
        (b'"text"', {422}),
        (b'{"\\ud800": 1, "headline": "x"}', {422}),
        (b'{"headline": "x", "body": [{"type": "\\udfff"}]}', {422}),
        (b'{"headline": "\\udc00"}', {422}),
        (b'{"\\u0000": 1}', {422}),
        ('{"headline": "x", "tags": ["\\u0000"]}'.encode("utf-16"), {400}),
        ('{"headline": "x"}'.encode("utf-16-be"), {400}),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(
    editor: httpx.Client, content: bytes, statuses: set[int]
) -> None:
    article = draft(editor)
    for method, address in (
        ("POST", "/v1/articles"),
        ("PUT", f"/v1/articles/{article['id']}"),
        ("PATCH", f"/v1/articles/{article['id']}"),
    ):
        answer = editor.request(method, address, content=content, headers={**JSON, **if_match(article)})
        assert answer.status_code in statuses, (method, answer.text)
        problem(answer, answer.status_code)
    assert editor.get(f"/v1/articles/{article['id']}").json() == article


def test_more_errors_than_are_listed_are_said_of_the_whole_body(editor: httpx.Client) -> None:
    refused = problem(editor.post("/v1/articles", json={"headline": "x", "body": ["x"] * 1_500}), 422)
    assert [error["pointer"] for error in refused["errors"]] == [""]


@pytest.mark.parametrize(
    "media_type",
    [
        "text/plain",
        "application/xml",
        "multipart/form-data; boundary=x",
        "",
        "json",
        "application/jsonp",
        "application/json-patch+json",
        "text/json",
    ],
)
def test_a_body_of_another_media_type_is_refused(editor: httpx.Client, media_type: str) -> None:
    answer = editor.post("/v1/articles", content=b'{"headline": "x"}', headers={"Content-Type": media_type})
    problem(answer, 415)
    assert answer.headers["accept"] == "application/json"


def test_no_body_says_nothing_of_its_media_type(client: httpx.Client, editor: httpx.Client) -> None:
    problem(client.post("/v1/tokens"), 401)
    problem(editor.post("/v1/articles"), 422)


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("/v1/articles", "GET, HEAD, POST"),
        ("/v1/articles/x", "DELETE, GET, HEAD, PATCH, PUT"),
        ("/v1/articles/01900000-0000-7000-8000-000000000000/publish", "POST"),
        ("/v1/articles/01900000-0000-7000-8000-000000000000/versions", "GET, HEAD"),
        ("/v1/images", "GET, HEAD, POST"),
        ("/v1/tokens", "GET, HEAD, POST"),
        ("/health/live", "GET, HEAD"),
        ("/problems/not-found", "GET, HEAD"),
        ("/openapi.json", "GET, HEAD"),
    ],
)
def test_a_method_that_is_not_there_is_answered_with_those_that_are(
    editor: httpx.Client, address: str, allowed: str
) -> None:
    for method in {"DELETE", "PATCH", "POST", "PUT", "FROB"} - set(allowed.split(", ")):
        answer = editor.request(method, address)
        problem(answer, 405, "method-not-allowed")
        assert answer.headers["allow"] == allowed
    asked = editor.options(address)
    assert (asked.status_code, asked.content) == (204, b"")
    assert asked.headers["allow"] == ", ".join(sorted({*allowed.split(", "), "OPTIONS"}))


def test_options_of_nothing_is_not_found(client: httpx.Client) -> None:
    problem(client.options("/v1/nothing"), 404)


def test_every_kind_of_problem_has_its_page(client: httpx.Client) -> None:
    index = client.get("/problems").text
    for slug, kind in ServiceError.kinds.items():
        page = client.get(f"/problems/{slug}")
        assert page.status_code == 200
        assert page.headers["content-type"].startswith("text/html")
        assert str(kind.status) in page.text
        assert kind.__doc__
        assert f"/problems/{slug}" in index
    problem(client.get("/problems/nothing-of-the-kind"), 404)


@pytest.mark.parametrize("host", ["[", "[::1", "evil.example/path", "a b", "x:y", "", "%00", "ä"])
def test_a_host_header_breaks_nothing(store: Store, host: str) -> None:
    with httpx.Client(
        transport=AppTransport(store.app, store.portal), base_url="https://copydesk.example"
    ) as client:
        headers = {"Host": host.encode()}
        assert client.get("/v1/articles", headers=headers).status_code == 200
        assert problem(client.get("/v1/nowhere", headers=headers), 404)["instance"] == "/v1/nowhere"
        problem(client.get("/v1/articles?limit=x", headers=headers), 422)


def test_a_path_is_given_back_as_it_is(client: httpx.Client) -> None:
    assert problem(client.get("/v1/%C3%A4%20%22/x"), 404)["instance"] == '/v1/ä "/x'
    problem(client.get("/v1/nowhere%00"), 404)
    problem(client.get("//v1//articles"), 404)


@pytest.mark.parametrize("room", ["images", "captions", "articles", "tokens"])
def test_a_nul_in_a_path_or_a_query_is_no_fault_anywhere(
    client: httpx.Client, editor: httpx.Client, admin: httpx.Client, room: str
) -> None:
    for caller in (client, editor, admin):
        for address in (
            f"/v1/{room}/%00",
            f"/v1/{room}/a%00b",
            f"/v1/{room}?cursor=%00",
            f"/v1/{room}?%00=1",
            f"/v1/{room}?limit=%00",
            f"/v1/{room}/%00/x",
        ):
            answer = caller.get(address)
            assert 400 <= answer.status_code < 500, (address, answer.text)
            problem(answer, answer.status_code)


def test_a_body_that_is_too_large_is_refused_however_it_comes(store: Store) -> None:
    big = b'{"headline": "' + b"x" * 5_000 + b'"}'
    with another(store, body_max_bytes=4_096) as small, small.client("content:write") as writer:
        problem(writer.post("/v1/articles", content=big, headers=JSON), 413, "too-large")
        problem(
            writer.post("/v1/articles", content=iter([big[:3_000], big[3_000:]]), headers=JSON),
            413,
            "too-large",
        )
        problem(
            writer.post("/v1/articles", content=big, headers={**JSON, "Idempotency-Key": "k"}),
            413,
            "too-large",
        )


def test_nothing_internal_is_shown(client: httpx.Client, editor: httpx.Client) -> None:
    answers = [
        client.get("/v1/nowhere"),
        client.get("/v1/articles/x"),
        client.get("/v1/articles?limit=x"),
        editor.post("/v1/articles", json={"headline": 1}),
        editor.post("/v1/articles", content=b"{", headers=JSON),
        client.post("/v1/articles", json={}),
        editor.put("/v1/articles", json={}),
    ]
    for answer in answers:
        assert not re.search(r"Traceback|sqlalchemy|psycopg|sqlite|pydantic|\.py\b|/service/", answer.text), (
            answer.text
        )
        assert "no-store" in answer.headers["cache-control"] or answer.status_code in (404, 410)


@pytest.mark.parametrize(
    ("address", "body", "message"),
    [
        (
            "/v1/consents",
            {"notice_key": "default", "notice_version": 1, "action": "agree"},
            "Input should be 'accept_all', 'reject_all', 'save' or 'acknowledge'",
        ),
        ("/v1/articles", {"headline": "x", "authors": ["Ana Lind"]}, "Input should be an object"),
        ("/v1/articles", {"headline": "x", "body": [None]}, "Input should be an object"),
        ("/v1/articles", [], "Input should be an object"),
        (
            "/v1/imports",
            {"url": "ftp://x.example/"},
            "must be an http or https address without credentials",
        ),
    ],
)
def test_a_refusal_has_the_words_of_json_and_not_of_the_code(
    store: Store, address: str, body: object, message: str
) -> None:
    with store.client("content:write") as writer:
        [error] = problem(writer.post(address, json=body), 422)["errors"]
        assert error["message"] == message


def test_a_body_that_is_not_utf_8_is_told_so_and_where(editor: httpx.Client) -> None:
    body = '{"headline": "Café"}'.encode("latin-1")
    answer = editor.post("/v1/articles", content=body, headers={"Content-Type": "application/json"})
    assert (
        problem(answer, 400, "bad-request")["detail"] == "The body is not UTF-8: byte 17 begins no character."
    )
