"""The hash of any range follows from the feed, however large the range is, and whatever has happened."""

import random
from contextlib import suppress
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import RowMapping, func, select, update
from sqlmodel import col

from service.http.conditional import etag_of
from service.published.models import Kind, Published, PublishedSequence, PublishedSpan
from service.sync.pruning import announce, forget
from service.sync.spans import NotHashedYet, Spans
from service.tables import now
from tests.articles.newsroom import do, draft, edit, problem, published, trash
from tests.effort import LONG
from tests.mirror.filling import fill, sample
from tests.patience import wait_until
from tests.serving import Store
from tests.sync.hashing import asked, copied, differences, digest_of

COUNT = 300_000 if LONG else 15_000
STEPS = 400 if LONG else 40


def number(store: Store) -> int:
    """The number at which the store stands."""
    with store.database.reading() as session:
        seq: int = session.execute(select(col(PublishedSequence.seq))).scalar_one()
        return seq


def kept(store: Store) -> int:
    """How many spans have a hash."""
    with store.database.reading() as session:
        count: int = session.execute(select(func.count()).select_from(PublishedSpan)).scalar_one()
        return count


def hash_all(store: Store) -> None:
    """Hash every span that has no hash."""
    spans, seq = Spans(store.database), number(store)
    with store.database.reading() as session, suppress(NotHashedYet):
        spans.hashes(session, 1, seq, seq)
    while store.portal.call(spans.step) == 0:
        pass


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4 if LONG else 2))
def test_after_any_history_the_hash_of_any_range_follows_from_the_feed(
    seed: int, store: Store, client: httpx.Client, editor: httpx.Client
) -> None:
    chance = random.Random(seed)
    life = Life(store, editor, chance)
    steps = [
        life.write,
        life.write,
        life.change,
        life.change,
        life.spread,
        life.prune,
        life.write_by_hand,
        life.write_by_hand,
    ]
    life.write()
    for step in range(STEPS):
        chance.choice(steps)()
        if step % 3 == 0:
            life.compare(client)
            hash_all(store)
    hash_all(store)
    assert kept(store) == number(store) // 1_000 > 3
    life.compare(client)


@pytest.mark.slow
def test_a_wrong_row_among_many_is_found_in_few_requests(
    store: Store, client: httpx.Client, editor: httpx.Client
) -> None:
    fill(store.database, sample(editor, client), COUNT)
    copy, last = copied(client), number(store)
    assert problem(client.get(f"/v1/changes/digest?to={last}"), 503)["type"] == "/problems/not-hashed-yet"
    assert differences(client, copy, 1, last) == (set(), 1)
    wait_until(lambda: kept(store) == last // 1_000)
    chance = random.Random(3)
    spoilt = chance.choice(sorted(copy))
    seq, said = copy[spoilt]
    copy[spoilt] = seq, said.replace("article", "artikel")
    found, answers = differences(client, copy, 1, last)
    assert (found, answers <= 6) == ({seq}, True)
    del copy[spoilt]
    assert differences(client, copy, 1, last) == ({seq}, answers)


class Life:
    """What happens to a store, in any order."""

    def __init__(self, store: Store, editor: httpx.Client, chance: random.Random) -> None:
        self.store, self.editor, self.chance = store, editor, chance
        self.articles: list[dict] = []
        self.taken: list[RowMapping] = []

    def write(self) -> None:
        """Publish an article, or write a draft."""
        make = self.chance.choice((published, published, draft))
        self.articles.append(make(self.editor, headline=f"Ferry {self.chance.random()}"))

    def change(self) -> None:
        """Do something to an article."""
        index = self.chance.randrange(len(self.articles))
        article = self.articles[index]
        path = f"/v1/articles/{article['id']}"
        article = self.editor.get(path).json()
        act = self.chance.choice(("edit", "edit", "unpublish", "withdraw", "publish", "trash"))
        if act == "trash":
            trash(self.editor, article)
            self.articles[index] = published(self.editor)
        elif act == "edit":
            edit(self.editor, article, headline=f"Ferry {self.chance.random()}")
        elif (act == "publish") != (article["status"] == "published"):
            do(self.editor, article, act, **({"reason": "Wrong."} if act == "withdraw" else {}))
            if act == "withdraw":
                self.articles[index] = published(self.editor)

    def spread(self) -> None:
        """Let many numbers pass that nothing public takes."""
        with self.store.database.writing() as session:
            passed = col(PublishedSequence.seq) + self.chance.randrange(100, 5_000)
            session.execute(update(PublishedSequence).values(seq=passed))

    def prune(self) -> None:
        """Forget what has gone."""
        with self.store.database.writing() as session:
            gone = update(Published).where(col(Published.reason).is_not(None))
            session.execute(gone.values(changed_at=now() - timedelta(days=400)))
        forget(self.store.database, announce(self.store.database))

    def write_by_hand(self) -> None:
        """Change a row, take it away or bring it back, as no part of the service does."""
        columns = Published.__table__.columns
        with self.store.database.writing() as session:
            live = select(*columns).where(columns.reason.is_(None), columns.kind == Kind.ARTICLE)
            rows = {row["id"]: row for row in session.execute(live.order_by(columns.seq)).mappings()}
            back = [row for row in self.taken if row["id"] not in rows]
            if back and self.chance.random() < 0.5:
                gone = Published.__table__.delete().where(columns.id == back[0]["id"])
                session.execute(gone)
                session.execute(Published.__table__.insert(), [dict(back[0])])
            elif rows:
                row = self.chance.choice(list(rows.values()))
                known = columns.id == row["id"]
                if self.chance.random() < 0.5:
                    session.execute(Published.__table__.delete().where(known))
                    self.taken.append(row)
                    return
                document, version = row["document"].replace(b'"Ferry', b'"Fairy'), row["version"] + 1
                spoilt = {"document": document, "version": version, "etag": etag_of(document, version)}
                session.execute(Published.__table__.update().where(known).values(spoilt))

    def compare(self, client: httpx.Client) -> None:
        """Compare what the store says of everything, and of some range, with a copy."""
        published(self.editor)  # No answer of before is ready any more, whatever was changed by hand.
        copy, seq = copied(client), number(self.store)
        wait_until(lambda: asked(client, 1, 1)["seq"] == seq)
        first = self.chance.randrange(1, seq)
        for begin, end in ((1, seq + 5_000), (first, self.chance.randrange(first, seq + 1))):
            told = asked(client, begin, end)
            assert (told["first"], told["last"], told["seq"]) == (begin, end, seq)
            for part in (told, *told["parts"]):
                assert part["digest"] == digest_of(copy, part["first"], part["last"])
                held = [n for n, _ in copy.values() if part["first"] <= n <= part["last"]]
                assert part["entries"] == len(held)
            assert [each["first"] for each in told["parts"][1:]] == [
                each["last"] + 1 for each in told["parts"][:-1]
            ]
