"""ETag, If-None-Match, If-Match (RFC 9110, 13)."""

import httpx
import pytest

from tests.articles.newsroom import caption, draft, edit, if_match, mark, picture, problem, published

LISTS = ["/v1/articles", "/v1/articles?fields=id", "/v1/articles?q=tram", "/v1/images", "/v1/captions"]


@pytest.fixture
def addresses(editor: httpx.Client) -> list[str]:
    """One of everything, and the lists."""
    image = picture(editor)
    words = caption(editor, image["id"])
    article = published(editor, lead_image_id=image["id"])
    return [
        f"/v1/articles/{article['id']}",
        f"/v1/articles/{article['slug']}",
        f"/v1/articles/{article['id']}?body=html",
        f"/v1/images/{image['id']}",
        f"/v1/captions/{words['id']}",
        f"/v1/images/{image['id']}/captions",
        "/v1/consents/current",
        *LISTS,
    ]


@pytest.mark.slow
def test_everything_has_a_strong_etag_that_answers_304(
    client: httpx.Client, editor: httpx.Client, addresses: list[str]
) -> None:
    for caller in (client, editor):
        for address in addresses:
            answer = caller.get(address)
            tag = answer.headers["etag"]
            assert tag[0] == tag[-1] == '"', address
            for known in (tag, f'"other", {tag}', f"W/{tag}", "*"):
                unchanged = caller.get(address, headers={"If-None-Match": known})
                assert (unchanged.status_code, unchanged.content) == (304, b""), (address, known)
                assert unchanged.headers["etag"] == tag
                assert unchanged.headers["cache-control"] == answer.headers["cache-control"]
                assert "vary" in unchanged.headers
            for other in ('"other"', "other", '""', tag.strip('"')):
                assert caller.get(address, headers={"If-None-Match": other}).status_code == 200


def test_an_etag_holds_until_something_changes(client: httpx.Client, editor: httpx.Client) -> None:
    article = published(editor, section=(section := mark()))
    for address in (f"/v1/articles/{article['id']}", f"/v1/articles?section={section}"):
        for caller in (client, editor):
            tag = caller.get(address).headers["etag"]
            assert caller.get(address).headers["etag"] == tag
            article = edit(editor, article, summary=mark())
            assert caller.get(address, headers={"If-None-Match": tag}).status_code == 200


def test_the_etag_of_an_anonymous_answer_is_a_writers_if_match(
    client: httpx.Client, editor: httpx.Client
) -> None:
    article = published(editor)
    for coding in ("identity", "br", "gzip", "zstd"):
        tag = client.get(f"/v1/articles/{article['id']}", headers={"Accept-Encoding": coding}).headers["etag"]
        answer = editor.patch(
            f"/v1/articles/{article['id']}", json={"summary": coding}, headers={"If-Match": tag}
        )
        assert answer.status_code == 200, tag


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (None, 428),
        ('"1"', 412),
        ('"2"', 200),
        ('"2-anything"', 200),
        ("*", 200),
        ('"9", "2"', 200),
        ('"20"', 412),
        ("2", 400),
        ('""', 412),
        ("", 400),
        ('"-2"', 412),
        ('"2', 400),
        ('"9", 2', 400),
        ('W/"2", "9"', 412),
        ('W/"2"', 412),
        ('W/"2-anything"', 412),
        ('W/"9", "2"', 200),
        ('"W/2"', 412),
    ],
)
def test_a_change_needs_the_version_that_is_there(
    editor: httpx.Client, header: str | None, status: int
) -> None:
    headers = {} if header is None else {"If-Match": header}
    for method in ("PUT", "PATCH", "DELETE"):
        article = edit(editor, draft(editor), summary="Second")
        body = None if method == "DELETE" else {"headline": "Changed"}
        answer = editor.request(method, f"/v1/articles/{article['id']}", json=body, headers=headers)
        assert answer.status_code == (204 if method == "DELETE" and status == 200 else status), answer.text
        if status == 412:
            assert problem(answer, 412, "precondition-failed")["current_version"] == 2
            assert editor.get(f"/v1/articles/{article['id']}").json() == article


@pytest.mark.parametrize("room", ["images", "captions"])
def test_pictures_and_captions_are_changed_under_the_same_conditions(editor: httpx.Client, room: str) -> None:
    image = picture(editor)
    thing = image if room == "images" else caption(editor, image["id"])
    address, body = f"/v1/{room}/{thing['id']}", {"credit_line": "B"} if room == "images" else {"text": "B"}
    problem(editor.patch(address, json=body), 428)
    problem(editor.delete(address), 428)
    assert editor.patch(address, json=body, headers=if_match(thing)).status_code == 200
    assert problem(editor.patch(address, json=body, headers=if_match(thing)), 412)["current_version"] == 2
    assert problem(editor.delete(address, headers=if_match(thing)), 412)["current_version"] == 2
    assert (
        editor.delete(address, headers={"If-Match": editor.get(address).headers["etag"]}).status_code == 204
    )


def test_if_none_match_never_changes_a_write_but_creation(editor: httpx.Client) -> None:
    article = draft(editor)
    answer = editor.patch(
        f"/v1/articles/{article['id']}",
        json={"summary": "x"},
        headers={**if_match(article), "If-None-Match": '"x"'},
    )
    assert answer.status_code == 200


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_to_create_only_changes_nothing_that_is_there(editor: httpx.Client, method: str) -> None:
    article = draft(editor)
    address = f"/v1/articles/{article['id']}"
    body = {} if method == "DELETE" else {"json": {"headline": "Another"}}
    for match in ("*", if_match(article)["If-Match"]):
        answer = editor.request(method, address, headers={"If-Match": match, "If-None-Match": "*"}, **body)
        assert problem(answer, 412, "already-exists")["current_version"] == 1
    problem(
        editor.request(method, address, headers={"If-Match": '"7-x"', "If-None-Match": "*"}, **body),
        412,
        "precondition-failed",
    )
    assert editor.get(address).json() == article


def test_an_answer_that_has_not_changed_varies_as_the_whole_one_does(editor: httpx.Client) -> None:
    articles = [draft(editor, body=[{"type": "paragraph", "html": "Long enough. " * 100}])]
    for address in (
        f"/v1/articles/{articles[0]['id']}",
        "/v1/articles?view=staff",
        "/v1/consent-log/tree-head",
    ):
        whole = editor.get(address)
        unchanged = editor.get(address, headers={"If-None-Match": whole.headers["etag"]})
        assert unchanged.status_code == 304
        said = [{name.strip() for name in each.headers["vary"].split(",")} for each in (whole, unchanged)]
        assert said[0] <= said[1]
        assert len(unchanged.headers["vary"].split(",")) == len(said[1])
