"""What a keeper of webhooks does in most tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from tests.webhooks.receiver import Receiver

Hook = dict[str, Any]


@contextmanager
def webhook(keeper: httpx.Client, partner: Receiver, **members: Any) -> Iterator[Hook]:
    """A webhook for a receiver, gone at the end."""
    response = keeper.post("/v1/webhooks", json={"url": partner.url, **members})
    assert response.status_code == 201, response.text
    made = response.json()
    partner.secret = made["secret"]
    yield made
    assert keeper.delete(f"/v1/webhooks/{made['id']}", headers={"If-Match": "*"}).status_code == 204


def deliveries(keeper: httpx.Client, hook: Hook, query: str = "") -> list[Hook]:
    """The log of a webhook, newest first."""
    return keeper.get(f"/v1/webhooks/{hook['id']}/deliveries?limit=200{query}").json()["items"]


def read(keeper: httpx.Client, hook: Hook) -> Hook:
    """The webhook as it is now."""
    return keeper.get(f"/v1/webhooks/{hook['id']}").json()


def edit(keeper: httpx.Client, hook: Hook, **members: Any) -> Hook:
    """Patch a webhook."""
    response = keeper.patch(f"/v1/webhooks/{hook['id']}", json=members, headers={"If-Match": "*"})
    assert response.status_code == 200, response.text
    return response.json()
