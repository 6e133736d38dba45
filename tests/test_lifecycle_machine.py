"""An article's whole life through HTTP, beside a plain model of it: readers see exactly what the model says,
wherever they look.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import httpx
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlmodel import col, func, select

from service.published.models import Published
from tests.articles.known import Known
from tests.articles.newsroom import soon
from tests.effort import LONG
from tests.serving import Store

LATER = 86_400.0
PLACES = st.integers(0, 40)


class Newsroom(RuleBasedStateMachine):
    """Editors act by the rules below; after each, the invariants look with a reader's eyes, and at the
    versions.
    """

    store: Store

    @initialize()
    def open(self) -> None:
        self.section = f"s{uuid4().hex[:10]}"
        self.editor = self.store.client("content:read", "content:write", "content:publish")
        self.reader = self.store.client()
        self.articles: dict[str, Known] = {}
        self.sequence = self.read_sequence()
        self.public_changed = False

    def teardown(self) -> None:
        if hasattr(self, "editor"):
            self.editor.close()
            self.reader.close()

    def read_sequence(self) -> int:
        """The newest number of these articles' public rows: the counter also numbers drafts, and what others
        publish meanwhile.
        """
        mine = col(Published.id).in_([UUID(id_) for id_ in self.articles])
        with self.store.database.reading() as session:
            return session.exec(select(func.max(Published.seq)).where(mine)).one() or 0

    def some(self, place: int, fits: Callable[[Known], bool] = lambda known: True) -> Known | None:
        """One of the articles that fit."""
        fitting = [known for known in self.articles.values() if fits(known)]
        return fitting[place % len(fitting)] if fitting else None

    def learn(self, before: Known | None, after: Known) -> None:
        self.articles[after.id] = after
        seen_before = (None,) if before is None else before.seen
        self.public_changed = self.public_changed or seen_before != after.seen

    def do(
        self,
        known: Known,
        method: str,
        path: str = "",
        answered: int = 200,
        *,
        body: object = None,
        **changes: Any,
    ) -> None:
        """Send one change, conditional on the version that the model knows, and learn what became of it."""
        sent = self.editor.request(
            method, f"/v1/articles/{known.id}{path}", json=body, headers={"If-Match": f'"{known.version}"'}
        )
        assert sent.status_code == answered, (method, path, known, sent.text)
        after = replace(known, **changes)
        if after != known:
            after = replace(after, version=known.version + 1)
        if after.public:
            after = replace(after, published_before=True, public_slugs=after.old_slugs | {after.slug})
        if sent.content:
            told = sent.json()
            assert (told["version"], told["status"], told["headline"], told["slug"]) == (
                after.version,
                after.status,
                after.headline,
                after.slug,
            )
        self.learn(known, after)

    def refuse(self, known: Known, method: str, path: str, answered: int, body: object = None) -> None:
        """Send what must be refused and change nothing."""
        sent = self.editor.request(
            method, f"/v1/articles/{known.id}{path}", json=body, headers={"If-Match": "*"}
        )
        assert sent.status_code == answered, (method, path, known, sent.text)

    @rule(live=st.booleans(), embargoed=st.booleans())
    def create(self, live: bool, embargoed: bool) -> None:
        headline = f"Low water {uuid4().hex[:8]}"
        body = {"headline": headline, "section": self.section, "status": "published" if live else "draft"}
        made = self.editor.post(
            "/v1/articles", json=body | ({"embargoed_until": soon(LATER)} if embargoed else {})
        ).json()
        status = "draft" if not live else "scheduled" if embargoed else "published"
        assert (made["status"], made["version"]) == (status, 1)
        public = status == "published"
        slugs = frozenset({made["slug"]} if public else ())
        known = Known(
            made["id"],
            headline,
            made["slug"],
            status,
            embargoed=embargoed,
            published_before=public,
            public_slugs=slugs,
        )
        self.learn(None, known)

    @rule(place=PLACES)
    def edit(self, place: int) -> None:
        known = self.some(place)
        headline = f"High water {uuid4().hex[:8]}"
        if known is None:
            return
        if known.trashed or known.status == "withdrawn":
            self.refuse(known, "PATCH", "", 410 if known.trashed else 409, {"headline": headline})
            return
        self.do(known, "PATCH", body={"headline": headline}, headline=headline)

    @rule(place=PLACES, form=st.sampled_from(["blocks", "html", "text"]))
    def put_back_what_was_read(self, place: int, form: str) -> None:
        known = self.some(place, lambda known: not known.trashed)
        if known is not None:
            read = self.editor.get(f"/v1/articles/{known.id}?body={form}").json()
            self.do(known, "PUT", body=read)

    @rule(place=PLACES)
    def change_the_slug(self, place: int) -> None:
        known = self.some(place, lambda known: not known.trashed and known.status != "withdrawn")
        if known is not None:
            slug = f"slack-water-{uuid4().hex[:8]}"
            self.do(known, "PATCH", body={"slug": slug}, slug=slug, old_slugs=known.old_slugs | {known.slug})

    @rule(place=PLACES)
    def take_an_old_slug_back(self, place: int) -> None:
        known = self.some(
            place, lambda known: not known.trashed and known.status != "withdrawn" and bool(known.old_slugs)
        )
        if known is not None:
            slug = min(known.old_slugs)
            self.do(
                known,
                "PATCH",
                body={"slug": slug},
                slug=slug,
                old_slugs=(known.old_slugs | {known.slug}) - {slug},
            )

    @rule(place=PLACES, other=PLACES)
    def nobody_gets_anothers_slug(self, place: int, other: int) -> None:
        known, holder = (
            self.some(place, lambda known: not known.trashed and known.status != "withdrawn"),
            self.some(other),
        )
        if known is not None and holder is not None and holder.id != known.id:
            self.refuse(known, "PATCH", "", 409, {"slug": min({holder.slug, *holder.old_slugs})})

    @rule(place=PLACES)
    def publish(self, place: int) -> None:
        known = self.some(place)
        if known is None:
            return
        if known.trashed or known.status == "withdrawn":
            self.refuse(known, "POST", "/publish", 410 if known.trashed else 409)
            return
        status = (
            known.status if known.status == "published" else "scheduled" if known.embargoed else "published"
        )
        self.do(known, "POST", "/publish", **self._as(known, status))

    @rule(place=PLACES)
    def schedule(self, place: int) -> None:
        known = self.some(
            place,
            lambda known: (
                not known.trashed and known.status in ("draft", "published") and not known.embargoed
            ),
        )
        if known is not None and known.status == "published":
            self.refuse(known, "POST", "/publish", 409, {"at": soon(LATER)})
        elif known is not None:
            self.do(known, "POST", "/publish", body={"at": soon(LATER)}, **self._as(known, "scheduled"))

    @rule(place=PLACES)
    def embargo(self, place: int) -> None:
        """An embargo hides what is public only when it is published under it; a draft keeps it for later."""
        known = self.some(
            place, lambda known: not known.trashed and known.status == "draft" and not known.embargoed
        )
        if known is not None:
            self.do(known, "PATCH", body={"embargoed_until": soon(LATER)}, embargoed=True)

    @rule(place=PLACES)
    def embargo_what_is_public(self, place: int) -> None:
        known = self.some(place, lambda known: known.public and not known.embargoed)
        if known is not None:
            self.do(
                known,
                "PATCH",
                body={"embargoed_until": soon(LATER)},
                embargoed=True,
                **self._as(known, "scheduled"),
            )

    @rule(place=PLACES)
    def unpublish(self, place: int) -> None:
        known = self.some(place)
        if known is None:
            return
        if known.trashed or known.status == "withdrawn":
            self.refuse(known, "POST", "/unpublish", 410 if known.trashed else 409)
            return
        self.do(known, "POST", "/unpublish", **self._as(known, "draft"))

    @rule(place=PLACES)
    def withdraw(self, place: int) -> None:
        known = self.some(place)
        if known is None:
            return
        reason = f"It was wrong {uuid4().hex[:6]}"
        if known.trashed or known.status == "withdrawn" or not known.published_before:
            self.refuse(known, "POST", "/withdraw", 410 if known.trashed else 409, {"reason": reason})
            return
        self.do(
            known,
            "POST",
            "/withdraw",
            body={"reason": reason},
            withdrawn_for=reason,
            **self._as(known, "withdrawn"),
        )

    @rule(place=PLACES)
    def correct(self, place: int) -> None:
        known = self.some(place, lambda known: not known.trashed and known.status != "withdrawn")
        if known is not None:
            self.do(
                known,
                "POST",
                "/corrections",
                201,
                body={"text": "Ebb, not flood."},
                corrections=known.corrections + 1,
            )

    @rule(place=PLACES)
    def delete(self, place: int) -> None:
        known = self.some(place, lambda known: not known.trashed)
        if known is not None:
            self.do(known, "DELETE", answered=204, trashed=True)

    @rule(place=PLACES)
    def restore(self, place: int) -> None:
        known = self.some(place, lambda known: known.trashed)
        if known is not None:
            self.do(known, "POST", "/restore", trashed=False)

    @rule(place=PLACES)
    def a_stale_edit_is_refused(self, place: int) -> None:
        known = self.some(place, lambda known: not known.trashed and known.version > 1)
        if known is not None:
            stale = self.editor.patch(
                f"/v1/articles/{known.id}",
                json={"headline": "x"},
                headers={"If-Match": f'"{known.version - 1}"'},
            )
            assert (stale.status_code, stale.json()["current_version"]) == (412, known.version)

    @staticmethod
    def _as(known: Known, status: str) -> dict[str, str]:
        return {} if known.status == status else {"status": status}

    @invariant()
    @precondition(lambda self: hasattr(self, "articles"))
    def readers_see_what_the_model_says(self) -> None:
        public = {known.id: known for known in self.articles.values() if known.public}
        listed = self.reader.get(
            "/v1/articles", params={"section": self.section, "limit": 200, "count": "true"}
        ).json()
        assert {item["id"]: item["headline"] for item in listed["items"]} == {
            id_: known.headline for id_, known in public.items()
        }
        assert (listed["total"], listed["next"]) == (len(public), None)
        for known in list(self.articles.values())[-6:]:
            self.see(known)

    def see(self, known: Known) -> None:
        """Look for one article in every way there is."""
        by_id = self.reader.get(f"/v1/articles/{known.id}")
        assert by_id.status_code == known.reader_status, (known, by_id.text)
        by_slug = self.reader.get(f"/v1/articles/{known.slug}")
        assert by_slug.status_code == known.status_under(known.slug), (known, by_slug.text)
        if known.public:
            assert by_slug.json() == by_id.json()
            shown = by_id.json()
            assert (shown["headline"], shown["slug"], shown["version"]) == (
                known.headline,
                known.slug,
                known.version,
            )
            assert len(shown["corrections"]) == known.corrections
        elif known.status == "withdrawn" and not known.trashed:
            assert known.withdrawn_for is not None
            assert known.withdrawn_for in by_id.json()["detail"]
        for slug in known.old_slugs:
            old = self.reader.get(f"/v1/articles/{slug}")
            assert old.status_code == (308 if known.public else known.status_under(slug)), (known, slug)
            if known.public:
                assert old.headers["location"] == f"/v1/articles/{known.slug}"
        found = self.reader.get("/v1/articles", params={"q": known.headline.split()[-1]}).json()["items"]
        assert [item["id"] for item in found] == ([known.id] if known.public else [])

    @invariant()
    @precondition(lambda self: hasattr(self, "articles"))
    def numbers_grow_when_and_only_when_the_public_sees_a_change(self) -> None:
        sequence = self.read_sequence()
        assert (sequence > self.sequence) == self.public_changed, (self.sequence, sequence)
        self.sequence, self.public_changed = sequence, False

    @invariant()
    @precondition(lambda self: bool(getattr(self, "articles", None)))
    def versions_are_dense(self) -> None:
        known = list(self.articles.values())[-1]
        if not known.trashed:
            history: httpx.Response = self.editor.get(f"/v1/articles/{known.id}/versions?limit=200")
            assert sorted(item["version"] for item in history.json()["items"]) == list(
                range(1, known.version + 1)
            )


def test_readers_see_what_an_articles_life_has_made_public_and_nothing_else(store: Store) -> None:
    machine = type("Here", (Newsroom,), {"store": store})
    health = [HealthCheck.too_slow, HealthCheck.filter_too_much]
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=200 if LONG else 12,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=health,
        ),
    )
