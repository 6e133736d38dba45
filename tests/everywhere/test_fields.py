"""`fields` picks members of every single resource, and of the entries of the change feed."""

from collections.abc import Iterator

import httpx
import pytest

from tests.articles.newsroom import caption, edit, picture, pointers, published, trash
from tests.serving import Store
from tests.sync.following import follow, now_at

RESOURCES = (
    "get_article",
    "get_article_version",
    "get_caption",
    "get_consent_notice",
    "get_current_consent_notice",
    "get_embargoed_article",
    "get_image",
    "get_token",
    "get_webhook",
    "get_webhook_delivery",
)


def _operations(client: httpx.Client) -> Iterator[tuple[str, set[str]]]:
    for methods in client.get("/openapi.json").json()["paths"].values():
        if "get" in methods:
            operation = methods["get"]
            yield operation["operationId"], {each["name"] for each in operation.get("parameters", [])}


def test_every_single_resource_and_the_feed_take_fields(client: httpx.Client) -> None:
    taking = {name for name, parameters in _operations(client) if "fields" in parameters}
    assert {*RESOURCES, "list_changes", "stream_changes"} <= taking


def test_a_picture_and_a_caption_are_given_in_part(client: httpx.Client, editor: httpx.Client) -> None:
    image = picture(editor)
    words = caption(editor, image["id"])
    published(editor, lead_image_id=image["id"])
    for caller in (client, editor):
        answer = caller.get(f"/v1/images/{image['id']}?fields=id,captions.text")
        assert answer.json() == {"id": image["id"], "captions": [{"text": words["text"]}]}
        again = caller.get(answer.url, headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.headers["etag"]) == (304, answer.headers["etag"])
        assert caller.get(f"/v1/captions/{words['id']}?fields=text").json() == {"text": words["text"]}
        for wrong in (f"/v1/images/{image['id']}?fields=text", f"/v1/captions/{words['id']}?fields=,"):
            assert pointers(caller.get(wrong)) == ["/fields"], wrong


def test_what_is_written_about_resources_is_given_in_part(store: Store, editor: httpx.Client) -> None:
    article = published(editor)
    version = editor.get(f"/v1/articles/{article['id']}/versions/1?fields=content.headline").json()
    assert version == {"content": {"headline": article["headline"]}}
    with store.client("admin") as admin, store.client() as anyone:
        token = admin.get("/v1/tokens?limit=1").json()["items"][0]
        assert admin.get(f"/v1/tokens/{token['id']}?fields=name").json() == {"name": token["name"]}
        made = admin.post("/v1/webhooks", json={"url": "https://partner.example/hook", "name": "Wire"}).json()
        assert admin.get(f"/v1/webhooks/{made['id']}?fields=name").json() == {"name": "Wire"}
        notice = admin.get("/v1/consent-notices?limit=1").json()["items"][0]
        key, number = notice["notice_key"], notice["version"]
        for caller in (admin, anyone):
            for address in (f"{key}/current", f"{key}/versions/{number}"):
                read = caller.get(f"/v1/consent-notices/{address}?fields=notice_key,texts.title").json()
                assert read.keys() == {"notice_key", "texts"}
                assert read["texts"].keys() == {"title"}


@pytest.mark.parametrize("staff", [False, True])
def test_entries_of_the_feed_are_given_in_part(
    client: httpx.Client, editor: httpx.Client, *, staff: bool
) -> None:
    caller, view = (editor, "&view=staff") if staff else (client, "")
    since = now_at(caller, f"&kind=article&fields=seq,id,op,data.headline{view}")
    kept, gone = published(editor), published(editor)
    trash(editor, gone)
    kept = edit(editor, kept, headline="Ferries sail again")
    entries, following = follow(caller, since)
    assert [{name: entry[name] for name in ("id", "op", "data")} for entry in entries] == [
        {"id": gone["id"], "op": "remove", "data": None},
        {"id": kept["id"], "op": "put", "data": {"headline": "Ferries sail again"}},
    ]
    assert all(entry.keys() == {"seq", "id", "op", "data"} for entry in entries)
    assert "fields=seq" in following
    assert pointers(caller.get(f"/v1/changes?fields=headline{view}")) == ["/fields"]
    assert pointers(caller.get(f"/v1/changes/stream?fields=data.nothing{view}")) == ["/fields"]
