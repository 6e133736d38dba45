"""An article is not public before the time that an editor asked for, nor before its embargo has ended, in
whatever order these are set, moved and lifted.
"""

from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.tables import write_time
from tests.articles.newsroom import Article, do, draft, edit
from tests.clocks import MovableClock, clock
from tests.effort import LONG
from tests.patience import wait_until
from tests.serving import EDITOR, Store
from tests.sharing import store

__all__ = ["clock", "store"]
FORCED = {"If-Match": "*"}
HOURS = st.integers(-1, 9)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("embargo"), HOURS),
        st.tuples(st.sampled_from(["publish", "embargo", "publish"]), HOURS),
        st.tuples(st.just("wait"), st.integers(1, 4)),
        st.tuples(
            st.sampled_from(["publish", "embargo", "unpublish", "trash and restore", "edit"]), st.none()
        ),
    ),
    min_size=5,
    max_size=30 if LONG else 14,
)


class Waiting:
    """One article, the time that was asked for and its embargo, as a model knows them."""

    def __init__(self, store: Store, clock: MovableClock) -> None:
        self.clock, self.begins = clock, clock()
        self.editor, self.reader = store.client(*EDITOR), store.client()
        self.article = draft(self.editor)
        self.path = f"/v1/articles/{self.article['id']}"
        self.asked: datetime | None = None
        self.embargo: datetime | None = None

    def close(self) -> None:
        self.editor.close()
        self.reader.close()

    def at(self, hours: int | None) -> datetime | None:
        """Return the time so many and a half hours after the beginning, from which the clock is never near."""
        return None if hours is None else self.begins + timedelta(hours=hours, minutes=30)

    @property
    def due(self) -> datetime | None:
        return None if self.asked is None else max(self.asked, self.embargo or self.asked)

    @property
    def is_public(self) -> bool:
        return self.due is not None and self.due <= self.clock()

    def take(self, action: str, hours: int | None) -> None:
        match action:
            case "publish":
                self._publish(self.at(hours))
            case "embargo":
                self._embargo(self.at(hours))
            case "wait":
                self.clock.set_forward(hours=hours or 0)
            case "unpublish":
                do(self.editor, self.article, "unpublish")
                self.asked = None
            case "trash and restore":
                assert self.editor.delete(self.path, headers=FORCED).status_code == 204
                do(self.editor, self.article, "restore")
            case _:
                edit(self.editor, self.read(), summary=write_time(self.clock()))

    def _publish(self, at: datetime | None) -> None:
        is_later = at is not None and at > self.clock()
        sent = self.editor.post(f"{self.path}/publish", json={"at": at and write_time(at)})
        assert sent.status_code == (409 if is_later and self.is_public else 200), sent.text
        if not self.is_public:
            self.asked = at if is_later else self.clock()

    def _embargo(self, until: datetime | None) -> None:
        if until is None and self.embargo is not None and not self.is_public:
            self.asked = self.due  # What is lifted shows nothing before somebody publishes.
        self.embargo = until
        edit(self.editor, self.read(), embargoed_until=until and write_time(until))

    def read(self) -> Article:
        """Return the article as editors see it, once the job has published what is due."""
        return wait_until(self._settled)

    def _settled(self) -> Article:
        found: Article = self.editor.get(self.path).json()
        is_due = found["scheduled_for"] and datetime.fromisoformat(found["scheduled_for"]) <= self.clock()
        return {} if is_due else found

    def check(self) -> None:
        """Assert that the article is public, or will be, exactly when both times have come."""
        found = self.read()
        scheduled_for = found["scheduled_for"] and datetime.fromisoformat(found["scheduled_for"])
        if self.is_public or self.due is None:
            assert (found["status"], scheduled_for) == ("published" if self.is_public else "draft", None)
        else:
            assert (found["status"], scheduled_for) == ("scheduled", self.due)
        assert self.reader.get(self.path).status_code == (200 if self.is_public else 404)


@pytest.mark.slow
def test_no_order_of_steps_shows_an_article_before_both_times(store: Store, clock: MovableClock) -> None:
    @settings(
        max_examples=150 if LONG else 15,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        derandomize=not LONG,
    )
    @given(STEPS)
    def run(steps: list[tuple[str, int | None]]) -> None:
        waiting = Waiting(store, clock)
        for action, hours in steps:
            waiting.take(action, hours)
            waiting.check()
        waiting.close()

    run()
