"""What is measured, and against which bar: groups of phases that answer the same bytes, and so share one bare
app.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import orjson

from service.tables import now, write_time
from tests.bench import news
from tests.bench.served import Served
from tests.bench.wrk import MARK, Plan

HIT, MISS, POSTGRES_HIT, POSTGRES_MISS = (
    "sqlite",
    "sqlite, small cache",
    "postgresql",
    "postgresql, small cache",
)
WRITERS = 4
"""Connections that write at the same time: a store has one writer at a time, and the others only wait."""
CACHES = {HIT: 512 << 20, MISS: 1 << 20, POSTGRES_HIT: 512 << 20, POSTGRES_MISS: 1 << 20}
"""Bytes of each store's cache. The large ones hold 10,000 articles, as the default does not. From the small
ones a key that comes in its turn of 10,000 has always been pushed out again: every answer is made, kept and
dropped, and so is every list of another day.
"""


@dataclass(frozen=True, slots=True)
class Bar:
    """What a figure must reach: a ratio to the bare app, or requests a second."""

    ratio: float | None = None
    rate: float | None = None
    aim: float | None = None

    def met(self, ratio: float, rate: float) -> bool:
        """Whether these figures reach it."""
        return ratio >= (self.ratio or 0) and rate >= (self.rate or 0)

    def __str__(self) -> str:
        parts = (
            f"≥ {self.ratio:.2f}" if self.ratio else "",
            f"(aim {self.aim:.2f})" if self.aim else "",
            f"≥ {self.rate:,.0f}/s" if self.rate else "",
        )
        return " ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Phase:
    """One thing asked of one store; `from_cache` says whether every answer, or none, must come from the wire
    cache.
    """

    name: str
    store: str
    plan: Plan
    bar: Bar = Bar()
    from_cache: bool | None = None
    warm_up: int = 1

    @property
    def database(self) -> str:
        """The kind of database under it."""
        return "PostgreSQL" if self.store in (POSTGRES_HIT, POSTGRES_MISS) else "SQLite"


@dataclass(frozen=True, slots=True)
class Group:
    """Phases whose answers are alike: the bare app answers what the first one is answered."""

    name: str
    phases: Sequence[Phase]


@dataclass(frozen=True, slots=True)
class Known:
    """What requests need to know of one store."""

    token: str
    etag: str
    image: UUID
    notice: Mapping[str, object]


def know(served: Served, path: str, token: str) -> Known:
    """Ask a store for it."""
    headers, article = served.get(path)
    _, notice = served.get("/v1/consent-notices/default/current")
    return Known(token, headers["etag"], UUID(orjson.loads(article)["lead_image_id"]), orjson.loads(notice))


def groups(known: Mapping[str, Known], slugs: Sequence[str]) -> list[Group]:
    """All groups, in the order in which they are measured: those that only read come first."""
    return [
        Group("304", list(_unchanged(known, f"/v1/articles/{slugs[0]}"))),
        Group("article", list(_article([f"/v1/articles/{slug}" for slug in slugs]))),
        Group("list", list(_list())),
        Group("search", list(_search())),
        Group("create", list(_create(known))),
        Group("consent", list(_consent(known))),
    ]


def _unchanged(known: Mapping[str, Known], path: str) -> Iterator[Phase]:
    yield Phase(
        "article, 304",
        HIT,
        Plan([path], headers=(("If-None-Match", known[HIT].etag),)),
        Bar(0.80),
        from_cache=True,
    )


def _article(paths: Sequence[str]) -> Iterator[Phase]:
    one, every = Plan(paths[:1]), Plan(paths)
    yield Phase("article, hit, one key", HIT, one, Bar(0.70), from_cache=True)
    yield Phase("article, hit, 10,000 keys", HIT, every, Bar(0.60), from_cache=True, warm_up=8)
    yield Phase("article, miss, 10,000 keys", MISS, every, Bar(0.20, aim=0.66), from_cache=False)
    yield Phase("article, miss, 10,000 keys", POSTGRES_MISS, every, Bar(0.08), from_cache=False)


def _list() -> Iterator[Phase]:
    plan = Plan(["/v1/articles"])
    dated = Plan([f"/v1/articles?published_before={write_time(moment)}" for moment in news.moments()])
    yield Phase("list of 20, hit", HIT, plan, Bar(0.70), from_cache=True)
    yield Phase("list of 20, hit", POSTGRES_HIT, plan, from_cache=True)
    yield Phase("list of 20, miss", MISS, dated, from_cache=False)
    yield Phase("list of 20, miss", POSTGRES_MISS, dated, from_cache=False)


def _search() -> Iterator[Phase]:
    yield Phase(
        "search, miss",
        MISS,
        Plan([f"/v1/articles?q={query.replace(' ', '+')}" for query in news.queries()]),
        from_cache=False,
    )


def _create(known: Mapping[str, Known]) -> Iterator[Phase]:
    yield Phase("create a draft", HIT, _post_article(known[HIT], published=False), Bar(rate=300))
    yield Phase("create and publish", HIT, _post_article(known[HIT], published=True))
    if POSTGRES_HIT in known:
        yield Phase("create a draft", POSTGRES_HIT, _post_article(known[POSTGRES_HIT], published=False))
        yield Phase("create and publish", POSTGRES_HIT, _post_article(known[POSTGRES_HIT], published=True))


def _post_article(known: Known, *, published: bool) -> Plan:
    """A whole new article each time, with two pictures that are there already."""
    written = news.article(0, [known.image, known.image], published=published)
    # The number of a headline comes last; here the unlike part is first, as it is where two newsrooms'
    # headlines differ.
    body = written.model_copy(
        update={"headline": f"{MARK}: {written.headline}", "external_id": MARK, "published_at": None}
    )
    headers = (("Authorization", f"Bearer {known.token}"), ("Content-Type", "application/json"))
    return Plan(["/v1/articles"], "POST", body.model_dump_json(exclude_none=True), headers, WRITERS)


def _consent(known: Mapping[str, Known]) -> Iterator[Phase]:
    """A first decision of a new reader each time, as a banner sends it."""
    notice = known[HIT].notice
    assert isinstance(notice["purposes"], list)
    choices = [
        {"purpose_key": one["purpose_key"], "decision": "granted" if one["required"] else "denied"}
        for one in notice["purposes"]
    ]
    decision = {
        "notice_key": notice["notice_key"],
        "notice_version": notice["version"],
        "action": "save",
        "purposes": choices,
        "language": "en",
        "ui_surface": "banner",
        "consent_id": MARK,
        "client_event_time": write_time(now()),
    }
    plan = Plan(
        ["/v1/consents"],
        "POST",
        orjson.dumps(decision).decode(),
        (("Content-Type", "application/json"),),
        WRITERS,
    )
    yield Phase("consent", HIT, plan, Bar(rate=500))
