"""How tests decide, and what they write for readers to decide on."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from sqlalchemy import text

from service.consent.decisions.subjects import COOKIE
from tests.serving import Store

OPTIONAL = ("preferences", "analytics", "marketing")


def decision(
    action: str = "accept_all", *, granted: tuple[str, ...] | None = None, **members: Any
) -> dict[str, Any]:
    """A body for `POST /v1/consents` on the shipped default notice."""
    body = {"notice_key": "default", "notice_version": 1, "action": action, **members}
    if granted is not None:
        body["purposes"] = [
            {"purpose_key": key, "decision": "granted" if key in granted else "denied"} for key in OPTIONAL
        ]
    return body


def decide(
    client: httpx.Client,
    action: str = "accept_all",
    *,
    headers: Mapping[str, str] | None = None,
    **members: Any,
) -> dict[str, Any]:
    """Decide, and read the record."""
    response = client.post("/v1/consents", json=decision(action, **members), headers=headers)
    assert response.status_code == 201, response.text
    return response.json()


def current(client: httpx.Client) -> dict[str, Any]:
    """Where the client's reader stands."""
    response = client.get("/v1/consents/current")
    assert response.status_code == 200, response.text
    return response.json()


def events(client: httpx.Client) -> list[dict[str, Any]]:
    """Everything that the client's reader decided."""
    return client.get("/v1/consents/current/events?limit=200").json()["items"]


def granted(record: Mapping[str, Any]) -> set[str]:
    """The purposes that a record grants."""
    return {one["purpose_key"] for one in record["purposes"] if one["decision"] == "granted"}


def impressions(store: Store) -> dict[tuple[int, str, str], int]:
    """Count how often each version was shown in each country, on each surface."""
    counted = text(
        "SELECT notice_version, country, ui_surface, sum(impressions) FROM consent_impression"
        " GROUP BY notice_version, country, ui_surface"
    )
    with store.database.reading() as session:
        return {
            (version, country, surface): count
            for version, country, surface, count in session.execute(counted)
        }


def secret_of(client: httpx.Client) -> str | None:
    """What the client's cookie holds."""
    return client.cookies.get(COOKIE)


def ago(**span: float) -> str:
    """A time in the past, as clients send it."""
    return (datetime.now(UTC) - timedelta(**span)).isoformat()


def notice(key: str = "weather", **members: Any) -> dict[str, Any]:
    """A notice that can carry consent."""
    return {
        "notice_key": key,
        "language": "en",
        "texts": {
            "title": "Rain radar",
            "body": "May we remember where you look for rain? You can say no.",
            "actions": {"accept_all": "Yes", "reject_all": "No", "save": "Let me choose"},
        },
        "purposes": [
            {"purpose_key": "necessary", "name": "Necessary", "required": True, "lawful_basis": "contract"},
            {
                "purpose_key": "places",
                "name": "Places",
                "description": "Remembering places.",
                "services": ["Radar Works"],
            },
        ],
        **members,
    }


def publish(newsroom: httpx.Client, body: Mapping[str, Any], **publication: Any) -> dict[str, Any]:
    """Write and publish a notice."""
    made = newsroom.post("/v1/consent-notices", json=body)
    assert made.status_code == 201, made.text
    published = newsroom.post(
        f"/v1/consent-notices/{body['notice_key']}/publish",
        json={"version": made.json()["version"], **publication},
    )
    assert published.status_code == 200, published.text
    return published.json()


def retries(
    store: Store, body: Mapping[str, Any], headers: Mapping[str, str], count: int = 100
) -> list[httpx.Response]:
    """Send one decision many times at once, each without a cookie."""

    def send(_: int) -> httpx.Response:
        with store.client() as reader:
            return reader.post("/v1/consents", json=body, headers=headers)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(send, range(count)))


def rows(store: Store) -> int:
    """How many events are kept."""
    with store.database.reading() as session:
        return session.execute(text("SELECT count(*) FROM consent_event")).scalar_one()
