"""The house itself is warned, by webhooks that ask for it, of licences that end soon."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from sqlmodel import col, select

from service.copies.models import CopyHolder
from service.recall import followers
from service.settings import Settings
from service.webhooks import notices
from tests.articles.newsroom import pointers, problem, published, soon
from tests.images.pictures import change, make_article, make_image
from tests.patience import wait_until
from tests.serving import Store, running, settings_for
from tests.sync.following import now_at, page
from tests.webhooks.keeping import webhook
from tests.webhooks.receiver import receiver

HOUR, DAY = 3_600, 86_400


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return settings_for(
        database_url,
        tmp_path,
        outbound_allow_loopback=True,
        picture_expiring_seconds=DAY,
        follower_stalled_seconds=1,
    )


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    """A store of one test, with these settings."""
    with running(settings) as running_store:
        yield running_store


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "LOOKS_EVERY", 0.1)


@pytest.mark.slow
def test_a_webhook_is_told_once_before_each_end(admin: httpx.Client, editor: httpx.Client) -> None:
    with (
        receiver() as desk,
        webhook(admin, desk, kinds=[], notices=["image.expiring"]),
        receiver() as partner,
        webhook(admin, partner),
    ):
        image = make_image(editor, credit_line="Ana Lind", usable_until=soon(30 * HOUR))
        make_article(editor, image)
        make_image(editor, "red", usable_until=soon(30 * DAY))
        wait_until(lambda: partner.taken)
        assert desk.taken == []
        image = change(editor, f"/v1/images/{image['id']}", {"usable_until": soon(20 * HOUR)})
        [told] = wait_until(lambda: desk.taken)
        assert told["type"] == "image.expiring"
        assert told["data"] == {
            "id": image["id"],
            "usable_until": image["usable_until"],
            "credit_line": "Ana Lind",
            "source": None,
            "uses": 1,
        }
        # An end that is moved is another one.
        change(editor, f"/v1/images/{image['id']}", {"usable_until": soon(12 * HOUR)})
        wait_until(lambda: desk.taken[1:])
        assert len(desk.taken) == 2
    assert {each["type"] for each in partner.taken} == {"article.put", "image.put"}


def test_notices_are_for_administrators(store: Store, admin: httpx.Client) -> None:
    hook = {"url": "https://desk.example/hook", "notices": ["image.expiring"]}
    with store.client("webhooks:write") as keeper:
        problem(keeper.post("/v1/webhooks", json=hook), 403)
        made = keeper.post("/v1/webhooks", json=hook | {"notices": []}).json()
        path = f"/v1/webhooks/{made['id']}"
        problem(keeper.patch(path, json={"notices": hook["notices"]}, headers={"If-Match": "*"}), 403)
        changed = admin.patch(path, json={"notices": hook["notices"]}, headers={"If-Match": "*"})
        assert changed.json()["notices"] == hook["notices"]
        assert keeper.patch(path, json={"name": "Desk"}, headers={"If-Match": "*"}).status_code == 200
    assert pointers(admin.post("/v1/webhooks", json=hook | {"kinds": [], "notices": []})) == ["/kinds"]


def are_told(store: Store) -> list[UUID]:
    """Return the followers of whose standing still it was told."""
    with store.database.reading() as session:
        told = select(CopyHolder.id).where(col(CopyHolder.stalled_at).is_not(None))
        return list(session.exec(told))


@pytest.mark.slow
def test_a_follower_that_stands_still_is_told_once(
    store: Store,
    admin: httpx.Client,
    editor: httpx.Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(followers, "LOOKS_EVERY", 0.1)
    with (
        receiver() as desk,
        webhook(admin, desk, kinds=[], notices=["follower.stalled"]),
        store.client("content:read", name="slow partner") as slow,
    ):
        place = now_at(slow)
        page(slow, place)
        published(editor)
        [told] = wait_until(lambda: desk.taken)
        assert (
            told["type"],
            told["data"]["name"],
            told["data"]["state"],
            told["data"]["lag"]["entries"],
        ) == (
            "follower.stalled",
            "slow partner",
            "stalled",
            1,
        )
        # It catches up, and stands still again.
        page(slow, page(slow, place)["next"])
        wait_until(lambda: not are_told(store))
        published(editor)
        wait_until(lambda: desk.taken[1:])
        assert len(desk.taken) == 2
