"""POST /v1/articles/bulk"""

import gzip
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import orjson
import psycopg
import pytest

from tests.articles.newsroom import mark
from tests.images.pictures import picture, upload
from tests.patience import wait_until
from tests.postgres import WAITING_FOR_A_LOCK
from tests.serving import Store

PATH = "/v1/articles/bulk"
NDJSON = {"Content-Type": "application/x-ndjson"}


def item(external_id: str, **members: Any) -> dict[str, Any]:
    return {
        "source": "coast.example",
        "external_id": external_id,
        "headline": f"Buoy {external_id} adrift",
        **members,
    }


def names(count: int) -> list[str]:
    stem = mark()
    return [f"{stem}-{number}" for number in range(count)]


def send(editor: httpx.Client, items: list[Any], **query: str) -> list[dict[str, Any]]:
    """Send an array."""
    response = editor.post(PATH, json=items, params=query)
    assert response.status_code == 200, response.text
    return response.json()["items"]


def send_lines(
    editor: httpx.Client, content: bytes, headers: Mapping[str, str] = NDJSON
) -> list[dict[str, Any]]:
    """Send NDJSON."""
    response = editor.post(PATH, content=content, headers=dict(headers))
    assert (response.status_code, response.headers["content-type"]) == (200, "application/x-ndjson")
    return [orjson.loads(line) for line in response.content.splitlines()]


def test_articles_are_made_and_then_brought_up_to_date(editor: httpx.Client, client: httpx.Client) -> None:
    first, second = names(2)
    made = send(editor, [item(first, status="published"), item(second)])
    assert [(one["index"], one["status"], one["external_id"], one["version"]) for one in made] == [
        (0, 201, first, 1),
        (1, 201, second, 1),
    ]
    assert client.get(f"/v1/articles/{made[0]['id']}").json()["headline"] == f"Buoy {first} adrift"
    assert client.get(f"/v1/articles/{made[1]['id']}").status_code == 404
    again = send(editor, [item(first, status="published"), item(second, headline="Buoy found")])
    assert [(one["status"], one["id"], one["version"]) for one in again] == [
        (200, made[0]["id"], 1),
        (200, made[1]["id"], 2),
    ]
    assert editor.get(f"/v1/articles/{made[1]['id']}").json()["headline"] == "Buoy found"


def test_one_bad_item_spoils_nothing_else(editor: httpx.Client) -> None:
    good, bad, other = names(3)
    taken = send(editor, [item(good, slug=f"slug-{good}")])[0]["id"]
    wrong = [
        item(bad, headline=""),
        item(bad, color="red"),
        7,
        {"headline": "Nobody's"},
        item(bad, lead_image_id=str(uuid4())),
        item(bad, status="withdrawn"),
        item(bad, slug=f"slug-{good}"),
        item(bad, body=[{"type": "paragraph"}]),
    ]
    answered = send(editor, [*wrong, item(other)])
    assert [one["status"] for one in answered] == [422] * 6 + [409, 422, 201]
    pointers = [one["problem"].get("errors", [{}])[0].get("pointer") for one in answered[:-1]]
    assert pointers == [
        "/headline",
        "/color",
        "",
        "/external_id",
        "/lead_image_id",
        "/status",
        None,
        "/body/0/html",
    ]
    assert answered[6]["problem"]["id"] == taken
    assert editor.get("/v1/articles", params={"source": "coast.example", "q": bad}).json()["items"] == []


def test_modes_say_what_may_happen(editor: httpx.Client) -> None:
    here, gone = names(2)
    (made,) = send(editor, [item(here)], mode="create")
    answered = send(editor, [item(here), item(gone)], mode="create")
    assert [one["status"] for one in answered] == [409, 201]
    assert answered[0]["problem"]["id"] == made["id"]
    assert [
        one["status"] for one in send(editor, [item(here, summary="Found."), item(mark())], mode="update")
    ] == [200, 404]


def test_a_dry_run_writes_nothing(editor: httpx.Client) -> None:
    here, new = names(2)
    send(editor, [item(here)])
    answered = send(editor, [item(here, headline="Other"), item(new), item(new, headline="")], dry_run="true")
    assert [(one["status"], one["version"]) for one in answered] == [(200, 2), (201, 1), (422, None)]
    assert answered[1]["id"] is None
    assert editor.get(f"/v1/articles/{answered[0]['id']}").json()["headline"] == f"Buoy {here} adrift"
    assert [one["status"] for one in send(editor, [item(new)], mode="update")] == [404]


def test_the_same_key_twice_is_one_article_as_it_was_said_last(editor: httpx.Client) -> None:
    name = mark()
    first, second = send(editor, [item(name), item(name, headline="Second thoughts")])
    assert (first["status"], second["status"], first["id"]) == (201, 200, second["id"])
    assert editor.get(f"/v1/articles/{first['id']}").json()["headline"] == "Second thoughts"


def test_same_headlines_get_slugs_of_their_own(editor: httpx.Client) -> None:
    made = send(editor, [item(name, headline="Fog", section=name) for name in names(8)])
    slugs = [editor.get(f"/v1/articles/{one['id']}").json()["slug"] for one in made]
    assert len(set(slugs)) == 8


def test_publishing_needs_its_scope(store: Store) -> None:
    public, draft = names(2)
    with store.client("content:write") as writer:
        answered = send(writer, [item(public, status="published"), item(draft)])
    assert [one["status"] for one in answered] == [403, 201]


def test_it_is_for_writers(client: httpx.Client, store: Store) -> None:
    assert client.post(PATH, json=[]).status_code == 401
    with store.client("content:read") as reader:
        assert reader.post(PATH, json=[]).status_code == 403


def test_pictures_come_inline_and_are_the_same_by_where_they_come_from(
    editor: httpx.Client, client: httpx.Client
) -> None:
    first, second = names(2)
    image = {
        "source_url": f"https://coast.example/{first}.jpg",
        "credit_line": "Ana Lind",
        "captions": [{"text": "A buoy on the beach.", "alt_text": "A red buoy"}],
    }
    body = [{"type": "paragraph", "html": "It came ashore."}, {"type": "image", "image": image}]
    made = send(
        editor,
        [
            item(name, body=body, lead_image=image, language="en", status="published")
            for name in (first, second)
        ],
    )
    assert [one["status"] for one in made] == [201, 201], made
    shown = [client.get(f"/v1/articles/{one['id']}").json() for one in made]
    assert shown[0]["lead_image_id"] == shown[1]["lead_image_id"] == shown[0]["body"][1]["image_id"]
    assert shown[0]["lead_image"]["credit_line"] == "Ana Lind"
    assert shown[0]["body"][1]["caption"]["text"] == "A buoy on the beach."
    again = send(
        editor,
        [item(first, lead_image=image | {"credit_line": "Ida Holm"}, language="en", status="published")],
    )
    assert again[0]["status"] == 200
    # An article that was not sent is rendered by a job, when the transaction has no time for it.
    other = f"/v1/articles/{made[1]['id']}"
    wait_until(lambda: client.get(other).json()["lead_image"]["credit_line"] == "Ida Holm")
    (refused,) = send(
        editor, [item(mark(), body=[{"type": "image", "image": {"source_url": "ftp://coast.example"}}])]
    )
    assert refused["problem"]["errors"][0]["pointer"] == "/body/0/image/source_url"


def test_pictures_are_known_by_the_integrators_own_key(editor: httpx.Client) -> None:
    first, second, key = names(3)
    shown = {"external_id": key, "source_url": f"https://coast.example/{key}.jpg", "credit_line": "Ana Lind"}
    made = send(editor, [item(first, lead_image=shown), item(second, lead_image={"external_id": f" {key} "})])
    assert [one["status"] for one in made] == [201, 201], made
    shows = [editor.get(f"/v1/articles/{one['id']}").json()["lead_image_id"] for one in made]
    leads = [editor.get(f"/v1/images/{shown_id}").json() for shown_id in shows]
    assert leads[0]["id"] == leads[1]["id"]
    assert (leads[0]["source"], leads[0]["external_id"], leads[0]["credit_line"]) == (
        "coast.example",
        key,
        "Ana Lind",
    )
    send(editor, [item(first, lead_image=shown | {"source_url": f"https://coast.example/{key}-2.jpg"})])
    moved = editor.get(f"/v1/images/{leads[0]['id']}").json()
    assert moved["source_url"] == f"https://coast.example/{key}-2.jpg"
    (theirs,) = send(editor, [item(mark(), lead_image={"external_id": key, "source": "agency.example"})])
    assert editor.get(f"/v1/articles/{theirs['id']}").json()["lead_image_id"] != leads[0]["id"]


@pytest.mark.parametrize(
    ("picture", "pointer"),
    [
        ({"credit_line": "Ana Lind"}, "/lead_image/source_url"),
        ({"external_id": ""}, "/lead_image/external_id"),
        ({"source_url": "https://coast.example/\0"}, "/lead_image/source_url"),
        ({"external_id": "€" * 500, "source": "€" * 500}, "/external_id"),
    ],
)
def test_a_picture_must_be_known_by_something(
    editor: httpx.Client, picture: dict[str, str], pointer: str
) -> None:
    refused, other = send(editor, [item(mark(), lead_image=picture), item(mark())])
    assert (refused["status"], refused["problem"]["errors"][0]["pointer"], other["status"]) == (
        422,
        pointer,
        201,
    )
    (nobodys,) = send(editor, [{"headline": "Fog", "lead_image": {"external_id": mark()}}], mode="create")
    assert nobodys["problem"]["errors"][0]["pointer"] == "/lead_image/source"


def test_a_refused_item_leaves_no_picture_and_changes_none(editor: httpx.Client) -> None:
    good, bad, other = names(3)
    both, alone = (
        {"source_url": f"https://coast.example/{name}.jpg", "credit_line": "Ana Lind"} for name in (good, bad)
    )
    send(editor, [item(good, slug=f"slug-{good}")])
    taken = {"slug": f"slug-{good}", "body": [{"type": "image", "image": alone}], "lead_image": both}
    refused, made = send(editor, [item(bad, **taken), item(other, lead_image=both)])
    assert (refused["status"], made["status"]) == (409, 201)
    here = {
        image["source_url"]: image
        for image in editor.get("/v1/images?source=coast.example&limit=200").json()["items"]
    }
    assert both["source_url"] in here
    assert alone["source_url"] not in here
    (refused,) = send(editor, [item(bad, **taken | {"lead_image": both | {"credit_line": "Ida Holm"}})])
    assert refused["status"] == 409
    assert editor.get(f"/v1/images/{here[both['source_url']]['id']}").json()["credit_line"] == "Ana Lind"


def test_pictures_of_the_store_are_named_by_id(editor: httpx.Client) -> None:
    image = upload(editor, picture()).json()["id"]
    (made,) = send(editor, [item(mark(), lead_image_id=image, body=[{"type": "image", "image_id": image}])])
    assert made["status"] == 201


def test_lines_are_answered_with_lines_packed_or_not(editor: httpx.Client) -> None:
    few = names(3)
    content = b"\n".join(
        [orjson.dumps(item(few[0])), b"", b"{broken", orjson.dumps(item(few[1])) + b"\r", b""]
    )
    answered = send_lines(editor, content)
    assert [(one["index"], one["status"]) for one in answered] == [(0, 201), (1, 400), (2, 201)]
    packed = gzip.compress(orjson.dumps(item(few[0]))) + gzip.compress(b"\n" + orjson.dumps(item(few[2])))
    assert [one["status"] for one in send_lines(editor, packed, NDJSON | {"Content-Encoding": "gzip"})] == [
        200,
        201,
    ]


def test_an_array_that_breaks_off_keeps_what_came_before(editor: httpx.Client) -> None:
    name = mark()
    for rest in (b',{"headline":', b",nonsense]", b""):
        response = editor.post(
            PATH, content=b"[" + orjson.dumps(item(name)) + rest, headers={"Content-Type": "application/json"}
        )
        first, second = response.json()["items"]
        assert (first["external_id"], second["status"], second["problem"]["type"]) == (
            name,
            400,
            "/problems/broken-stream",
        )
    cut = gzip.compress(orjson.dumps([item(name) for name in names(100)]), compresslevel=0)[:-500]
    response = editor.post(
        PATH, content=cut, headers={"Content-Type": "application/json", "Content-Encoding": "gzip"}
    )
    answered = [one["status"] for one in response.json()["items"]]
    assert answered == [201] * (len(answered) - 1) + [400]
    assert len(answered) > 90


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"{}", {"Content-Type": "application/json"}, 400),
        (b'[{"source": "coast.example", ', {"Content-Type": "application/json"}, 400),
        (b"[]", {"Content-Type": "application/json", "Content-Encoding": "gzip"}, 400),
        (b"{}", NDJSON | {"Content-Encoding": "gzip"}, 400),
        (b"", {"Content-Type": "application/json"}, 400),
        (b"[]", {"Content-Type": "text/csv"}, 415),
        (b"[]", {"Content-Type": "application/json", "Content-Encoding": "br"}, 415),
    ],
)
def test_what_cannot_be_read_at_all_is_refused(
    editor: httpx.Client, content: bytes, headers: dict[str, str], status: int
) -> None:
    assert editor.post(PATH, content=content, headers=headers).status_code == status


def test_nothing_is_answered_with_nothing(editor: httpx.Client) -> None:
    assert send(editor, []) == []
    assert send_lines(editor, b"") == []


def test_an_item_has_a_limit_and_the_whole_has_none(editor: httpx.Client, store: Store) -> None:
    name, huge = mark(), b'{"headline":"' + b"x" * (store.settings.body_max_bytes + (1 << 18)) + b'"}'
    answered = send_lines(editor, huge + b"\n" + orjson.dumps(item(name)))
    assert [one["status"] for one in answered] == [413, 201]
    response = editor.post(
        PATH,
        content=b"[" + huge + b"," + orjson.dumps(item(name)) + b"]",
        headers={"Content-Type": "application/json"},
    )
    assert [one["status"] for one in response.json()["items"]] == [413, 200]


@pytest.mark.slow
def test_several_batches_are_answered_in_order(editor: httpx.Client) -> None:
    many = names(600)
    answered = send_lines(editor, b"\n".join(orjson.dumps(item(name, status="published")) for name in many))
    assert [(one["index"], one["status"], one["external_id"]) for one in answered] == [
        (n, 201, name) for n, name in enumerate(many)
    ]


@pytest.mark.parametrize("away", ["deleted", "unpublished"])
def test_what_the_desk_has_taken_away_stays_away_unless_the_request_brings_it_back(
    client: httpx.Client, editor: httpx.Client, away: str
) -> None:
    name = mark()
    (made,) = send(editor, [item(name, status="published")])
    address = f"/v1/articles/{made['id']}"
    if away == "deleted":
        editor.delete(address, headers={"If-Match": "*"})
    else:
        editor.post(f"{address}/unpublish")
    for mode in ("upsert", "update"):
        (left,) = send(editor, [item(name, status="published", headline="Again")], mode=mode)
        assert (left["status"], left["id"], left["version"]) == (409, made["id"], None)
        assert (left["problem"]["type"], left["problem"]["reason"]) == ("/problems/left-alone", away)
    assert client.get(address).status_code in (404, 410)
    (again,) = send(editor, [item(name, status="published", headline="Again")], mode="restore")
    assert (again["status"], again["id"]) == (200, made["id"])
    assert client.get(address).json()["headline"] == "Again"


def test_a_byte_order_mark_begins_no_item(editor: httpx.Client) -> None:
    name = mark()
    line = b"\xef\xbb\xbf" + orjson.dumps(item(name))
    array = b"\xef\xbb\xbf[" + orjson.dumps(item(name)) + b"]"
    for body, media_type in ((line, "application/x-ndjson"), (array, "application/json")):
        answer = editor.post(PATH, content=body, headers={"Content-Type": media_type})
        assert answer.status_code == 200, answer.text
        assert '"problem"' not in answer.text


@pytest.mark.slow
def test_a_batch_that_waits_for_an_article_keeps_nobody_from_its_pictures(
    store: Store, editor: httpx.Client
) -> None:
    if store.settings.is_sqlite:
        pytest.skip("SQLite has one writer at a time")
    first, second = names(2)
    shown = {"external_id": f"p-{first}", "credit_line": "Ana Lind"}
    made = send(editor, [item(first, lead_image=shown), item(second)])
    image_id = editor.get(f"/v1/articles/{made[0]['id']}").json()["lead_image_id"]
    again = item(first, lead_image=shown | {"credit_line": "Ana Lind/Harbour Press"})
    url = store.settings.database_url
    with (
        psycopg.connect(url) as other,
        psycopg.connect(url, autocommit=True) as looking,
        ThreadPoolExecutor() as pool,
    ):
        other.execute("SELECT FROM article WHERE id = %s FOR UPDATE", (made[1]["id"],))
        # The same key twice: the second article is reached when the first, with its picture, is written.
        sending = pool.submit(send, editor, [again, again | {"headline": "Buoy found"}, item(second)])
        wait_until(lambda: looking.execute(WAITING_FOR_A_LOCK).rowcount > 0)
        other.execute("SELECT FROM image WHERE id = %s FOR SHARE NOWAIT", (image_id,))
        other.commit()
        assert [one["status"] for one in sending.result()] == [200, 200, 200]
