"""Deciding by forms alone: the banner, the reader's own page, and what other sites' pages cannot do."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from lxml import html

from tests.consent.deciding import OPTIONAL, current, events, granted, notice, publish
from tests.serving import EDITOR, ORIGIN, Store
from tests.web.looking import page_of

HIDDEN = "#notice{display:none}"


@pytest.fixture
def client(store: Store) -> Iterator[httpx.Client]:
    """A reader's browser, which says where its forms are from."""
    with store.client() as reader:
        reader.headers["Origin"] = ORIGIN
        yield reader


def send(
    client: httpx.Client,
    page: str = "/",
    action: str | None = "accept_all",
    ticked: tuple[str, ...] = (),
    which: str = "/consent",
) -> httpx.Response:
    """Fill in a form as the page has it, and press a button."""
    form = next(
        form for form in html.fromstring(client.get(page).text).forms if urlsplit(form.action).path == which
    )
    fields: dict[str, list[str]] = {}
    for box in form.xpath(".//input[@name][@type='hidden']"):
        fields.setdefault(box.name, []).append(box.value)
    if action is not None:
        assert form.xpath(f".//button[@name='action'][@value='{action}']")
        fields["action"] = [action]
    if ticked:
        fields["granted"] = list(ticked)
    return client.post(which, data=fields)


def style(client: httpx.Client) -> str:
    response = client.get("/consent/reader.css")
    assert response.headers["cache-control"] == "private, no-store"
    assert "Cookie" in response.headers["vary"]
    return response.text


@pytest.mark.parametrize(
    ("action", "status"), [("accept_all", "ConsentGiven"), ("reject_all", "ConsentRefused")]
)
def test_accepting_and_refusing_are_one_press_each_and_lead_back(
    client: httpx.Client, action: str, status: str
) -> None:
    assert HIDDEN not in style(client)
    response = send(client, "/?section=nowhere", action)
    assert (response.status_code, response.headers["location"]) == (303, "/?section=nowhere")
    assert "SameSite=Lax" in response.headers["set-cookie"] and "HttpOnly" in response.headers["set-cookie"]
    assert current(client)["status"] == status
    assert HIDDEN in style(client)
    (event,) = events(client)
    assert (event["ui_surface"], event["language"]) == ("banner", "en")


def test_the_two_buttons_are_alike(client: httpx.Client) -> None:
    first, second = html.fromstring(client.get("/").text).xpath(
        "//section[@id='notice']//div[@class='buttons']/button"
    )
    assert (first.get("value"), second.get("value")) == ("accept_all", "reject_all")
    assert {*first.attrib} == {*second.attrib} == {"name", "value"}


@pytest.mark.parametrize("ticked", [(), ("analytics",), OPTIONAL])
def test_choosing_stores_what_was_ticked_and_nothing_else(
    client: httpx.Client, ticked: tuple[str, ...]
) -> None:
    assert send(client, action="save", ticked=ticked).status_code == 303
    assert granted(current(client)) == {"necessary", *ticked}
    boxes = html.fromstring(client.get("/consent").text).xpath("//input[@name='granted'][@checked]/@value")
    assert tuple(boxes) == ticked


def test_consent_is_withdrawn_from_any_page_by_one_press(client: httpx.Client) -> None:
    send(client)
    assert ".withdrawal" not in style(client)
    response = send(client, action=None, which="/consent/withdrawal")
    assert (response.status_code, response.headers["location"]) == (303, "/")
    assert current(client)["status"] == "ConsentWithdrawn"
    assert ".withdrawal{display:none}" in style(client)
    assert "withdrawn your consent" in page_of(client.get("/consent")).text_content()


def test_a_reader_can_have_everything_erased(client: httpx.Client) -> None:
    send(client)
    assert send(client, "/consent", None, which="/consent/erasure").status_code == 303
    assert "not decided anything" in page_of(client.get("/consent")).text_content()
    assert HIDDEN not in style(client)


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://elsewhere.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_a_page_of_another_site_cannot_decide_for_the_reader(
    store: Store, client: httpx.Client, headers: dict[str, str]
) -> None:
    form = {
        "notice_key": "default",
        "notice_version": "1",
        "action": "accept_all",
        "language": "en",
        "surface": "banner",
    }
    with store.client() as other:
        for path in ("/consent", "/consent/withdrawal", "/consent/erasure"):
            page_of(other.post(path, data=form, headers=headers), 403)


@pytest.mark.parametrize(
    "back",
    [
        "https://elsewhere.example/",
        "//elsewhere.example",
        "/\\elsewhere.example",
        "javascript:alert(1)",
        "/a\nSet-Cookie: b=c",
    ],
)
def test_a_form_leads_nowhere_else(client: httpx.Client, back: str) -> None:
    response = client.post("/consent/withdrawal", data={"back": back})
    assert (response.status_code, response.headers["location"]) == (303, "/")


def test_a_form_that_was_made_up_is_refused_as_a_page(client: httpx.Client) -> None:
    form = {
        "notice_key": "default",
        "notice_version": "1",
        "action": "accept_all",
        "language": "en",
        "surface": "banner",
    }
    page_of(client.post("/consent", data={**form, "action": "sell"}), 422)
    page_of(client.post("/consent", data={**form, "notice_version": "99"}), 422)
    page_of(client.post("/consent", json=form), 415)
    page_of(client.post("/consent", data={**form, "back": "x" * 9000}), 413)


def test_the_banner_tells_the_truth_about_a_notice_that_only_informs(
    store: Store, client: httpx.Client
) -> None:
    with store.client("consent:write") as newsroom:
        words = {"title": "Cookies", "body": "We set cookies.", "actions": {"acknowledge": "Understood"}}
        # A notice in the language of an article is shown to its readers.
        publish(
            newsroom, notice("default", language="fi", consent_model="notice_only", purposes=[], texts=words)
        )
    with store.client(*EDITOR) as editor:
        made = editor.post(
            "/v1/articles", json={"headline": "Silta avattiin", "status": "published", "language": "fi"}
        ).json()
    page = page_of(client.get(f"/read/{made['slug']}"))
    (banner,) = page.xpath("//section[@id='notice']")
    assert banner.get("lang") == "fi"
    assert "not consent" in banner.text_content()
    assert banner.xpath(".//button/@value") == ["acknowledge"]
    send(client, f"/read/{made['slug']}", "acknowledge")
    assert current(client)["status"] == "ConsentUnknown"


def test_what_gpc_withholds_is_said_on_the_page_that_the_reader_comes_back_to(client: httpx.Client) -> None:
    client.headers["Sec-GPC"] = "1"
    assert send(client).headers["location"] == "/#withheld"
    (said,) = page_of(client.get("/")).xpath("//*[@id='withheld']")
    assert "Global Privacy Control" in said.text_content()
    assert "Marketing" in said.text_content()
    (said,) = page_of(client.get("/consent")).xpath("//*[@id='withheld']")
    assert "although you accepted: Marketing." in said.text_content()
    assert send(client, "/consent", "save", ticked=("marketing",)).headers["location"] == "/consent"
    assert "Global Privacy Control" not in page_of(client.get("/consent")).text_content()


def test_an_opt_out_banner_says_what_is_allowed_until_the_reader_chooses(
    store: Store, client: httpx.Client
) -> None:
    purposes = [{"purpose_key": "figures", "name": "Figures", "pregranted": True}]
    with store.client("consent:write") as newsroom:
        publish(newsroom, notice("default", consent_model="opt_out", purposes=purposes))
    assert "Until you choose, this is allowed: Figures." in page_of(client.get("/")).text_content()
    choices = page_of(client.get("/consent"))
    assert "Until you do, what is ticked below is allowed." in choices.text_content()
    assert choices.xpath("//input[@value='figures' and @checked]")
