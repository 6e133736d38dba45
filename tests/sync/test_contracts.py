"""A follower with a contract keeps the copy that the contract gives, at every number, and is told what leaves it."""

import os
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.articles.newsroom import edit, mark, published
from tests.effort import LONG
from tests.serving import Store
from tests.sync.following import follow

Copy = dict[tuple[str, str], Any]


def apply(copy: Copy, entries: list[dict[str, Any]]) -> None:
    """Do what a partner does."""
    for entry in entries:
        key = entry["kind"], entry["id"]
        if entry["op"] == "put":
            copy[key] = entry["data"]
        else:
            copy.pop(key, None)


def entries_of(partner: httpx.Client, address: str, id_: str) -> list[tuple[str, str | None]]:
    """Return the entries of one resource."""
    return [(each["op"], each["reason"]) for each in follow(partner, address)[0] if each["id"] == id_]


@pytest.mark.slow
def test_what_leaves_a_contract_is_told_once_and_what_was_never_in_it_is_not(
    store: Store, editor: httpx.Client
) -> None:
    mine, other = mark(), mark()
    inside = {"sections": {"section": mine}, "tags": {"tags": [other, mine]}, "sources": {"source": mine}}
    outside: dict[str, dict[str, Any]] = {
        "sections": {"section": other},
        "tags": {"tags": [other]},
        "sources": {"source": other},
    }
    for name, members in inside.items():
        with store.client(contract={name: [mine]}) as partner:
            _, start = follow(partner)
            article = published(editor, **members)
            never = published(editor, **outside[name])
            entries, then = follow(partner, start)
            assert [(each["id"], each["op"]) for each in entries if each["kind"] == "article"] == [
                (article["id"], "put")
            ]
            article = edit(editor, article, **outside[name])
            assert entries_of(partner, then, article["id"]) == [("remove", "left_scope")]
            then = follow(partner, then)[1]
            article = edit(editor, article, summary="Still elsewhere")
            edit(editor, never, summary="Still elsewhere")
            assert follow(partner, then)[0] == []
            article = edit(editor, article, **members)
            assert entries_of(partner, then, article["id"]) == [("put", None)]
            then = follow(partner, then)[1]
            gone = editor.post(f"/v1/articles/{article['id']}/withdraw", json={"reason": "Wrong."})
            assert gone.status_code == 200
            assert entries_of(partner, then, article["id"]) == [("remove", "withdrawn")]
            # Whoever begins now never had it.
            assert article["id"] not in {each["id"] for each in follow(partner)[0]}


def test_a_cursor_of_another_contract_leads_to_the_beginning(store: Store, client: httpx.Client) -> None:
    with store.client(contract={"sections": ["one"]}) as one, store.client(contract={}) as two:
        after = follow(one)[1]
        assert two.get(after).status_code == 410
        assert client.get(after).status_code == 410
        assert one.get(after).status_code == 200
        assert one.get(follow(client)[1]).status_code == 410


def test_a_mirror_is_no_partner(store: Store) -> None:
    with store.client(contract={}) as partner:
        assert partner.get("/v1/changes/mirror").status_code == 403
        assert partner.get("/v1/changes?view=staff").status_code == 403


def test_pictures_that_a_contract_leaves_out_are_in_no_entry(store: Store, editor: httpx.Client) -> None:
    bought = editor.post("/v1/images", json={"source": mark()}).json()
    article = published(editor, lead_image_id=bought["id"])
    with store.client(contract={"pictures": "own"}) as partner:
        (entry,) = [each for each in follow(partner)[0] if each["id"] == article["id"]]
        assert bought["id"] not in str(entry)
        assert partner.get(f"/v1/articles/{article['id']}").json() == entry["data"]
        assert bought["id"] not in {each["id"] for each in follow(partner)[0]}


SECTIONS, TAGS, SOURCES, LANGUAGES = ["s1", "s2"], ["t1", "t2", "T1"], ["o1", "o2"], ["sv", "zh-Hans", "nl"]


def some(values: list[str]) -> st.SearchStrategy[list[str]]:
    return st.one_of(st.just([]), st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True))


CONTRACTS = st.fixed_dictionaries(
    {
        "sections": some(SECTIONS),
        "tags": some(TAGS),
        "sources": some(SOURCES),
        "languages": some(["sv", "zh", "*"]),
        "kinds": st.lists(
            st.sampled_from(["article", "image", "caption"]), min_size=1, max_size=3, unique=True
        ).map(lambda kinds: sorted({"article", *kinds})),
        "pictures": st.sampled_from(["all", "own", "none"]),
    }
)
STATES = st.fixed_dictionaries(
    {
        "section": st.sampled_from([None, *SECTIONS]),
        "tags": st.lists(st.sampled_from(TAGS), max_size=2, unique=True),
        "source": st.sampled_from([None, *SOURCES]),
        "language": st.sampled_from(LANGUAGES),
    }
)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["edit", "edit", "edit", "unpublish", "publish", "picture", "show"]),
        st.integers(0, 2),
        STATES,
    ),
    min_size=1,
    max_size=8,
)


class House:
    """Some articles and pictures that a history changes."""

    def __init__(self, editor: httpx.Client) -> None:
        self.editor = editor
        self.images = [
            editor.post("/v1/images", json={"source": source}).json()["id"] for source in (None, "o1")
        ]
        for image in self.images:
            caption = {"image_id": image, "text": "A ferry", "language": "sv"}
            assert editor.post("/v1/captions", json=caption).status_code == 201
        self.articles = [published(editor, language="sv")["id"] for _ in range(3)]

    def do(self, step: str, number: int, state: dict[str, Any]) -> None:
        """Change one of them."""
        article = f"/v1/articles/{self.articles[number]}"
        any_version = {"If-Match": "*"}
        match step:
            case "edit":
                answer = self.editor.patch(article, json=state, headers=any_version)
            case "show":
                shown = self.images[number % 2] if state["section"] else None
                body = [{"type": "image", "image_id": self.images[1]}] if state["source"] else []
                members = {"lead_image_id": shown, "body": body}
                answer = self.editor.patch(article, json=members, headers=any_version)
            case "picture":
                image = f"/v1/images/{self.images[number % 2]}"
                answer = self.editor.patch(image, json={"source": state["source"]}, headers=any_version)
            case _:
                answer = self.editor.post(f"{article}/{step}")
        assert answer.status_code in (200, 409), answer.text

    def clean(self) -> None:
        """Leave nothing public."""
        for article in self.articles:
            self.editor.delete(f"/v1/articles/{article}", headers={"If-Match": "*"})


def what_is_given(partner: httpx.Client) -> Copy:
    """Return the resources that lists and items of a store give."""
    found: Copy = {}
    for kind in ("article", "image", "caption"):
        address = f"/v1/{kind}s?limit=50" + ("&body=blocks" if kind == "article" else "")
        while address:
            answer = partner.get(address).json()
            found |= {(kind, item["id"]): item for item in answer["items"]}
            address = answer["next"]
    return found


def expected(client: httpx.Client, contract: dict[str, Any]) -> set[tuple[str, str]]:
    """Return the public resources that a contract gives, judged by its members alone."""
    return {key for key, item in what_is_given(client).items() if gives(client, contract, key[0], item)}


def gives(client: httpx.Client, contract: dict[str, Any], kind: str, item: dict[str, Any]) -> bool:
    source = None if kind == "caption" else item.get("source")
    language = item.get("language") if kind != "image" else None
    tags, section = item.get("tags", []), item.get("section")
    ranges = contract["languages"]
    in_range = language is not None and any(
        each == "*" or f"{language}-".startswith(f"{each}-") for each in ranges
    )
    pictures = contract["pictures"]
    return (
        kind in contract["kinds"]
        and (not contract["sections"] or section in contract["sections"])
        and (not contract["sources"] or source in contract["sources"])
        and (not contract["tags"] or bool({*tags} & {*contract["tags"]}))
        and (not ranges or in_range)
        and (
            kind == "article"
            or pictures == "all"
            or (pictures == "own" and kind == "image" and source is None)
        )
    )


@pytest.mark.slow
@settings(
    max_examples=300 if LONG else int(os.environ.get("COPYDESK_EXAMPLES", "4")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(contract=CONTRACTS, steps=STEPS, every=st.integers(1, 3))
def test_a_followers_copy_is_the_filter_of_the_store_at_every_number(
    store: Store,
    client: httpx.Client,
    editor: httpx.Client,
    contract: dict[str, Any],
    steps: list[tuple[str, int, dict[str, Any]]],
    every: int,
) -> None:
    house = House(editor)
    try:
        with store.client(contract=contract) as partner:
            copy: Copy = {}
            entries, place = follow(partner, "/v1/changes?limit=2")
            apply(copy, entries)
            for number, step in enumerate(steps):
                house.do(*step)
                if number % every == 0:
                    entries, place = follow(partner, place)
                    apply(copy, entries)
                    assert copy == what_is_given(partner)
            apply(copy, follow(partner, place)[0])
            assert copy == what_is_given(partner)
            assert copy.keys() == expected(client, contract)
            assert all(partner.get(f"/v1/{kind}s/{id_}").json() == data for (kind, id_), data in copy.items())
    finally:
        house.clean()
