"""An article that may be shown until a time is gone from then on, whoever is asked."""

import re

import httpx
import pytest
from sqlalchemy import Engine, event

from service.articles import clock as schedule
from service.articles.public_lists import FEEDS
from service.published import plain
from tests.articles.newsroom import (
    do,
    draft,
    edit,
    ids,
    if_match,
    mark,
    picture,
    pointers,
    problem,
    published,
)
from tests.clocks import MovableClock, clock
from tests.patience import wait_until
from tests.serving import Store
from tests.sync.following import follow, now_at

__all__ = ["clock"]


@pytest.fixture
def nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """No job ends an article: readers meet rows as they were published."""
    monkeypatch.setattr(schedule, "next_due", lambda _: None)


def is_gone(client: httpx.Client, article: dict, place: str) -> bool:
    return any(entry["id"] == article["id"] for entry in follow(client, place)[0])


@pytest.mark.slow
@pytest.mark.usefixtures("nobody_looks")
def test_no_surface_shows_an_article_from_its_end_on_before_any_job_has_run(
    client: httpx.Client, editor: httpx.Client, clock: MovableClock
) -> None:
    word, image = mark(), picture(editor)["id"]
    known = {"section": word, "tags": [word], "authors": [{"name": word}], "lead_image_id": image}
    other = published(editor, headline=f"Other {word}", **known)
    article = published(editor, headline=f"Ends {word}", **known, usable_until=clock.in_(hours=1))
    related = published(editor, headline=f"Third {word}", **known)
    one = [
        f"/v1/articles/{key}{query}"
        for key in (article["id"], article["slug"])
        for query in ("", "?body=html")
    ]
    lists = [
        f"/v1/articles?{query}"
        for query in (
            f"section={word}",
            f"tag={word}",
            f"tag={word}&tag=other",
            f"author={word}",
            f"q={word}",
            f"image_id={image}",
            f"id={article['id']}&id={other['id']}",
            f"related_to={related['id']}",
            "sort=-updated_at",
            f"section={word}&sort=-updated_at&body=html",
        )
    ]
    texts = [
        "/v1/changes?limit=200",
        *(f"/feeds/{name}" for name in FEEDS),
        "/sitemaps/news.xml",
        f"/sitemaps/articles.xml?section={word}",
        "/",
        f"/read/{article['slug']}",
    ]
    for path in lists:
        assert {article["id"], other["id"]} <= set(ids(client.get(path))), path
    for path in texts:
        assert article["slug"] in client.get(path).text, path
    total = client.get(f"/v1/articles?section={word}&count=true").json()["total"]
    clock.set_forward(hours=1, seconds=1)
    for path in one:
        said = problem(client.get(path), 410, "expired")
        assert (said["reason"], word in said["detail"]) == ("expired", False)
    for path in lists:
        found = ids(client.get(path))
        assert article["id"] not in found, path
        assert other["id"] in found, path
    for path in texts:
        assert article["slug"] not in client.get(path).text, path
    assert client.get(f"/read/{article['slug']}").status_code == 410
    assert client.get(f"/v1/articles?section={word}&count=true").json()["total"] == total - 1
    problem(client.get(f"/v1/articles?related_to={article['id']}"), 404)
    # A list that is cut by its limit goes on behind what has ended.
    first = client.get(f"/v1/articles?tag={word}&limit=1").json()
    assert (first["items"][0]["id"], first["next"] is not None) == (related["id"], True)
    assert ids(client.get(first["next"])) == [other["id"]]


@pytest.mark.slow
@pytest.mark.usefixtures("nobody_looks")
def test_no_list_promises_what_ended_while_it_was_read(
    store: Store,
    client: httpx.Client,
    editor: httpx.Client,
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    word = mark()
    known = {"section": word, "tags": [word], "headline": word}
    paths = [f"/v1/articles?{query}" for query in (f"tag={word}", f"tag={word}&section={word}", f"q={word}")]
    filled = plain.filled

    def pass_time(*_: object) -> None:
        clock.set_forward(hours=2)

    def fill_late(*given: object) -> list[object]:
        values = filled(*given)  # type: ignore[arg-type]
        pass_time()
        return values

    for path in paths:
        article = published(editor, **known, usable_until=clock.in_(hours=1))
        with monkeypatch.context() as patched:
            patched.setattr(plain, "filled", fill_late)
            event.listen(Engine, "after_cursor_execute", pass_time)
            answer = client.get(path)
            event.remove(Engine, "after_cursor_execute", pass_time)
        reach = sum(map(int, re.findall(r"=(\d+)", answer.headers["cache-control"])))
        assert article["id"] not in ids(answer) or reach == 0, path
        assert article["id"] not in ids(client.get(path)), path


@pytest.mark.slow
def test_editors_and_followers_are_told_and_a_later_end_shows_it_again(
    store: Store, client: httpx.Client, editor: httpx.Client, clock: MovableClock
) -> None:
    article = published(editor, headline=mark(), usable_until=clock.in_(hours=1))
    path, place = f"/v1/articles/{article['id']}", now_at(client)
    assert client.get(path).json()["usable_until"] == article["usable_until"]
    clock.set_forward(hours=1, seconds=1)
    wait_until(lambda: is_gone(client, article, place))
    [told] = [entry for entry in follow(client, place)[0] if entry["id"] == article["id"]]
    assert (told["op"], told["reason"], told["data"]) == ("remove", "expired", None)
    seen = editor.get(path).json()
    assert (seen["status"], seen["expired_at"]) == ("published", article["usable_until"])
    assert editor.get(f"{path}/versions").json()["items"][0]["action"] == "expired"
    # Neither an edit of something else nor a clock that is set back shows it again.
    clock.set_forward(hours=-1)
    seen = edit(editor, seen, summary="Put right")
    problem(client.get(path), 410, "expired")
    again = editor.put(path, json=seen, headers={"If-Match": "*"})
    assert (again.status_code, again.json()["version"]) == (200, seen["version"])
    edit(editor, seen, usable_until=None)
    assert client.get(path).json()["expired_at"] is None


def test_an_end_is_written_at_any_time_of_an_articles_life(
    client: httpx.Client, editor: httpx.Client, clock: MovableClock
) -> None:
    over = "2020-01-01T00:00:00Z"
    article = published(editor, headline=mark())
    problem(client.get(f"/v1/articles/{edit(editor, article, usable_until=over)['id']}"), 410, "expired")
    for made in (published(editor, headline=mark(), usable_until=over), draft(editor, usable_until=over)):
        do(editor, made, "publish")
        problem(client.get(f"/v1/articles/{made['id']}"), 404)
    late = draft(editor, headline=mark(), usable_until=clock.in_(hours=1))
    clock.set_forward(hours=2)
    do(editor, late, "publish")
    assert client.get(f"/v1/articles/{late['id']}").status_code in (404, 410)


def test_an_article_does_not_end_before_its_embargo_does(editor: httpx.Client, clock: MovableClock) -> None:
    wrong = {"embargoed_until": clock.in_(hours=2), "usable_until": clock.in_(hours=1)}
    assert pointers(editor.post("/v1/articles", json={"headline": "Ends", **wrong})) == ["/usable_until"]
    article = draft(editor, embargoed_until=wrong["embargoed_until"])
    address = f"/v1/articles/{article['id']}"
    late = editor.patch(address, json={"usable_until": wrong["usable_until"]}, headers=if_match(article))
    assert pointers(late) == ["/usable_until"]
    item = {"headline": "Ends", "source": "wire", "external_id": mark(), **wrong}
    [result] = editor.post("/v1/articles/bulk", json=[item]).json()["items"]
    assert (result["status"], result["problem"]["errors"][0]["pointer"]) == (422, "/usable_until")
    assert edit(editor, article, usable_until=clock.in_(hours=3))["version"] == 2
