"""A partner's program: keeps a copy of what a store publishes in a SQLite file, and may be killed at any
moment.

    python -m tests.sync.follower poll|wait|stream ADDRESS FILE [TOKEN]

The copy and the cursor are written in one transaction, so that a start after a kill goes on where the file
stands.
"""

import json
import sqlite3
import sys
import time
from collections.abc import Iterator

import httpx

FORM = """CREATE TABLE IF NOT EXISTS copy (kind TEXT, id TEXT, seq INTEGER, data BLOB, PRIMARY KEY (kind, id));
CREATE TABLE IF NOT EXISTS place (one INTEGER PRIMARY KEY, cursor TEXT, seq INTEGER, starts INTEGER)"""
DECODER = json.JSONDecoder()
DATA = ',"data":'


def raw_items(text: str) -> Iterator[tuple[dict, str]]:
    """Each item of a page, with its own text."""
    at = text.index("[") + 1
    while text[at] != "]":
        item, end = DECODER.raw_decode(text, at)
        yield item, text[at:end]
        at = end + (text[end] == ",")


class Copy:
    """The copy in its file."""

    def __init__(self, path: str) -> None:
        self.file = sqlite3.connect(path, isolation_level=None, timeout=10)
        self.file.executescript(FORM)
        self.file.execute(
            "INSERT INTO place VALUES (1, NULL, 0, 1) ON CONFLICT DO UPDATE SET starts = starts + 1"
        )
        self.cursor, self.seq = self.file.execute("SELECT cursor, seq FROM place").fetchone()

    def apply(self, items: list[tuple[dict, str]], cursor: str) -> None:
        """Take some entries over, and the cursor behind them."""
        self.file.execute("BEGIN IMMEDIATE")
        for item, text in items:
            assert item["seq"] > self.seq, (item["seq"], self.seq)
            self.seq = item["seq"]
            if item["op"] == "put":
                data = text[text.index(DATA) + len(DATA) : -1].encode()
                self.file.execute(
                    "INSERT OR REPLACE INTO copy VALUES (?, ?, ?, ?)",
                    (item["kind"], item["id"], item["seq"], data),
                )
            else:
                self.file.execute("DELETE FROM copy WHERE kind = ? AND id = ?", (item["kind"], item["id"]))
        self.file.execute("UPDATE place SET cursor = ?, seq = ?", (cursor, self.seq))
        self.file.execute("COMMIT")
        self.cursor = cursor


def follow_pages(client: httpx.Client, copy: Copy, wait: int) -> None:
    """Ask again and again; with `wait`, let the store answer when there is something."""
    while True:
        query = (
            {"limit": 50} | ({"since": copy.cursor} if copy.cursor else {}) | ({"wait": wait} if wait else {})
        )
        response = client.get("/v1/changes", params=query)
        response.raise_for_status()
        page = response.json()
        copy.apply(list(raw_items(response.text)), str(httpx.URL(page["next"]).params["since"]))
        if page["caught_up"] and not wait:
            time.sleep(0.05)


def follow_stream(client: httpx.Client, copy: Copy) -> None:
    """Listen to the stream."""
    headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": copy.cursor} if copy.cursor else {})
    with client.stream("GET", "/v1/changes", headers=headers) as response:
        response.raise_for_status()
        cursor, items = "", []
        for line in response.iter_lines():
            if line.startswith("id: "):
                cursor = line[4:]
            elif line.startswith("data: "):
                items.append((json.loads(line[6:]), line[6:]))
            elif not line and cursor:
                copy.apply(items, cursor)
                items = []


if __name__ == "__main__":
    how, address, path, *token = sys.argv[1:]
    kept = Copy(path)
    headers = {"Authorization": f"Bearer {token[0]}"} if token else {}
    with httpx.Client(base_url=address, timeout=60, headers=headers) as connection:
        if how == "stream":
            follow_stream(connection, kept)
        else:
            follow_pages(connection, kept, 20 if how == "wait" else 0)
