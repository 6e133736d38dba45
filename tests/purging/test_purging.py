"""Each public change is told to the cache in front, by keys, at least once and by one process at a time."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx
import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import OperationalError

from service.published import keys
from service.purging import places, purger
from service.purging.models import PurgePlace
from service.tables import new_id
from tests.articles.newsroom import caption, draft, edit, mark, picture, published
from tests.patience import wait_until
from tests.purging.front import Caller
from tests.serving import EDITOR, Store, another

KINDS = {"varnish": "surrogate-key", "fastly": "surrogate-key", "cloudflare": "cache-tag"}


@contextmanager
def purging(store: Store, cache: Caller, kind: str = "url", **changes: object) -> Iterator[httpx.Client]:
    """Serve the store with a purger that has caught up; yield an editor."""
    known = {"purge_again": 0.0, "cache_keys": KINDS.get(kind, "surrogate-key"), "purge_url": (cache.url,)}
    with another(store, purge_kind=kind, **known | changes) as second, second.client(*EDITOR) as editor:
        caught_up(store)
        yield editor


def place_of(store: Store) -> PurgePlace | None:
    with store.database.reading() as session:
        return session.get(PurgePlace, 1)


def caught_up(store: Store) -> None:
    """Wait until there is nothing to purge."""
    ends = "SELECT coalesce(max(seq), 0), (SELECT seq FROM published_sequence) FROM published"

    def is_done() -> bool:
        with store.database.reading() as session:
            public, last = session.connection().exec_driver_sql(ends).one()
            place = session.get(PurgePlace, 1)
        # A place beyond the last number is of a store that was set back since.
        is_there = place is not None and public <= place.seq <= last
        return is_there and not place.is_all_due and not place.is_all_again

    wait_until(is_done, "the cache was never purged of everything")


def own(article: dict[str, str]) -> str:
    return f"a-{article['id'].replace('-', '')[-16:]}"


@pytest.mark.slow
def test_what_is_published_is_purged_and_drafts_are_not(store: Store, cache: Caller) -> None:
    with purging(store, cache) as editor:
        cache.heard.clear()
        first = draft(editor, section="City")
        edit(editor, first, tags=["a"])
        second = published(editor, tags=["harbour"])
        caught_up(store)
        assert own(second) in cache.keys and own(first) not in cache.keys
        seen = [call for call in cache.heard if own(second) in call.keys]
        assert json.loads(seen[0].body)["seq"] > 0 and len(seen) == 1


@pytest.mark.slow
def test_a_changed_caption_purges_its_articles_and_no_list(store: Store, cache: Caller) -> None:
    with purging(store, cache) as editor:
        image = picture(editor)["id"]
        said = caption(editor, image)
        article = published(editor, lead_image_id=image, section="City", tags=["harbour"])
        caught_up(store)
        cache.heard.clear()
        editor.patch(
            f"/v1/captions/{said['id']}", json={"text": mark()}, headers={"If-Match": "*"}
        ).raise_for_status()
        # An article may be rendered after the transaction that changed its caption.
        wait_until(lambda: own(article) in cache.keys)
        caught_up(store)
    letters = {key.partition("-")[0] for key in cache.keys}
    assert letters == {"a", "articles", "i", "images", "c", "captions"}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_cache_is_called_as_it_wants_to_be(store: Store, cache: Caller, kind: str) -> None:
    with purging(store, cache, kind, purge_token="a token of the operator") as editor:
        article = published(editor)
        caught_up(store)
    call = next(call for call in cache.heard if own(article) in call.keys)
    path, names, token = {
        "varnish": ("/", None, "authorization"),
        "fastly": ("/purge", {"surrogate_keys"}, "fastly-key"),
        "cloudflare": ("/purge_cache", {"tags"}, "authorization"),
    }[kind]
    assert (call.path, call.headers[token].removeprefix("Bearer ")) == (path, "a token of the operator")
    assert not call.body if names is None else json.loads(call.body).keys() == names


def test_many_keys_are_parted_into_calls_that_the_cache_takes(store: Store, cache: Caller) -> None:
    with purging(store, cache, "varnish") as editor:
        cache.heard.clear()
        fresh = {"source": "wire", "status": "published"}
        lines = [
            json.dumps({**fresh, "external_id": mark(), "headline": mark(), "tags": [mark()]})
            for _ in range(80)
        ]
        done = editor.post(
            "/v1/articles/bulk", content="\n".join(lines), headers={"Content-Type": "application/x-ndjson"}
        )
        assert done.status_code == 200, done.text
        caught_up(store)
    assert max(len(call.keys) for call in cache.heard) == 100
    assert len(cache.keys) >= 160


@pytest.mark.slow
def test_a_cache_that_fails_is_called_again_and_nothing_is_lost(store: Store, cache: Caller) -> None:
    with purging(store, cache) as editor:
        cache.answer = (429, {"retry-after": "1"}, b"slowly")
        articles = [published(editor)]
        wait_until(lambda: cache.refused)
        articles += [published(editor), published(editor)]
        wait_until(lambda: (place := place_of(store)) is not None and place.tries)
        place = place_of(store)
        assert place is not None and place.fault is not None and "429: slowly" in place.fault
        assert editor.get("/health/ready").status_code == 200
        figures = editor.get("/metrics").text
        assert "copydesk_purge_failures_total" in figures and "copydesk_purge_lag_seconds" in figures
        cache.answer = (200, {}, b'{"success": false}')
        wait_until(lambda: len(cache.heard) > 1)
        cache.answer = (200, {}, b'{"success": true}')
        caught_up(store)
        assert {own(article) for article in articles} <= set(cache.keys)
        found = place_of(store)
        assert found is not None and (found.tries, found.fault) == (0, None)


@pytest.mark.slow
def test_what_may_have_been_under_way_is_purged_again(store: Store, cache: Caller) -> None:
    with purging(store, cache, purge_again=0.3) as editor:
        article = published(editor)
        wait_until(lambda: cache.keys.count(own(article)) == 2)
        first, second = (call for call in cache.heard if own(article) in call.keys)
        assert second.at - first.at >= 0.3
        caught_up(store)
    assert cache.keys.count(keys.EVERYTHING) <= 2


@pytest.mark.slow
@pytest.mark.parametrize("cause", ["another history", "set back", "far behind", "asked for", "first time"])
def test_everything_is_purged_once_when_keys_do_not_say_enough(
    store: Store, cache: Caller, cause: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with purging(store, cache) as editor:
        cache.heard.clear()
        published(editor)
        caught_up(store)
        assert keys.EVERYTHING not in cache.keys
        changes: dict[str, dict[str, object]] = {
            "another history": {"epoch": "00" * 8},
            "set back": {"seq": 1_000_000},
            "far behind": {"seq": 0},
            "asked for": {"is_all_due": True},
        }
        monkeypatch.setattr(purger, "_BEHIND", purger._BEHIND.replace("5001", "2"))
        monkeypatch.setattr(purger, "MOST_BEHIND", 1)
        with store.database.writing() as session:
            begun_anew = cause == "first time"
            session.execute(delete(PurgePlace) if begun_anew else update(PurgePlace).values(**changes[cause]))
        wait_until(lambda: keys.EVERYTHING in cache.keys)
        caught_up(store)
        monkeypatch.undo()
        article = published(editor)
        caught_up(store)
    assert own(article) in cache.keys and cache.keys.count(keys.EVERYTHING) == 1


@pytest.mark.slow
def test_one_process_purges_and_another_takes_over(store: Store, cache: Caller) -> None:
    with ExitStack() as stack:
        editors = [stack.enter_context(purging(store, cache)) for _ in range(2)]
        cache.heard.clear()
        articles = [published(editors[number % 2]) for number in range(6)]
        caught_up(store)
        assert sorted(key for key in cache.keys if key.startswith("a-")) == sorted(map(own, articles))
        # One that died with the lease keeps the other off until it has run out.
        with store.database.writing() as session:
            session.execute(update(PurgePlace).values(lease=new_id()))
        last = published(editors[0])
        caught_up(store)
        assert own(last) in cache.keys


@pytest.mark.slow
def test_a_process_that_does_not_come_to_the_end_of_a_purge_gives_its_lease_back(
    store: Store, cache: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise OperationalError("UPDATE", {}, Exception("the connection was lost"))

    with purging(store, cache) as editor:
        cache.heard.clear()
        monkeypatch.setattr(places, "record", fails)
        article = published(editor)
        wait_until(lambda: own(article) in cache.keys)
        wait_until(lambda: (place := place_of(store)) is not None and place.lease is None)
        monkeypatch.undo()
        caught_up(store)
