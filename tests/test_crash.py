"""What was answered with 2xx is there after the process has been killed in the middle of its work."""

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import httpx

from tests.commands import copydesk, served
from tests.consent.deciding import decision
from tests.effort import LONG
from tests.images.pictures import noise
from tests.patience import PATIENCE, wait_until
from tests.serving import SECRET, Store, running, settings_for

SCOPES = ("content:read", "content:write", "content:publish")


def write_article(client: httpx.Client) -> tuple[str, str]:
    article = {"headline": f"The sluice holds {uuid4().hex[:8]}", "status": "published"}
    made = client.post("/v1/articles", json=article).raise_for_status().json()
    return f"/v1/articles/{made['slug']}", made["headline"]


def write_image(client: httpx.Client) -> tuple[str, str]:
    made = (
        client.post("/v1/images", content=noise((24, 24)), headers={"Content-Type": "image/png"})
        .raise_for_status()
        .json()
    )
    original = next(each["href"] for each in made["renditions"] if each["name"] == "original")
    return original, made["digest"]


def write_decision(client: httpx.Client) -> tuple[str, str]:
    made = client.post("/v1/consents", json=decision("reject_all")).raise_for_status()
    return made.headers["set-cookie"].partition(";")[0], made.json()["status"]


WRITES: tuple[Callable[[httpx.Client], tuple[str, str]], ...] = (write_article, write_image, write_decision)


def write_until_it_dies(base: str, token: str, place: int, answered: list[tuple[int, str, str]]) -> None:
    """One writer; each kind of write in turn. What was answered is noted before the next one is sent."""
    with httpx.Client(
        base_url=base, headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE
    ) as client:
        while True:
            try:
                answered.append((place, *WRITES[place](client)))
            except httpx.TransportError:
                return
            place = (place + 1) % len(WRITES)


def write_keyed_until_it_dies(base: str, token: str, tried: list[str]) -> None:
    """One writer of articles, each under a key of its own, which is noted before the article is sent."""
    with httpx.Client(
        base_url=base, headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE
    ) as client:
        while True:
            tried.append(uuid4().hex)
            try:
                write_keyed(client, tried[-1])
            except httpx.TransportError:
                return


def write_keyed(client: httpx.Client, key: str) -> httpx.Response:
    return client.post(
        "/v1/articles", json={"headline": "Once", "section": "keyed"}, headers={"Idempotency-Key": key}
    )


def settle(editor: httpx.Client, key: str) -> None:
    """Send a request again until the claim of the process that was killed has lapsed."""
    wait_until(lambda: write_keyed(editor, key).status_code not in (409, 503), "the claim never lapsed")
    assert write_keyed(editor, key).status_code == 201


def is_kept(store: Store, editor: httpx.Client, place: int, where: str, what: str) -> bool:
    """Whether a write is there, whole: the article for readers, the picture with its bytes, the decision for
    its reader.
    """
    with store.client() as reader:
        if WRITES[place] is write_article:
            return bool(reader.get(where).json().get("headline") == what)
        if WRITES[place] is write_image:
            return editor.get(where).headers["etag"] == f'"{what}"'
        return bool(reader.get("/v1/consents/current", headers={"Cookie": where}).json()["status"] == what)


def test_whatever_was_answered_survives_a_kill(database_url: str, tmp_path: Path) -> None:
    media = f"file:{tmp_path / 'media'}"
    environment = {
        "COPYDESK_DATABASE_URL": database_url,
        "COPYDESK_MEDIA_URL": media,
        "COPYDESK_SECRET_KEY": SECRET,
    }
    scopes = [word for scope in SCOPES for word in ("--scope", scope)]
    token = copydesk(tmp_path, "token", "create", "--name", "writer", *scopes, **environment).stdout.strip()
    answered: list[tuple[int, str, str]] = []
    keys: list[str] = []
    unanswered: list[str] = []
    for _ in range(20 if LONG else 2):
        with served(tmp_path, "serve", **environment) as (base, process), ThreadPoolExecutor(5) as writers:
            before = len(answered)
            lives = [
                writers.submit(write_until_it_dies, base, token, place % len(WRITES), answered)
                for place in range(4)
            ]
            lives.append(writers.submit(write_keyed_until_it_dies, base, token, keys))
            while len(answered) < before + 30 and not any(life.done() for life in lives):
                threading.Event().wait(0.01)
            time.sleep(random.uniform(0, 0.2))  # any moment will do
            process.kill()
            for life in lives:
                life.result(timeout=PATIENCE)
            unanswered.append(keys[-1])
    assert len(answered) >= 60
    with (
        running(settings_for(database_url, tmp_path, media_url=media, request_deadline=0.5)) as store,
        store.client() as writer,
    ):
        writer.headers["authorization"] = f"Bearer {token}"
        for key in unanswered:
            settle(writer, key)
    with (
        running(settings_for(database_url, tmp_path, media_url=media)) as store,
        store.client(*SCOPES) as editor,
    ):
        editor.headers["authorization"] = f"Bearer {token}"
        found = editor.get("/v1/articles", params={"section": "keyed", "count": "true", "status": "draft"})
        assert found.json()["total"] == len(keys)
        assert [each for each in answered if not is_kept(store, editor, *each)] == []
