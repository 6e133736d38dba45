"""A mirror finds its wrong rows by the origin's digest, in few requests, and mends them."""

import random
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import anyio
import httpx
import pytest
from sqlalchemy import delete, insert, update
from sqlmodel import col, select

from service import rooms
from service.database import Database
from service.mirror.checking import Checked, Checking
from service.mirror.command import check, following
from service.mirror.pages import OriginRefuses
from service.mirror.place import MirrorPlace
from service.published.feed import FollowerPlace
from service.published.mirroring import begin_anew
from service.published.models import (
    Kind,
    Published,
    PublishedSequence,
    PublishedSlug,
    PublishedTerm,
    Reason,
)
from service.settings import Settings
from service.sync.cursors import place_in, write_cursor
from service.sync.pruning import announce, forget
from service.tables import now
from tests.articles.newsroom import do, edit, mark, published
from tests.databases import KINDS, empty_database
from tests.effort import LONG
from tests.images.pictures import image_of, make_caption, picture, upload
from tests.mirror.filling import fill, sample
from tests.mirror.mirrors import caught_up, everything
from tests.patience import wait_until
from tests.serving import Store, settings_for

COUNT = 100_000 if LONG else 3_000


def compared(settings: Settings) -> Checked:
    """Compare a mirror with its origin, as `copydesk follow --check` does."""
    database = rooms.open_database(settings)
    try:
        return anyio.run(check, database)
    finally:
        database.close()


@pytest.mark.slow
def test_rows_that_are_spoilt_missing_or_too_many_are_found_and_mended(
    store: Store, mirror: Store, client: httpx.Client, editor: httpx.Client, reader: httpx.Client
) -> None:
    articles = [published(editor, headline=f"Ferry {number}") for number in range(8)]
    gone = published(editor)
    caught_up(store, mirror)
    # A mirror compares itself once it is filled: it would mend what this test wants to see mended.
    wait_until(lambda: reader.get("/health/ready").json()["mirror"]["checked_at"] is not None)
    assert compared(mirror.settings).mended == 0
    paths = [f"/v1/articles/{each['id']}" for each in articles]
    assert [reader.get(path).json()["headline"] for path in paths] == [f"Ferry {n}" for n in range(8)]
    ids = [each["id"] for each in articles]
    with mirror.database.writing() as session:
        rows = {
            str(row.id): row for row in session.exec(select(Published).where(Published.kind == Kind.ARTICLE))
        }
        rows[ids[0]].document = rows[ids[0]].document.replace(b"Ferry 0", b"Fairy 0")
        rows[ids[1]].version += 1
        rows[ids[2]].seq, rows[ids[3]].seq = -1, -2
        session.flush()
        rows[ids[2]].seq, rows[ids[3]].seq = rows[ids[4]].seq + 1_000_000, rows[ids[4]].seq + 2_000_000
        session.execute(delete(Published).where(col(Published.id) == rows[ids[5]].id))
    do(editor, gone, "unpublish")
    edit(editor, articles[6], headline="Newer")
    found = compared(mirror.settings)
    assert found.mended >= 4
    caught_up(store, mirror)
    assert everything(reader) == everything(client)
    assert compared(mirror.settings).mended == 0
    # The answers that were ready before are dropped, though the numbers are the same.
    wait_until(lambda: [reader.get(p).content for p in paths] == [client.get(p).content for p in paths])
    wait_until(lambda: reader.get("/health/ready").json()["mirror"]["mended"] == found.mended)


@pytest.mark.slow
def test_what_has_gone_is_compared_with_its_reason(
    store: Store, mirror: Store, client: httpx.Client, editor: httpx.Client, reader: httpx.Client
) -> None:
    lost, altered, reworded, forgotten, live = (published(editor) for _ in range(5))
    for article in (lost, altered, reworded):
        do(editor, article, "withdraw", reason="Wrong.")
    do(editor, forgotten, "unpublish")
    caught_up(store, mirror)
    wait_until(lambda: reader.get("/health/ready").json()["mirror"]["checked_at"] is not None)
    paths = [f"/v1/articles/{each['id']}" for each in (lost, altered, reworded, live)]
    assert [reader.get(path).status_code for path in paths] == [410, 410, 410, 200]
    assert compared(mirror.settings).mended == 0
    with mirror.database.writing() as session:
        session.execute(delete(Published).where(col(Published.id) == UUID(lost["id"])))
        for article, values in (
            (altered, {"reason": Reason.DELETED}),
            (reworded, {"detail": "Right."}),
            (live, {"reason": Reason.UNPUBLISHED}),
        ):
            known = col(Published.id) == UUID(article["id"])
            session.execute(update(Published).where(known).values(values))
    # The origin forgets a removal that the mirror has still: this is no fault of the mirror.
    with store.database.writing() as session:
        old = update(Published).where(col(Published.id) == UUID(forgotten["id"]))
        session.execute(old.values(changed_at=now() - timedelta(days=400)))
    forget(store.database, announce(store.database))
    assert compared(mirror.settings).mended == 4
    assert compared(mirror.settings).mended == 0
    wait_until(lambda: [reader.get(p).content for p in paths] == [client.get(p).content for p in paths])
    assert client.get(paths[0]).status_code == 410


@pytest.mark.slow
def test_rows_that_are_found_otherwise_than_they_say_are_mended(
    store: Store, mirror: Store, client: httpx.Client, editor: httpx.Client, reader: httpx.Client
) -> None:
    image = image_of(upload(editor, picture(size=(64, 48)), source="wire"))
    make_caption(editor, image, "The quay.")
    tag = mark()
    made = [published(editor, section=tag, tags=[tag], authors=[{"name": tag}]) for _ in range(9)]
    made.append(published(editor, lead_image_id=image["id"], tags=[tag], usable_until="2099-01-01T00:00:00Z"))
    caught_up(store, mirror)
    wait_until(lambda: reader.get("/health/ready").json()["mirror"]["checked_at"] is not None)
    assert compared(mirror.settings).mended == 0
    ids, slugs = [UUID(each["id"]) for each in made], [each["slug"] for each in made]
    term, row = PublishedTerm.__table__.c, Published.__table__.c
    other = {"field": "tag", "value": f"{tag}-other", "id": ids[4], "published_at": now()}
    asked = [f"/v1/articles?{name}={tag}&count=true" for name in ("section", "tag", "author")]
    asked += [
        f"/v1/articles?tag={tag}-other",
        "/v1/images?source=wire",
        *(f"/v1/articles/{one}" for one in slugs),
    ]
    with mirror.database.writing() as session:
        for spoil in (
            delete(PublishedSlug).where(col(PublishedSlug.slug) == slugs[0]),
            update(PublishedSlug).where(col(PublishedSlug.slug) == slugs[1]).values(article_id=ids[2]),
            delete(PublishedTerm).where(term.id == ids[3], term.field == "tag"),
            insert(PublishedTerm).values(other),
            update(PublishedTerm).where(term.id == ids[5]).values(published_at=now()),
            update(Published).where(row.id == ids[6]).values(section="Elsewhere"),
            update(Published).where(row.id == ids[7]).values(card=b"{}"),
            update(Published).where(row.id == ids[8]).values(etag='"1-other"'),
            update(Published).where(row.id == ids[9]).values(expires_at=None),
            update(Published).where(row.id == UUID(image["id"])).values(source=None),
        ):
            session.execute(spoil)
    # Two articles are wrong by the slug that is at the wrong one.
    assert compared(mirror.settings).mended == 11
    assert compared(mirror.settings).mended == 0
    wait_until(lambda: [reader.get(p).content for p in asked] == [client.get(p).content for p in asked])
    with mirror.database.reading() as session:
        ends = session.execute(select(row.expires_at).where(row.id == ids[9])).scalar_one()
        assert ends is not None


@pytest.mark.slow
def test_ten_spoilt_rows_among_many_are_mended_in_two_hundred_requests(
    store: Store,
    origin: str,
    client: httpx.Client,
    editor: httpx.Client,
    tmp_path: Path,
    sqlite_template: Path,
) -> None:
    kind = KINDS[0] if store.settings.is_sqlite else KINDS[1]
    document = sample(editor, client)
    fill(store.database, document, COUNT)
    with empty_database(kind, tmp_path, sqlite_template) as url:
        settings = settings_for(url, tmp_path, mirror_of=origin)
        database = rooms.open_database(settings)
        _copy(store, database, origin, client)
        assert compared(settings).mended == 0
        chance = random.Random(11)
        with database.writing() as session:
            live = session.exec(select(Published.seq).where(Published.kind == Kind.ARTICLE)).all()
            spoilt = chance.sample(sorted(live), 10)
            for number in spoilt[:5]:
                row = session.exec(select(Published).where(Published.seq == number)).one()
                place = chance.randrange(len(row.document) - 40) + 20
                row.document = row.document[:place] + b"\x00" + row.document[place + 1 :]
            session.execute(update(Published).where(col(Published.seq).in_(spoilt[5:8])).values(version=9))
            session.execute(delete(Published).where(col(Published.seq).in_(spoilt[8:])))
        found = compared(settings)
        print(f"{found.rows} rows, {found.mended} mended in {found.requests} requests")
        assert found.mended == 10
        assert found.requests <= 80
        equal = compared(settings)
        # A removal that the origin keeps still, and that its mirrors have forgotten, takes a few.
        assert (equal.mended, equal.requests <= 10) == (0, True)
        database.close()


@pytest.mark.slow
def test_a_mirror_that_has_to_begin_anew_is_not_called_equal(
    store: Store, origin: str, editor: httpx.Client, tmp_path: Path, sqlite_template: Path
) -> None:
    article = UUID(published(editor)["id"])
    kind = KINDS[0] if store.settings.is_sqlite else KINDS[1]

    async def compare_after_the_origin_has_lost_the_cursor(database: Database) -> None:
        async with following(database) as mirror:
            place = await mirror.catch_up()
            assert place.cursor is not None
            lost = write_cursor(_store_id(database), replace(place_in(place.cursor), epoch=bytes(8)))
            with database.writing() as session:
                session.execute(update(Published).where(col(Published.id) == article).values(version=9))
                session.execute(update(MirrorPlace).values(cursor=lost))
            await Checking(database, mirror).check()

    with empty_database(kind, tmp_path, sqlite_template) as url:
        database = rooms.open_database(settings_for(url, tmp_path, mirror_of=origin))
        with pytest.raises(OriginRefuses, match="begins anew"):
            anyio.run(compare_after_the_origin_has_lost_the_cursor, database)
        with database.reading() as session:
            assert session.exec(select(MirrorPlace.checked_at)).one() is None
        database.close()


@pytest.mark.slow
def test_a_mirror_whose_rows_have_not_come_again_is_not_called_equal(
    store: Store, origin: str, editor: httpx.Client, tmp_path: Path, sqlite_template: Path
) -> None:
    published(editor)
    kind = KINDS[0] if store.settings.is_sqlite else KINDS[1]

    async def compare_while_it_begins_anew(database: Database) -> None:
        async with following(database) as mirror:
            await mirror.catch_up()
            with database.writing() as session:
                session.execute(update(MirrorPlace).values(cursor=None))
                begin_anew(session)
            with pytest.raises(OriginRefuses, match="begins anew"):
                await Checking(database, mirror).check()
            await mirror.catch_up()
            assert (await Checking(database, mirror).check()).rows > 0

    with empty_database(kind, tmp_path, sqlite_template) as url:
        database = rooms.open_database(settings_for(url, tmp_path, mirror_of=origin))
        anyio.run(compare_while_it_begins_anew, database)
        database.close()


def _store_id(database: Database) -> UUID:
    with database.reading() as session:
        return session.exec(select(PublishedSequence.store_id)).one()


def _copy(store: Store, database: object, origin: str, client: httpx.Client) -> None:
    """Give a mirror all rows of its origin at once."""
    page = client.get("/v1/changes/mirror?limit=1").json()
    with store.database.reading() as there, database.writing() as here:
        seq = there.exec(select(PublishedSequence.seq)).one()
        columns = Published.__table__.columns
        rows = there.execute(select(*columns).order_by(columns.seq))
        for some in rows.mappings().partitions(2_000):
            here.execute(Published.__table__.insert(), [dict(row) | {"text_key": None} for row in some])
        for table in (PublishedSlug.__table__, PublishedTerm.__table__):
            for some in there.execute(select(*table.columns)).mappings().partitions(2_000):
                here.execute(table.insert(), [dict(row) for row in some])
        here.execute(update(PublishedSequence).values(seq=seq, store_id=UUID(page["state"]["store"])))
        here.add(MirrorPlace(origin=origin, cursor=_at(page, seq), behind=0))


def _at(page: dict, seq: int) -> str:
    """The cursor behind everything, in the epoch of a page."""
    place = place_in(page["cursor"])
    return write_cursor(UUID(page["state"]["store"]), FollowerPlace(seq, seq, place.epoch))
