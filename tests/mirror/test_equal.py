"""Every public address of a mirror answers as its origin does, byte for byte."""

import re
from pathlib import Path

import httpx
import pytest

from service.server import openapi
from tests.articles.newsroom import do, edit, published, trash
from tests.images.pictures import image_of, make_article, make_caption, picture, upload
from tests.images.test_kill import surfaces
from tests.mirror.mirrors import caught_up
from tests.patience import wait_until
from tests.serving import Store, settings_for

OWN = frozenset({"date", "x-request-id"})
"""Headers in which answers differ: when it was made, and for which request. Hosts are equal, because both
have the same `COPYDESK_PUBLIC_URL`.
"""
OF_ORIGIN = frozenset(
    {
        "get_preview",
        "get_preview_media",
        "get_current_consent",
        "list_current_events",
        "get_current_receipt",
        "get_tree_head",
        "get_inclusion_proof",
        "get_consistency_proof",
    }
)
"""Operations that a mirror leaves to its origin: drafts, and readers' decisions."""
OF_ITS_OWN = frozenset({"get_liveness", "get_readiness", "get_metrics"})
"""Operations that tell of the process that answers."""
STREAMED = frozenset({"stream_changes"})
"""The stream has no end; its events are the entries of the list of changes."""


def further(article: dict, image: dict) -> dict[str, list[str]]:
    """Addresses beside those at which a picture is shown."""
    files = [size["href"] for size in image["renditions"] if size["name"] != "original"]
    return {
        "get_media": [*files, *(href.removesuffix("jpg") + "webp" for href in files[:2])],
        "list_sections": ["/v1/sections?count=true"],
        "list_tags": ["/v1/tags?count=true"],
        "list_authors": ["/v1/authors"],
        "get_article_sitemap": ["/sitemaps/1.xml"],
        "get_changes_digest": ["/v1/changes/digest"],
        "list_consent_notices": ["/v1/consent-notices?count=true"],
        "get_consent_notice": ["/v1/consent-notices/default/versions/1"],
        "get_current_consent_notice": ["/v1/consent-notices/default/current"],
        "get_klaro_config": ["/v1/privacy-managers/klaro/config"],
        "get_gpc_support": ["/.well-known/gpc.json"],
        "documents": [
            "/openapi.json",
            "/v1",
            "/robots.txt",
            "/sitemap.xml",
            "/problems",
            "/v1/articles/no-such",
        ],
        "more": [
            f"/v1/articles?related_to={article['id']}",
            "/v1/articles?section=City&limit=2",
            "/v1/articles?tag=trams",
            "/v1/changes?section=City",
            "/search?q=harbour",
            "/v1/articles?sort=published_at&count=true",
        ],
    }


def same(response: httpx.Response) -> tuple[object, ...]:
    """All of an answer that is to be equal."""
    headers = {name: value for name, value in response.headers.items() if name not in OWN}
    return response.status_code, response.content, headers


@pytest.fixture
def newsroom(client: httpx.Client, editor: httpx.Client) -> tuple[dict, dict, dict, list[str]]:
    """An article with a picture, others that have gone in every way, and the addresses of these."""
    image = image_of(upload(editor, picture(size=(1000, 700), colour="#123456"), credit_line="Ana Lind"))
    caption = make_caption(editor, image, "Smörgåsbord – “quays”", alt_text="Boats")
    killed = image_of(upload(editor, picture(colour="#654321")))
    members = {"section": "City", "tags": ["trams"], "authors": [{"name": "Ana Lind"}]}
    article = make_article(editor, image, killed, lead_image_id=image["id"], summary="Žofín 😀", **members)
    old = article["slug"]
    article = edit(editor, article, slug=f"{old}-again", headline="Harbour open again, at last")
    moved = edit(editor, published(editor, **members), section="World")
    gone = [published(editor) for _ in range(3)]
    do(editor, gone[0], "unpublish")
    do(editor, gone[1], "withdraw", reason="Wrong.")
    trash(editor, gone[2])
    assert editor.post(f"/v1/images/{killed['id']}/withdraw", json={"reason": "Killed."}).status_code == 200
    wait_until(lambda: client.get(f"/v1/images/{killed['id']}").status_code == 410)
    paths = [f"/v1/articles/{each['id']}" for each in (*gone, moved)]
    paths += [f"/v1/articles/{old}", f"/read/{old}", f"/v1/images/{killed['id']}"]
    paths += [killed["renditions"][0]["href"], f"/read/{gone[1]['slug']}"]
    return article, image, caption, paths


@pytest.mark.slow
def test_every_public_answer_is_equal_to_the_byte(
    store: Store,
    mirror: Store,
    client: httpx.Client,
    reader: httpx.Client,
    newsroom: tuple[dict, dict, dict, list[str]],
) -> None:
    article, image, caption, gone = newsroom
    caught_up(store, mirror)
    known = {**surfaces(article, image, caption), **further(article, image), "gone": gone}
    # Drafts take numbers, and no entry: the mirror hears of these when its request ends.
    wait_until(lambda: same(reader.get("/v1/changes/digest")) == same(client.get("/v1/changes/digest")))
    # Until names are counted, their lists are kept for seconds that run down.
    for path in ("/v1/sections?count=true", "/v1/tags?count=true", "/v1/authors"):
        wait_until(lambda: same(reader.get(path)) == same(client.get(path))), path  # noqa: B023
    differ = []
    for path in (path for paths in known.values() for path in paths):
        there, here = client.get(path), reader.get(path)
        if same(there) != same(here):
            differ.append((path, there.status_code, here.status_code, there.text[:300], here.text[:300]))
            continue
        if etag := there.headers.get("etag"):
            assert reader.get(path, headers={"If-None-Match": etag}).status_code == 304, path
    assert differ == []


@pytest.mark.slow
def test_every_public_operation_is_compared_or_is_the_origins(tmp_path: Path) -> None:
    document = openapi(settings_for("sqlite:///unused", tmp_path))
    public = {
        said["operationId"]
        for methods in document["paths"].values()
        for method, said in methods.items()
        if method == "get" and "x-required-scope" not in said
    }
    nothing = {"id": "", "slug": "", "renditions": [{"name": "w1", "href": ""}]}
    compared = {*surfaces(nothing, nothing, nothing), *further(nothing, nothing)}
    assert public == (compared | OF_ORIGIN | OF_ITS_OWN | STREAMED) - {"pages", "documents", "more"}
    assert all(re.fullmatch("[a-z_]+", name) for name in public)


@pytest.mark.slow
def test_cursors_of_the_origin_are_good_at_the_mirror_and_the_other_way_round(
    store: Store, mirror: Store, client: httpx.Client, editor: httpx.Client, reader: httpx.Client
) -> None:
    for before, after in ((client, reader), (reader, client)):
        caught_up(store, mirror)
        cursor = before.get("/v1/changes?limit=200").json()["cursor"]
        fresh = published(editor)
        caught_up(store, mirror)
        items = after.get(f"/v1/changes?since={cursor}&limit=200").json()["items"]
        assert fresh["id"] in [entry["id"] for entry in items]
