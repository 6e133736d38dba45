"""POST /v1/articles/{id}/corrections."""

import httpx
import pytest

from tests.articles.newsroom import do, draft, pointers, problem, published
from tests.serving import Store


def test_corrections_are_read_in_their_order_by_everybody(client: httpx.Client, editor: httpx.Client) -> None:
    article = published(editor)
    response = editor.post(
        f"/v1/articles/{article['id']}/corrections", json={"text": "The bridge has four lanes."}
    )
    assert (response.status_code, response.json()["version"]) == (201, 2)
    do(editor, article, "corrections", kind="clarification", text="It opens in May.\nNot in June.")
    shown = client.get(f"/v1/articles/{article['id']}").json()["corrections"]
    assert [(each["kind"], each["text"]) for each in shown] == [
        ("correction", "The bridge has four lanes."),
        ("clarification", "It opens in May.\nNot in June."),
    ]
    assert shown[0]["at"] < shown[1]["at"]
    assert shown[0]["at"].endswith("Z")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/text"),
        ({"text": ""}, "/text"),
        ({"text": "\u2060\u200d"}, "/text"),
        ({"text": "x", "kind": ""}, "/kind"),
        ({"text": "x", "at": "2020-01-01T00:00:00Z"}, "/at"),
    ],
)
def test_a_correction_says_something(editor: httpx.Client, body: dict[str, object], pointer: str) -> None:
    assert pointers(editor.post(f"/v1/articles/{draft(editor)['id']}/corrections", json=body)) == [pointer]


def test_a_reader_corrects_nothing(client: httpx.Client, store: Store, editor: httpx.Client) -> None:
    address = f"/v1/articles/{published(editor)['id']}/corrections"
    problem(client.post(address, json={"text": "x"}), 401)
    with store.client("content:read") as reader:
        problem(reader.post(address, json={"text": "x"}), 403)
