"""A picture is killed: its files are gone, its bytes are refused, its original is kept as evidence, and it
can be undone.
"""

from urllib.parse import quote

import httpx
import pytest

from service.published import render
from service.settings import Settings
from tests.articles.newsroom import do, draft, problem
from tests.formats.test_imports import PAGE
from tests.images.pictures import (
    change,
    href_of,
    image_of,
    make_article,
    make_caption,
    make_image,
    picture,
    upload,
)
from tests.serving import Store, settings_for
from tests.sync.following import follow, now_at
from tests.websites import answer, website

WHY = "The agency killed it: the picture was altered."
FORCED = {"If-Match": "*"}
PNG = "Content-Type: image/png"


@pytest.fixture
def settings(database_url: str, tmp_path) -> Settings:
    return settings_for(database_url, tmp_path, outbound_allow_loopback=True)


@pytest.fixture(autouse=True)
def _with_time_for_articles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the transaction of a kill render its few articles, however busy the machine is."""
    monkeypatch.setattr(render, "SECONDS_OF_ARTICLES", 60.0)


@pytest.fixture
def image(editor: httpx.Client) -> dict:
    """A picture with a file."""
    return make_image(editor)


def kill(editor: httpx.Client, image: dict, reason: str = WHY) -> dict:
    return image_of(editor.post(f"/v1/images/{image['id']}/withdraw", json={"reason": reason}))


def refused(response: httpx.Response, image: dict) -> None:
    said = problem(response, 409, "picture-withdrawn")
    assert (said["reason"], said["id"]) == (WHY, image["id"])
    assert WHY in said["detail"]


@pytest.mark.slow
def test_every_file_of_a_killed_picture_is_gone_at_once_with_the_reason(
    editor: httpx.Client, client: httpx.Client, admin: httpx.Client, image: dict
) -> None:
    make_article(editor, image)
    public = client.get(f"/v1/images/{image['id']}").json()
    files = [
        each["href"].removesuffix("jpg") + ending
        for each in public["renditions"]
        for ending in (*public["formats"], "")
    ]
    etags = {href: client.get(href.rstrip(".")).headers["etag"] for href in files}
    original = href_of(image)
    other_name = href_of(public, "w160")
    kill(editor, image)
    for href in (
        *(href.rstrip(".") for href in files),
        other_name,
        original,
        f"/media/{image['id']}/nothing.jpg",
    ):
        for asking in (client, editor):
            response = asking.get(href, headers={"If-None-Match": etags.get(href, '"x"')})
            said = problem(response, 410, "withdrawn")
            assert (said["reason"], WHY in said["detail"]) == ("withdrawn", True)
            assert "no-store" in response.headers["cache-control"]
    held = admin.get(original)
    assert (held.status_code, held.content) == (200, picture())
    assert held.headers["cache-control"] == "private, no-store"
    problem(admin.get(files[0]), 410, "withdrawn")


def test_the_picture_is_gone_for_readers_and_tells_the_desk_when_and_why(
    editor: httpx.Client, client: httpx.Client, image: dict
) -> None:
    caption = make_caption(editor, image)
    make_article(editor, image)
    place = now_at(client)
    assert image["withdrawn"] is None
    killed = kill(editor, image)
    assert killed["withdrawn"] == {"at": killed["updated_at"], "reason": WHY}
    assert (killed["version"], killed["formats"]) == (2, [])
    assert [each["name"] for each in killed["renditions"]] == ["original"]
    for path in (
        f"/v1/images/{image['id']}",
        f"/v1/images/{image['id']}/captions",
        f"/v1/captions/{caption['id']}",
    ):
        said = problem(client.get(path), 410, "withdrawn")
        assert (said["reason"], WHY in said["detail"]) == ("withdrawn", True)
    assert client.get("/v1/images").json()["items"] == client.get("/v1/captions").json()["items"] == []
    told = {entry["kind"]: entry for entry in follow(client, place)[0]}
    assert [
        (told[kind]["op"], told[kind]["reason"], told[kind]["detail"]) for kind in ("image", "caption")
    ] == [("remove", "withdrawn", WHY)] * 2
    assert told["article"]["data"]["body"] == [
        {
            "type": "image",
            "image_id": image["id"],
            "caption_id": None,
            "image": None,
            "caption": None,
            "withdrawn": {"reason": WHY},
        }
    ]


def test_a_picture_that_was_never_public_tells_readers_nothing(
    editor: httpx.Client, client: httpx.Client, image: dict
) -> None:
    kill(editor, image)
    for path in (f"/v1/images/{image['id']}", f"/media/{image['id']}/w40.jpg"):
        assert WHY not in client.get(path).text
        problem(client.get(path), 404)


@pytest.mark.slow
def test_the_same_bytes_are_refused_whichever_way_they_come(editor: httpx.Client, image: dict) -> None:
    kill(editor, image)
    other = make_image(editor, "red")
    with website() as site:
        site.pages["/ferry.png"] = answer(picture(), PNG)
        address = f"{site.url}/ferry.png"
        refused(upload(editor), image)
        refused(editor.post("/v1/images", files={"file": ("a.png", picture(), "image/png")}), image)
        refused(editor.post("/v1/images", json={"source_url": address}), image)
        path = f"/v1/images/{other['id']}/file"
        refused(editor.put(path, content=picture(), headers={**FORCED, "Content-Type": "image/png"}), image)
        refused(editor.put(path, json={"source_url": address}, headers=FORCED), image)
        site.pages["/pictures/ferry.jpg"] = answer(picture(), PNG)
        page = PAGE.replace("https://mail.example", site.url)
        query = f"?fetch_images=true&url={quote(f'{site.url}/ferry', safe='')}"
        refused(
            editor.post(f"/v1/imports{query}", content=page, headers={"Content-Type": "text/html"}),
            image,
        )
        ninjs = {
            "uri": "https://wire.example/1",
            "headlines": [{"value": "Ferry"}],
            "associations": [
                {
                    "name": "main",
                    "uri": "https://wire.example/p",
                    "type": "picture",
                    "renditions": [{"name": "full", "href": address}],
                }
            ],
        }
        refused(editor.post("/v1/imports?fetch_images=true", json=ninjs), image)
    assert editor.get("/v1/articles?view=staff").json()["items"] == []
    assert len(editor.get("/v1/images").json()["items"]) == 2


def test_bulk_and_articles_do_not_take_a_killed_picture_in_again(
    editor: httpx.Client, store: Store, image: dict
) -> None:
    kill(editor, image)
    item = {
        "source": "wire",
        "external_id": "1",
        "headline": "Ferry",
        "body": [{"type": "image", "image_id": image["id"]}],
    }
    [result] = editor.post("/v1/articles/bulk", json=[item]).json()["items"]
    assert (result["status"], result["problem"]["reason"]) == (409, WHY)
    content = {"source": "wire", "source_url": "https://wire.example/p"}
    known = image_of(editor.post("/v1/images?fetch=false", json=content))
    kill(editor, known)
    inline = {"type": "image", "image": {"source_url": "https://wire.example/p"}}
    [result] = editor.post("/v1/articles/bulk", json=[item | {"body": [inline]}]).json()["items"]
    assert (result["status"], result["problem"]["reason"]) == (409, WHY), result
    for lead in ({"lead_image_id": image["id"]}, {"body": item["body"]}):
        refused(editor.post("/v1/articles", json={"headline": "Ferry"} | lead), image)


def test_an_article_that_shows_a_killed_picture_can_still_be_edited(
    editor: httpx.Client, client: httpx.Client, image: dict
) -> None:
    article = make_article(editor, image, lead_image_id=image["id"])
    kill(editor, image)
    read = editor.get(f"/v1/articles/{article['id']}")
    assert read.json()["lead_image"] is None
    again = editor.put(
        f"/v1/articles/{article['id']}", json=read.json(), headers={"If-Match": read.headers["etag"]}
    )
    assert (again.status_code, again.json()["version"]) == (200, article["version"])
    change(editor, f"/v1/articles/{article['id']}", {"headline": "Put right"})
    assert client.get(f"/v1/articles/{article['id']}").json()["body"][0]["withdrawn"] == {"reason": WHY}


def test_the_evidence_is_neither_changed_nor_deleted(editor: httpx.Client, image: dict) -> None:
    killed = kill(editor, image)
    path = f"/v1/images/{image['id']}"
    refused(editor.delete(path, headers=FORCED), image)
    refused(editor.patch(path, json={"credit_line": "Nobody"}, headers=FORCED), image)
    png = {**FORCED, "Content-Type": "image/png"}
    refused(editor.put(f"{path}/file", content=picture(colour="red"), headers=png), image)
    unchanged = editor.put(path, json=killed, headers=FORCED)
    assert (unchanged.status_code, unchanged.json()) == (200, killed)


def test_a_kill_is_undone_as_a_version(editor: httpx.Client, client: httpx.Client, image: dict) -> None:
    caption = make_caption(editor, image)
    article = make_article(editor, image, lead_image_id=image["id"])
    paths = [f"/v1/articles/{article['id']}", f"/v1/captions/{caption['id']}"]
    before = [client.get(path).json() for path in paths]
    shown = client.get(f"/v1/images/{image['id']}").json()
    kill(editor, image)
    response = editor.post(f"/v1/images/{image['id']}/reinstate", json={"reason": "It was another picture."})
    back = image_of(response)
    assert (back["withdrawn"], back["version"], back["renditions"]) == (None, 3, image["renditions"])
    assert [client.get(path).json() for path in paths] == before
    again = client.get(f"/v1/images/{image['id']}").json()
    assert again | {"version": 1, "updated_at": shown["updated_at"]} == shown
    assert client.get(shown["renditions"][0]["href"]).status_code == 200
    assert upload(editor).status_code == 200
    problem(
        editor.post(f"/v1/images/{image['id']}/reinstate", json={"reason": "Again."}), 409, "not-withdrawn"
    )


def test_bad_requests_are_refused_with_what_is_wrong(
    editor: httpx.Client, store: Store, client: httpx.Client, image: dict
) -> None:
    path = f"/v1/images/{image['id']}/withdraw"
    for body in ({"reason": ""}, {"reason": "  "}, {}, {"reason": None}):
        said = problem(editor.post(path, json=body), 422)
        assert [error["pointer"] for error in said["errors"]] == ["/reason"]
    problem(
        editor.post("/v1/images/01900000-0000-7000-8000-000000000000/withdraw", json={"reason": WHY}), 404
    )
    problem(client.post(path, json={"reason": WHY}), 401)
    with store.client("content:read", "content:write") as writer:
        problem(writer.post(path, json={"reason": WHY}), 403)
    with store.client("content:publish", source="elsewhere") as foreigner:
        problem(foreigner.post(path, json={"reason": WHY}), 403)
    stale = editor.post(path, json={"reason": WHY}, headers={"If-Match": '"9"'})
    assert problem(stale, 412)["current_version"] == 1
    kill(editor, image)
    refused(editor.post(path, json={"reason": "Once more."}), image)
    editor.delete(f"/v1/images/{(gone := make_image(editor, 'red'))['id']}", headers=FORCED)
    problem(editor.post(f"/v1/images/{gone['id']}/withdraw", json={"reason": WHY}), 410)


@pytest.mark.slow
def test_a_preview_shows_a_killed_picture_to_nobody(
    editor: httpx.Client, client: httpx.Client, image: dict
) -> None:
    article = draft(editor, body=[{"type": "image", "image_id": image["id"]}])
    preview = do(editor, article, "previews")
    [file, *_] = client.get(preview["href"]).json()["body"][0]["image"]["renditions"]
    assert client.get(file["href"]).status_code == 200
    kill(editor, image)
    assert client.get(preview["href"]).json()["body"][0]["image"] is None
    said = problem(client.get(file["href"]), 410, "withdrawn")
    assert WHY in said["detail"]
    assert image["id"] not in client.get(preview["page"]).text


def test_caches_keep_files_for_a_day_unless_the_setting_says_a_year(
    editor: httpx.Client, client: httpx.Client, store: Store, image: dict
) -> None:
    make_article(editor, image)
    href = client.get(f"/v1/images/{image['id']}").json()["renditions"][0]["href"]
    file = client.get(href)
    assert (
        file.headers["cache-control"]
        == "public, max-age=86400, stale-while-revalidate=86400, stale-if-error=86400"
    )
    assert client.get(href, headers={"If-None-Match": file.headers["etag"]}).status_code == 304
