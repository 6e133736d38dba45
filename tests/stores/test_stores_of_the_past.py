"""A store that any released version left is migrated and served: it answers what it answered then.

`README.md` beside this file says what is kept, and how a store is added at a release.
"""

import io
import itertools
import re
from collections.abc import Iterator
from functools import partial
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from PIL import Image

from service.main import PAGES
from service.server import openapi
from tests.articles.newsroom import edit, published, walk
from tests.patience import wait_until
from tests.serving import settings_for
from tests.stores.make.partners import follow
from tests.stores.make.readers import COOKIE
from tests.stores.manifest import Follower, Manifest
from tests.stores.opening import Past
from tests.stores.saying import losses
from tests.webhooks.keeping import deliveries
from tests.webhooks.receiver import receiver

CURSORS_END: dict[str, str] = {}
"""Why followers of a kept store are sent back to the beginning, by the name of the store."""
NOT_STORED = {
    "/assets/{name}",
    "/v1/changes/stream",
    "/preview/{token}",
    "/v1/previews/{token}",
    "/v1/previews/{token}/media/{image_id}/{name}",
    "/v1/embargoed-articles/{article_id}",
    "/v1/embargoed-articles/{article_id}/media/{image_id}/{name}",
}
"""Paths for which a kept store has nothing, because it has no previews and nothing waits in it, and a path
whose answer has no end.
"""
POOLS = {"slug": ["ferry-is-back-for-good", "mayor-stays"]}
"""Values for parameters of paths that no manifest has; of files manifests have whole addresses."""
QUERIES = {
    "/v1/consent-log/inclusion-proof": "?leaf_index=0",
    "/v1/consent-log/consistency-proof": "?first=0",
}
"""What a path must be asked with."""
ENOUGH = 3
"""Addresses that must answer, of each path."""
RARELY = 5
"""Of so many addresses of files one is asked for again after rendering, which changes none of them."""


def test_every_public_answer_says_what_it_said(past: Past) -> None:
    assert losses(past.reader, past.manifest.public) == []


def test_every_answer_for_staff_says_what_it_said(past: Past) -> None:
    assert losses(past.staff, past.manifest.staff) == []


def test_what_no_reader_could_read_stays_hidden(past: Past) -> None:
    statuses = {address: past.reader.get(address).status_code for address in past.manifest.hidden}
    assert {address: status for address, status in statuses.items() if status not in (404, 410)} == {}


def test_every_address_of_a_file_leads_to_the_picture(past: Past) -> None:
    assert astray(past.reader, past.manifest.files) == []


def astray(client: httpx.Client, files: dict[str, tuple[int, int]]) -> list[tuple[str, object]]:
    """Return the addresses of files that do not lead to their pictures, and what they lead to."""
    faults: list[tuple[str, object]] = []
    for address, (width, height) in files.items():
        response = client.get(address, follow_redirects=True)
        if response.status_code != 200 or any(each.status_code != 307 for each in response.history):
            faults.append((address, [each.status_code for each in (*response.history, response)]))
            continue
        across, down = Image.open(io.BytesIO(response.content)).size
        # An original lies as the camera was held; a size of it stands upright.
        known = {width / height, height / width} if "/original-" in address else {width / height}
        # A crop that is not made any more leads to another shape.
        is_made = crop_of(address) == crop_of(response.request.url.path)
        if is_made and min(abs(across / down - ratio) for ratio in known) > 0.1:
            faults.append((address, f"{width}x{height} became {across}x{down}"))
    return faults


def crop_of(address: str) -> str:
    """Return the sides of a crop, such as 4x3, that the name of a file begins with; nothing for the whole."""
    return re.findall(r"/(\d+x\d+|)[^/]*$", address)[0]


@pytest.fixture(scope="session")
def reads(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Every path of today that is read by GET, pages too, with queries to ask it with."""
    folder = tmp_path_factory.mktemp("document")
    document = openapi(settings_for(f"sqlite:///{folder / 'none.db'}", folder))
    found = {
        path: list(choices(document, methods["get"]))
        for path, methods in document["paths"].items()
        if "get" in methods
    }
    pages = (route for router in PAGES for route in router.routes)
    found |= {page.path: [] for page in pages if "GET" in page.methods}
    return {path: queries for path, queries in found.items() if path not in NOT_STORED}


def test_every_read_of_today_answers(past: Past, reads: dict[str, list[str]]) -> None:
    asked = {path: (addresses(path, past.manifest), queries) for path, queries in reads.items()}
    unanswered = [
        path for path, (places, queries) in asked.items() if places and not answers(past, places, queries)
    ]
    assert unanswered == []


def addresses(path: str, manifest: Manifest) -> list[str]:
    """The addresses of a path, with every value that the store has for its parameters."""
    if path.startswith("/media/"):
        return list(manifest.files)
    names = re.findall(r"{(\w+)}", path)
    pools = manifest.pools | POOLS
    assert [name for name in names if name not in pools] == [], f"{path}: say in POOLS what to ask for"
    filled = itertools.product(*(pools[name] for name in names))
    return [path.format(**dict(zip(names, chosen, strict=True))) + QUERIES.get(path, "") for chosen in filled]


def choices(document: dict[str, Any], operation: dict[str, Any]) -> Iterator[str]:
    """A query for each value of each parameter that takes one of some values."""
    for parameter in operation.get("parameters", ()):
        for value in values(document, parameter["schema"]):
            yield f"{parameter['name']}={quote(str(value))}"


def values(document: dict[str, Any], schema: dict[str, Any]) -> list[Any]:
    """The values that a schema lists."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    found = list(schema.get("enum", [schema["const"]] if "const" in schema else []))
    return found + [value for part in schema.get("anyOf", ()) for value in values(document, part)]


def answers(past: Past, places: list[str], queries: list[str]) -> bool:
    """Ask until some addresses have answered, and the first of them with each query; refuse faults."""
    found: list[tuple[httpx.Client, str]] = []
    cookie = {"Cookie": f"{COOKIE}={past.manifest.readers[-1].cookie}"}
    for client, place in itertools.product((past.reader, past.staff), places):
        response = client.get(place, headers=cookie)
        assert response.status_code < 500, (place, response.text)
        found += [(client, place)] if response.status_code < 400 else []
        if len(found) == ENOUGH:
            break
    for (client, place), query in itertools.product(found[:1], queries):
        response = client.get(f"{place}{'&' if '?' in place else '?'}{query}", headers=cookie)
        assert response.status_code < 500, (place, query, response.text)
    return bool(found)


def test_followers_go_on_from_where_they_stopped_and_end_with_the_same_as_beginners(past: Past) -> None:
    for follower in past.manifest.followers:
        client = past.staff if follower.staff else past.with_token("partner")
        beginner: dict[str, str] = {}
        follow(client, start(follower), beginner)
        holds = dict(follower.holds)
        if past.manifest.name in CURSORS_END:
            refused = client.get(follower.next)
            assert refused.status_code == 410
            assert "start" in refused.json()
            continue
        follow(client, follower.next, holds)
        assert holds.keys() == beginner.keys(), follower.next
        # What staff follow is rendered when it is read: a version may say more without a change.
        assert follower.staff or holds == beginner, follower.next


def test_rendered_again_every_answer_still_says_what_it_said(past: Past) -> None:
    done = past.opened.copydesk("render", "--json")
    assert done.exit_code == 0, done.output
    wait_until(lambda: past.reader.get("/health/ready").json()["rendering"] == "ok")
    test_every_public_answer_says_what_it_said(past)
    some = list(past.manifest.files.items())[::RARELY]
    assert astray(past.reader, dict(some)) == []
    test_followers_go_on_from_where_they_stopped_and_end_with_the_same_as_beginners(past)


def start(follower: Follower) -> str:
    """The address at which a follower began."""
    return re.sub(r"[?&]since=[^&]*", "", follower.next)


def test_who_stopped_in_a_list_reads_the_rest(past: Past) -> None:
    # A search ranks by the words of texts, and older ones are indexed anew when their articles are rendered
    # again.
    assert past.opened.copydesk("render", "--json").exit_code == 0
    for stopped in past.manifest.lists:
        assert [item["id"] for item in walk(past.reader, stopped.next)] == stopped.rest, stopped.address


def test_tokens_may_what_they_might(past: Past) -> None:
    statuses = {name: past.with_token(name).get("/v1/tokens").status_code for name in past.manifest.tokens}
    assert statuses == {"staff": 200, "partner": 403, "revoked": 401}
    assert past.with_token("partner").get("/v1/articles?status=draft").status_code == 200


def test_webhooks_deliver_what_was_pending_and_what_changes_now(past: Past) -> None:
    for hook in past.manifest.hooks:
        with receiver() as partner:
            partner.secret = hook.secret
            kept = {"id": hook.id}
            log = [delivery["message_id"] for delivery in deliveries(past.staff, kept)]
            assert set(log) >= {*hook.pending, *hook.finished}
            change = {"url": partner.url, "enabled": True}
            done = past.staff.patch(f"/v1/webhooks/{hook.id}", json=change, headers={"If-Match": "*"})
            assert done.status_code == 200, done.text
            wait_until(partial(lambda taken, awaited: len(taken) >= len(awaited), partner.ids, hook.pending))
            assert partner.ids == hook.pending
            assert past.staff.delete(f"/v1/webhooks/{hook.id}", headers={"If-Match": "*"}).status_code == 204


def test_life_goes_on(past: Past) -> None:
    article = past.staff.get("/v1/articles/ferry-is-back-for-good").json()
    edited = edit(past.staff, article, headline="Ferry is still back")
    assert edited["version"] == article["version"] + 1
    assert past.reader.get("/read/ferry-is-back-for-good").text.count("Ferry is still back") > 0
    other = published(past.staff, headline="Of today", lead_image_id=article["lead_image_id"])
    assert past.reader.get(f"/v1/articles/{other['id']}").json()["lead_image"]["caption"]["text"]
    decided = {"notice_key": "default", "notice_version": 1, "action": "reject_all"}
    assert past.reader.post("/v1/consents", json=decided).status_code == 201
