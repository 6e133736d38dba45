"""Eight writers, a tenth of whose transactions are rolled back; three followers, killed and started again at
random: every copy ends as the store is, byte for byte. `./run test --long` makes it 8 × 10,000 transactions.
"""

import itertools
import random
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, nullcontext, suppress
from pathlib import Path
from uuid import UUID

import pytest
from sqlmodel import col, select

from service.articles import lifecycle
from service.articles.models import Article, ArticleCreate, ArticleReplace
from service.database import Session
from service.errors import ServiceError
from service.http.callers import Caller
from service.images import captions
from service.images import lifecycle as images
from service.images.caption_writing import CaptionReplace, CaptionWrite
from service.images.models import ImageCreate
from service.published.models import Published
from service.scopes import Scope
from tests.databases import KINDS
from tests.effort import LONG
from tests.patience import wait_until
from tests.reporting import Figure
from tests.serving import Store, serving
from tests.sync.following import listening

DESK = Caller(name="desk", scopes=frozenset({Scope.CONTENT_WRITE, Scope.CONTENT_PUBLISH}))
SECTIONS = ("City", "Harbour", "Sport")
ROOT = Path(__file__).parent.parent.parent


class TakenBack(Exception):
    """The transaction is rolled back on purpose."""


class Newsroom:
    """What the writers write: articles of their own and of each other, and captions of one picture that many
    show.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.ids: list[UUID] = []
        self.committed = self.rolled_back = 0
        # SQLite's writers take turns in the service too.
        self.turn = threading.Lock() if store.settings.is_sqlite else nullcontext()
        with store.database.writing() as session:
            self.image_id = images.create(
                session, DESK, ImageCreate(credit_line="Ines Vale / Quayside News"), None
            )[0].id
        with store.database.writing() as session:
            self.caption_id = captions.create(
                session, DESK, CaptionWrite(text="The ferry leaves."), self.image_id
            ).id

    def write(self, seed: int, transactions: int) -> None:
        """One writer's day."""
        chance = random.Random(seed)
        for number in range(transactions):
            try:
                made = self._transaction(chance, f"writer {seed}, line {number}")
            except (TakenBack, ServiceError):
                self.rolled_back += 1
                continue
            self.committed += 1
            if made is not None:
                self.ids.append(made)

    def _transaction(self, chance: random.Random, line: str) -> UUID | None:
        with self.turn, self.store.database.writing() as session:
            made = self._act(session, chance, line)
            fate = chance.random()
            if fate < 0.05:
                session.database.publisher.publish(session)  # The numbers are taken, and given back.
            if fate < 0.1:
                raise TakenBack
        return made

    def _act(self, session: Session, chance: random.Random, line: str) -> UUID | None:
        share = chance.random()
        if share < 0.45 or len(self.ids) < 10:
            shown = self.image_id if chance.random() < 0.05 else None
            create = ArticleCreate(
                headline=line, section=chance.choice(SECTIONS), status="published", lead_image_id=shown
            )
            return lifecycle.create(session, DESK, create)[0].id
        if share < 0.47:
            caption = captions.get(session, self.caption_id, lock=True)
            captions.replace(session, DESK, caption, CaptionReplace(text=line))
            return None
        self._change(
            session, chance, lifecycle.get(session, chance.choice(self.ids), lock=True, trashed=True), line
        )
        return None

    def _change(self, session: Session, chance: random.Random, article: Article, line: str) -> None:
        share = chance.random()
        if article.deleted_at is not None:
            lifecycle.restore(session, DESK, article)
        elif share < 0.5:
            write = ArticleReplace(
                headline=line,
                section=chance.choice(SECTIONS),
                lead_image_id=article.lead_image_id,
                status=None,
            )
            lifecycle.replace(session, DESK, article, write)
        elif share < 0.65:
            lifecycle.unpublish(session, DESK, article)
        elif share < 0.8:
            lifecycle.publish(session, DESK, article, None)
        elif share < 0.9:
            lifecycle.trash(session, DESK, article)
        else:
            lifecycle.withdraw(session, DESK, article, "It was wrong.")


class Followed:
    """One follower's program, which is killed now and then."""

    def __init__(self, how: str, address: str, folder: Path) -> None:
        self.command = [sys.executable, "-m", "tests.sync.follower", how, address, str(folder / how)]
        self.path = folder / how
        self.kills = 0
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self.command, cwd=ROOT, stderr=subprocess.PIPE)

    def kill(self) -> None:
        """Kill it as a crash would, and start it again."""
        self.stop()
        self.kills += 1
        self.process = self._start()

    def stop(self) -> None:
        """Kill it. It must not have ended by itself."""
        assert self.process.poll() is None, self.process.stderr.read()[-2_000:]
        self.process.kill()
        self.process.communicate()

    def copy(self) -> dict[tuple[str, str], tuple[int, bytes]]:
        """What it has by now."""
        with closing(sqlite3.connect(self.path, timeout=10)) as file, suppress(sqlite3.OperationalError):
            return {
                (kind, id_): (seq, data)
                for kind, id_, seq, data in file.execute("SELECT kind, id, seq, data FROM copy")
            }
        return {}


@contextmanager
def following(address: str, folder: Path, chance: random.Random) -> Iterator[list[Followed]]:
    """Three followers, each killed at random while the block lasts."""
    followers = [Followed(how, address, folder) for how in ("poll", "wait", "stream")]
    over = threading.Event()

    def disturb() -> None:
        for follower in itertools.cycle(chance.sample(followers, 3)):
            if over.wait(chance.uniform(0.5, 2.5)):
                return
            follower.kill()

    disturbing = threading.Thread(target=disturb)
    disturbing.start()
    try:
        yield followers
    finally:
        over.set()
        disturbing.join()
        for follower in followers:
            follower.stop()


def public(store: Store) -> dict[tuple[str, str], tuple[int, bytes]]:
    """What the store publishes."""
    with store.database.reading() as session:
        rows = session.exec(
            select(Published).where(col(Published.reason).is_(None), Published.kind != "notice")
        ).all()
    return {(str(row.kind), str(row.id)): (row.seq, row.document) for row in rows}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_follower_ends_with_the_store_byte_for_byte(
    kind: str,
    tmp_path: Path,
    sqlite_template: Path,
    record_property: Figure,
) -> None:
    transactions = 10_000 if LONG else 40
    with (
        serving(kind, tmp_path, sqlite_template, database_pool_size=10) as store,
        listening(store.app, store.portal) as address,
    ):
        newsroom = Newsroom(store)
        with following(address, tmp_path, random.Random(7)) as followers:
            started = time.monotonic()
            with ThreadPoolExecutor(8) as writers:
                for writing in [writers.submit(newsroom.write, seed, transactions) for seed in range(8)]:
                    writing.result()
            took = time.monotonic() - started
            there = public(store)
            for follower in followers:
                wait_until(lambda follower=follower: follower.copy() == there)
        kills = {follower.command[3]: follower.kills for follower in followers}
    assert len(there) > transactions
    record_property("commits of 8 writers", newsroom.committed)
    record_property("rolled back", newsroom.rolled_back)
    record_property("seconds", round(took))
    record_property("kills of followers, whose copies are equal", kills)
