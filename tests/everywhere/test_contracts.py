"""A token with a contract is given what the contract names, and sees nothing of the rest anywhere."""

from itertools import count
from typing import Any

import httpx
import pytest

from service.articles.public_lists import FEEDS
from tests.articles.newsroom import draft, mark, published, walk
from tests.images.photographs import jpeg, scene
from tests.images.pictures import image_of, upload
from tests.serving import Store

Contract = dict[str, Any]
_HEIGHTS = count()


def picture(editor: httpx.Client, **members: Any) -> dict[str, Any]:
    """A picture with a file and a caption."""
    content = jpeg(scene((60, 40 + next(_HEIGHTS))))
    made = editor.post("/v1/images", content=content, headers={"Content-Type": "image/jpeg"})
    image = editor.patch(f"/v1/images/{made.json()['id']}", json=members, headers={"If-Match": "*"}).json()
    caption = {"image_id": image["id"], "text": "A ferry", "language": "en"}
    assert editor.post("/v1/captions", json=caption).status_code == 201
    return image


@pytest.fixture
def desk(editor: httpx.Client) -> dict[str, Any]:
    """Two articles that share a word, of which contracts in these tests give the first alone."""
    word, given, hidden, foreign = mark(), mark(), mark(), mark()
    own = picture(editor, credit_line=given)
    bought = editor.post("/v1/images", json={"source": "agency", "credit_line": foreign}).json()
    first = published(
        editor,
        headline=f"{word} {given}",
        section=given,
        tags=[given, word],
        authors=[{"name": given}],
        source=given,
        language="sv",
        lead_image_id=own["id"],
        body=[{"type": "image", "image_id": bought["id"]}],
    )
    second = published(
        editor,
        headline=f"{word} {hidden}",
        section=hidden,
        tags=[hidden, word],
        authors=[{"name": hidden}],
        source=hidden,
        language="nl",
        lead_image_id=picture(editor, credit_line=hidden, source="agency")["id"],
    )
    words = {"word": word, "given": given, "hidden": hidden, "foreign": foreign}
    return words | {"first": first, "second": second, "own": own, "bought": bought}


def contracts(given: str) -> list[Contract]:
    """Contracts that each give the first article and not the second."""
    return [
        {"sections": [given]},
        {"tags": [given]},
        {"sources": [given]},
        {"languages": ["sv"], "sections": [given, "another"]},
    ]


@pytest.mark.slow
@pytest.mark.parametrize("number", range(4))
def test_every_list_of_articles_has_what_the_contract_gives(
    store: Store, desk: dict[str, Any], number: int
) -> None:
    first, word = desk["first"]["id"], desk["word"]
    with store.client(contract=contracts(desk["given"])[number]) as partner:
        for query in (
            "",
            "?count=true",
            f"?tag={word}&count=true",
            f"?q={word}&count=true",
            f"?q={word}&sort=published_at",
            "?sort=-updated_at",
            "?updated_after=2020-01-01T00:00:00Z",
            f"?id={desk['second']['id']}&id={first}",
            f"?slug={desk['second']['slug']}&slug={desk['first']['slug']}",
            "?section=" + desk["given"],
        ):
            answer = partner.get(f"/v1/articles{query}")
            assert answer.status_code == 200, answer.text
            assert [item["id"] for item in answer.json()["items"]] == [first], query
            assert answer.json().get("total", 1) == 1, query
            assert answer.headers["Cache-Control"] == "private, no-store"
            assert desk["hidden"] not in answer.text
        for query in (f"?section={desk['hidden']}", f"?tag={desk['hidden']}", f"?q={desk['hidden']}"):
            found = partner.get(f"/v1/articles{query}&count=true").json()
            assert (found["items"], found["total"]) == ([], 0), query
        related = partner.get(f"/v1/articles?related_to={first}")
        assert related.json()["items"] == []
        assert partner.get(f"/v1/articles?related_to={desk['second']['id']}").status_code == 404


@pytest.mark.slow
def test_a_page_after_page_leaves_out_nothing_that_the_contract_gives(
    store: Store, editor: httpx.Client
) -> None:
    section, tag = mark(), mark()
    mine = [
        published(editor, section=section if number % 3 == 0 else "elsewhere", tags=[tag])
        for number in range(12)
    ]
    wanted = [each["id"] for number, each in enumerate(mine) if number % 3 == 0]
    with store.client(contract={"sections": [section]}) as partner:
        for query in (
            f"?tag={tag}&limit=1",
            "?limit=1",
            "?limit=3&sort=published_at",
            f"?section={section}&limit=2",
        ):
            found = [item["id"] for item in walk(partner, f"/v1/articles{query}")]
            assert sorted(found) == sorted(wanted), query


@pytest.mark.parametrize("number", range(4))
def test_names_are_those_of_what_the_contract_gives(store: Store, desk: dict[str, Any], number: int) -> None:
    with store.client(contract=contracts(desk["given"])[number]) as partner:
        for kind in ("sections", "tags", "authors"):
            answer = partner.get(f"/v1/{kind}?count=true&limit=200").json()
            names = {item["name"]: item["count"] for item in answer["items"]}
            expected = {desk["given"], desk["word"]} if kind == "tags" else {desk["given"]}
            assert names == dict.fromkeys(expected, 1)
            assert answer["total"] == len(expected)
            one = walk(partner, f"/v1/{kind}?limit=1")
            assert {item["name"] for item in one} == expected


@pytest.mark.parametrize("number", range(4))
def test_what_the_contract_leaves_out_is_not_found_in_any_form(
    store: Store, client: httpx.Client, desk: dict[str, Any], number: int
) -> None:
    second, known = desk["second"], client.get(f"/v1/articles/{desk['second']['id']}")
    with store.client(contract=contracts(desk["given"])[number]) as partner:
        for key in (second["id"], second["slug"]):
            for form in (
                "",
                "/ninjs",
                "/jsonld",
                "?format=ninjs",
                "?format=jsonld",
                "?body=html",
                "?fields=id",
            ):
                answer = partner.get(
                    f"/v1/articles/{key}{form}", headers={"If-None-Match": known.headers["ETag"]}
                )
                assert answer.status_code == 404, answer.text
                assert desk["hidden"] not in answer.text.replace(second["slug"], "")
                assert answer.headers["Cache-Control"] == "private, no-store"
        for key in (desk["first"]["id"], desk["first"]["slug"]):
            for form in ("", "/ninjs", "/jsonld", "?body=html"):
                answer = partner.get(f"/v1/articles/{key}{form}")
                assert answer.status_code == 200
                assert answer.headers["Cache-Control"] == "private, no-store"
        assert partner.get(f"/read/{second['slug']}", headers={"Accept": "text/html"}).status_code == 404


@pytest.mark.slow
def test_feeds_sitemaps_and_pages_hold_to_the_contract_and_caches_keep_them_for_nobody(
    store: Store, client: httpx.Client, desk: dict[str, Any]
) -> None:
    addresses = (
        *(f"/feeds/{name}" for name in FEEDS),
        "/sitemaps/news.xml",
        "/sitemaps/index.xml",
        f"/sitemaps/articles.xml?section={desk['hidden']}",
        "/",
        f"/search?q={desk['word']}",
        f"/section/{desk['hidden']}",
    )
    with store.client(contract={"sections": [desk["given"]], "pictures": "own"}) as partner:
        for address in addresses:
            for _ in range(2):
                public, own = client.get(address), partner.get(address)
                assert desk["second"]["id"] not in own.text, address
                assert desk["second"]["slug"] not in own.text, address
                if desk["hidden"] not in address:
                    assert desk["hidden"] in public.text, address
                    assert desk["hidden"] not in own.text, address
                    assert desk["foreign"] not in own.text, address
                assert own.headers["Cache-Control"].startswith("private"), address


@pytest.mark.parametrize("right", ["all", "own", "none"])
def test_pictures_that_the_contract_leaves_out_are_in_no_article_and_have_no_files(
    store: Store, desk: dict[str, Any], right: str
) -> None:
    own, bought = desk["own"]["id"], desk["bought"]["id"]
    has_own, has_bought = right != "none", right == "all"
    with store.client(contract={"sections": [desk["given"]], "pictures": right}) as partner:
        for query in (
            f"/{desk['first']['id']}",
            f"/{desk['first']['id']}/ninjs",
            "?body=blocks",
            "?body=html",
            "",
        ):
            text = partner.get(f"/v1/articles{query}").text
            assert (own in text) is has_own, query
            if query != "":
                assert (bought in text) is has_bought, query
                assert (desk["foreign"] in text) is has_bought, query
        for rendition in desk["own"]["renditions"][:2]:
            answer = partner.get(rendition["href"])
            assert answer.status_code == (200 if has_own and "original" not in rendition["href"] else 404)
            assert answer.headers["Cache-Control"] == "private, no-store"
        # A contract by section gives pictures in its articles, and none by itself.
        assert partner.get("/v1/images").json()["items"] == []
        assert partner.get("/v1/captions").json()["items"] == []
        assert partner.get(f"/v1/images/{own}").status_code == 404
        assert partner.get(f"/v1/images/{own}/captions").status_code == 404


@pytest.mark.parametrize("right", ["own", "none"])
def test_a_lead_picture_that_the_contract_leaves_out_is_in_no_list(
    right: str, store: Store, editor: httpx.Client
) -> None:
    word = mark()
    bought = image_of(
        upload(
            editor,
            jpeg(scene((48, 36 + len(right)))),
            "image/jpeg",
            source=word,
            credit_line=f"Credit {word}",
        )
    )
    article = published(editor, lead_image_id=bought["id"], headline=f"Ferry {word}")
    asked = [
        f"/v1/articles?q={word}",
        f"/v1/articles?id={article['id']}",
    ]
    with store.client(contract={"pictures": right}) as partner:
        for path in (*asked, *(f"{each}&body=text" for each in asked)):
            (item,) = partner.get(path).json()["items"]
            assert (item["id"], item["lead_image"], item["lead_image_id"]) == (article["id"], None, None), (
                path
            )
            assert f"Credit {word}" not in str(item)


@pytest.mark.parametrize("right", ["none", "own"])
def test_no_list_tells_where_a_picture_is_that_the_contract_leaves_out(
    right: str, store: Store, editor: httpx.Client, client: httpx.Client
) -> None:
    own, bought = (
        image_of(upload(editor, jpeg(scene((52 + place, 30 + len(right)))), "image/jpeg", **source))
        for place, source in enumerate(({}, {"source": mark()}))
    )
    of_own, of_bought = (published(editor, lead_image_id=image["id"]) for image in (own, bought))
    both = f"image_id={own['id']}&image_id={bought['id']}"
    of_agency = f"image_id={bought['id']}"
    assert {each["id"] for each in listed(client, both)} == {of_own["id"], of_bought["id"]}
    with store.client(contract={"pictures": right}) as partner:
        assert listed(partner, of_agency) == []
        given = [of_own["id"]] if right == "own" else []
        assert [each["id"] for each in listed(partner, both)] == given


def listed(client: httpx.Client, asked: str) -> list[dict[str, Any]]:
    page = client.get(f"/v1/articles?{asked}&count=true").json()
    assert page["total"] == len(page["items"])
    items: list[dict[str, Any]] = page["items"]
    return items


@pytest.mark.slow
def test_files_of_pictures_in_articles_that_the_contract_leaves_out_are_not_found(
    store: Store, client: httpx.Client, desk: dict[str, Any]
) -> None:
    image = client.get(f"/v1/articles/{desk['second']['id']}").json()["lead_image"]
    for number in range(4):
        with store.client(contract=contracts(desk["given"])[number]) as partner:
            for rendition in image["renditions"]:
                for ending in ("", ".webp"):
                    known = client.get(rendition["href"].removesuffix(".jpg") + ending)
                    assert known.status_code == 200
                    asked = {"If-None-Match": known.headers["ETag"]}
                    answer = partner.get(known.url, headers=asked)
                    assert answer.status_code == 404


def test_pictures_by_themselves_are_given_by_source_and_right(store: Store, desk: dict[str, Any]) -> None:
    own, bought = desk["own"]["id"], desk["bought"]["id"]
    for contract, expected in (
        ({}, {own: 200, bought: 200}),
        ({"pictures": "own"}, {own: 200, bought: 404}),
        ({"pictures": "none"}, {own: 404, bought: 404}),
        ({"sources": ["agency"]}, {own: 404, bought: 200}),
        ({"kinds": ["article", "caption"]}, {own: 404, bought: 404}),
        ({"kinds": ["image"], "languages": ["en"]}, {own: 404, bought: 404}),
    ):
        with store.client(contract=contract) as partner:
            answers = {id_: partner.get(f"/v1/images/{id_}").status_code for id_ in expected}
            assert answers == expected, contract
            listed = {item["id"] for item in walk(partner, "/v1/images?limit=50")}
            assert {id_ for id_ in expected if id_ in listed} == {
                id_ for id_, status in expected.items() if status == 200
            }, contract


REFUSED = [
    ({}, "/scopes"),
    ({"scopes": []}, "/scopes"),
    ({"scopes": ["content:read"], "contract": {}}, "/scopes/0"),
    ({"scopes": ["content:write"], "contract": {}}, "/scopes/0"),
    ({"scopes": ["admin"], "contract": {}}, "/scopes/0"),
    ({"scopes": [], "contract": {}, "source": "wire"}, "/source"),
    ({"scopes": [], "contract": {"until": "2020-01-01T00:00:00Z"}}, "/contract/until"),
    (
        {
            "scopes": [],
            "contract": {"until": "2040-01-01T00:00:00Z"},
            "expires_at": "2039-01-01T00:00:00Z",
        },
        "/contract/until",
    ),
    ({"scopes": [], "contract": {"until": "2040-01-01"}}, "/contract/until"),
    ({"scopes": [], "contract": {"kinds": ["video"]}}, "/contract/kinds/0"),
    ({"scopes": [], "contract": {"kinds": []}}, "/contract/kinds"),
    ({"scopes": [], "contract": {"pictures": "some"}}, "/contract/pictures"),
    ({"scopes": [], "contract": {"pictures": "none", "kinds": ["image"]}}, "/contract/pictures"),
    ({"scopes": [], "contract": {"section": ["Sport"]}}, "/contract/section"),
    ({"scopes": [], "contract": {"languages": ["not a language"]}}, "/contract/languages/0"),
]


@pytest.mark.parametrize(("asked", "pointer"), REFUSED)
def test_a_contract_that_contradicts_itself_or_its_token_is_refused(
    admin: httpx.Client, asked: dict[str, Any], pointer: str
) -> None:
    answer = admin.post("/v1/tokens", json={"name": "partner"} | asked)
    assert answer.status_code == 422, answer.text
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_a_contract_is_read_as_it_was_made(admin: httpx.Client) -> None:
    contract = {"sections": ["Sport"], "languages": ["zh-hans"], "until": "2040-01-01T00:00:00Z"}
    made = admin.post("/v1/tokens", json={"name": "partner", "contract": contract})
    assert made.status_code == 201, made.text
    expected = {
        "sections": ["Sport"],
        "languages": ["zh-Hans"],
        "tags": [],
        "sources": [],
        "kinds": ["article", "image", "caption"],
        "pictures": "all",
        "until": "2040-01-01T00:00:00Z",
    }
    read = admin.get(f"/v1/tokens/{made.json()['id']}").json()
    assert made.json()["contract"] == read["contract"] == expected
    assert read["scopes"] == []


def test_drafts_stay_the_desks(store: Store, editor: httpx.Client) -> None:
    hidden = draft(editor)
    with store.client(contract={}) as partner:
        assert partner.get(f"/v1/articles/{hidden['id']}").status_code == 404
        assert partner.get("/v1/articles?view=staff").status_code == 403
