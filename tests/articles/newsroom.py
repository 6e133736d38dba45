"""What an editor does in most tests: write, publish, read back."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx

Article = dict[str, Any]


def mark() -> str:
    """A word that no other test uses."""
    return f"w{uuid4().hex[:12]}"


def draft(editor: httpx.Client, **members: Any) -> Article:
    """Create an article."""
    response = editor.post("/v1/articles", json={"headline": "Tram line to the harbour approved", **members})
    assert response.status_code == 201, response.text
    return response.json()


def published(editor: httpx.Client, **members: Any) -> Article:
    """Create an article that readers see."""
    return draft(editor, status="published", **members)


def if_match(article: Article) -> dict[str, str]:
    """The condition under which this version may be changed."""
    return {"If-Match": f'"{article["version"]}"'}


def edit(editor: httpx.Client, article: Article, **members: Any) -> Article:
    """Patch an article."""
    response = editor.patch(f"/v1/articles/{article['id']}", json=members, headers=if_match(article))
    assert response.status_code == 200, response.text
    return response.json()


def do(editor: httpx.Client, article: Article, action: str, **members: Any) -> Article:
    """Post an action."""
    response = editor.post(f"/v1/articles/{article['id']}/{action}", json=members)
    assert response.status_code in (200, 201), response.text
    return response.json()


def trash(editor: httpx.Client, article: Article) -> None:
    """Delete an article."""
    response = editor.delete(f"/v1/articles/{article['id']}", headers=if_match(article))
    assert response.status_code == 204, response.text


def ids(response: httpx.Response) -> list[str]:
    """The ids on a page."""
    assert response.status_code == 200, response.text
    return [item["id"] for item in response.json()["items"]]


def walk(client: httpx.Client, address: str) -> Iterator[Article]:
    """Every item of a list, page by page."""
    following: str | None = address
    while following is not None:
        page = client.get(following).json()
        yield from page["items"]
        following = page["next"]


def picture(editor: httpx.Client, **members: Any) -> Article:
    """An image without its file."""
    response = editor.post("/v1/images", json={"credit_line": "Mara Holt / Quayside News", **members})
    assert response.status_code == 201, response.text
    return response.json()


def caption(editor: httpx.Client, image_id: str, **members: Any) -> Article:
    """A caption of an image."""
    response = editor.post(
        "/v1/captions", json={"image_id": image_id, "text": "The new tram on its first run.", **members}
    )
    assert response.status_code == 201, response.text
    return response.json()


def soon(seconds: float) -> str:
    """A time from now, as RFC 3339."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def problem(response: httpx.Response, status: int, slug: str | None = None) -> dict[str, Any]:
    """The problem that a response must be."""
    assert response.status_code == status, (response.status_code, response.text)
    assert response.headers["content-type"] == "application/problem+json"
    found = response.json()
    assert found["status"] == status
    assert slug is None or found["type"] == f"/problems/{slug}", found
    return found


def pointers(response: httpx.Response) -> list[str]:
    """Where a body was refused."""
    return [error["pointer"] for error in problem(response, 422)["errors"]]
