"""Copy under embargo reaches holders of a contract with early access some hours before its time, and nobody
else.
"""

import random
from typing import Any

import httpx
import pytest

from service.contracts import Contract, Facts
from tests.articles.newsroom import do, draft, edit, ids, mark, problem, published, trash, walk
from tests.clocks import MovableClock, clock
from tests.images.pictures import make_image, make_own_image
from tests.patience import wait_until
from tests.serving import Store

__all__ = ["clock"]
EARLY = "/v1/embargoed-articles"


def scheduled(editor: httpx.Client, at: str, **members: Any) -> dict[str, Any]:
    """An article that waits for its time."""
    article = draft(editor, **members)
    return do(editor, article, "publish", at=at)


def test_a_partner_reads_an_article_hours_before_its_time_and_nobody_else_does(
    store: Store, client: httpx.Client, editor: httpx.Client, clock: MovableClock
) -> None:
    tag, at = mark(), clock.in_(hours=3)
    article = scheduled(editor, at, tags=[tag], edition_note="For the desk.")
    for contract in (
        {"tags": [tag]},
        {"tags": [tag], "early_hours": 2},
        {"tags": [mark()], "early_hours": 9},
    ):
        with store.client(contract=contract) as other:
            answers = [other.get(EARLY), other.get(f"{EARLY}/{article['id']}")]
            if "early_hours" in contract:
                assert answers[0].json()["items"] == []
                problem(answers[1], 404)
            else:
                assert [problem(answer, 403)["status"] for answer in answers] == [403, 403]
    problem(client.get(EARLY), 401)
    problem(client.get(f"{EARLY}/{article['id']}"), 401)
    with store.client(contract={"tags": [tag], "early_hours": 4}) as partner:
        listed = partner.get(EARLY, params={"count": "true"})
        [seen] = listed.json()["items"]
        one = partner.get(f"{EARLY}/{article['id']}")
        assert (one.json(), listed.json()["total"]) == (seen, 1)
        assert (seen["id"], seen["status"], seen["scheduled_for"]) == (article["id"], "scheduled", at)
        assert (seen["headline"], seen["edition_note"]) == (article["headline"], None)
        assert listed.headers["cache-control"] == one.headers["cache-control"] == "private, no-store"
        again = partner.get(f"{EARLY}/{article['id']}", headers={"If-None-Match": one.headers["etag"]})
        assert again.status_code == 304
        assert ids(partner.get("/v1/articles")) == []
        assert partner.get("/v1/changes").json()["items"] == []
        problem(partner.get(f"/v1/articles/{article['id']}"), 404)


def test_an_article_comes_when_its_time_is_near_and_leaves_when_it_is_public(
    store: Store, editor: httpx.Client, clock: MovableClock
) -> None:
    tag = mark()
    article = scheduled(editor, clock.in_(hours=30), tags=[tag])
    with store.client(contract={"tags": [tag], "early_hours": 24}) as partner:
        assert ids(partner.get(EARLY)) == []
        clock.set_forward(hours=7)
        assert ids(partner.get(EARLY)) == [article["id"]]
        clock.set_forward(hours=24)
        wait_until(lambda: ids(partner.get(EARLY)) == [])
        wait_until(lambda: ids(partner.get("/v1/articles")) == [article["id"]])
        problem(partner.get(f"{EARLY}/{article['id']}"), 404)


def test_what_is_embargoed_or_taken_back_is_there_or_not_there_at_once(
    store: Store, editor: httpx.Client, clock: MovableClock
) -> None:
    tag = mark()
    held = draft(editor, tags=[tag], embargoed_until=clock.in_(hours=2), status="published")
    sent, binned = (scheduled(editor, clock.in_(hours=1), tags=[tag]) for _ in range(2))
    killed = edit(editor, published(editor, tags=[tag]), embargoed_until=clock.in_(hours=3))
    with store.client(contract={"tags": [tag], "early_hours": 24}) as partner:
        assert set(ids(partner.get(EARLY))) == {each["id"] for each in (held, sent, killed, binned)}
        do(editor, sent, "unpublish")
        do(editor, killed, "withdraw", reason="Wrong.")
        trash(editor, binned)
        assert ids(partner.get(EARLY)) == [held["id"]]
        edit(editor, held, tags=[mark()])
        assert ids(partner.get(EARLY)) == []


@pytest.mark.parametrize(("pictures", "gives"), [("all", True), ("own", False), ("none", False)])
def test_pictures_have_files_before_their_time_as_far_as_the_contract_gives_them(
    store: Store,
    client: httpx.Client,
    editor: httpx.Client,
    clock: MovableClock,
    pictures: str,
    gives: bool,
) -> None:
    tag, image = mark(), make_own_image(editor, source="agency")
    article = scheduled(
        editor,
        clock.in_(hours=1),
        tags=[tag],
        lead_image_id=image["id"],
        body=[{"type": "image", "image_id": image["id"]}, {"type": "paragraph", "html": "Soon."}],
    )
    contract = {"tags": [tag], "early_hours": 2, "pictures": pictures}
    base = f"{EARLY}/{article['id']}"
    with store.client(contract=contract) as partner, store.client("content:read") as desk:
        full, seen = desk.get(base).json(), partner.get(base).json()
        shown = [full["lead_image"], full["body"][0]["image"]]
        files = [size["href"] for each in shown for size in each["renditions"]]
        assert files
        for href in files:
            assert href.startswith(f"{base}/media/{image['id']}/")
            answer = partner.get(href)
            assert answer.status_code == (200 if gives else 404)
            assert answer.headers["cache-control"] == "private, no-store"
            problem(client.get(href), 401)
            problem(partner.get(href.removeprefix(base)), 404)
        assert (seen == full) is gives
        assert (image["id"] in str(seen)) is gives
        other = make_image(editor)
        problem(desk.get(f"{base}/media/{other['id']}/w640.jpg"), 404)
        reason = {"reason": "Altered."}
        assert editor.post(f"/v1/images/{image['id']}/withdraw", json=reason).status_code == 200
        assert [desk.get(href).status_code for href in files] == [410] * len(files)
        assert desk.get(base).json()["lead_image"] is None


def test_the_desk_sees_all_that_waits_page_by_page_and_what_is_due_first_comes_first(
    store: Store, editor: httpx.Client, clock: MovableClock
) -> None:
    waiting = [scheduled(editor, clock.in_(days=day)) for day in (40, 2, 9, 1, 300)]
    draft(editor)
    ordered = sorted(waiting, key=lambda each: each["scheduled_for"])
    known = {each["id"] for each in waiting}
    seen = [each["id"] for each in walk(editor, f"{EARLY}?limit=2&fields=id") if each["id"] in known]
    assert seen == [each["id"] for each in ordered]
    one = editor.get(f"{EARLY}/{ordered[0]['id']}", params={"fields": "slug"})
    assert one.json() == {"slug": ordered[0]["slug"]}
    problem(editor.get(EARLY, params={"cursor": "made-up"}), 400)


@pytest.mark.slow
def test_what_is_given_early_is_what_the_contract_would_give(
    store: Store, editor: httpx.Client, clock: MovableClock
) -> None:
    chance, word = random.Random(21), mark()
    members = {
        "section": [f"{word} a", f"{word} b", None],
        "source": [f"{word}.example", None],
        "language": ["zh-Hans", "zh", "sv"],
    }
    tags = [f"{word}1", f"{word}2"]
    facts: dict[str, Facts] = {}
    for _ in range(24):
        one = {name: chance.choice(values) for name, values in members.items()}
        one["tags"] = [tag for tag in tags if chance.random() < 0.5]
        article = scheduled(editor, clock.in_(hours=1), **{key: value for key, value in one.items() if value})
        facts[article["id"]] = Facts(one["section"], one["language"], one["source"], frozenset(one["tags"]))
    for _ in range(40):
        contract: dict[str, Any] = {
            "early_hours": 2,
            "kinds": chance.choice([["article"], ["article", "image"]]),
        }
        for name, values in (
            ("sections", members["section"][:2]),
            ("sources", members["source"][:1]),
            ("languages", ["zh", "sv"]),
            ("tags", tags),
        ):
            if chance.random() < 0.4:
                contract[name] = chance.sample(values, chance.randint(1, len(values)))
        judged = Contract.model_validate(contract)
        with store.client(contract=contract) as partner:
            given = {each["id"] for each in walk(partner, f"{EARLY}?limit=50")} & facts.keys()
        assert given == {id_ for id_, each in facts.items() if judged.admits("article", each)}, contract


def test_early_access_ends_with_its_contract(store: Store, editor: httpx.Client, clock: MovableClock) -> None:
    tag = mark()
    article = scheduled(editor, clock.in_(hours=9), tags=[tag])
    contract = {"tags": [tag], "early_hours": 24, "until": clock.in_(hours=1)}
    with store.client(contract=contract) as partner:
        assert ids(partner.get(EARLY)) == [article["id"]]
        clock.set_forward(hours=2)
        assert ids(partner.get(EARLY)) == []
        problem(partner.get(f"{EARLY}/{article['id']}"), 404)


@pytest.mark.parametrize("contract", [{"early_hours": -1}, {"early_hours": 721}, {"early_hours": "soon"}])
def test_hours_that_cannot_be_are_refused(admin: httpx.Client, contract: dict[str, Any]) -> None:
    refused = admin.post("/v1/tokens", json={"name": "early", "contract": contract})
    assert problem(refused, 422)["errors"][0]["pointer"] == "/contract/early_hours"


def test_early_access_without_articles_contradicts_itself(admin: httpx.Client) -> None:
    contract = {"early_hours": 1, "kinds": ["image"]}
    refused = admin.post("/v1/tokens", json={"name": "early", "contract": contract})
    assert problem(refused, 422)["errors"][0]["pointer"] == "/contract/early_hours"
    made = admin.post("/v1/tokens", json={"name": "early", "contract": {"early_hours": 1}}).json()
    assert made["contract"]["early_hours"] == 1
    assert (
        "early_hours" not in admin.post("/v1/tokens", json={"name": "x", "contract": {}}).json()["contract"]
    )
