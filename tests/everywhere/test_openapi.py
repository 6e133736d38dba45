"""The OpenAPI document: 3.1, method names, examples, problems, and documentation that needs no other host."""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.serving import Store

Document = dict[str, Any]
VERBS = {
    "accept",
    "correct",
    "create",
    "delete",
    "diff",
    "edit",
    "erase",
    "export",
    "get",
    "import",
    "list",
    "publish",
    "record",
    "redeliver",
    "reinstate",
    "replace",
    "restore",
    "resume",
    "revoke",
    "rotate",
    "stream",
    "test",
    "unpublish",
    "withdraw",
}
ENDLESS = "/v1/changes/stream"
"""Its answer goes on until the client hangs up."""


@pytest.fixture
def document(client: httpx.Client) -> Document:
    """The document as it is served."""
    return client.get("/openapi.json").json()


def operations(document: Document) -> Iterator[tuple[str, str, Document]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def answered(document: Document, response: Document) -> Document:
    """Return a response, which may be one that all operations share."""
    name = response.get("$ref", "").removeprefix("#/components/responses/")
    return document["components"]["responses"][name] if name else response


def resolved(document: Document, schema: Document) -> Document:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def has_example(document: Document, schema: Document, depth: int = 0) -> bool:
    schema = resolved(document, schema)
    if "example" in schema or "examples" in schema:
        return True
    inner = [
        *schema.get("properties", {}).values(),
        *schema.get("anyOf", []),
        *schema.get("oneOf", []),
        schema.get("items") or {},
    ]
    return depth < 4 and any(
        has_example(document, each, depth + 1) for each in inner if isinstance(each, dict)
    )


@pytest.mark.slow
def test_it_is_openapi_3_1_and_valid_in_itself(document: Document) -> None:
    assert document["openapi"].startswith("3.1.")
    assert document["info"]["title"] == "Copydesk"
    for reference in set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(document))):
        root, *steps = reference.split("/")
        found: Any = document
        for step in steps:
            assert step in found, reference
            found = found[step]
        assert root == "#"


def test_the_documentation_begins_with_articles_and_knows_every_tag(document: Document) -> None:
    shown = [tag["name"] for tag in document["tags"]]
    assert shown[0] == "articles"
    assert set(shown) == {tag for _, _, operation in operations(document) for tag in operation["tags"]}


def test_every_operation_has_a_name_that_reads_as_a_method(document: Document) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names))
    for name in names:
        assert re.fullmatch(r"[a-z]+(_[a-z]+)+", name)
        assert name.split("_")[0] in VERBS, name


def test_every_operation_is_described_and_sorted(document: Document) -> None:
    for method, path, operation in operations(document):
        assert operation["tags"], path
        assert len(operation["description"]) > 10, (method, path)


def test_every_operation_names_its_problems(document: Document) -> None:
    for method, path, operation in operations(document):
        problems = {
            status: answered(document, response)
            for status, response in operation["responses"].items()
            if (status[0] in "45" and status != "503") or status == "default"
        }
        assert "default" in problems
        for status, response in problems.items():
            assert list(response["content"]) == ["application/problem+json"], (method, path, status)
        if not path.startswith("/v1"):
            continue
        expected = {"400"}
        if any("HTTPBearer" in each for each in operation.get("security", [])):
            expected |= {"401", "403"}
        if "{" in path:
            expected |= {"404", "410"}
        if method in ("put", "patch"):
            expected |= {"412", "428", "422"}
        if "requestBody" in operation:
            expected |= {"413", "415", "422"}
        assert expected <= set(problems), (method, path)
        assert all(
            "example" in problems[status]["content"]["application/problem+json"] for status in expected
        )


def test_each_schema_is_what_its_members_say(document: Document) -> None:
    schemas = document["components"]["schemas"]
    told = resolved(document, schemas["Webhook"]["properties"]["notices"]["items"])
    assert "image.expiring" in told["enum"]
    early = document["paths"]["/v1/embargoed-articles"]["get"]["responses"]["200"]
    page = resolved(document, early["content"]["application/json"]["schema"])
    assert page["properties"]["items"]["items"] == {"$ref": "#/components/schemas/Article"}
    assert schemas["ArticlePage"] != page


TAGS = [
    "articles",
    "images",
    "captions",
    "imports",
    "feeds",
    "sync",
    "webhooks",
    "tokens",
    "running",
    "consent",
    "consent notices",
    "consent log",
]


@pytest.mark.parametrize("tag", TAGS)
def test_what_is_sent_and_answered_has_examples(document: Document, tag: str) -> None:
    for method, path, operation in operations(document):
        if tag not in operation["tags"]:
            continue
        answers = [response for status, response in operation["responses"].items() if status.startswith("2")]
        for part in [operation.get("requestBody", {}), *answers]:
            for media_type, content in part.get("content", {}).items():
                if "json" in media_type:
                    assert "example" in content or has_example(document, content["schema"]), (
                        method,
                        path,
                        media_type,
                    )


def test_names_are_those_that_people_choose(document: Document) -> None:
    for name, schema in document["components"]["schemas"].items():
        assert re.fullmatch("[A-Z][A-Za-z]+", name), name
        assert not name.endswith(("Read", "Input", "Output")), name
        assert schema["title"] == name
    assert {"Article", "Image", "Caption", "ParagraphBlock", "ArticlePage", "ArticlePatch"} <= set(
        document["components"]["schemas"]
    )


def test_a_resource_has_one_address(document: Document) -> None:
    shapes = [re.sub(r"\{[^}]+\}", "{}", path) for path in document["paths"]]
    assert len(shapes) == len(set(shapes))


def test_every_parameter_is_described(document: Document) -> None:
    for method, path, operation in operations(document):
        for parameter in operation.get("parameters", []):
            assert parameter.get("description"), (method, path, parameter["name"])


def test_an_answer_is_of_one_media_type(document: Document) -> None:
    for method, path, operation in operations(document):
        for status, response in operation["responses"].items():
            assert len(answered(document, response).get("content", {})) <= 1, (method, path, status)


def test_a_block_says_its_type_and_a_time_that_it_is_one(document: Document) -> None:
    schemas = document["components"]["schemas"]
    for name in ("ArticleCreate", "Article"):
        for block in resolved(document, schemas[name]["properties"]["body"]["items"])["oneOf"]:
            assert "type" in resolved(document, block)["required"]
        published_at = schemas[name]["properties"]["published_at"]["anyOf"]
        assert {"type": "string", "format": "date-time"} in published_at


def test_conditions_and_keys_are_in_the_document(document: Document) -> None:
    for method, path, operation in operations(document):
        headers = {each["name"] for each in operation.get("parameters", []) if each["in"] == "header"}
        if path.startswith(
            ("/v1/articles/{article_id}", "/v1/images/{image_id}", "/v1/captions/{caption_id}")
        ):
            # Previews are no part of the article: they end together, whatever it is by then.
            needs_none = method in ("get", "post") or path.endswith("/previews")
            assert needs_none or "If-Match" in headers, (method, path)
        if method == "post" and operation.get("security"):
            assert "Idempotency-Key" in headers, path


def test_what_readers_may_call_needs_no_token(client: httpx.Client, document: Document) -> None:
    for method, path, operation in operations(document):
        if method == "get" and "{" not in path and path.startswith("/v1") and path != ENDLESS:
            is_open = not operation.get("security") or {} in operation["security"]
            status = client.get(path).status_code
            assert (status == 401) == (not is_open), (path, status)


def test_a_scope_that_is_needed_is_said(store: Store, document: Document) -> None:
    with store.client("consent:read") as other:
        for method, path, operation in operations(document):
            scope = re.search(r"Needs the scope `([a-z:]+)`", operation["description"])
            if scope and scope[1] != "consent:read":
                address = re.sub(
                    r"\{[a-z_]+\}",
                    "01900000-0000-7000-8000-000000000000",
                    path.replace("{number}", "1").replace("{version}", "1"),
                )
                answer = other.request(method.upper(), address)
                assert (answer.status_code, answer.json().get("scope")) in ((403, scope[1]), (415, None)), (
                    method,
                    path,
                    answer.text,
                )


def test_the_documentation_is_whole_without_another_host(client: httpx.Client) -> None:
    page = client.get("/docs")
    assert page.status_code == 200
    assets = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert assets
    for asset in assets:
        assert client.get(asset).status_code == 200, asset
    assert "/openapi.json" in page.text
    # Whatever name and scheme it is asked for by, as a proxy that opens TLS changes both.
    assert "http" not in page.text.replace("http-equiv", "")
