"""POST /v1/articles."""

import random
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import httpx
import pytest

from tests.articles.newsroom import draft, mark, picture, pointers, problem
from tests.serving import Store

WHOLE = {
    "headline": "Ferry timetable grows in spring",
    "summary": "Two more boats a day from March.",
    "byline": "By Ana Lind",
    "authors": [{"name": "Ana Lind", "url": "https://quayside.example/ana"}, {"name": "Tom Reyes"}],
    "dateline": "PORT ELLERY",
    "section": "transport",
    "tags": ["ferries", "spring"],
    "language": "en-GB",
    "credit_line": "With input from Northern Wire",
    "canonical_url": "https://quayside.example/ferries",
    "body": [
        {"type": "paragraph", "html": "Two more <strong>boats</strong> will run."},
        {"type": "heading", "level": 3, "html": "Why now"},
        {"type": "quote", "html": "We asked for years.", "cite": "Ida Brandt"},
        {"type": "list", "ordered": True, "items": ["Morning", "Evening"]},
        {"type": "embed", "url": "https://player.vimeo.com/video/1"},
        {"type": "divider"},
    ],
    "usage_terms": "Not for resale",
    "copyright_notice": "© Quayside News",
    "edition_note": "Hold the picture until noon",
}
FIELDS = (
    "id slug headline summary byline authors dateline section tags language credit_line source external_id canonical_url body"
    " lead_image_id lead_image status embargoed_until scheduled_for published_at first_published_at created_at updated_at version"
    " corrections usage_terms copyright_notice edition_note usable_until expired_at"
).split()


def test_an_article_is_created_as_a_draft_with_every_field_written_out(editor: httpx.Client) -> None:
    response = editor.post("/v1/articles", json={"headline": "A quiet day"})
    article = response.json()
    assert response.status_code == 201
    assert sorted(article) == sorted(FIELDS)
    assert (article["status"], article["version"], article["language"]) == ("draft", 1, "en")
    assert UUID(article["id"]).version == 7
    assert article["created_at"].endswith("Z")
    assert article["summary"] is None
    assert response.headers["location"] == f"/v1/articles/{article['id']}"
    assert response.headers["etag"].startswith('"1-')
    assert response.headers["cache-control"] == "private, no-store"


def test_what_was_written_is_what_is_read(editor: httpx.Client) -> None:
    own = {"source": "northern-wire", "external_id": mark()}
    article = draft(editor, **WHOLE, **own)
    read = editor.get(f"/v1/articles/{article['id']}").json()
    assert read == article
    expected = {**WHOLE, **own, "authors": [WHOLE["authors"][0], {"name": "Tom Reyes", "url": None}]}
    assert {name: read[name] for name in expected} == expected


def test_an_article_is_created_and_published_at_once(client: httpx.Client, editor: httpx.Client) -> None:
    article = draft(editor, status="published")
    assert article["status"] == "published"
    assert article["published_at"] == article["first_published_at"] is not None
    assert client.get(f"/v1/articles/{article['id']}").status_code == 200


def test_an_older_article_keeps_the_time_when_it_was_published(editor: httpx.Client) -> None:
    article = draft(editor, status="published", published_at="2019-05-04T09:00:00+02:00")
    assert article["published_at"] == article["first_published_at"] == "2019-05-04T07:00:00Z"


def test_a_publication_date_to_come_is_refused(editor: httpx.Client) -> None:
    response = editor.post("/v1/articles", json={"headline": "Later", "published_at": "2999-01-01T00:00:00Z"})
    assert pointers(response) == ["/published_at"]


def test_publishing_at_once_needs_its_own_scope(store: Store) -> None:
    with store.client("content:write") as writer:
        found = problem(writer.post("/v1/articles", json={"headline": "Now", "status": "published"}), 403)
    assert found["scope"] == "content:publish"


def test_the_scope_is_asked_for_before_the_slug_is_compared(store: Store, editor: httpx.Client) -> None:
    slug = draft(editor, slug=mark())["slug"]
    with store.client("content:write") as writer:
        problem(
            writer.post("/v1/articles", json={"headline": "Now", "status": "published", "slug": slug}), 403
        )


def test_a_reader_may_not_create(client: httpx.Client, store: Store) -> None:
    response = client.post("/v1/articles", json={"headline": "Mine"})
    problem(response, 401)
    assert response.headers["www-authenticate"].startswith("Bearer")
    with store.client("content:read") as reader:
        problem(reader.post("/v1/articles", json={"headline": "Mine"}), 403)


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"headline": ""}, "/headline"),
        ({"headline": "x" * 501}, "/headline"),
        ({"headline": "two\nlines"}, "/headline"),
        ({"headline": None}, "/headline"),
        ({"headline": 7}, "/headline"),
        ({"headline": "bell \u0007"}, "/headline"),
        ({"headline": "nothing \u0000"}, "/headline"),
        ({"language": "english please"}, "/language"),
        ({"language": "en_US"}, "/language"),
        ({"canonical_url": "javascript:alert(1)"}, "/canonical_url"),
        ({"canonical_url": "https://name:word@quayside.example/"}, "/canonical_url"),
        ({"authors": [{"name": "A"}, {"name": ""}]}, "/authors/1/name"),
        ({"authors": [{"name": "A", "email": "a@example.org"}]}, "/authors/0/email"),
        ({"tags": ["fine", 3]}, "/tags/1"),
        ({"tags": "ferries"}, "/tags"),
        ({"body": [{"type": "paragraph", "html": "x"}, {"type": "video"}]}, "/body/1"),
        ({"body": [{"type": "heading", "level": 1, "html": "x"}]}, "/body/0/level"),
        ({"body": [{"type": "heading", "level": 5, "html": "x"}]}, "/body/0/level"),
        ({"body": [{"type": "heading", "level": "2", "html": "x"}]}, "/body/0/level"),
        ({"body": [{"type": "list", "items": ["x"], "ordered": "yes"}]}, "/body/0/ordered"),
        ({"body": [{"type": "list", "items": ["x"], "ordered": 1}]}, "/body/0/ordered"),
        ({"body": [{"type": "paragraph"}]}, "/body/0/html"),
        ({"body": [{"type": "paragraph", "html": "x", "class": "lead"}]}, "/body/0/class"),
        ({"body": [{"type": "image", "image_id": str(uuid4())}]}, "/body/0/image_id"),
        ({"body": [{"type": "embed", "url": "https://evil.example/x"}]}, "/body/0/url"),
        ({"body": {"type": "paragraph"}}, "/body"),
        ({"lead_image_id": str(uuid4())}, "/lead_image_id"),
        ({"lead_image_id": "front"}, "/lead_image_id"),
        ({"embargoed_until": "tomorrow"}, "/embargoed_until"),
        ({"embargoed_until": 1893456000}, "/embargoed_until"),
        ({"embargoed_until": "1893456000"}, "/embargoed_until"),
        ({"published_at": True}, "/published_at"),
        ({"embargoed_until": "2030-01-01T00:00:00"}, "/embargoed_until"),
        ({"embargoed_until": "0001-01-01T00:00:00+14:00"}, "/embargoed_until"),
        ({"embargoed_until": "9999-12-31T23:59:59-14:00"}, "/embargoed_until"),
        ({"status": "withdrawn"}, "/status"),
        ({"status": "scheduled"}, "/status"),
        ({"subtitle": "unknown"}, "/subtitle"),
        ({"a/b~c": 1}, "/a~1b~0c"),
        ({"id": str(uuid4())}, "/id"),
        ({"version": 1}, "/version"),
        ({"created_at": "2020-01-01T00:00:00Z"}, "/created_at"),
        ({"corrections": []}, "/corrections"),
    ],
)
def test_a_member_that_is_wrong_is_named_by_its_pointer(
    editor: httpx.Client, members: dict[str, object], pointer: str
) -> None:
    assert pointer in pointers(editor.post("/v1/articles", json={"headline": "Fine", **members}))


def test_everything_wrong_is_said_at_once(editor: httpx.Client) -> None:
    response = editor.post("/v1/articles", json={"summary": 1, "tags": [2], "unknown": 3})
    assert {"/headline", "/summary", "/tags/0", "/unknown"} <= set(pointers(response))


def test_a_refused_article_leaves_nothing(editor: httpx.Client) -> None:
    slug = mark()
    problem(
        editor.post(
            "/v1/articles",
            json={"headline": "x", "slug": slug, "body": [{"type": "image", "image_id": str(uuid4())}]},
        ),
        422,
    )
    problem(editor.get(f"/v1/articles/{slug}"), 404)
    assert draft(editor, slug=slug)["slug"] == slug


def test_source_and_external_id_belong_to_one_article(editor: httpx.Client) -> None:
    external = mark()
    first = draft(editor, source="wire", external_id=external)
    found = problem(
        editor.post("/v1/articles", json={"headline": "x", "source": "wire", "external_id": external}), 409
    )
    assert found["id"] == first["id"]
    draft(editor, source="another", external_id=external)
    draft(editor, source="wire")
    draft(editor, source="wire")


def test_the_longest_source_and_external_id_in_any_script_are_kept_or_refused_with_reason(
    editor: httpx.Client,
) -> None:
    wide = "".join(chr(0x20000 + n * 7 % 40000) for n in range(500))
    response = editor.post("/v1/articles", json={"headline": "x", "source": wide, "external_id": wide[::-1]})
    assert response.status_code in (201, 422), response.text


def test_two_creates_with_one_external_id_at_once_make_one_article(editor: httpx.Client) -> None:
    for _ in range(3):
        body = {"headline": "Race", "source": "wire", "external_id": mark()}
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _, body=body: editor.post("/v1/articles", json=body), range(8)))
        assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
        made = next(answer.json()["id"] for answer in answers if answer.status_code == 201)
        assert {answer.json().get("id") for answer in answers} == {made}


@pytest.mark.slow
def test_a_very_long_article_is_taken_and_found(editor: httpx.Client) -> None:
    words = " ".join(f"{n:x}ly" for n in range(200_000))
    body = [{"type": "paragraph", "html": words[at : at + 40_000]} for at in range(0, len(words), 40_000)]
    article = draft(editor, headline=f"Long {(name := mark())}", status="published", body=body)
    assert [item["id"] for item in editor.get(f"/v1/articles?q={name}&fields=id").json()["items"]] == [
        article["id"]
    ]


@pytest.mark.slow
def test_sixty_creates_at_once_all_succeed(editor: httpx.Client) -> None:
    with ThreadPoolExecutor(60) as pool:
        answers = list(
            pool.map(lambda n: editor.post("/v1/articles", json={"headline": f"Busy evening {n}"}), range(60))
        )
    assert [answer.status_code for answer in answers] == [201] * 60


def test_a_lead_image_is_read_with_its_caption(editor: httpx.Client) -> None:
    image = picture(editor)
    made = editor.post(
        "/v1/captions", json={"image_id": image["id"], "text": "First run.", "alt_text": "A tram"}
    ).json()
    lead = draft(editor, lead_image_id=image["id"])["lead_image"]
    assert (lead["id"], lead["caption"]["id"], lead["caption"]["scope"]) == (image["id"], made["id"], "image")


def test_the_longest_section_and_source_in_any_script_are_kept(
    client: httpx.Client, editor: httpx.Client
) -> None:
    # PostgreSQL's indexes take 2,700 bytes, packed: these cannot be packed.
    section, source = (
        "".join(random.Random(seed).choices([chr(place) for place in range(0x4E00, 0x9FFF)], k=500))
        for seed in (1, 2)
    )
    article = draft(editor, section=section, source=source, status="published")
    listed = client.get("/v1/articles", params={"section": section, "source": source}).json()["items"]
    assert [item["id"] for item in listed] == [article["id"]]
    address = f"https://wire.example/{section}{source}{section}{source}"[:2_000]
    assert (
        editor.post("/v1/images?fetch=false", json={"source": "wire", "source_url": address}).status_code
        == 201
    )
