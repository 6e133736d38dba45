"""A picture may be shown from a time, until a time, and in some places; the clock sees to it, whoever is
asked.
"""

import re
from pathlib import Path

import httpx
import pytest
from sqlmodel import col, select

from service.images import clock as licences
from service.images import rights
from service.published import render
from service.published.backlog import Backlog
from service.published.models import Published
from service.settings import Settings
from tests.articles.newsroom import do, problem
from tests.clocks import MovableClock, clock
from tests.images.photographs import iim, jpeg, packet, scene, with_segments
from tests.images.pictures import change, image_of, make_article, make_caption, make_image, upload
from tests.images.test_kill import ALT, CREDIT, WORDS, mentions, surfaces
from tests.patience import wait_until
from tests.serving import Store, running, settings_for
from tests.sync.following import follow, now_at

__all__ = ["clock"]
ENDED = "expired"


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return settings_for(database_url, tmp_path, public_max_age=60)


@pytest.fixture
def nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """No job of the store carries out what the time brings: readers meet documents as they were rendered
    before.
    """
    monkeypatch.setattr(licences, "is_due", lambda _: False)
    monkeypatch.setattr(Backlog, "next_of_ended_rights", lambda _: None)


def shot(editor: httpx.Client, **fields: str) -> tuple[dict, dict]:
    image = make_image(editor, credit_line=CREDIT, **fields)
    return image, make_caption(editor, image, WORDS, alt_text=ALT)


def is_carried_out(store: Store) -> bool:
    """Return whether no published row says that its time is over."""
    with store.database.reading() as session:
        live = select(Published.id).where(col(Published.reason).is_(None))
        ended = (col(Published.expires_at) <= rights.latest()) | (
            col(Published.good_until) <= rights.latest()
        )
        return session.exec(live.where(ended)).first() is None


def asked(article: dict, image: dict, caption: dict) -> list[str]:
    return [path for paths in surfaces(article, image, caption).values() for path in paths]


@pytest.mark.slow
@pytest.mark.usefixtures("nobody_looks")
def test_no_surface_shows_a_picture_from_the_end_of_its_licence_on_before_any_job_has_run(
    client: httpx.Client, editor: httpx.Client, clock: MovableClock
) -> None:
    image, caption = shot(editor, usable_until=clock.in_(hours=1))
    article = make_article(editor, image, lead_image_id=image["id"], summary="The palace", slug="palace")
    preview = do(editor, article, "previews", expires_in=86_400)
    paths = [*asked(article, image, caption), preview["href"], preview["page"]]
    files = [each["href"] for each in client.get(f"/v1/images/{image['id']}").json()["renditions"]]
    before = {path: client.get(path) for path in [*paths, *files[:2]]}
    shown = {path for path, answer in before.items() if mentions(answer.text)}
    assert len(shown) > 30
    clock.set_forward(seconds=3_601)
    for path in asked(article, image, caption):
        answer = client.get(path, headers={"If-None-Match": before[path].headers.get("etag", '"x"')})
        assert mentions(answer.text) == [], path
        assert path not in shown or answer.status_code in (200, 410), (path, answer.status_code)
    for path in [*files, f"/v1/images/{image['id']}", f"/v1/captions/{caption['id']}"]:
        said = problem(client.get(path), 410, "expired")
        assert said["reason"] == ENDED
        assert path not in files or "no-store" in client.get(path).headers["cache-control"]
    [block] = client.get(f"/v1/articles/{article['id']}").json()["body"]
    assert (block["image"], block["caption"], block["withdrawn"]) == (None, None, {"reason": ENDED})
    removed = {entry["kind"]: entry["reason"] for entry in follow(client)[0] if entry["op"] == "remove"}
    assert removed == {"image": ENDED, "caption": ENDED}


@pytest.mark.slow
def test_followers_and_editors_are_told_and_the_articles_rendered_anew(
    store: Store, client: httpx.Client, editor: httpx.Client, clock: MovableClock
) -> None:
    image, _ = shot(editor, usable_until=clock.in_(hours=1))
    article = make_article(editor, image, lead_image_id=image["id"], slug="palace")
    path = f"/v1/articles/{article['id']}"
    before, place = client.get(path), now_at(client)
    clock.set_forward(hours=1, seconds=1)
    meanwhile = client.get(path)
    wait_until(lambda: is_carried_out(store))
    after = client.get(path)
    assert (after.content, after.headers["etag"]) == (meanwhile.content, meanwhile.headers["etag"])
    told = {entry["kind"]: entry for entry in follow(client, place)[0]}
    assert {kind: (entry["op"], entry["reason"]) for kind, entry in told.items()} == {
        "image": ("remove", ENDED),
        "caption": ("remove", ENDED),
        "article": ("put", None),
    }
    assert told["article"]["data"] == after.json() != before.json()
    seen = editor.get(f"/v1/images/{image['id']}").json()
    assert (seen["expired_at"], seen["version"]) == (seen["usable_until"], 2)
    assert editor.get(seen["renditions"][0]["href"]).status_code == 200
    [block] = editor.get(path).json()["body"]
    assert (block["image"], block["withdrawn"]) == (None, {"reason": ENDED})
    # An editor who has bought it for longer shows it again.
    change(editor, f"/v1/images/{image['id']}", {"usable_until": clock.in_(days=9)})
    assert client.get(path).json()["body"][0]["image"]["id"] == image["id"]
    assert editor.get(f"/v1/images/{image['id']}").json()["expired_at"] is None


@pytest.mark.slow
def test_caches_keep_nothing_beyond_the_end(
    client: httpx.Client, editor: httpx.Client, clock: MovableClock
) -> None:
    image, caption = shot(editor, usable_until=clock.in_(hours=1))
    article = make_article(editor, image, lead_image_id=image["id"], slug="palace")
    file = client.get(f"/v1/images/{image['id']}").json()["renditions"][0]["href"]
    paths = [*asked(article, image, caption), file]
    telling = {path for path in paths if mentions(client.get(path).text)} | {file}
    clock.set_forward(minutes=59, seconds=30)
    for path in sorted(telling):
        told = client.get(path).headers["cache-control"]
        ages = {name: int(seconds) for name, seconds in re.findall(r"([\w-]+)=(\d+)", told)}
        reach = ages["max-age"] + max(ages["stale-while-revalidate"], ages["stale-if-error"])
        assert 20 <= reach <= 30, (path, told)


@pytest.mark.slow
def test_a_clock_that_is_set_back_gives_nothing_back(
    store: Store,
    client: httpx.Client,
    editor: httpx.Client,
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    image, _ = shot(editor, usable_until=clock.in_(hours=1))
    path = f"/v1/articles/{make_article(editor, image)['id']}"
    monkeypatch.setattr(licences, "AT_ONCE", 1)
    clock.set_forward(hours=2)
    assert client.get(path).json()["body"][0]["image"] is None
    clock.set_forward(hours=-2)
    assert client.get(path).json()["body"][0]["image"] is None
    wait_until(lambda: is_carried_out(store))
    # Not even in a process that begins now, and has never seen the later time.
    monkeypatch.setattr("service.tables.CLOCK.latest", clock())
    with running(store.settings) as again, again.client() as reader:
        assert reader.get(path).json()["body"][0]["image"] is None
        assert reader.get(f"/v1/images/{image['id']}").status_code == 410


@pytest.mark.slow
def test_a_picture_is_not_there_for_readers_before_its_time(
    client: httpx.Client, editor: httpx.Client, clock: MovableClock
) -> None:
    image, caption = shot(editor, usable_from=clock.in_(hours=1))
    article = make_article(editor, image, lead_image_id=image["id"], slug="palace", summary="The palace")
    for path in asked(article, image, caption):
        assert mentions(client.get(path).text) == [], path
    [block] = client.get("/v1/articles/palace").json()["body"]
    assert (block["image"], block["withdrawn"]) == (None, None)
    for path in (f"/v1/images/{image['id']}", f"/media/{image['id']}/w40.jpg"):
        problem(client.get(path), 404)
    clock.set_forward(hours=1, seconds=1)
    wait_until(lambda: client.get(f"/v1/images/{image['id']}").status_code == 200)
    assert client.get("/v1/articles/palace").json()["body"][0]["image"]["id"] == image["id"]
    assert client.get("/v1/articles").json()["items"][0]["lead_image"]["id"] == image["id"]
    # Taken back to a later time it goes at once.
    change(editor, f"/v1/images/{image['id']}", {"usable_from": clock.in_(hours=1)})
    assert client.get("/v1/articles/palace").json()["body"][0]["image"] is None
    problem(client.get(f"/v1/images/{image['id']}"), 404)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("narrower", "status", "told"),
    [
        ({"usable_until": "2020-01-01T00:00:00Z"}, 410, {"reason": ENDED}),
        ({"usable_in": ["print", "partners"]}, 410, {"reason": ENDED}),
        ({"usable_from": "2099-01-01T00:00:00Z"}, 404, None),
    ],
)
def test_narrower_rights_act_at_once_and_wider_ones_undo_them_while_articles_await_their_batch(
    narrower: dict,
    status: int,
    told: dict | None,
    client: httpx.Client,
    editor: httpx.Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(render, "SECONDS_OF_ARTICLES", -1.0)
    monkeypatch.setattr(render, "ALWAYS", 0)
    monkeypatch.setattr(Backlog, "next_of_changed_pictures", lambda _: None)
    image, caption = shot(editor)
    article = make_article(editor, image, lead_image_id=image["id"], slug="palace", summary="The palace")
    paths = asked(article, image, caption)
    before = {path: client.get(path) for path in paths}
    change(editor, f"/v1/images/{image['id']}", narrower)
    for path in paths:
        answer = client.get(path, headers={"If-None-Match": before[path].headers.get("etag", '"x"')})
        assert mentions(answer.text) == [], path
    assert client.get(f"/v1/images/{image['id']}").status_code == status
    assert client.get("/v1/articles/palace").json()["body"][0]["withdrawn"] == told
    change(editor, f"/v1/images/{image['id']}", dict.fromkeys(narrower))
    for path in (f"/v1/articles/{article['id']}", "/v1/articles"):
        assert client.get(path).json() == before[path].json()


@pytest.mark.slow
def test_a_licence_that_ends_while_articles_await_their_batch_ends_in_them_too(
    client: httpx.Client, editor: httpx.Client, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render, "SECONDS_OF_ARTICLES", -1.0)
    monkeypatch.setattr(render, "ALWAYS", 0)
    monkeypatch.setattr(Backlog, "next_of_changed_pictures", lambda _: None)
    image, caption = shot(editor)
    article = make_article(editor, image, lead_image_id=image["id"], slug="palace", summary="The palace")
    paths = asked(article, image, caption)
    change(editor, f"/v1/images/{image['id']}", {"usable_until": clock.in_(hours=1)})
    for path in paths:
        client.get(path)
    assert mentions(client.get("/v1/articles/palace").text)
    clock.set_forward(hours=1, seconds=1)
    for path in paths:
        assert mentions(client.get(path).text) == [], path


def test_rights_are_read_and_written_with_an_image_and_refused_where_they_contradict(
    editor: httpx.Client, client: httpx.Client
) -> None:
    begins, ends = "2026-01-01T00:00:00Z", "2099-01-01T00:00:00Z"
    image = image_of(upload(editor, usable_from=begins, usable_until=ends, usable_in="web, print"))
    make_article(editor, image)
    for seen in (image, client.get(f"/v1/images/{image['id']}").json()):
        assert (seen["usable_from"], seen["usable_until"], seen["usable_in"]) == (
            begins,
            ends,
            ["web", "print"],
        )
    path = f"/v1/images/{image['id']}"
    for wrong, pointer in (
        ({"usable_until": begins}, "/usable_until"),
        ({"usable_from": ends}, "/usable_until"),
        ({"usable_in": []}, "/usable_in"),
        ({"usable_in": ["moon"]}, "/usable_in/0"),
        ({"usable_until": "2026-01-01"}, "/usable_until"),
        ({"expired_at": begins}, "/expired_at"),
    ):
        said = problem(editor.patch(path, json=wrong, headers={"If-Match": "*"}), 422)
        assert [error["pointer"] for error in said["errors"]] == [pointer], wrong
    same = editor.put(path, json=image, headers={"If-Match": "*"})
    assert (same.status_code, same.json()["version"]) == (200, 1)


@pytest.mark.parametrize(
    ("segments", "begins", "ends"),
    [
        (
            [iim([(30, b"20250101"), (35, b"080000+0100"), (37, b"20990301"), (38, b"120000-0500")])],
            "2025-01-01T07:00:00Z",
            "2099-03-01T17:00:00Z",
        ),
        ([iim([(30, b"20250101"), (37, b"20990301")])], "2025-01-01T00:00:00Z", "2099-03-02T00:00:00Z"),
        ([iim([(37, b"00000000"), (38, b"nonsense")])], None, None),
        # One that ends before it begins says nothing.
        ([iim([(30, b"20990301"), (37, b"20250101")])], None, None),
    ],
)
def test_a_photograph_says_itself_when_its_licence_begins_and_ends(
    segments: list[bytes], begins: str | None, ends: str | None, editor: httpx.Client
) -> None:
    photograph = with_segments(jpeg(), *segments)
    image = image_of(upload(editor, photograph, "image/jpeg"))
    assert (image["usable_from"], image["usable_until"]) == (begins, ends)


def test_plus_goes_before_iim_and_whoever_sends_the_picture_before_both(editor: httpx.Client) -> None:
    dates = (
        "<plus:LicenseStartDate>2025-02-03T04:05:06+02:00</plus:LicenseStartDate>"
        "<plus:LicenseEndDate>2098-01-31</plus:LicenseEndDate>"
    )
    photograph = with_segments(
        jpeg(xmp=packet(dates, ' xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/"')), iim([(37, b"20990301")])
    )
    image = image_of(upload(editor, photograph, "image/jpeg"))
    assert (image["usable_from"], image["usable_until"]) == ("2025-02-03T02:05:06Z", "2098-02-01T00:00:00Z")
    other = with_segments(
        jpeg(scene((70, 50)), xmp=packet(dates, ' xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/"')),
        iim([(37, b"20990301")]),
    )
    path = f"/v1/images/{image['id']}"
    change(editor, path, {"usable_until": "2097-01-01T00:00:00Z"})
    sent = editor.put(f"{path}/file", content=other, headers={"Content-Type": "image/jpeg", "If-Match": "*"})
    assert image_of(sent)["usable_until"] == "2097-01-01T00:00:00Z"


def test_what_the_desk_wrote_stays_though_a_file_says_the_same(editor: httpx.Client) -> None:
    image = make_image(editor, usable_until=ENDS["20980131"], credit_line="Ana Lind")
    for said in (("20980131", "Ana Lind"), ("20990228", "Bo Ek")):
        image = licensed(editor, image, *said)
        assert (image["usable_until"], image["credit_line"]) == (ENDS["20980131"], "Ana Lind")


def test_what_a_file_says_follows_the_file_until_the_desk_writes_it(editor: httpx.Client) -> None:
    image = licensed(editor, make_image(editor), "20980131", "Ana Lind")
    image = licensed(editor, image, "20990228", "Bo Ek")
    assert (image["usable_until"], image["credit_line"]) == (ENDS["20990228"], "Bo Ek")
    path = f"/v1/images/{image['id']}"
    change(editor, path, {"usable_until": ENDS["20980131"]})
    change(editor, path, {"usable_until": ENDS["20990228"]})
    image = licensed(editor, image, "20990331", "Cy Ur")
    assert (image["usable_until"], image["credit_line"]) == (ENDS["20990228"], "Cy Ur")


ENDS = {
    "20980131": "2098-02-01T00:00:00Z",
    "20990228": "2099-03-01T00:00:00Z",
    "20990331": "2099-04-01T00:00:00Z",
}
"""Last days of licences as files say them, and when the licences end."""


def licensed(editor: httpx.Client, image: dict, day: str, credit: str) -> dict:
    """Give an image a file that says the last day of its licence, and a credit."""
    photograph = with_segments(jpeg(), iim([(37, day.encode()), (110, credit.encode())]))
    headers = {"Content-Type": "image/jpeg", "If-Match": "*"}
    return image_of(editor.put(f"/v1/images/{image['id']}/file", content=photograph, headers=headers))


@pytest.mark.slow
def test_what_ends_soon_is_listed_for_editors(
    editor: httpx.Client, client: httpx.Client, clock: MovableClock
) -> None:
    soon, later = (
        make_image(editor, colour, usable_until=clock.in_(days=days))
        for colour, days in (("red", 2), ("blue", 9))
    )
    make_image(editor)
    for days, found in ((1, []), (3, [soon]), (10, [later, soon])):
        listed = editor.get(
            "/v1/images", params={"expires_before": clock.in_(days=days), "count": "true"}
        ).json()
        assert ([each["id"] for each in listed["items"]], listed["total"]) == (
            [each["id"] for each in found],
            len(found),
        )
    clock.set_forward(days=3)
    wait_until(lambda: editor.get(f"/v1/images/{soon['id']}").json()["expired_at"])
    listed = editor.get("/v1/images", params={"expires_before": clock.in_(days=10)}).json()
    assert [each["id"] for each in listed["items"]] == [later["id"]]
    problem(client.get("/v1/images?expires_before=2030-01-01"), 401)
