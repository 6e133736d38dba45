"""A killed picture is mentioned and served nowhere from the commit on, however many articles showed it."""

import json
import random
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from rich.console import Console
from sqlmodel import select

from service.backup.export import write_export
from service.images.storage import open_store
from service.published import backlog as rendering_again
from service.published import render
from service.published.backlog import Backlog
from service.published.models import Awaiting
from service.rooms import open_database
from service.server import openapi
from service.settings import Settings
from tests.articles.newsroom import do
from tests.effort import LONG
from tests.images.pictures import make_article, make_caption, make_image
from tests.patience import wait_until
from tests.serving import Store, another, settings_for
from tests.sync.following import follow
from tests.webhooks.keeping import webhook
from tests.webhooks.receiver import receiver

WHY = "The agency killed it."
CREDIT, WORDS, ALT = "Quillcredit Agency", "Quillcaption of the palace.", "Quillalt"
NEXT = Backlog.next_of_changed_pictures
SHOW_NO_PICTURE = {
    "get_preview_media",
    "get_media",
    "list_consent_notices",
    "get_consent_notice",
    "get_current_consent_notice",
    "get_current_consent",
    "list_current_events",
    "get_current_receipt",
    "get_tree_head",
    "get_inclusion_proof",
    "get_consistency_proof",
    "get_gpc_support",
    "get_klaro_config",
    "get_liveness",
    "get_readiness",
    "get_metrics",
    "get_article_sitemap",
    "get_changes_digest",
    "list_sections",
    "list_tags",
    "list_authors",
}
"""Public operations that tell of no picture; the files themselves are asked for below."""


def surfaces(article: dict, image: dict, caption: dict) -> dict[str, list[str]]:
    """Return every address under which readers could meet the picture, by the operation of the document."""
    keys = [article["id"], article["slug"]]
    return {
        "get_article": [
            f"/v1/articles/{key}{query}"
            for key in keys
            for query in (
                "",
                "?body=html",
                "?body=text",
                "?body=none",
                "?format=ninjs",
                "?format=jsonld",
                "?fields=lead_image,body",
            )
        ],
        "get_article_as_ninjs": [f"/v1/articles/{key}/ninjs" for key in keys],
        "get_article_as_jsonld": [f"/v1/articles/{key}/jsonld" for key in keys],
        "list_articles": [
            f"/v1/articles{query}"
            for query in (
                "",
                "?body=html",
                "?body=blocks",
                "?body=text",
                "?q=palace",
                "?language=*&slug=palace",
                "?q=quillcaption&body=blocks",
                f"?image_id={image['id']}",
                "?fields=lead_image,body",
                "?sort=-updated_at&count=true",
            )
        ],
        "list_images": ["/v1/images", "/v1/images?count=true"],
        "get_image": [f"/v1/images/{image['id']}"],
        "list_image_captions": [f"/v1/images/{image['id']}/captions"],
        "list_captions": ["/v1/captions"],
        "get_caption": [f"/v1/captions/{caption['id']}"],
        "list_changes": [
            "/v1/changes?limit=200",
            "/v1/changes?kind=article&limit=200",
            "/v1/changes?kind=image",
        ],
        "list_changes_for_mirrors": ["/v1/changes/mirror?limit=200"],
        "get_rss_feed": ["/feeds/rss.xml", "/feeds/rss.xml?language=en"],
        "get_atom_feed": ["/feeds/atom.xml"],
        "get_json_feed": ["/feeds/feed.json"],
        "get_news_sitemap": ["/sitemaps/news.xml"],
        "get_sitemap_index": ["/sitemaps/index.xml"],
        "pages": ["/", f"/read/{article['slug']}"],
    }


def mentions(answer: str) -> list[str]:
    """Return what of the picture an answer tells: its credit, its words, or the address of a file."""
    return [word for word in (CREDIT, WORDS, ALT, "/media/") if word in answer]


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings of a store that sends to receivers on loopback."""
    return settings_for(database_url, tmp_path, outbound_allow_loopback=True)


@pytest.fixture
def in_small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """The transaction of a kill has no time for articles, which the serving process leaves to the test."""
    monkeypatch.setattr(render, "SECONDS_OF_ARTICLES", -1.0)
    monkeypatch.setattr(render, "ALWAYS", 0)
    monkeypatch.setattr(rendering_again, "ARTICLES_AT_ONCE", 2)
    monkeypatch.setattr(Backlog, "next_of_changed_pictures", lambda _: None)


def awaiting(store: Store) -> list[str]:
    with store.database.reading() as session:
        return [str(id_) for id_ in session.exec(select(Awaiting.image_id))]


def drain(store: Store) -> None:
    """Render what awaits it."""
    batches = Backlog(open_database(store.settings))
    batches.database.rendering = 1
    while work := NEXT(batches):
        batches.finish(work)
    batches.database.close()


def shot(editor: httpx.Client) -> tuple[dict, dict]:
    image = make_image(editor, credit_line=CREDIT)
    return image, make_caption(editor, image, WORDS, alt_text=ALT)


def kill(editor: httpx.Client, image: dict) -> None:
    response = editor.post(f"/v1/images/{image['id']}/withdraw", json={"reason": WHY})
    assert response.status_code == 200, response.text


@pytest.mark.slow
def test_every_public_operation_is_a_surface_or_shows_no_picture(tmp_path: Path) -> None:
    document = openapi(settings_for("sqlite:///unused", tmp_path))
    public = {
        said["operationId"]
        for methods in document["paths"].values()
        for method, said in methods.items()
        if method == "get" and "x-required-scope" not in said
    }
    nothing = {"id": "", "slug": ""}
    # The stream has the entries of the list of changes.
    known = {*surfaces(nothing, nothing, nothing), "get_preview", "stream_changes"} - {"pages"}
    assert public == known | SHOW_NO_PICTURE


@pytest.mark.slow
@pytest.mark.usefixtures("in_small_batches")
def test_no_surface_mentions_a_killed_picture_while_its_articles_await_their_batch_nor_afterwards(
    store: Store, client: httpx.Client, editor: httpx.Client, tmp_path: Path
) -> None:
    image, caption = shot(editor)
    article = make_article(editor, image, lead_image_id=image["id"], summary="The palace", slug="palace")
    for number in range(5):
        make_article(editor, image, headline=f"Palace {number}")
    preview = do(editor, article, "previews")
    asked = [path for paths in surfaces(article, image, caption).values() for path in paths]
    asked += [preview["href"], preview["page"]]
    staff = [
        f"/v1/articles/{article['id']}",
        "/v1/articles?view=staff&body=html",
        "/v1/articles?body=html",
        "/v1/changes?view=staff&kind=article",
        "/v1/changes?kind=article,image",
    ]
    before = {path: client.get(path) for path in asked}
    shown = {path for path, answer in before.items() if mentions(answer.text)}
    assert {path.split("?")[0] for path in asked} - {path.split("?")[0] for path in shown} <= {
        "/sitemaps/index.xml",
        "/sitemaps/news.xml",
    }
    kill(editor, image)
    assert awaiting(store) == [image["id"]]
    pending = {}
    for path in asked:
        answer = client.get(path, headers={"If-None-Match": before[path].headers.get("etag", '"x"')})
        assert mentions(answer.text) == [], path
        assert path not in shown or answer.status_code in (200, 410), (path, answer.status_code)
        pending[path] = answer
    for path in staff:
        assert mentions(editor.get(path).text) == [], path
    drain(store)
    assert awaiting(store) == []
    for path in [*asked, *staff]:
        answer = (editor if path in staff else client).get(path)
        assert mentions(answer.text) == [], path
    # What was answered meanwhile is what is rendered in the end, byte for byte.
    for path in surfaces(article, image, caption)["get_article"]:
        again = client.get(path)
        assert (again.content, again.headers["etag"]) == (
            pending[path].content,
            pending[path].headers["etag"],
        )


@pytest.mark.slow
@pytest.mark.usefixtures("in_small_batches")
def test_an_export_of_what_is_published_has_no_killed_picture_while_articles_await_their_batch(
    store: Store, editor: httpx.Client, tmp_path: Path
) -> None:
    image, _ = shot(editor)
    make_article(editor, image, lead_image_id=image["id"])
    kill(editor, image)
    folder = tmp_path / "export"
    write_export(store.database, open_store(store.settings), folder, Console(quiet=True), everything=False)
    lines = [path.read_text() for path in sorted(folder.glob("*.ndjson"))]
    assert [mentions(line) for line in lines] == [[]] * len(lines)
    assert [path for path in (folder / "media").rglob("*") if path.is_file()] == []


@pytest.mark.slow
@pytest.mark.usefixtures("in_small_batches")
def test_a_kill_that_is_undone_before_its_batches_ran_shows_the_picture_again(
    store: Store, client: httpx.Client, editor: httpx.Client
) -> None:
    image, _ = shot(editor)
    paths = [f"/v1/articles/{make_article(editor, image)['id']}" for _ in range(5)]
    before = [client.get(path).json() for path in paths]
    kill(editor, image)
    assert [client.get(path).json()["body"][0]["withdrawn"] for path in paths] == [{"reason": WHY}] * 5
    response = editor.post(f"/v1/images/{image['id']}/reinstate", json={"reason": "Another picture."})
    assert response.status_code == 200
    for _ in range(2):
        assert [client.get(path).json() for path in paths] == before
        drain(store)


@pytest.mark.slow
def test_a_message_that_waits_is_sent_without_the_picture_that_was_killed_meanwhile(
    store: Store, editor: httpx.Client, admin: httpx.Client
) -> None:
    with receiver() as partner, webhook(admin, partner) as hook:
        partner.answer = (503, {}, b"")
        image, _ = shot(editor)
        article = make_article(editor, image, lead_image_id=image["id"])
        wait_until(lambda: partner.refused)
        kill(editor, image)
        partner.answer = (204, {}, b"")
        admin.post(f"/v1/webhooks/{hook['id']}/resume")
        wait_until(lambda: [told for told in partner.taken if told["type"] == "image.remove"][1:])
        wait_until(lambda: [told for told in partner.taken if told["data"]["id"] == article["id"]][1:])
    assert mentions(json.dumps(partner.taken)) == []
    assert {told["data"]["reason"] for told in partner.taken if told["data"]["kind"] != "article"} == {
        "withdrawn"
    }


@pytest.mark.slow
def test_readers_who_never_stop_asking_meet_a_killed_picture_nowhere(
    store: Store, client: httpx.Client, editor: httpx.Client
) -> None:
    """Of many articles, by several readers, in this process and in another one on the same database."""
    count, readers = (5_000, 8) if LONG else (300, 4)
    image, caption = shot(editor)
    articles = []
    for first in range(0, count, 250):
        items = [
            {
                "source": "wire",
                "external_id": str(number),
                "headline": f"Palace {number}",
                "status": "published",
                "lead_image_id": image["id"],
                "body": [{"type": "image", "image_id": image["id"]}],
            }
            for number in range(first, min(count, first + 250))
        ]
        made = editor.post("/v1/articles/bulk", json=items).json()["items"]
        articles += [{"id": each["id"], "slug": f"palace-{each['external_id']}"} for each in made]
    file = client.get(f"/v1/images/{image['id']}").json()["renditions"][0]["href"]
    with another(store) as second:
        ask_all = _asked(articles, image, caption, file)
        killed, done = threading.Event(), threading.Event()
        met: Counter[str] = Counter()
        told: list[str] = []

        def read(seed: int, running: Store) -> None:
            chance = random.Random(seed)
            with running.client() as reader:
                while not done.is_set():
                    path = ask_all(chance)
                    is_after = killed.is_set()
                    answer = reader.get(path)
                    met["asked"] += is_after
                    is_served = answer.status_code != 410 if path == file else bool(mentions(answer.text))
                    if is_after and is_served:
                        told.append(path)

        threads = [
            threading.Thread(target=read, args=(number, (store, second)[number % 2]))
            for number in range(readers)
        ]
        for thread in threads:
            thread.start()
        try:
            kill(editor, image)
            # The other process hears of it within a second; this one knows.
            wait_until(lambda: second.client().get(f"/v1/images/{image['id']}").status_code == 410)
            killed.set()
            wait_until(
                lambda: not awaiting(store) and met["asked"] > (10_000 if LONG else 500),
            )
        finally:
            done.set()
            for thread in threads:
                thread.join()
    assert told == []
    copy = {entry["id"]: entry for entry in follow(client)[0] if entry["kind"] == "article"}
    assert len(copy) == count
    assert all(entry["data"]["body"][0]["withdrawn"] == {"reason": WHY} for entry in copy.values())


def _asked(articles: list[dict], image: dict, caption: dict, file: str) -> Callable[[random.Random], str]:
    def ask(chance: random.Random) -> str:
        article = chance.choice(articles)
        paths = [path for paths in surfaces(article, image, caption).values() for path in paths]
        return chance.choice([*paths, file, f"/v1/articles?q={quote(article['slug'].replace('-', ' '))}"])

    return ask
