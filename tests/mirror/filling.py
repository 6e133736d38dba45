"""Put many published rows into stores in seconds: the same rows into an origin and its mirror."""

import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson
from sqlalchemy import insert, update
from sqlmodel import col, select

from service.articles.cards import card_of_document
from service.database import Database, Session
from service.http.conditional import etag_of
from service.published.models import Kind, Published, PublishedSequence, PublishedSlug, PublishedTerm
from service.tables import write_time
from tests.articles.newsroom import published

AT_ONCE = 2_000
AUTHOR = "Ana Lind"
AT = datetime(2026, 1, 2, tzinfo=UTC)


def sample(editor: httpx.Client, client: httpx.Client) -> bytes:
    """The document of an article, from which others are made."""
    article = published(
        editor, headline="Tram line", section="City", tags=["trams"], authors=[{"name": AUTHOR}]
    )
    return client.get(f"/v1/articles/{article['id']}").content


def rows(document: bytes, first: int, count: int) -> Iterator[dict[str, Any]]:
    """Published rows that differ from the sample in their id, slug and headline."""
    article = orjson.loads(document)
    for number in range(first, first + count):
        id_ = uuid.uuid5(uuid.NAMESPACE_URL, f"article {number}")
        slug = f"tram-{number}"
        at = AT + timedelta(seconds=number)
        changed = article | {"id": str(id_), "slug": slug, "headline": f"Tram {number}"}
        changed |= {"published_at": write_time(at), "updated_at": write_time(at)}
        body = orjson.dumps(changed)
        yield {
            "kind": Kind.ARTICLE,
            "id": id_,
            "seq": number,
            "version": 1,
            "changed_at": at,
            "document": body,
            "etag": etag_of(body, 1),
            "slug": slug,
            "section": "City",
            "language": "en",
            "published_at": at,
            "updated_at": at,
            "rendering": 1,
        }


def fill(database: Database, document: bytes, count: int) -> int:
    """Put rows behind the last number, with what they are found by; return the last number then."""
    with database.writing() as session:
        seq = session.exec(select(PublishedSequence.seq)).one()
        waiting = []
        for row in rows(document, seq + 1, count):
            waiting.append(row | {"card": card_of_document(row["document"])})
            if len(waiting) == AT_ONCE:
                _put(session, waiting)
                waiting = []
        if waiting:
            _put(session, waiting)
        session.execute(update(PublishedSequence).values(seq=col(PublishedSequence.seq) + count))
        return seq + count


def _put(session: Session, some: Sequence[dict[str, Any]]) -> None:
    session.execute(insert(Published.__table__), some)
    slugs = [{"slug": row["slug"], "article_id": row["id"]} for row in some]
    session.execute(insert(PublishedSlug.__table__), slugs)
    terms = [
        {"field": field, "value": value, "id": row["id"], "published_at": row["published_at"]}
        for row in some
        for field, value in (("tag", "trams"), ("author", AUTHOR))
    ]
    session.execute(insert(PublishedTerm.__table__), terms)
