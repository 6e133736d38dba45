"""The peers' database: the published articles of a filled store as one table, with the indexes and the full
text that their questions need.

What Copydesk joins when it renders (pictures, captions, authors) lies in the row as JSON, so that no peer
joins anything.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import orjson

COLUMNS = (
    "slug",
    "headline",
    "summary",
    "byline",
    "dateline",
    "section",
    "language",
    "source",
    "external_id",
    "canonical_url",
    "status",
)
NESTED = ("authors", "tags", "lead_image", "body")
_TABLES = f"""
PRAGMA journal_mode = WAL;
CREATE TABLE article (
    id INTEGER PRIMARY KEY,
    {", ".join(f"{name} TEXT" for name in COLUMNS)},
    published_at TEXT, created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
    authors TEXT NOT NULL, tags TEXT NOT NULL, lead_image TEXT, body TEXT NOT NULL, text TEXT NOT NULL
);
CREATE VIRTUAL TABLE article_words USING fts5 (headline, summary, text, content="article", content_rowid="id");
CREATE TRIGGER article_indexed AFTER INSERT ON article BEGIN
    INSERT INTO article_words (rowid, headline, summary, text)
    VALUES (new.id, new.headline, new.summary, new.text);
END;
"""
_INDEXES = """
CREATE UNIQUE INDEX article_slug ON article (slug);
CREATE INDEX article_newest ON article (status, published_at, id);
ANALYZE;
"""


def fill(store: Path, path: Path) -> None:
    """Write the articles of a SQLite store into a new file."""
    names = (*COLUMNS, "published_at", "created_at", "updated_at", *NESTED, "text")
    insert = f"INSERT INTO article ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
    with closing(sqlite3.connect(store)) as known, closing(sqlite3.connect(path)) as made, made:
        made.executescript(_TABLES)
        made.executemany(insert, _rows(known))
        made.executescript(_INDEXES)


def _rows(known: sqlite3.Connection) -> Iterator[tuple[str | None, ...]]:
    asked = (
        "SELECT document, card FROM published WHERE kind = 'article' AND reason IS NULL ORDER BY published_at"
    )
    for document, card in known.execute(asked):
        article = orjson.loads(document)
        # A list shows little of a picture, and so do the lists of the peers.
        article["lead_image"] = orjson.loads(card)["lead_image"]
        words = " ".join(re.sub(r"<[^>]*>", "", block.get("html", "")) for block in article["body"])
        yield (
            *(article[name] for name in COLUMNS),
            *(_time(article[name]) for name in ("published_at", "created_at", "updated_at")),
            *(orjson.dumps(article[name]).decode() for name in NESTED),
            words,
        )


def _time(written: str) -> str:
    """Return a time as SQLAlchemy and Django write it into SQLite."""
    day, _, clock = written.removesuffix("Z").partition("T")
    return f"{day} {clock}" if "." in clock else f"{day} {clock}.000000"
