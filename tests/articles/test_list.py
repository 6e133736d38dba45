"""GET /v1/articles."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.articles.newsroom import (
    Article,
    caption,
    do,
    draft,
    edit,
    ids,
    mark,
    picture,
    problem,
    published,
    soon,
    trash,
    walk,
)
from tests.serving import Store


@pytest.fixture
def section(editor: httpx.Client) -> str:
    """A section of one test's own."""
    return mark()


def dated(editor: httpx.Client, section: str, count: int, **members: object) -> list[Article]:
    """Published articles, the oldest first."""
    first = datetime(2020, 1, 1, tzinfo=UTC)
    return [
        published(
            editor,
            section=section,
            headline=f"Day {day}",
            published_at=(first + timedelta(days=day)).isoformat(),
            **members,
        )
        for day in range(count)
    ]


@pytest.mark.slow
def test_readers_see_what_is_published_and_editors_everything_but_the_trash(
    client: httpx.Client, store: Store, editor: httpx.Client, section: str
) -> None:
    public, hidden = published(editor, section=section), draft(editor, section=section)
    scheduled = published(editor, section=section, embargoed_until=soon(3600))
    withdrawn, gone = published(editor, section=section), published(editor, section=section)
    do(editor, withdrawn, "withdraw", reason="Wrong.")
    trash(editor, gone)
    address = f"/v1/articles?section={section}&count=true"
    for query in (
        "",
        "&sort=published_at",
        "&sort=-updated_at",
        "&fields=id",
        "&body=text",
    ):
        answer = client.get(address + query)
        assert ids(answer) == [public["id"]]
        assert answer.json()["total"] == 1
    with store.client("consent:read") as other:
        assert ids(other.get(address)) == [public["id"]]
    assert ids(editor.get(address)) == [public["id"]]
    everything = editor.get(f"{address}&view=staff")
    assert set(ids(everything)) == {public["id"], hidden["id"], scheduled["id"], withdrawn["id"]}
    assert everything.json()["total"] == 4
    for status, article in (
        ("draft", hidden),
        ("scheduled", scheduled),
        ("withdrawn", withdrawn),
        ("published", public),
    ):
        assert ids(editor.get(f"{address}&status={status}")) == [article["id"]]


@pytest.mark.parametrize("asked", ["status=draft", "status=published", "status=withdrawn", "view=staff"])
def test_asking_for_working_articles_needs_content_read(
    client: httpx.Client, store: Store, asked: str
) -> None:
    problem(client.get(f"/v1/articles?{asked}"), 401)
    with store.client("content:write") as writer:
        problem(writer.get(f"/v1/articles?{asked}"), 403)


def test_articles_come_newest_first_or_as_asked(
    client: httpx.Client, editor: httpx.Client, section: str
) -> None:
    made = dated(editor, section, 4)
    edit(editor, made[1], summary="Edited last")
    address = f"/v1/articles?section={section}"
    newest = [article["id"] for article in reversed(made)]
    for caller in (client, editor):
        assert ids(caller.get(address)) == newest
        assert ids(caller.get(f"{address}&sort=-published_at")) == newest
        assert ids(caller.get(f"{address}&sort=published_at")) == newest[::-1]
        assert ids(caller.get(f"{address}&sort=-updated_at"))[0] == made[1]["id"]


@pytest.mark.slow
@pytest.mark.parametrize("sort", ["-published_at", "published_at", "-updated_at", "relevance"])
def test_pages_follow_one_another_without_repeat_or_gap(
    client: httpx.Client, editor: httpx.Client, section: str, sort: str
) -> None:
    made = dated(editor, section, 3) + [
        published(editor, section=section, published_at="2020-02-02T00:00:00Z") for _ in range(4)
    ]
    for caller in (client, editor):
        for q in ("", "&q=day harbour" if sort != "relevance" else "&q=tram"):
            whole = ids(caller.get(f"/v1/articles?section={section}&sort={sort}&limit=200{q}"))
            paged = [
                item["id"] for item in walk(caller, f"/v1/articles?section={section}&sort={sort}&limit=2{q}")
            ]
            assert paged == whole
        assert sorted(
            item["id"] for item in walk(caller, f"/v1/articles?section={section}&sort={sort}&limit=3")
        ) == sorted(article["id"] for article in made)


@pytest.mark.slow
def test_each_filter_narrows_the_list(client: httpx.Client, editor: httpx.Client, section: str) -> None:
    image, tag, author, source = picture(editor)["id"], mark(), f"Name {mark()}", mark()
    plain, rich = dated(editor, section, 2)
    rich = edit(
        editor,
        rich,
        tags=[tag, "x"],
        authors=[{"name": author}],
        source=source,
        language="pt-BR",
        body=[{"type": "image", "image_id": image}],
    )
    draft(editor, section=section, tags=[tag], authors=[{"name": author}], source=source, lead_image_id=image)
    matching = [
        f"tag={tag}",
        f"author={author}",
        f"source={source}",
        "language=pt-BR",
        "language=pt-br",
        f"image_id={image}",
        "published_after=2020-01-01T12:00:00Z",
        f"tag={tag}&author={author}",
    ]
    for query in matching:
        assert ids(client.get(f"/v1/articles?section={section}&{query}")) == [rich["id"]], query
    for query in (
        "tag=unknown",
        f"tag={tag}&language=en",
        "image_id=01900000-0000-7000-8000-000000000000",
        "section=&tag=x",
    ):
        assert ids(client.get(f"/v1/articles?{query}")) == [], query
    assert ids(client.get(f"/v1/articles?section={section}&published_before=2020-01-01T12:00:00Z")) == [
        plain["id"]
    ]
    after = httpx.QueryParams({"section": section, "updated_after": plain["updated_at"]})
    assert ids(client.get(f"/v1/articles?{after}")) == [rich["id"]]
    assert len(ids(editor.get(f"/v1/articles?view=staff&tag={tag}"))) == 2
    assert len(ids(editor.get(f"/v1/articles?view=staff&image_id={image}"))) == 2


def test_a_lead_image_counts_as_shown(client: httpx.Client, editor: httpx.Client) -> None:
    image = picture(editor)["id"]
    article = published(editor, lead_image_id=image)
    assert ids(client.get(f"/v1/articles?image_id={image}")) == [article["id"]]
    edit(editor, article, lead_image_id=None)
    assert ids(client.get(f"/v1/articles?image_id={image}")) == []


def test_fields_that_cards_have_are_those_of_the_whole_article(
    client: httpx.Client, editor: httpx.Client, section: str
) -> None:
    """Such members are read from the card, which is a tenth of the article."""
    published(
        editor,
        section=section,
        summary="It opens on Monday.",
        tags=["ferries"],
        authors=[{"name": "Mara Holt"}, {"name": "Joon Park"}],
        language="en",
        source="wire",
        lead_image_id=picture(editor)["id"],
        body=[{"type": "paragraph", "html": "Text"}],
    )
    address = f"/v1/articles?section={section}"
    (whole,) = client.get(f"{address}&body=blocks").json()["items"]
    for name in whole:
        for form in ("", "&body=none", "&body=html"):
            (item,) = client.get(f"{address}&fields={name}{form}").json()["items"]
            expected = {name: whole[name]}
            assert item == ({} if (name, form) == ("body", "&body=none") else expected), (name, form)
    (item,) = client.get(f"{address}&fields=authors.name,lead_image.id, headline").json()["items"]
    assert item == {
        "headline": whole["headline"],
        "authors": [{"name": author["name"]} for author in whole["authors"]],
        "lead_image": {"id": whole["lead_image"]["id"]},
    }


def test_only_the_fields_asked_for_are_given(
    client: httpx.Client, editor: httpx.Client, section: str
) -> None:
    article = published(editor, section=section, body=[{"type": "paragraph", "html": "Text"}])
    for caller in (client, editor):
        assert caller.get(f"/v1/articles?section={section}&fields=slug,id").json()["items"] == [
            {"id": article["id"], "slug": article["slug"]}
        ]
        items = caller.get(f"/v1/articles?section={section}&fields=body_text&body=text").json()["items"]
        assert items == [{"body_text": "Text"}]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=0", "/limit"),
        ("limit=201", "/limit"),
        ("limit=ten", "/limit"),
        ("limit=", "/limit"),
        ("limit=99999999999999999999", "/limit"),
        ("fields=headline,nothing", "/fields"),
        ("fields=,", "/fields"),
        ("sort=newest", "/sort"),
        ("status=live", "/status"),
        ("body=pdf", "/body"),
        ("count=perhaps", "/count"),
        ("image_id=7", "/image_id"),
        ("language=no language", "/language"),
        ("published_after=yesterday", "/published_after"),
        ("published_after=1577836800", "/published_after"),
        ("published_after=2020-01-01T00:00:00", "/published_after"),
        ("published_before=0001-01-01T00:00:00%2B14:00", "/published_before"),
        ("updated_after=9999-12-31T23:59:59-14:00", "/updated_after"),
        (f"q={'x' * 501}", "/q"),
        ("q=a%00b", "/q"),
        ("section=%00", "/section"),
        ("tag=%00", "/tag"),
        ("author=%00", "/author"),
        ("source=%00", "/source"),
    ],
)
def test_a_query_that_is_wrong_is_named(
    client: httpx.Client, editor: httpx.Client, query: str, pointer: str
) -> None:
    for caller in (client, editor):
        errors = problem(caller.get(f"/v1/articles?{query}"), 422)["errors"]
        assert [(error["in"], error["pointer"]) for error in errors] == [("query", pointer)]


def test_an_unknown_parameter_is_refused_by_name(client: httpx.Client, editor: httpx.Client) -> None:
    for caller in (client, editor):
        assert (
            problem(caller.get("/v1/articles?sectoin=x"), 400, "unknown-parameter")["parameter"] == "sectoin"
        )


@pytest.mark.slow
def test_odd_texts_in_filters_find_nothing_and_break_nothing(
    client: httpx.Client, editor: httpx.Client
) -> None:
    odd = ["%", "_", "'", '"', "\\", "%27%20OR%201=1--", "🦊", "\u202e", "x" * 5000, "%FF", "%ED%A0%80"]
    for caller in (client, editor):
        for name in ("section", "tag", "author", "source"):
            for value in odd:
                answer = caller.get(f"/v1/articles?{name}={value}")
                assert (answer.status_code, answer.json()["items"]) == (200, [])


def test_a_list_shows_captions_of_its_own_article_alone(
    client: httpx.Client, editor: httpx.Client, section: str
) -> None:
    image = picture(editor)["id"]
    secret = mark()
    article = published(editor, section=section, lead_image_id=image)
    caption(editor, image, article_id=draft(editor)["id"], text=f"Not out yet {secret}")
    assert secret not in client.get(f"/v1/articles?section={section}").text
    assert secret not in client.get(f"/v1/articles/{article['id']}").text
    assert secret not in client.get(f"/v1/images/{image}").text
    assert secret not in client.get(f"/v1/images/{image}/captions").text
    assert secret not in client.get("/v1/captions?limit=200").text
    assert ids(client.get(f"/v1/articles?q={secret}")) == []
