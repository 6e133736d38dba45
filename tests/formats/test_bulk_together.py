"""The items of a batch are written together, and become what they would become one by one."""

from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.bulk.reading import Reading, Work
from tests.articles.newsroom import mark
from tests.formats.test_bulk import item, names, send
from tests.serving import Store

Item = dict[str, Any]
PICTURES = ("quay", "pier")


def shown(name: str, **members: Any) -> Item:
    return {"source_url": f"https://coast.example/{name}.jpg", **members}


def test_an_item_that_is_refused_takes_nothing_from_the_one_before_it(
    editor: httpx.Client, client: httpx.Client
) -> None:
    taken, first = names(2)
    send(editor, [item(taken, slug=f"slug-{taken}")])
    again = item(first, slug=f"slug-{taken}", status="published", lead_image=shown(first))
    made, refused = send(editor, [item(first, status="published"), again])
    assert (made["status"], refused["status"]) == (201, 409)
    assert client.get(f"/v1/articles/{made['id']}").status_code == 200


def test_an_item_that_may_not_describe_a_public_picture_spoils_nothing_else(
    editor: httpx.Client, store: Store
) -> None:
    public, draft, other = names(3)
    send(editor, [item(public, status="published", lead_image=shown(public, credit_line="Ana Lind"))])
    with store.client("content:read", "content:write") as writer:
        theirs = item(draft, lead_image=shown(public, credit_line="Ida Holm"))
        captioned = item(public, lead_image=shown(public, captions=[{"text": "A pier.", "language": "en"}]))
        answered = send(writer, [item(other), theirs, captioned])
        assert [one["status"] for one in answered] == [201, 403, 403]
        found = writer.get("/v1/articles", params={"source": "coast.example", "q": draft}).json()["items"]
    assert found == []
    kept = editor.get("/v1/images?source=coast.example&limit=200").json()["items"]
    (picture,) = (one for one in kept if one["source_url"] == shown(public)["source_url"])
    assert (picture["credit_line"], picture["captions"]) == ("Ana Lind", [])


def test_a_slug_that_nobody_was_given_stays_free(editor: httpx.Client, store: Store) -> None:
    public, other = names(2)
    send(editor, [item(public, status="published")])
    with store.client("content:write") as writer:
        (refused,) = send(writer, [item(public, slug=f"slug-{public}", status="published")])
    assert refused["status"] == 403
    assert send(editor, [item(other, slug=f"slug-{public}")])[0]["status"] == 201


def test_an_item_that_comes_again_is_told_as_its_article_is_now(
    editor: httpx.Client, client: httpx.Client, store: Store
) -> None:
    name, other = names(2)
    sent = item(name, status="published", summary="Seen at dawn.")
    made, *_ = send(editor, [sent])
    address = f"/v1/articles/{made['id']}"
    for _ in range(3):
        assert send(editor, [sent])[0] == made | {"status": 200}
    editor.patch(address, json={"summary": "Seen at dusk."}, headers={"If-Match": "*"})
    assert [send(editor, [sent])[0]["version"] for _ in range(3)] == [3, 3, 3]
    assert client.get(address).json()["summary"] == "Seen at dawn."
    # In one batch with others of its key it comes in its turn.
    changed = sent | {"summary": "Seen at noon."}
    assert [one["version"] for one in send(editor, [sent, changed, sent, item(other)])] == [3, 4, 5, 1]
    assert [one["version"] for one in send(editor, [sent, sent])] == [5, 5]
    assert send(editor, [sent], mode="create")[0]["status"] == 409
    with store.client("content:write", source="other.example") as bound:
        assert send(bound, [sent])[0]["status"] == 403
    editor.post(f"{address}/unpublish")
    assert [send(editor, [sent])[0]["status"] for _ in range(2)] == [409, 409]
    assert [send(editor, [sent], mode="restore")[0]["version"] for _ in range(3)] == [7, 7, 7]
    editor.delete(address, headers={"If-Match": "*"})
    assert [send(editor, [sent])[0]["status"] for _ in range(2)] == [409, 409]


def test_an_item_that_comes_again_is_not_validated_again(
    editor: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = names(3)
    sent = [item(name) for name in few]
    made = send(editor, sent)
    send(editor, sent)
    read = list[int]()

    def noting(reading: Reading, index: int, content: object) -> Work:
        read.append(index)
        return understand(reading, index, content)

    understand = Reading.read
    monkeypatch.setattr(Reading, "read", noting)
    changed = [sent[0], sent[1] | {"headline": "Buoy found"}, sent[2]]
    assert [one["version"] for one in send(editor, changed)] == [1, 2, 1]
    assert read == [1]
    assert [one["id"] for one in send(editor, sent)] == [one["id"] for one in made]


_PICTURE = st.fixed_dictionaries(
    {"of": st.sampled_from(PICTURES)},
    optional={
        "credit_line": st.sampled_from(["Ana Lind", "Ida Holm"]),
        "text": st.sampled_from(["A pier.", "A quay."]),
    },
)
_ITEM = st.fixed_dictionaries(
    {"key": st.sampled_from("ab"), "headline": st.sampled_from(["Fog", "Wind"])},
    optional={
        "slug": st.sampled_from(["low", "high"]),
        "status": st.sampled_from(["draft", "published"]),
        "lead": _PICTURE,
        "inside": _PICTURE,
        "wrong": st.sampled_from([{"color": "red"}, {"source": "other.example"}, {"lead_image_id": "0"}]),
    },
)
_Said = list[dict[str, Any]]


def _picture(stem: str, said: dict[str, Any]) -> Item:
    words = [{"language": "en", "text": said["text"]}] if "text" in said else []
    credit = {"credit_line": said["credit_line"]} if "credit_line" in said else {}
    return shown(f"{stem}-{said['of']}", captions=words, **credit)


def _item(stem: str, said: dict[str, Any]) -> Item:
    members: Item = {"headline": f"{said['headline']} {said['key']} {stem}", "language": "en"}
    if "slug" in said:
        members["slug"] = f"{said['slug']}-{stem}"
    if "status" in said:
        members["status"] = said["status"]
    if "lead" in said:
        members["lead_image"] = _picture(stem, said["lead"])
    if "inside" in said:
        members["body"] = [{"type": "image", "image": _picture(stem, said["inside"])}]
    wrong: Item = said.get("wrong", {})
    return item(f"{stem}-{said['key']}", **members) | wrong


def _facts(editor: httpx.Client, client: httpx.Client, stem: str, ids: set[str]) -> list[object]:
    """Return what is to be seen of the articles, with the stem of their names left out."""
    found: list[object] = []
    for id_ in ids:
        article = editor.get(f"/v1/articles/{id_}").json()
        pictures = [article["lead_image"], *(block for block in article["body"] if block["type"] == "image")]
        public = client.get(f"/v1/articles/{id_}")
        history = editor.get(f"/v1/articles/{id_}/versions").json()["items"]
        found.append(
            (
                article["external_id"].replace(stem, ""),
                article["headline"].replace(stem, ""),
                article["slug"].replace(stem, ""),
                (article["status"], article["version"], public.status_code),
                [(each["version"], each["status"], each["action"]) for each in history],
                [_seen(editor, one, stem) for one in pictures if one],
            )
        )
    return sorted(found, key=str)


def _seen(editor: httpx.Client, shown_there: dict[str, Any], stem: str) -> tuple[object, ...]:
    image = editor.get(f"/v1/images/{shown_there.get('image_id') or shown_there['id']}").json()
    captions = sorted((each["text"], each["version"]) for each in image["captions"])
    return image["source_url"].replace(stem, ""), image["credit_line"], image["version"], captions


@given(
    before=st.lists(_ITEM, max_size=3),
    items=st.lists(_ITEM, min_size=1, max_size=6),
    may_publish=st.booleans(),
    repeats=st.booleans(),
    mode=st.sampled_from(["upsert", "restore", "update", "create"]),
)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_batch_becomes_what_its_items_become_one_by_one(
    store: Store,
    editor: httpx.Client,
    client: httpx.Client,
    before: _Said,
    items: _Said,
    may_publish: bool,
    repeats: bool,
    mode: str,
) -> None:
    scopes = ["content:read", "content:write", *(["content:publish"] if may_publish else [])]
    outcomes = []
    with store.client(*scopes) as writer:
        for together in (True, False):
            stem = mark()
            send(editor, [_item(stem, said) for said in before])
            given_items = [_item(stem, said) for said in items]
            batches = [given_items] if together else [[one] for one in given_items]
            if repeats:
                send(writer, given_items, mode=mode)
                send(writer, given_items[::2], mode=mode)
            answered = [one for batch in batches for one in send(writer, batch, mode=mode)]
            listed = editor.get("/v1/articles", params={"source": "coast.example", "q": stem, "limit": "50"})
            ids = {one["id"] for one in listed.json()["items"]}
            told = [(one["status"], one["version"], one.get("problem", {}).get("type")) for one in answered]
            outcomes.append((told, _facts(editor, client, stem, ids)))
    assert outcomes[0] == outcomes[1]
