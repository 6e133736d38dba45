"""The pages that all readers share, asked for over HTTP: what is in them, what never is, and that caches may
keep them.
"""

import json
import re

import httpx
import pytest
from lxml import html

from service.articles.public_lists import FEEDS
from tests.articles.newsroom import do, draft, edit, mark, published, soon, trash
from tests.images.pictures import image_of, make_caption, noise, upload
from tests.serving import ORIGIN, Store, another
from tests.web.looking import one, page_of


def read(client: httpx.Client, article: dict, status: int = 200) -> html.HtmlElement:
    return page_of(client.get(f"/read/{article['slug']}"), status)


def test_an_article_shows_headline_byline_dateline_credit_and_corrections(
    client: httpx.Client, editor: httpx.Client
) -> None:
    body = [{"type": "paragraph", "html": "The <em>first</em> tram crossed."}]
    article = published(
        editor,
        headline=f"Bridge & tram {mark()}",
        byline="By Ida Berg",
        dateline="LARKMOUTH",
        body=body,
        credit_line="With input from Quayside News",
        section="City",
    )
    do(editor, article, "corrections", text="The bridge has two tracks, not one.")
    page = read(client, article)
    assert one(page, "//h1/text()") == article["headline"]
    text = page.xpath("//article")[0].text_content()
    for said in (
        "By Ida Berg",
        "LARKMOUTH",
        "The first tram crossed.",
        "With input from Quayside News",
        "two tracks, not one",
    ):
        assert said in text
    assert page.xpath("//article//em/text()") == ["first"]


def test_pictures_stand_between_paragraphs_with_sizes_words_and_their_credit_once(
    client: httpx.Client, editor: httpx.Client
) -> None:
    first = image_of(upload(editor, noise((700, 500)), credit_line="Ana Lind"))
    second = image_of(upload(editor, noise((400, 300)), credit_line="Bo Ek"))
    make_caption(editor, first, "Boats at noon.", alt_text="Three boats")
    make_caption(editor, second, "The quay. Picture by Bo Ek", alt_text="A quay")
    body = [
        {"type": "paragraph", "html": "One."},
        {"type": "image", "image_id": first["id"]},
        {"type": "paragraph", "html": "Two."},
    ]
    article = published(
        editor,
        headline=mark(),
        language="en",
        body=[*body, {"type": "image", "image_id": second["id"]}],
        lead_image_id=first["id"],
    )
    response = client.get(f"/read/{article['slug']}")
    page = page_of(response)
    assert [each.tag for each in page.xpath("//div[@class='text']/*")] == ["p", "figure", "p", "figure"]
    shown, other = page.xpath("//article//img")
    assert (shown.get("width"), shown.get("height"), shown.get("alt")) == ("700", "500", "Three boats")
    assert [part.split()[1] for part in shown.get("srcset").split(", ")] == [
        "700w",
        "640w",
        "480w",
        "320w",
        "160w",
    ]
    assert shown.get("sizes")
    assert client.get(shown.get("srcset").split()[0]).headers["content-type"] == "image/webp"
    colour = client.get(f"/v1/images/{first['id']}").json()["dominant_color"]
    assert f".{shown.get('class')}{{background-color:{colour}}}" in one(page, "//style/text()")
    assert (shown.get("loading"), other.get("loading")) == (None, "lazy")
    legends = [" ".join(each.text_content().split()) for each in page.xpath("//figcaption")]
    assert legends == ["Boats at noon. Picture: Ana Lind", "The quay. Picture by Bo Ek"]


def test_the_head_tells_machines_what_it_is(client: httpx.Client, editor: httpx.Client) -> None:
    picture = image_of(upload(editor, noise((320, 240))))
    article = published(
        editor, headline=f"</script><b> {mark()}", lead_image_id=picture["id"], section="Sea & sky"
    )
    page = read(client, article)
    address = f"{ORIGIN}/read/{article['slug']}"
    assert one(page, "//link[@rel='canonical']/@href") == address
    assert one(page, "//meta[@property='og:url']/@content") == address
    assert one(page, "//meta[@property='og:image']/@content").startswith(f"{ORIGIN}/media/")
    said = json.loads(one(page, "//script/text()"))
    assert (said["@type"], said["headline"], said["url"]) == ("NewsArticle", article["headline"], address)
    feeds = page.xpath("//link[@rel='alternate']/@href")
    assert [client.get(feed).status_code for feed in feeds] == [200] * len(FEEDS)
    assert all("section=Sea" in feed for feed in feeds)


def test_an_address_that_belongs_elsewhere_is_the_canonical_one(
    client: httpx.Client, editor: httpx.Client
) -> None:
    article = published(editor, headline=mark(), canonical_url="https://elsewhere.example/story")
    assert one(read(client, article), "//link[@rel='canonical']/@href") == "https://elsewhere.example/story"


def test_a_language_that_is_read_from_right_to_left_is_set_so(
    client: httpx.Client, editor: httpx.Client
) -> None:
    page = read(client, published(editor, headline=f"ترام {mark()}", language="ar"))
    assert (one(page, "//article/@lang"), one(page, "//article/@dir")) == ("ar", "rtl")


def test_readers_never_see_what_is_not_published(client: httpx.Client, editor: httpx.Client) -> None:
    word = mark()
    hidden = [
        draft(editor, headline=f"{word} draft"),
        draft(editor, headline=f"{word} embargo", status="published", embargoed_until=soon(600)),
    ]
    for article in hidden:
        assert word not in client.get(f"/read/{article['slug']}").text.replace(article["slug"], "")
        read(client, article, 404)
    assert word not in client.get("/").text


def test_a_withdrawn_article_is_gone_with_its_reason_at_once(
    client: httpx.Client, editor: httpx.Client
) -> None:
    article = published(editor, headline=f"Wrong {mark()}")
    read(client, article)
    do(editor, article, "withdraw", reason="It named the wrong ferry.")
    page = read(client, article, 410)
    assert "It named the wrong ferry." in page.text_content()
    assert article["headline"] not in page.text_content() + client.get("/").text


def test_a_deleted_article_is_gone_and_an_unpublished_one_not_found(
    client: httpx.Client, editor: httpx.Client
) -> None:
    deleted, unpublished = published(editor, headline=mark()), published(editor, headline=mark())
    trash(editor, deleted)
    do(editor, unpublished, "unpublish")
    read(client, deleted, 410)
    read(client, unpublished, 404)
    page_of(client.get("/read/no-such-article"), 404)
    page_of(client.get("/read/a%00b"), 404)


def test_an_old_slug_and_an_id_lead_to_the_address_of_today(
    client: httpx.Client, editor: httpx.Client
) -> None:
    article = published(editor, headline=mark())
    renamed = edit(editor, article, slug=f"new-{article['slug']}")
    for old in (article["slug"], article["id"]):
        response = client.get(f"/read/{old}")
        assert (response.status_code, response.headers["location"]) == (308, f"/read/{renamed['slug']}")


def test_the_front_page_lists_sections_and_pages(client: httpx.Client, editor: httpx.Client) -> None:
    section = f"Harbour {mark()}"
    made = [published(editor, headline=f"{mark()} {number}", section=section) for number in range(15)]
    seen, following = [], f"/?section={section}&utm_source=letter"
    while following:
        page = page_of(client.get(following))
        seen += page.xpath("//main//h2/a/@href")
        following = next(iter(page.xpath("//a[@rel='next']/@href")), None)
    assert seen == [f"/read/{article['slug']}" for article in reversed(made)]
    assert section in page_of(client.get("/")).xpath("//header//nav//a//text()")
    page_of(client.get("/?section=nowhere"), 404)
    page_of(client.get("/?cursor=made-up"), 400)


@pytest.mark.parametrize("path", ["/", "/read"])
def test_a_shared_page_is_served_from_the_cache_until_it_changes(
    client: httpx.Client, editor: httpx.Client, path: str
) -> None:
    article = published(editor, headline=f"Early {mark()}")
    address = path if path == "/" else f"/read/{article['slug']}"
    client.get(address)  # What is read before the cache has heard of the article is read once more.
    first = client.get(address)
    assert first.headers["cache-control"].startswith("public, max-age=")
    assert "cookie" not in first.headers["vary"].lower()
    assert "set-cookie" not in first.headers

    def hits() -> float:
        return float(re.findall(r"(?m)^copydesk_cache_hits_total (\S+)", client.get("/metrics").text)[0])

    before = hits()
    again = client.get(address, headers={"Cookie": "__Host-consent_subject=whoever"})
    assert hits() == before + 1
    assert again.content == first.content
    assert client.get(address, headers={"If-None-Match": first.headers["etag"]}).status_code == 304
    edit(editor, article, headline="Late and true")
    assert "Late and true" in client.get(address).text


def test_nothing_runs_and_nothing_comes_from_elsewhere(client: httpx.Client, editor: httpx.Client) -> None:
    article = published(
        editor, headline=mark(), body=[{"type": "embed", "url": "https://www.youtube.com/watch?v=1"}]
    )
    for address in (f"/read/{article['slug']}", "/consent", "/consent/report", "/desk/followers"):
        response = client.get(address)
        policy = response.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'")
        assert "unsafe" not in policy and "script-src" not in policy
        page = html.fromstring(response.text)
        assert (
            page.xpath("//script[not(@type='application/ld+json')] | //iframe | //*[@style] | //@onclick")
            == []
        )
        assert all(
            source.startswith("/") for source in page.xpath("//img/@src | //link[@rel='stylesheet']/@href")
        )


def test_the_style_sheet_is_kept_for_ever_under_the_name_of_its_content(client: httpx.Client) -> None:
    name = one(page_of(client.get("/")), "//link[starts-with(@href, '/assets/')]/@href")
    assert "immutable" in client.get(name).headers["cache-control"]
    assert client.get("/assets/site-000000000000.css").headers["location"] == name


@pytest.mark.slow
def test_the_pages_can_be_switched_off(store: Store, editor: httpx.Client) -> None:
    article = published(editor, headline=mark())
    with another(store, web="off") as second, second.client() as client:
        for address in (f"/read/{article['slug']}", "/consent", "/consent/report", "/desk/followers"):
            response = client.get(address)
            assert (response.status_code, response.headers["content-type"]) == (
                404,
                "application/problem+json",
            )
        assert f"{ORIGIN}/v1/articles/{article['slug']}" in client.get("/feeds/rss.xml").text
