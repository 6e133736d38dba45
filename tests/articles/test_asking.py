"""What GET /v1/articles and its siblings can be asked: any of several values, named articles, languages,
dates.
"""

import random
from urllib.parse import urlencode

import httpx
import pytest

from tests.articles.newsroom import Article, draft, edit, ids, mark, picture, problem, published, trash, walk
from tests.serving import Store


@pytest.fixture
def section(editor: httpx.Client) -> str:
    """A section of one test's own."""
    return mark()


def found(client: httpx.Client, *pairs: tuple[str, str], **asked: str) -> list[str]:
    """The ids of a list."""
    return ids(client.get("/v1/articles", params=[*pairs, *asked.items()]))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["section", "tag", "author", "source", "language", "image_id"])
def test_a_filter_that_is_given_several_times_finds_what_has_any_of_its_values(
    client: httpx.Client, editor: httpx.Client, section: str, name: str
) -> None:
    values = {
        "language": ["fi", "sv", "nb"],
        "image_id": [picture(editor)["id"] for _ in range(3)],
    }.get(name, [mark() for _ in range(3)])
    made = [
        published(
            editor,
            **{"section": section}
            | {
                "tag": {"tags": [value, section]},
                "author": {"authors": [{"name": value}]},
                "image_id": {"lead_image_id": value},
            }.get(name, {name: value}),
            published_at=f"2020-01-0{1 + place % 9}T00:00:00Z",
        )
        for place, value in enumerate(values * 3)
    ]
    narrowed = {} if name == "section" else {"section": section}
    of = [[article["id"] for article in made[place::3]] for place in range(3)]
    newest = [article["id"] for article in reversed(made)]
    for caller, staff in ((client, {}), (editor, {}), (editor, {"view": "staff"})):
        either = [(name, values[0]), (name, values[2])]
        expected = [id_ for id_ in newest if id_ not in of[1]]
        for sort in ("-published_at", "published_at", "-updated_at"):
            wanted = expected[::-1] if sort == "published_at" else expected
            whole = found(caller, *either, **narrowed, **staff, sort=sort)
            assert whole == wanted
            address = f"/v1/articles?{urlencode([*either, *narrowed.items(), *staff.items()])}&sort={sort}&limit=2&count=true"
            assert [item["id"] for item in walk(caller, address)] == wanted
            assert caller.get(address).json()["total"] == len(wanted)
        assert found(caller, (name, values[1]), (name, values[1]), **narrowed, **staff) == of[1][::-1]


@pytest.mark.slow
def test_an_article_that_has_two_of_the_tags_is_there_once(
    client: httpx.Client, editor: httpx.Client
) -> None:
    tags = [mark() for _ in range(3)]
    both = published(editor, tags=tags[:2])
    one = published(editor, tags=tags[1:])
    asked = [("tag", tag) for tag in tags]
    for caller, staff in ((client, {}), (editor, {"view": "staff"})):
        assert found(caller, *asked, **staff) == [one["id"], both["id"]]
        assert caller.get("/v1/articles", params=[*asked, ("count", "true")]).json()["total"] == 2


@pytest.mark.slow
def test_filters_of_several_values_narrow_one_another(client: httpx.Client, editor: httpx.Client) -> None:
    tags, sections, authors = ([mark() for _ in range(3)] for _ in range(3))
    chance = random.Random(7)
    made = [
        published(
            editor,
            section=chance.choice(sections),
            tags=chance.sample(tags, chance.randint(0, 3)),
            authors=[{"name": name} for name in chance.sample(authors, chance.randint(0, 2))],
            language=chance.choice(["de", "de-CH", "fr"]),
        )
        for _ in range(24)
    ]
    for _ in range(12):
        wanted = {
            "section": chance.sample(sections, chance.randint(1, 2)),
            "tag": chance.sample(tags, chance.randint(0, 2)),
            "author": chance.sample(authors, chance.randint(0, 2)),
            "language": chance.sample(["de", "fr"], chance.randint(0, 1)),
        }
        expected = [article["id"] for article in reversed(made) if fits(article, wanted)]
        pairs = [(name, value) for name, values in wanted.items() for value in values]
        assert found(client, *pairs) == expected, pairs
        assert found(editor, *pairs, view="staff") == expected, pairs
        assert client.get(f"/v1/articles?{urlencode(pairs)}&count=true").json()["total"] == len(expected)


def fits(article: Article, wanted: dict[str, list[str]]) -> bool:
    """Whether an article meets every filter, in the plainest way to say it."""
    names = {author["name"] for author in article["authors"]}
    return (
        article["section"] in wanted["section"]
        and (not wanted["tag"] or bool(set(wanted["tag"]) & set(article["tags"])))
        and (not wanted["author"] or bool(set(wanted["author"]) & names))
        and (
            not wanted["language"] or any(article["language"].startswith(each) for each in wanted["language"])
        )
    )


@pytest.mark.parametrize("name", ["q", "sort", "limit", "status", "published_after", "fields", "count"])
def test_what_is_taken_once_is_refused_when_it_is_repeated(client: httpx.Client, name: str) -> None:
    refused = problem(client.get(f"/v1/articles?{name}=a&{name}=b"), 400)
    assert refused["type"] == "/problems/repeated-parameter"
    assert refused["parameter"] == name


@pytest.mark.parametrize(
    "path", ["/v1/articles", "/v1/captions", "/v1/consent-notices", "/v1/changes", "/feeds/rss.xml"]
)
def test_more_than_twenty_values_are_refused(client: httpx.Client, path: str) -> None:
    asked = "?" + "&".join(["language=fi"] * 20)
    assert client.get(path + asked).status_code == 200
    assert problem(client.get(f"{path}{asked}&language=sv"), 422)["errors"][0]["pointer"] == "/language"


@pytest.mark.slow
def test_articles_are_named_by_id_and_slug_and_come_in_that_order(
    client: httpx.Client, editor: httpx.Client, section: str
) -> None:
    made = [published(editor, section=section) for _ in range(6)]
    hidden = draft(editor, section=section)
    old = made[4]["slug"]
    edit(editor, made[4], slug=mark())
    by_id = [made[index]["id"] for index in (3, 0, 5)]
    by_slug = [("slug", made[1]["slug"]), ("slug", old)]
    asked = [("id", id_) for id_ in [*by_id, hidden["id"], by_id[0]]]
    expected = [*by_id, made[1]["id"], made[4]["id"]]
    for caller in (client, editor):
        assert found(caller, *asked, *by_slug, ("slug", hidden["slug"]), ("slug", mark())) == expected
        assert found(caller, *reversed(by_slug), ("slug", made[1]["slug"])) == [made[4]["id"], made[1]["id"]]
        assert found(caller, *asked, section=mark()) == []
        assert found(caller, *asked, section=section, q="tram") == by_id
    staff = found(editor, *asked, *by_slug, view="staff")
    assert staff == [*by_id, hidden["id"], made[1]["id"], made[4]["id"]]
    assert found(editor, *asked, status="draft") == [hidden["id"]]
    trash(editor, hidden)
    assert found(editor, *asked, view="staff") == by_id
    whole = client.get("/v1/articles", params=[*asked, ("limit", "1"), ("count", "true"), ("body", "blocks")])
    assert [item["id"] for item in whole.json()["items"]] == by_id
    assert (whole.json()["next"], whole.json()["total"]) == (None, 3)
    assert all("body" in item for item in whole.json()["items"])


def test_named_articles_are_forgotten_by_the_cache_when_they_change(
    client: httpx.Client, editor: httpx.Client
) -> None:
    first, second = published(editor), published(editor)
    asked = [("id", first["id"]), ("id", second["id"])]
    assert found(client, *asked) == [first["id"], second["id"]]
    assert found(client, *reversed(asked)) == [second["id"], first["id"]]
    trash(editor, first)
    assert found(client, *asked) == found(client, *reversed(asked)) == [second["id"]]


@pytest.mark.parametrize("name", ["id", "slug"])
def test_up_to_a_hundred_articles_are_named(client: httpx.Client, editor: httpx.Client, name: str) -> None:
    article = published(editor)
    others = [f"0190a8e2-7a4e-7cc3-98c4-{number:012x}" for number in range(100)]
    assert found(client, *((name, other) for other in others[1:]), (name, article[name])) == [article["id"]]
    address = f"/v1/articles?{urlencode({name: [*others, article[name]]}, doseq=True)}"
    refused = problem(client.get(address), 422)
    assert refused["errors"][0]["pointer"] == f"/{name}"


def test_named_articles_take_no_other_order(client: httpx.Client, editor: httpx.Client) -> None:
    id_ = published(editor)["id"]
    problem(client.get(f"/v1/articles?id={id_}&sort=published_at"), 400)
    problem(client.get("/v1/articles?id=7"), 422)


@pytest.mark.slow
def test_a_language_range_finds_the_languages_in_it(
    client: httpx.Client, editor: httpx.Client, section: str
) -> None:
    languages = ("zh-Hans", "zh-Hant-TW", "zh", "zza", "en", "en-GB")
    made = {language: published(editor, section=section, language=language)["id"] for language in languages}
    for caller, staff in ((client, {}), (editor, {"view": "staff"})):
        for wanted, expected in (
            ("zh", {"zh-Hans", "zh-Hant-TW", "zh"}),
            ("zh-Hans", {"zh-Hans"}),
            ("zh-Hant", {"zh-Hant-TW"}),
            ("zza", {"zza"}),
            ("EN", {"en", "en-GB"}),
            ("en-US", set()),
            ("*", set(languages)),
        ):
            asked = {"section": section, "language": wanted, "count": "true", **staff}
            answer = caller.get("/v1/articles", params=asked)
            assert set(ids(answer)) == {made[language] for language in expected}, wanted
            assert answer.json()["total"] == len(expected)
    both = [("language", "zh"), ("language", "en-GB")]
    assert len(found(client, *both, section=section)) == 4
    feed = client.get("/feeds/feed.json", params=[*both, ("section", section), ("section", mark())]).json()
    assert len(feed["items"]) == 4


def test_captions_and_notices_take_language_ranges(store: Store, editor: httpx.Client) -> None:
    image = picture(editor)
    for language in ("rm", "rm-sursilv", "rmy"):
        made = {"image_id": image["id"], "text": "The quay.", "language": language}
        assert editor.post("/v1/captions", json=made).status_code == 201
    published(editor, lead_image_id=image["id"])
    with store.client() as client:
        assert languages(client.get("/v1/captions?language=rm&limit=200")) <= {"rm", "rm-sursilv"}
    assert languages(editor.get("/v1/captions?language=rm&limit=200")) == {"rm", "rm-sursilv"}
    assert languages(editor.get("/v1/captions?language=rmy&language=rm-sursilv")) == {"rmy", "rm-sursilv"}


def languages(response: httpx.Response) -> set[str]:
    """The languages of what a page holds."""
    assert response.status_code == 200, response.text
    return {item["language"] for item in response.json()["items"]}


def test_followers_of_several_sections_and_of_a_range_of_languages_get_those(
    client: httpx.Client, editor: httpx.Client
) -> None:
    sections = [mark() for _ in range(3)]
    made = [
        published(editor, section=section, language=language)
        for section in sections
        for language in ("pt", "pt-BR", "es")
    ]
    pairs = [("kind", "article"), ("section", sections[0]), ("section", sections[2]), ("language", "pt")]
    expected = {made[index]["id"] for index in (0, 1, 6, 7)}
    for caller, staff in ((editor, "&view=staff"), (client, "")):
        following, told = followed(caller, f"/v1/changes?{urlencode(pairs)}{staff}")
        assert {id_ for id_, entry in told.items() if entry["op"] == "put"} == expected
    moved = edit(editor, editor.get(f"/v1/articles/{made[1]['id']}").json(), language="es")
    stayed = edit(editor, editor.get(f"/v1/articles/{made[0]['id']}").json(), section=sections[2])
    _, told = followed(client, following)
    assert {id_: entry["op"] for id_, entry in told.items()} == {moved["id"]: "remove", stayed["id"]: "put"}
    assert told[moved["id"]]["reason"] == "left_scope"


def followed(client: httpx.Client, address: str) -> tuple[str, dict[str, Article]]:
    """The last entry of each resource in a feed, and where it goes on."""
    told: dict[str, Article] = {}
    while True:
        page = client.get(address).json()
        told |= {entry["id"]: entry for entry in page["items"]}
        address = page["next"]
        if page["caught_up"]:
            return address, told


def test_a_date_stands_for_the_first_moment_of_its_day(
    client: httpx.Client, editor: httpx.Client, section: str
) -> None:
    times = ("2021-01-01T23:59:59Z", "2021-01-02T00:00:00Z", "2021-01-02T18:00:00Z", "2021-01-03T00:00:00Z")
    made = [published(editor, section=section, published_at=time)["id"] for time in times]
    for caller, staff in ((client, {}), (editor, {"view": "staff"})):
        narrowed = {"section": section, **staff}
        assert found(caller, **narrowed, published_after="2021-01-02") == made[:0:-1]
        assert found(caller, **narrowed, published_before="2021-01-02") == made[:1]
        day = {"published_after": "2021-01-02", "published_before": "2021-01-03"}
        assert found(caller, **narrowed, **day) == [made[2], made[1]]
        assert found(caller, **narrowed, updated_after="2021-01-01", **day) == [made[2], made[1]]
        assert found(caller, **narrowed, updated_after="9999-01-01") == []
        for wrong in ("2021-02-30", "2021-1-2", "0001-01-01T00:00", "today"):
            refused = problem(caller.get("/v1/articles", params={"published_after": wrong}), 422)
            assert refused["errors"][0]["pointer"] == "/published_after"


@pytest.mark.parametrize("query", ["section={}&section=b", "tag={}", "language=pt&language=es", "id={}"])
def test_readers_and_holders_of_tokens_are_told_the_same(
    client: httpx.Client, store: Store, editor: httpx.Client, query: str
) -> None:
    value = published(editor, section=mark(), tags=["b"], language="pt")["id"]
    address = f"/v1/articles?{query.format(value)}"
    with store.client("consent:read") as other:
        assert client.get(address).content == other.get(address).content


def test_what_is_asked_of_the_body_changes_no_other_form(client: httpx.Client, editor: httpx.Client) -> None:
    article = published(editor, body=[{"type": "paragraph", "html": "Trams cross."}])
    address = f"/v1/articles/{article['id']}"
    for caller in (client, editor):
        for form in ("ninjs", "jsonld"):
            whole = caller.get(f"{address}/{form}")
            for body in ("none", "blocks", "html", "text"):
                answer = caller.get(address, params={"format": form, "body": body})
                assert (answer.status_code, answer.json()) == (200, whole.json()), (form, body)
