"""Every operation refuses alike what programs read differently: numbers in addresses, members that are there
twice, bodies that it does not take.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.http.bodies import (
    DEEPEST,
    MOST_IN_ONE,
    RepeatedMember,
    TooManyValues,
    need_each_once,
    parsed,
)
from service.scopes import Scope
from service.server import openapi
from tests.articles.newsroom import caption, do, draft, if_match, picture, problem, published
from tests.consent.deciding import decide, notice
from tests.images.photographs import jpeg
from tests.serving import Store, settings_for

Document = dict[str, Any]
NOT_AS_JSON = ["+10", " 10", "10 ", "1_0", "010", "10.", "١٠", "0x10", "1e1_0", ""]
"""Numbers as JSON does not write them; Python reads some of them."""
FORCED = {"If-Match": "*"}
NOT_WHOLE = ["10.0", "1e1"]


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Document:
    return openapi(settings_for("sqlite:///unused", tmp_path_factory.mktemp("document")))


@pytest.fixture
def everybody(store: Store) -> Iterator[httpx.Client]:
    """The holder of a token that may do everything."""
    with store.client(*Scope, name="everybody") as caller:
        yield caller


def operations(document: Document) -> Iterator[tuple[str, str, Document]]:
    """Return method, path and description of each operation."""
    for path, methods in document["paths"].items():
        for method, said in methods.items():
            yield method.upper(), path, said


def filled(path: str) -> str:
    """Return a path that names nothing that is there."""
    names = ("article_id", "image_id", "caption_id", "webhook_id", "delivery_id", "token_id", "key")
    known = dict.fromkeys(names, "01900000-0000-7000-8000-000000000000")
    return path.format(**known, notice_key="default", version=1, number=1, name="w640.jpg", token="x")


@pytest.mark.slow
def test_every_number_in_an_address_is_written_as_json_writes_it(
    everybody: httpx.Client, document: Document
) -> None:
    asked = 0
    for method, path, said in operations(document):
        for parameter in said.get("parameters", []):
            if parameter["in"] == "query" and parameter["schema"].get("type") in ("integer", "number"):
                refused = problem(everybody.request(method, f"{filled(path)}?{parameter['name']}=1_0"), 422)
                wrong = [(each["in"], each["pointer"]) for each in refused["errors"]]
                assert ("query", f"/{parameter['name']}") in wrong, (path, wrong)
                asked += 1
    assert asked > 20


def test_a_number_is_written_in_one_way(client: httpx.Client, editor: httpx.Client) -> None:
    for caller in (client, editor):
        for name, texts in {"limit": [*NOT_AS_JSON, *NOT_WHOLE], "wait": NOT_AS_JSON}.items():
            for text in texts:
                said = problem(caller.get("/v1/changes", params={name: text}), 422)
                assert [each["pointer"] for each in said["errors"]] == [f"/{name}"], text
        for text in ("0", "0.0", "1e-3"):
            assert caller.get("/v1/changes", params={"wait": text, "limit": "10"}).status_code == 200


def test_a_version_is_named_in_one_way(everybody: httpx.Client, document: Document) -> None:
    article = published(everybody)
    addresses = [f"/v1/articles/{article['id']}/versions/", "/v1/consent-notices/default/versions/"]
    numbered = {
        path.partition("{")[0]
        for _, path, said in operations(document)
        for parameter in said.get("parameters", [])
        if parameter["in"] == "path" and parameter["schema"].get("type") in ("integer", "number")
    }
    assert numbered == {"/v1/articles/", "/v1/consent-notices/"}
    for address in addresses:
        assert everybody.get(f"{address}1").status_code == 200
        for text in ("+1", " 1", "1_", "01", "1.0", "١"):
            problem(everybody.get(address + quote(text)), 404)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ('{"source": "s", "external_id": "1", "headline": "a", "headline": "b"}', "/headline"),
        ('{"headline" :"a", "headline" : "a"}', "/headline"),
        (
            '{"headline": "a", "body": [{"type": "divider"}, {"type": "x", "type": "divider"}]}',
            "/body/1/type",
        ),
        ('{"headline": "a", "tags": [{"a/b": {"~": 1, "~": 2}}]}', "/tags/0/a~1b/~0"),
        ('{"headline": "a\\":\\":", "": 1, "": 2}', "/"),
        ('{"headline": "a", "body": {"x": {"y": 1, "y": 2}}, "body": []}', "/body"),
    ],
)
def test_a_member_is_given_once_in_an_item_as_in_a_body(
    editor: httpx.Client, body: str, pointer: str
) -> None:
    alone = editor.post("/v1/articles", content=body, headers={"Content-Type": "application/json"})
    said = problem(alone, 400, "repeated-member")
    assert [each["pointer"] for each in said["errors"]] == [pointer]
    good = {"source": "strict.example", "external_id": "good", "headline": "Good"}
    for padding in ("", " " * 40_000):
        for media_type, content in (
            ("application/x-ndjson", f"{json.dumps(good)}\n{body}{padding}\n{json.dumps(good)}\n"),
            ("application/json", f"[{json.dumps(good)},{body}{padding},{json.dumps(good)}]"),
        ):
            answer = editor.post("/v1/articles/bulk", content=content, headers={"Content-Type": media_type})
            lines = answer.text.splitlines()
            results = answer.json()["items"] if media_type == "application/json" else map(json.loads, lines)
            first, wrong, last = results
            assert (first["status"], wrong["status"], last["status"]) in {(201, 400, 200), (200, 400, 200)}
            assert {name: wrong["problem"][name] for name in ("type", "detail", "errors")} == {
                name: said[name] for name in ("type", "detail", "errors")
            }


TEXTS = st.text(st.sampled_from('ab":\\{}, \n'), max_size=4)
VALUES = st.recursive(
    TEXTS | st.integers(0, 3),
    lambda inner: st.lists(inner, max_size=3) | st.lists(st.tuples(TEXTS, inner), max_size=4).map(tuple),
)


def _written(value: object, gap: str) -> str:
    """Write a value as JSON; pairs are an object, in which names may come twice."""
    if isinstance(value, tuple):
        pairs = (f"{json.dumps(name)}{gap}:{_written(inner, gap)}" for name, inner in value)
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_written(inner, gap) for inner in value) + "]"
    return json.dumps(value)


@given(VALUES, st.sampled_from(["", " ", "\t\n "]))
def test_a_member_that_is_there_twice_is_found_behind_a_fast_parser_too(value: object, gap: str) -> None:
    text = _written(value, gap).encode()

    def refused(read: Callable[[], object]) -> list[Any]:
        try:
            read()
        except RepeatedMember as refusal:
            return [refusal.detail, refusal.errors]
        return []

    assert refused(lambda: need_each_once(text, json.loads(text))) == refused(lambda: parsed(text))


@given(
    levels=st.integers(DEEPEST - 3, DEEPEST + 3),
    begin=st.sampled_from(("[", '{"a":')),
    core=st.sampled_from(("[]", "{}", "1")),
)
def test_a_body_is_refused_for_its_levels_however_few_signs_it_has(
    levels: int, begin: str, core: str
) -> None:
    end = "]" if begin == "[" else "}"
    depth = levels + 1
    text = begin * levels + core + end * levels
    if depth > DEEPEST:
        with pytest.raises(TooManyValues):
            parsed(text.encode())
    else:
        parsed(text.encode())


@given(members=st.integers(MOST_IN_ONE - 2, MOST_IN_ONE + 2))
def test_an_object_is_refused_for_its_members(members: int) -> None:
    text = json.dumps({str(number): number for number in range(members)}).encode()
    if members > MOST_IN_ONE:
        with pytest.raises(TooManyValues):
            parsed(text)
    else:
        parsed(text)


def test_a_focal_point_has_its_members_once(editor: httpx.Client) -> None:
    for sent in (
        {"params": {"focal_point": '{"x": 0.5, "x": 0.6, "y": 0.5}'}, "content": jpeg()},
        {"data": {"focal_point": '{"x": 0.5, "x": 0.6, "y": 0.5}'}, "files": {"file": jpeg()}},
    ):
        headers = {"Content-Type": "image/jpeg"} if "content" in sent else {}
        refused = problem(editor.post("/v1/images", headers=headers, **sent), 422)
        assert refused["errors"][0]["pointer"] == "/focal_point"


@pytest.mark.slow
def test_an_operation_without_a_body_refuses_one_that_says_something(
    everybody: httpx.Client, document: Document
) -> None:
    asked = []
    for method, path, said in operations(document):
        if method == "GET" or "requestBody" in said:
            continue
        asked.append(said["operationId"])
        address = filled(path)
        said_more = problem(everybody.request(method, address, json={"reason": "x"}, headers=FORCED), 422)
        assert [error["pointer"] for error in said_more["errors"]] == ["/reason"], address
        for json_text, status in ((b"[1]", 422), (b"{", 400), (b'{"a":1,"a":2}', 400)):
            headers = FORCED | {"Content-Type": "application/json"}
            problem(everybody.request(method, address, content=json_text, headers=headers), status)
        problem(
            everybody.request(method, address, content=b"x", headers={"Content-Type": "application/xml"}), 415
        )
    assert {"unpublish_article", "restore_image", "delete_caption", "test_webhook"} <= set(asked)


def test_a_body_without_members_is_as_good_as_none(editor: httpx.Client) -> None:
    article = published(editor)
    for empty in (
        {"json": {}},
        {"content": b""},
        {"content": b"", "headers": {"Content-Type": "text/plain"}},
    ):
        do(editor, article, "publish")
        answer = editor.post(f"/v1/articles/{article['id']}/unpublish", **empty)
        assert (answer.status_code, answer.json()["status"]) == (200, "draft")


def test_a_refused_body_changes_nothing(editor: httpx.Client, client: httpx.Client) -> None:
    article = published(editor)
    problem(editor.post(f"/v1/articles/{article['id']}/unpublish", json={"reason": "Wrong."}), 422)
    assert client.get(f"/v1/articles/{article['id']}").status_code == 200


def _deleted_notice(everybody: httpx.Client, notice_key: str) -> httpx.Response:
    draft_of_it = everybody.post("/v1/consent-notices", json=notice(notice_key)).json()
    return everybody.delete(
        f"/v1/consent-notices/{notice_key}/versions/{draft_of_it['version']}", headers=FORCED
    )


def test_an_answer_without_a_body_says_nothing_of_its_media_type(
    client: httpx.Client, everybody: httpx.Client, document: Document
) -> None:
    hook = everybody.post("/v1/webhooks", json={"url": "https://partner.example/", "enabled": False}).json()
    token = everybody.post("/v1/tokens", json={"name": "short", "scopes": ["content:read"]}).json()
    article, image = draft(everybody), picture(everybody)
    words = caption(everybody, image["id"])
    decide(client)
    shown = {"notice_key": "default", "notice_version": 1}
    calls: dict[str, Callable[[], httpx.Response]] = {
        "revoke_token": lambda: everybody.delete(f"/v1/tokens/{token['id']}"),
        "delete_webhook": lambda: everybody.delete(f"/v1/webhooks/{hook['id']}", headers=FORCED),
        "revoke_article_previews": lambda: everybody.delete(f"/v1/articles/{article['id']}/previews"),
        "delete_article": lambda: everybody.delete(
            f"/v1/articles/{article['id']}", headers=if_match(article)
        ),
        "delete_caption": lambda: everybody.delete(f"/v1/captions/{words['id']}", headers=if_match(words)),
        "delete_image": lambda: everybody.delete(f"/v1/images/{image['id']}", headers=FORCED),
        "delete_consent_notice": lambda: _deleted_notice(everybody, "strict"),
        "erase_current_consent": lambda: client.delete("/v1/consents/current"),
        "record_impression": lambda: client.post("/v1/consent-impressions", json=shown),
    }
    assert {said["operationId"] for _, _, said in operations(document) if "204" in said["responses"]} == set(
        calls
    )
    for name, call in calls.items():
        answer = call()
        assert (answer.status_code, answer.content) == (204, b""), (name, answer.text)
        assert "content-type" not in answer.headers, name


def _typed(document: Document, schema: Document, path: tuple[str, ...] = ()) -> Iterator[tuple[Any, str]]:
    """Yield each member of a body that is a number or true or false, with its kind. Of members that are one
    of several shapes, none: blocks have tests of their own.
    """
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    for choice in schema.get("anyOf", ()):
        yield from _typed(document, choice, path)
    if schema.get("type") in ("integer", "number", "boolean"):
        yield path, schema["type"]
    if "items" in schema:
        yield from _typed(document, schema["items"], (*path, "0"))
    for name, member in schema.get("properties", {}).items():
        if len(path) < 6:
            yield from _typed(document, member, (*path, name))


def _holding(path: tuple[str, ...], value: object) -> object:
    for name in reversed(path):
        value = [value] if name == "0" else {name: value}
    return value


@pytest.mark.slow
def test_a_number_in_a_body_is_a_number_and_true_is_no_text(
    everybody: httpx.Client, document: Document
) -> None:
    asked = set()
    for method, path, said in operations(document):
        body = said.get("requestBody", {}).get("content", {}).get("application/json")
        if body is None or method == "PATCH" or path == "/v1/articles/bulk":
            continue  # A patch is merged first, and validated as the body of a PUT; an item of bulk, as its own.
        for place, kind in _typed(document, body["schema"]):
            for wrong in ("yes", "1", 0.5) if kind == "boolean" else ("1", True):
                answer = everybody.request(method, filled(path), json=_holding(place, wrong), headers=FORCED)
                pointers = [each["pointer"] for each in problem(answer, 422)["errors"]]
                assert "/" + "/".join(place) in pointers, (path, wrong, answer.text)
                asked.add(said["operationId"])
    assert {
        "record_consent",
        "record_impression",
        "create_caption",
        "create_webhook",
        "create_token",
    } <= asked
    assert {"create_consent_notice", "publish_consent_notice", "create_article_preview"} <= asked
