"""Whatever is written: a fault of the store's is never taken for the request's, and hinders
nobody who reads.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from service.settings import Settings
from tests.articles.newsroom import mark, published
from tests.consent.deciding import decision
from tests.faults.breaking import SmallDisk, locked
from tests.images.pictures import noise
from tests.patience import wait_until
from tests.serving import Store, another, settings_for

Break = Callable[[Store, SmallDisk], AbstractContextManager[None]]
READS = (
    "/v1/articles/{id}",
    "/v1/articles?status=published",
    "/v1/articles/{id}/versions",
    "/v1/changes?view=staff",
    "/v1/tokens",
)
WORDS = "The lamp of the north pier was lit again. " * 1_000
STORY = {"headline": "Lamp relit", "body": [{"type": "paragraph", "html": WORDS}]}


@pytest.fixture
def settings(database_url: str, tmp_path: Path, disk: SmallDisk, breaks: Break) -> Settings:
    # A disk refuses at once, however long a busy machine takes to get there; a lock refuses nobody.
    return settings_for(database_url, tmp_path, **({"request_deadline": 3} if breaks is held else {}))


def full(store: Store, disk: SmallDisk) -> AbstractContextManager[None]:
    return disk.full(store.settings)


def read_only(store: Store, disk: SmallDisk) -> AbstractContextManager[None]:
    return disk.read_only(store.settings)


def held(store: Store, _disk: SmallDisk) -> AbstractContextManager[None]:
    return locked(store.settings)


def writes(
    client: httpx.Client, article: dict[str, Any], headers: dict[str, str]
) -> list[Callable[[], httpx.Response]]:
    """One request of each kind that writes."""
    here = f"/v1/articles/{article['id']}"
    caption = {"image_id": article["lead_image_id"], "language": "fi", "text": WORDS[:4_000]}
    page = f"<html><body><article><h1>Lamp relit</h1><p>{WORDS}</p></article></body></html>"
    asked: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", "/v1/articles", {"json": STORY}),
        ("PATCH", here, {"json": STORY, "headers": {"If-Match": "*"}}),
        ("POST", f"{here}/corrections", {"json": {"text": "It was the south pier."}}),
        (
            "POST",
            "/v1/articles/bulk",
            {"json": [{**STORY, "source": "coast.example", "external_id": mark()}]},
        ),
        ("POST", "/v1/images", {"content": noise((64, 64)), "headers": {"Content-Type": "image/png"}}),
        ("POST", "/v1/captions", {"json": caption}),
        ("POST", "/v1/imports", {"content": page, "headers": {"Content-Type": "text/html"}}),
        ("POST", "/v1/tokens", {"json": {"name": "wire", "scopes": ["content:read"]}}),
        ("POST", "/v1/webhooks", {"json": {"url": "https://hooks.example/copydesk"}}),
        ("POST", "/v1/consents", {"json": decision("reject_all")}),
    ]
    return [
        lambda method=method, path=path, how=how: client.request(
            method, path, **{**how, "headers": {**how.get("headers", {}), **headers}}
        )
        for method, path, how in asked
    ]


@pytest.mark.parametrize("keyed", [False, True], ids=["plain", "keyed"])
@pytest.mark.parametrize(("breaks", "status"), [(full, 507), (read_only, 503), (held, 503)])
def test_reads_go_on_and_writes_are_told_to_come_again(
    store: Store, disk: SmallDisk, breaks: Break, status: int, keyed: bool
) -> None:
    headers = {"Idempotency-Key": mark()} if keyed else {}
    with (
        another(store) as roomy,
        roomy.client("admin") as admin,
        store.client("admin", name="night desk") as fresh,
    ):
        image = admin.post(
            "/v1/images", content=noise((32, 32)), headers={"Content-Type": "image/png"}
        ).json()
        article = published(admin, lead_image_id=image["id"])
        asked = writes(fresh, article, headers)
        with ThreadPoolExecutor(len(asked)) as pool:
            with breaks(store, disk):
                refused = list(pool.map(lambda ask: ask(), asked))
                for path in READS:
                    _settled(lambda: fresh.get(path.format(id=article["id"])), {200})  # noqa: B023
            for answer in refused:
                # A small write may still fit into a disk that is full.
                fits = breaks is full and store.settings.is_sqlite and answer.status_code in (200, 201)
                assert answer.status_code == status or fits, (answer.request.url, answer.text)
                assert fits or answer.headers["retry-after"]
            assert refused[0].status_code == status
            list(pool.map(lambda ask: _settled(ask, {200, 201}), asked))
        _wait_until_the_use_is_kept(store, "night desk")


def _settled(ask: Callable[[], httpx.Response], statuses: set[int]) -> None:
    """Ask again for as long as the store says that it has no time; then the answer has such a status."""
    answer = wait_until(lambda: (got := ask()).status_code != 503 and got, "the store never had time")
    assert answer.status_code in statuses, answer.text


def _wait_until_the_use_is_kept(store: Store, name: str) -> None:
    asked = text("SELECT last_used_at FROM token WHERE name = :name")

    def is_kept() -> bool:
        with store.database.reading() as session:
            return session.execute(asked, {"name": name}).scalar_one() is not None

    wait_until(is_kept, "the last use of the token was not written down")
