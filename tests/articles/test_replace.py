"""PUT /v1/articles/{id}."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import pytest
import uuid_utils.compat

from tests.articles.newsroom import (
    Article,
    caption,
    do,
    draft,
    if_match,
    mark,
    picture,
    pointers,
    problem,
    published,
    soon,
)
from tests.serving import Store


def put(editor: httpx.Client, article: Article, **members: object) -> httpx.Response:
    return editor.put(f"/v1/articles/{article['id']}", json={**article, **members}, headers=if_match(article))


def sequence(store: Store) -> int:
    with store.database.engine.connect() as connection:
        return connection.exec_driver_sql("SELECT seq FROM published_sequence").scalar_one()


@pytest.mark.parametrize("state", ["draft", "published", "scheduled", "withdrawn", "corrected"])
def test_what_was_read_can_be_put_back_and_changes_nothing(
    store: Store, client: httpx.Client, editor: httpx.Client, state: str
) -> None:
    image = picture(editor)
    words = caption(editor, image["id"])
    article = draft(
        editor,
        slug=mark(),
        source="wire",
        external_id=mark(),
        lead_image_id=image["id"],
        summary="a\r\nb",
        tags=["x", "x", "y"],
        language="EN-gb",
        published_at="2019-01-01T00:00:00+02:00",
        authors=[{"name": " Ana "}],
        edition_note="For the desk",
        body=[
            {"type": "image", "image_id": image["id"], "caption_id": words["id"]},
            {"type": "paragraph", "html": "x < y<script>"},
        ],
    )
    if state == "scheduled":
        article = do(editor, article, "publish", at=soon(3600))
    elif state != "draft":
        article = do(editor, article, "publish")
    if state == "withdrawn":
        article = do(editor, article, "withdraw", reason="Wrong.")
    if state == "corrected":
        article = do(editor, article, "corrections", text="A name was misspelt.")
    before, read = sequence(store), editor.get(f"/v1/articles/{article['id']}?body=html")
    public = client.get(f"/v1/articles/{article['id']}")
    again = editor.put(
        f"/v1/articles/{article['id']}", json=read.json(), headers={"If-Match": read.headers["etag"]}
    )
    assert again.status_code == 200
    assert again.json() == article
    assert (
        editor.patch(f"/v1/articles/{article['id']}", json=article, headers=if_match(article)).json()
        == article
    )
    assert editor.patch(f"/v1/articles/{article['id']}", json={}, headers=if_match(article)).json() == article
    assert sequence(store) == before
    assert len(editor.get(f"/v1/articles/{article['id']}/versions").json()["items"]) == article["version"]
    assert client.get(f"/v1/articles/{article['id']}").headers.get("etag") == public.headers.get("etag")


def test_what_is_left_out_takes_its_default(editor: httpx.Client) -> None:
    article = draft(editor, summary="Gone soon", tags=["x"], slug=mark(), language="fr")
    after = editor.put(
        f"/v1/articles/{article['id']}", json={"headline": "Short"}, headers=if_match(article)
    ).json()
    assert (after["summary"], after["tags"], after["headline"]) == (None, [], "Short")
    assert (after["slug"], after["language"], after["status"]) == (article["slug"], "en", "draft")


def test_an_article_of_no_language_has_that_of_the_house(editor: httpx.Client) -> None:
    made = editor.post("/v1/articles", json={"headline": mark(), "language": None}).json()
    assert made["language"] == "en"
    french = draft(editor, language="fr")
    again = editor.patch(
        f"/v1/articles/{french['id']}", json={"language": None}, headers=if_match(french)
    ).json()
    assert again["language"] == "en"
    put = editor.put(
        f"/v1/articles/{french['id']}", json={"headline": mark(), "language": None}, headers=if_match(again)
    )
    assert put.json()["language"] == "en"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", "0199aaaa-0000-7000-8000-00000000abcd"),
        ("version", 99),
        ("created_at", "2020-01-01T00:00:00Z"),
        ("updated_at", "2020-01-01T00:00:00Z"),
        ("first_published_at", "2020-01-01T00:00:00Z"),
        ("scheduled_for", "2030-01-01T00:00:00Z"),
        ("corrections", [{"at": "2020-01-01T00:00:00Z", "kind": "correction", "text": "x"}]),
        ("version", None),
        ("id", None),
    ],
)
def test_what_the_service_sets_cannot_be_changed(editor: httpx.Client, name: str, value: object) -> None:
    article = draft(editor)
    assert f"/{name}" in pointers(put(editor, article, **{name: value}))
    response = editor.patch(f"/v1/articles/{article['id']}", json={name: value}, headers=if_match(article))
    assert f"/{name}" in pointers(response)


def test_an_unknown_member_is_refused(editor: httpx.Client) -> None:
    article = draft(editor)
    assert pointers(put(editor, article, subtitle="x")) == ["/subtitle"]


def test_an_article_is_created_under_an_id_of_the_callers_own(
    client: httpx.Client, editor: httpx.Client
) -> None:
    id_ = str(uuid_utils.compat.uuid7())
    created = editor.put(f"/v1/articles/{id_}", json={"headline": "Own id", "id": id_, "status": "published"})
    assert created.status_code == 201
    assert created.headers["location"] == f"/v1/articles/{id_}"
    assert created.json()["id"] == id_
    assert client.get(f"/v1/articles/{id_}").status_code == 200


def test_ids_that_differ_only_in_their_first_bits_are_two_articles(editor: httpx.Client) -> None:
    tail = uuid4().hex[20:]
    for head in ("00000000-0000-7000-8000", "00000000-0001-7000-8000"):
        assert editor.put(f"/v1/articles/{head}-{tail}", json={"headline": "Counted ids"}).status_code == 201


def test_creating_only_is_asked_for_with_if_none_match(editor: httpx.Client) -> None:
    id_, star = str(uuid4()), {"If-None-Match": "*"}
    assert editor.put(f"/v1/articles/{id_}", json={"headline": "Once"}, headers=star).status_code == 201
    assert (
        problem(editor.put(f"/v1/articles/{id_}", json={"headline": "Twice"}, headers=star), 412)[
            "current_version"
        ]
        == 1
    )
    assert editor.get(f"/v1/articles/{id_}").json()["headline"] == "Once"


def test_a_version_that_is_expected_must_be_there(editor: httpx.Client) -> None:
    found = problem(
        editor.put(f"/v1/articles/{uuid4()}", json={"headline": "x"}, headers={"If-Match": '"1"'}), 412
    )
    assert found["current_version"] is None


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"status": "withdrawn"}, "/status"),
        ({"status": "scheduled"}, "/status"),
        ({"version": 7}, "/version"),
        ({"id": "0199aaaa-0000-7000-8000-00000000abcd"}, "/id"),
    ],
)
def test_a_new_article_cannot_claim_a_past(
    editor: httpx.Client, members: dict[str, object], pointer: str
) -> None:
    id_ = uuid4()
    assert pointer in pointers(editor.put(f"/v1/articles/{id_}", json={"headline": "x", **members}))
    problem(editor.get(f"/v1/articles/{id_}"), 404)


def test_the_same_new_id_at_once_makes_one_article(editor: httpx.Client) -> None:
    id_ = uuid4()
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(
                lambda n: editor.put(f"/v1/articles/{id_}", json={"headline": f"Race {n}"}).status_code,
                range(8),
            )
        )
    assert answers.count(201) == 1
    assert set(answers) <= {201, 409, 428}


def test_status_moves_an_article_with_the_right_scope_alone(
    store: Store, client: httpx.Client, editor: httpx.Client
) -> None:
    article = draft(editor)
    address = f"/v1/articles/{article['id']}"
    with store.client("content:write", "content:read") as writer:
        problem(put(writer, article, status="published"), 403)
        problem(writer.put(address, json={"headline": "x", "status": "published"}), 403)
        problem(
            writer.put(address, json={"headline": "x", "status": "published"}, headers={"If-Match": '"77"'}),
            403,
        )
        problem(writer.patch(address, json={"status": "published"}), 403)
        article = put(editor, article, status="published").json()
        assert client.get(address).status_code == 200
        problem(writer.patch(address, json={"status": "draft"}), 403)
        problem(writer.patch(address, json={"headline": "Not by a writer"}), 403)
    article = put(editor, article, status="draft").json()
    assert (article["status"], article["published_at"]) == ("draft", None)
    problem(client.get(address), 404)


@pytest.mark.parametrize("status", ["scheduled", "withdrawn"])
def test_statuses_with_a_story_are_not_set_by_writing(editor: httpx.Client, status: str) -> None:
    article = draft(editor)
    assert pointers(put(editor, article, status=status)) == ["/status"]
    assert pointers(
        editor.patch(f"/v1/articles/{article['id']}", json={"status": status}, headers=if_match(article))
    ) == ["/status"]


def test_what_is_public_keeps_a_date_of_publication(client: httpx.Client, editor: httpx.Client) -> None:
    article = published(editor)
    after = put(editor, article, published_at=None).json()
    assert after == article
    moved = put(editor, article, published_at="2018-01-01T00:00:00Z").json()
    assert moved["published_at"] == "2018-01-01T00:00:00Z"
    assert moved["first_published_at"] == article["first_published_at"]
    assert client.get(f"/v1/articles/{article['id']}").json()["published_at"] == "2018-01-01T00:00:00Z"
    assert put(editor, moved, status="draft", published_at=None).json()["published_at"] is None


def test_another_articles_external_id_is_refused(editor: httpx.Client) -> None:
    external = mark()
    first, second = draft(editor, source="wire", external_id=external), draft(editor)
    assert problem(put(editor, second, source="wire", external_id=external), 409)["id"] == first["id"]


def test_a_withdrawn_article_is_not_edited(editor: httpx.Client) -> None:
    article = do(editor, published(editor), "withdraw", reason="Wrong.")
    for members in (
        {"headline": "New"},
        {"status": "draft"},
        {"status": "published"},
        {"slug": mark()},
        {"published_at": "2018-01-01T00:00:00Z"},
    ):
        problem(put(editor, article, **members), 409, "article-withdrawn")
