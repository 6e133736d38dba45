"""Put many published rows into stores in seconds: the same rows into an origin and its mirror."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import orjson
from sqlalchemy import insert, update
from sqlmodel import col, select

from service.articles.copied import card_and_words
from service.database import Database
from service.http.conditional import etag_of
from service.published.models import Kind, Published, PublishedSequence
from tests.articles.newsroom import published

AT_ONCE = 2_000
AT = datetime(2026, 1, 2, tzinfo=UTC)


def sample(editor: httpx.Client, client: httpx.Client) -> bytes:
    """The document of an article, from which others are made."""
    article = published(editor, headline="Tram line", section="City", tags=["trams"])
    return client.get(f"/v1/articles/{article['id']}").content


def rows(document: bytes, first: int, count: int) -> Iterator[dict[str, object]]:
    """Published rows that differ from the sample in their id, slug and headline."""
    article = orjson.loads(document)
    for number in range(first, first + count):
        id_ = uuid.uuid5(uuid.NAMESPACE_URL, f"article {number}")
        slug = f"tram-{number}"
        changed = article | {"id": str(id_), "slug": slug, "headline": f"Tram {number}"}
        body, at = orjson.dumps(changed), AT + timedelta(seconds=number)
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
    """Put rows behind the last number; return the last number then."""
    with database.writing() as session:
        seq = session.exec(select(PublishedSequence.seq)).one()
        waiting = []
        card, _ = card_and_words(document)
        for row in rows(document, seq + 1, count):
            waiting.append(row | {"card": card})
            if len(waiting) == AT_ONCE:
                session.execute(insert(Published.__table__), waiting)
                waiting = []
        if waiting:
            session.execute(insert(Published.__table__), waiting)
        session.execute(update(PublishedSequence).values(seq=col(PublishedSequence.seq) + count))
        return seq + count
