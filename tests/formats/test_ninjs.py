"""ninjs 3.1 out of the store, into it, and there and back."""

import json
import os
from pathlib import Path

import httpx
import jsonschema_rs
import pytest

from service.formats.ninjs.models import Ninjs
from service.formats.ninjs.write import supplied_by
from tests.articles.newsroom import Article, do, draft, edit, problem, published, soon
from tests.formats.agency import AGENCY, Said, bring_in
from tests.formats.front_page import illustrated
from tests.serving import ORIGIN

SCHEMAS = Path(os.environ.get("COPYDESK_TEST_SCHEMAS", "../shared/schemas"))
NINJS = {"Content-Type": "application/ninjs+json"}


def ninjs_of(client: httpx.Client, article: Article) -> Said:
    """An article's ninjs, which the model must know member by member."""
    answer = client.get(f"/v1/articles/{article['id']}?format=ninjs")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/ninjs+json"
    Ninjs.model_validate_json(answer.content)
    return answer.json()


def by_role(said: list[Said], role: str) -> str:
    return next(each["value"] for each in said if each.get("role") == role)


def full(editor: httpx.Client) -> Article:
    first = illustrated(editor)
    image = first["lead_image_id"]
    return edit(
        editor,
        first,
        headline="Ferries & trams <again>",
        byline="By Mara Ellison",
        authors=[{"name": "Mara Ellison", "url": "https://m.example/ä b"}],
        dateline="LARKMOUTH, May 4",
        section="City",
        tags=["trams", "boats"],
        language="en-GB",
        credit_line="With input from Reuters and AFP",
        source="mail.example",
        external_id="ferry/1",
        canonical_url="https://mail.example/fähre",
        slug="ferries-and-trams",
        usage_terms="Not in France.",
        copyright_notice="© Mail",
        edition_note="Check the numbers.",
        published_at="2026-05-04T08:00:00Z",
        body=[
            {"type": "heading", "level": 3, "html": "How <em>it</em> went"},
            {"type": "image", "image_id": image},
            {"type": "list", "ordered": True, "items": ["one", "two &amp; three"]},
            {"type": "quote", "html": "We wait.", "cite": "A captain"},
            {"type": "embed", "url": "https://www.youtube.com/watch?v=1&t=2"},
            {"type": "divider"},
            {"type": "paragraph", "html": 'The <a href="https://x.example/?a=1&amp;b=ü">end</a>.'},
        ],
    )


def test_an_article_is_a_ninjs_item(editor: httpx.Client, client: httpx.Client) -> None:
    article = full(editor)
    said = ninjs_of(client, article)
    assert (said["uri"], said["type"], said["pubStatus"], said["language"]) == (
        f"urn:uuid:{article['id']}",
        "text",
        "usable",
        "en-GB",
    )
    assert said["headlines"] == [{"value": "Ferries & trams <again>"}]
    assert by_role(said["descriptions"], "summary") == "After a winter of repairs."
    assert by_role(said["altIds"], "slug") == "ferries-and-trams"
    assert [each["name"] for each in said["infoSources"] if each["role"] == "input"] == ["Reuters", "AFP"]
    assert (said["by"], said["located"], said["people"][0]["name"]) == (
        "By Mara Ellison",
        "LARKMOUTH, May 4",
        "Mara Ellison",
    )
    assert said["contentCreated"] == "2026-05-04T08:00:00Z"
    (picture,) = said["associations"]
    assert (picture["rel"], picture["type"]) == ("lead", "picture")
    assert by_role(picture["descriptions"], "altText") == "A low bridge over calm water"
    assert by_role(picture["descriptions"], "caption") == "The swing bridge at first light."
    assert by_role(picture["descriptions"], "creditline") == "Ana Lind / Harbour Press"
    assert picture["renditions"][0]["href"].startswith(f"{ORIGIN}/media/")
    assert "<h3>How <em>it</em> went</h3>" in said["bodies"][0]["value"]
    assert "edNote" not in said
    assert ninjs_of(editor, article)["edNote"] == "Check the numbers."
    asked = client.get(f"/v1/articles/{article['id']}", headers={"Accept": "application/ninjs+json"})
    assert asked.json() == said


def test_what_is_held_is_withheld_and_what_is_killed_is_canceled(
    editor: httpx.Client, client: httpx.Client
) -> None:
    assert ninjs_of(editor, draft(editor))["pubStatus"] == "withheld"
    held = published(editor, embargoed_until=soon(600))
    assert ninjs_of(editor, held)["pubStatus"] == "withheld"
    assert ninjs_of(editor, held)["embargoedUntil"] == held["embargoed_until"]
    killed = published(editor, headline="Killed")
    do(editor, killed, "withdraw", reason="It named the wrong person.")
    assert ninjs_of(editor, killed)["pubStatus"] == "canceled"
    for _ in range(2):
        gone = client.get(f"/v1/articles/{killed['id']}?format=ninjs")
        assert (gone.status_code, gone.headers["content-type"]) == (410, "application/ninjs+json")
        said = Ninjs.model_validate_json(gone.content)
        assert (said.pub_status, said.ed_note, said.uri) == (
            "canceled",
            "It named the wrong person.",
            f"urn:uuid:{killed['id']}",
        )
    problem(client.get(f"/v1/articles/{held['id']}?format=ninjs"), 404)


@pytest.mark.slow
@pytest.mark.skipif(not SCHEMAS.is_dir(), reason=f"IPTC's schema is not at {SCHEMAS} (COPYDESK_TEST_SCHEMAS)")
def test_the_standards_own_schema_finds_nothing_wrong(editor: httpx.Client, client: httpx.Client) -> None:
    geo = json.loads((SCHEMAS / "GeoJSON-schema.json").read_text())
    registry = jsonschema_rs.Registry([("https://geojson.org/schema/GeoJSON.json", geo)])
    schema = json.loads((SCHEMAS / "ninjs-schema_3.1.json").read_text())
    known = jsonschema_rs.Draft202012Validator(schema, registry=registry, validate_formats=True)
    killed = published(editor)
    do(editor, killed, "withdraw", reason="Wrong.")
    article = full(editor)
    do(editor, article, "corrections", text="Four lanes.")
    for each in (
        ninjs_of(client, article),
        ninjs_of(editor, article),
        ninjs_of(editor, draft(editor)),
        client.get(f"/v1/articles/{killed['id']}?format=ninjs").json(),
    ):
        assert [error.message for error in known.iter_errors(each)] == []
    assert not known.is_valid({**ninjs_of(client, article), "madeUp": 1})


def without(article: Article, *names: str) -> Article:
    return {name: value for name, value in article.items() if name not in names}


def test_what_comes_back_changes_nothing(editor: httpx.Client) -> None:
    article = editor.get(f"/v1/articles/{full(editor)['id']}").json()
    answer = bring_in(editor, ninjs_of(editor, article))
    assert (answer.status_code, without(answer.json(), "import")) == (200, article)


@pytest.mark.slow
def test_another_store_has_the_same_article_afterwards(editor: httpx.Client, elsewhere: httpx.Client) -> None:
    article = full(editor)
    do(editor, article, "corrections", text="Four lanes.")
    said = ninjs_of(editor, article)
    answer = bring_in(elsewhere, said)
    assert answer.status_code == 201, answer.text
    copy = answer.json()
    assert (copy["status"], copy["version"]) == ("draft", 2)
    again = ninjs_of(elsewhere, copy)
    kept = (
        "uri",
        "headlines",
        "descriptions",
        "bodies",
        "people",
        "subjects",
        "infoSources",
        "by",
        "located",
        "altIds",
        "language",
        "edNote",
        "copyrightNotice",
        "usageTerms",
        "contentCreated",
    )
    ours = {name: said[name] for name in kept}
    theirs = {name: again[name] for name in kept}
    # The picture has no file there.
    ours["bodies"][0]["value"] = theirs["bodies"][0]["value"] = ""
    assert theirs == ours
    assert [without(block, "image", "caption", "image_id") for block in copy["body"]] == [
        without(block, "image", "caption", "image_id") for block in article["body"]
    ]
    (picture,), (copied,) = said["associations"], again["associations"]
    assert copied["descriptions"] == picture["descriptions"]
    assert copied["uri"] == picture["uri"]
    assert bring_in(elsewhere, ninjs_of(editor, article)).json() == copy


@pytest.mark.parametrize(
    "media_type", ["application/ninjs+json", "application/vnd.iptc.ninjs+json", "application/json"]
)
def test_an_agencys_item_becomes_a_draft_and_updates_it(editor: httpx.Client, media_type: str) -> None:
    answer = bring_in(editor, AGENCY, media_type)
    assert answer.status_code == 201, answer.text
    article = answer.json()
    assert (article["source"], article["external_id"]) == ("agency.example", AGENCY["uri"])
    assert (article["headline"], article["byline"], article["tags"]) == (
        "Harbour ice breaks early",
        "Mara Ellison",
        ["weather"],
    )
    assert article["published_at"] == "2026-05-04T07:00:00Z"
    blocks = article["body"]
    assert [block["type"] for block in blocks] == [
        "paragraph",
        "paragraph",
        "heading",
        "quote",
        "image",
        "paragraph",
        "table",
    ]
    assert blocks[1]["html"] == "Ships <strong>sail</strong>."
    images = [
        editor.get(f"/v1/images/{id_}").json() for id_ in (blocks[4]["image_id"], article["lead_image_id"])
    ]
    assert [image["source_url"] for image in images] == ["https://a.example/2.jpg", "https://a.example/1.jpg"]
    lead = article["lead_image"]
    assert (lead["caption"]["text"], lead["focal_point"]) == ("Ice floes.", {"x": 0.5, "y": 0.25})
    changed = {**AGENCY, "headlines": [{"value": "Harbour ice breaks"}]}
    again = bring_in(editor, changed, media_type)
    assert (again.status_code, again.json()["id"], again.json()["headline"]) == (
        200,
        article["id"],
        "Harbour ice breaks",
    )
    assert again.json()["lead_image_id"] == article["lead_image_id"]


def test_a_kill_withdraws_what_was_published_and_removes_what_was_not(
    editor: httpx.Client, client: httpx.Client
) -> None:
    kill = {"uri": AGENCY["uri"], "pubStatus": "canceled", "edNote": "Retracted."}
    problem(bring_in(editor, kill), 422)
    article = bring_in(editor, AGENCY).json()
    assert bring_in(editor, kill).status_code == 200
    assert editor.get(f"/v1/articles/{article['id']}").status_code == 410
    assert bring_in(editor, AGENCY).json()["id"] == article["id"]
    do(editor, article, "publish")
    assert bring_in(editor, {**AGENCY, "pubStatus": "withheld"}).json()["status"] == "draft"
    do(editor, article, "publish")
    assert bring_in(editor, kill).json()["status"] == "withdrawn"
    assert problem(client.get(f"/v1/articles/{article['id']}"), 410)["detail"].endswith("Retracted.")
    problem(bring_in(editor, AGENCY), 409)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"madeUp": 1}, 422),
        ({"uri": None}, 422),
        ({"uri": ""}, 422),
        ({"urgency": 12}, 422),
        ({"pubStatus": "killed"}, 422),
        ({"versionCreated": "yesterday"}, 422),
        ({"places": [{"geoJSON": {"type": "Point"}}]}, 422),
        ({"bodies": [{"value": "<p>" * 9_000 + "deep"}]}, 422),
        ({"bodies": [{"value": "<div>" * 90_000}]}, 201),
        ({"language": "12"}, 201),
        ({"bodies": [{"value": "One.\n\nTwo\nlines.\n\n\u0000Three & <more>"}]}, 201),
        ({"altIds": [{"role": "slug", "value": "NOT a slug"}]}, 201),
        ({"headlines": [{"value": "x" * 9_000}]}, 201),
    ],
)
def test_an_odd_item_is_refused_or_taken_and_never_fails(
    editor: httpx.Client, change: Said, status: int
) -> None:
    answer = bring_in(editor, {**AGENCY, **change})
    assert answer.status_code == status, answer.text[:500]


def test_a_slug_that_is_taken_is_not_taken_away(editor: httpx.Client) -> None:
    published(editor, slug="ice")
    article = bring_in(editor, {**AGENCY, "altIds": [{"role": "slug", "value": "ice"}]}).json()
    assert article["slug"] != "ice"


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("With input from Reuters", ["Reuters"]),
        ("(With inputs from AFP, dpa and AP)", ["AFP", "dpa", "AP"]),
        ("With additional reporting by the Harbour Post", ["the Harbour Post"]),
        ("avec AFP", ["avec AFP"]),
        ("", []),
    ],
)
def test_who_supplied_is_named_one_by_one(line: str, names: list[str]) -> None:
    assert supplied_by(line) == names
