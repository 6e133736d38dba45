"""No request reads a table from one end to the other: what one costs follows from what it asks for, not from
what the store holds.

SQLite says how it would carry a statement out. It keeps no statistics, so its plan is the same for ten rows
and for ten million.
"""

import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest

from tests.articles.newsroom import do, draft, edit, mark, published, trash
from tests.images.pictures import make_image
from tests.serving import Store, running, settings_for

FEW = frozenset(
    "alembic_version article_indexing bulk_place consent_impression consent_notice consent_retention consent_tree_head consent_unsealed copy_holder mirror_place"
    " published_awaiting published_epoch published_rendering published_sequence sqlite_master token walk webhook".split()
)
"""Tables that do not grow with what is published, read or decided. `published_epoch` has a row
a start of a process, `published_rendering` one an upgrade, `article_indexing` and `published_awaiting` one for
each changed picture whose articles are still to
be indexed or rendered.
"""
ASKED_FOR = {
    r"count\(\*\)": "`count=true` asks for a count, and a report for sums: nothing is counted beforehand",
    r"FROM published_past q WHERE q\.until_seq": "what has left a section lately, a page each of what is in it, sorted",
    r"FROM published_term WHERE published_term\.id = ": "the tags of one article, sorted",
    r"WITH RECURSIVE known": "the languages of a kind, one step along an index for each",
    r"WITH few AS": "what meets the rarest of some conditions, at most 2,000 articles, sorted",
    r"article_term": "the articles of one tag or author, sorted",
    r"image_use\.image_id = ": "the articles that show one picture, sorted",
    r"article_text": "what editors find by words, sorted",
    r"published_text": "what readers find by words, the newest 2,000 of it, sorted",
    r"(article|published)\.updated_at > .* ORDER BY \w+\.(listed|published)_at": "what has changed since a time, sorted by another",
    r"\.published_at [<>] .* ORDER BY \w+\.updated_at": "what was published in a time, sorted by another",
    r"consent_event\.(pseudonym|consent_id) = ": "what one reader decided, or was decided on one device, sorted",
    r"image\.usable_until < ": "the pictures whose licence ends soon, sorted",
    r"image\.digest = ": "the one picture of a digest",
    r"caption\.(image_id|article_id) ": "the captions of some pictures, or of one article",
    r"AND article\.external_id IN": "some keys of an integrator",
    r"row_number\(\) OVER": "the index of the sitemap: where each of its files begins",
    r"ORDER BY consent_leaf\.leaf_index": "the order in which that table lies",
}
"""What may be sorted as a whole, or read through, and why: by a part of its statement."""
VALUES = {
    "section": "harbour",
    "tag": "ferries",
    "language": "fi",
    "author": "Ana Lind",
    "source": "northern-wire",
    "q": "ferry quay",
    "published_after": "2020-01-01T00:00:00Z",
    "published_before": "2030-01-01T00:00:00Z",
    "updated_after": "2020-01-01T00:00:00Z",
    "sort": "-updated_at",
    "status": "draft",
    "digest": "0" * 64,
    "expires_before": "2030-01-01T00:00:00Z",
    "without_file": "true",
    "in_use": "false",
    "kind": "article,caption",
    "notice_key": "default",
    "view": "staff",
    "count": "true",
    "limit": "3",
    "consent_id": "device-1",
    "from": "2026-01-01",
    "to": "2026-12-31",
    "body": "html",
    "wait": "0",
    "slug": "the-ferry-is-back",
    "missing": "alt",
    "fields": "id",
    "by": "day",
    "until": "2026-12-31",
    "published": "2026-01-01T00:00:00Z",
    "leaf_index": "0",
    "leaf_hash": "0" * 64,
    "event_id": str(uuid4()),
    "tree_size": "1",
    "first": "0",
    "gone": "true",
    "second": "1",
}

JSON = {"Content-Type": "application/json"}
OTHERS = frozenset({"cursor", "since"})
"""Parameters that come with the pages that `read_everything` turns."""


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Every statement that the store has SQLite carry out."""
    statements: set[str] = set()
    connect = sqlite3.connect

    def listening(*args: Any, **kwargs: Any) -> sqlite3.Connection:
        connection = connect(*args, **kwargs)
        connection.set_trace_callback(statements.add)
        return connection

    monkeypatch.setattr(sqlite3, "connect", listening)
    monkeypatch.setattr(sqlite3.dbapi2, "connect", listening)
    return statements


@pytest.fixture
def store(statements: set[str], tmp_path: Path, sqlite_template: Path) -> Iterator[Store]:
    path = tmp_path / "store.db"
    path.write_bytes(sqlite_template.read_bytes())
    with running(settings_for(f"sqlite:///{path}", tmp_path)) as running_store:
        yield running_store


def test_no_request_reads_a_whole_table(store: Store, statements: set[str]) -> None:
    with store.client("admin", "content:read", name="desk") as desk, store.client() as reader:
        shown = write_everything(desk, reader)
        for client in (desk, reader):
            read_everything(client, VALUES | shown)
    with closing(sqlite3.connect(store.settings.sqlite_path)) as database:
        found = {verdict for statement in sorted(statements) for verdict in faults(database, statement)}
    assert len(statements) > 300
    assert not found, "\n\n".join(sorted(found))


def write_everything(desk: httpx.Client, reader: httpx.Client) -> dict[str, str]:
    """Do what editors, integrators and readers do in a day; return ids of what readers then see."""
    picture = make_image(desk)
    caption = {"image_id": picture["id"], "language": "en", "text": "The quay."}
    assert desk.post("/v1/captions", json=caption).is_success
    article = published(
        desk,
        tags=["ferries"],
        section="harbour",
        lead_image_id=picture["id"],
        source="northern-wire",
        external_id=mark(),
    )
    article = edit(desk, article, headline="The ferry is back", section="sport")
    do(desk, article, "corrections", text="It has two decks.")
    do(desk, do(desk, article, "unpublish"), "publish")
    do(desk, published(desk), "withdraw", reason="It named the wrong person.")
    gone = draft(desk)
    trash(desk, gone)
    do(desk, gone, "restore")
    inline = {
        "external_id": mark(),
        "source_url": f"https://wire.example/{mark()}.jpg",
        "captions": [{"text": "The ferry."}],
    }
    item = {"headline": "Bulk", "source": "northern-wire", "external_id": mark(), "lead_image": inline}
    refused = {
        "headline": "Bulk",
        "lead_image": {"source_url": "https://wire.example/2.jpg"},
        "source": "northern-wire",
        "slug": article["slug"],
    }
    for _ in range(2):
        items = orjson.dumps([item, refused | {"external_id": mark()}])
        assert desk.post("/v1/articles/bulk", content=items, headers=JSON).is_success
    assert desk.post("/v1/webhooks", json={"url": "https://partner.example/hook"}).is_success
    unused = desk.post("/v1/images", json={}).json()
    assert desk.delete(f"/v1/images/{unused['id']}", headers={"If-Match": "*"}).is_success
    notice = reader.get("/v1/consent-notices/default/current").json()
    decision = {
        "notice_key": "default",
        "notice_version": notice["version"],
        "action": "accept_all",
        "ui_surface": "banner",
    }
    for _ in range(2):
        decided = reader.post("/v1/consents", json=decision, headers={"Idempotency-Key": uuid4().hex})
        assert decided.status_code == 201
    assert reader.post("/v1/consents/current/withdrawal", json={}).is_success
    ids = dict.fromkeys(("id", "article_id", "related_to"), article["id"])
    return ids | {"image_id": picture["id"]}


def read_everything(client: httpx.Client, values: Mapping[str, str]) -> None:
    """Every list, bare and by each of its filters; every second page."""
    paths = client.get("/openapi.json").json()["paths"]
    del paths["/v1/changes/stream"]  # reads what the list of changes reads, without an end
    lists = {
        path: [one["name"] for one in operations["get"].get("parameters", ()) if one["in"] == "query"]
        for path, operations in paths.items()
        if "get" in operations and "{" not in path
    }
    known = {name for names in lists.values() for name in names}
    assert known == values.keys() | OTHERS
    for path, names in sorted(lists.items()):
        asked = [{}, *({name: values[name]} for name in names if name in values)]
        if "sort" in names:
            asked += [
                one | {"sort": sort}
                for one in asked
                for sort in ("published_at", "-updated_at")
                if "sort" not in one
            ]
        for parameters in asked:
            answer = client.get(path, params={"limit": "1", **parameters} if "limit" in names else parameters)
            following = (
                answer.json().get("next")
                if answer.headers.get("content-type") == "application/json"
                else None
            )
            if isinstance(following, str):
                client.get(following)


def faults(database: sqlite3.Connection, statement: str) -> Iterator[str]:
    """What SQLite would read through, or sort, to carry a statement out."""
    flat = " ".join(statement.split())
    if not re.match(r"(SELECT|WITH|UPDATE|DELETE)\b", flat):
        return
    is_asked_for = any(re.search(part, flat) for part in ASKED_FOR)
    pages = "LIMIT" in flat and not re.search(rf"FROM ({'|'.join(FEW)})\b", flat)
    # The rows of one page, found within, are put in order.
    found_within = re.search(r"\.id IN \(SELECT .*LIMIT|OFFSET \d+\) AS walk ORDER BY", flat) is not None
    for _, parent, _, step in database.execute(f"EXPLAIN QUERY PLAN {statement}"):
        read = re.match(r"SCAN (?!anon_\d+$)(\w+)( USING)?", step)  # that is what a SELECT within has found
        reads_all = read and read[1] not in FEW and "CONSTANT ROW" not in step and not (read[2] and pages)
        sorts_all = pages and step == "USE TEMP B-TREE FOR ORDER BY" and not (found_within and parent == 0)
        # All of a kind is all: what is found by words is looked up by its number.
        reads_kind = "published_text" in flat and step.endswith("(kind=?)")
        if reads_kind or ((reads_all or sorts_all) and not is_asked_for):
            yield f"{step}: {flat[:2000]}"
