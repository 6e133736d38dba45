"""A partner finds what is wrong in its copy by hashes over ranges of numbers."""

import hashlib
import random

import httpx
import pytest

from tests.articles.newsroom import do, edit, problem, published
from tests.images.pictures import make_caption
from tests.sync.following import follow
from tests.sync.hashing import copied, differences, digest_of


def test_a_copy_that_follows_the_feed_is_proven_equal(client: httpx.Client, editor: httpx.Client) -> None:
    image = editor.post(
        "/v1/images", json={"credit_line": "Ana Lind", "focal_point": {"x": 0.5, "y": 0.25}}
    ).json()
    make_caption(editor, image, "Smörgåsbord – “quays”")
    article = published(editor, lead_image_id=image["id"], summary="Žofín \u2028 😀")
    edit(editor, article, headline="Newer")
    do(editor, published(editor), "withdraw", reason="Wrong.")
    copy = copied(client)
    assert differences(client, copy) == (set(), 1)
    whole = client.get("/v1/changes/digest").json()
    assert whole["entries"] == len(copy)
    assert whole["digest"] == digest_of(copy, whole["first"], whole["last"])
    assert sum(part["entries"] for part in whole["parts"]) == len(copy)
    assert whole["seq"] >= max(seq for seq, _ in copy.values())


@pytest.mark.slow
def test_rows_that_are_spoilt_missing_or_too_many_are_found_in_few_requests(
    client: httpx.Client, editor: httpx.Client
) -> None:
    items = [
        {
            "source": "wire",
            "external_id": f"digest-{number}",
            "headline": f"Tram {number}",
            "status": "published",
        }
        for number in range(300)
    ]
    made = editor.post("/v1/articles/bulk", json=items).json()["items"]
    gone = published(editor)
    before = copied(client)
    do(editor, gone, "unpublish")
    copy = copied(client) | {gone["id"]: before[gone["id"]]}
    chance = random.Random(7)
    spoilt, missing = (chance.sample([each["id"] for each in made[part::2]], 3) for part in (0, 1))
    wrong = {copy[id_][0] for id_ in [*spoilt, *missing, gone["id"]]}
    for id_ in spoilt:
        copy[id_] = (copy[id_][0], copy[id_][1].replace("article", "artikel"))
    for id_ in missing:
        del copy[id_]
    found, asked = differences(client, copy)
    assert found == wrong
    assert asked <= 1 + 5 * len(wrong)


def test_a_range_must_be_one_and_not_too_large(client: httpx.Client) -> None:
    for query in ("from=0", "from=9&to=8", "from=1&to=10000001", "to=x"):
        said = problem(client.get(f"/v1/changes/digest?{query}"), 422)
        assert [error["pointer"] for error in said["errors"]] == [f"/{'to' if 'to=' in query else 'from'}"]
    [part] = client.get("/v1/changes/digest?from=1&to=2").json()["parts"][1:]
    assert (part["first"], part["last"]) == (2, 2)
    assert client.get("/v1/changes/digest?from=5&to=5").json()["parts"] == []


def test_the_answer_changes_with_what_is_public(client: httpx.Client, editor: httpx.Client) -> None:
    article = published(editor)
    first = client.get("/v1/changes/digest")
    again = client.get("/v1/changes/digest", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    edit(editor, article, headline="Newer")
    assert client.get("/v1/changes/digest").json()["digest"] != first.json()["digest"]


def test_what_has_gone_is_hashed_with_its_reason_when_it_is_asked_for(
    client: httpx.Client, editor: httpx.Client
) -> None:
    do(editor, published(editor), "withdraw", reason="Wrong.")
    do(editor, published(editor), "unpublish")
    *_, withdrawn, gone = follow(client)[0]
    for entry, reason in ((withdrawn, "withdrawn Wrong."), (gone, "unpublished")):
        query = f"from={entry['seq']}&to={entry['seq']}"
        said = f"{entry['seq']} article {entry['id']} {entry['version']} {reason}\n"
        told = client.get(f"/v1/changes/digest?{query}&gone=true").json()
        assert (told["entries"], told["digest"]) == (1, hashlib.sha256(said.encode()).hexdigest())
        assert client.get(f"/v1/changes/digest?{query}").json()["entries"] == 0
    assert problem(client.get("/v1/changes/digest?to=10000001&gone=true"), 422)
