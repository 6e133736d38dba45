"""Requests of readers to a lean store: each filter, pairs of filters, orders, searches and counts."""

from collections.abc import Iterator
from itertools import combinations

from service.articles.public_lists import FEEDS
from tests import lean

Shape = tuple[str, tuple[tuple[str, str], ...]]
"""A path, and its parameters."""
SORTS = ("published_at", "-updated_at")
WORDS = (
    "common",
    "tenth",
    "middling",
    "rare",
    "never",
    "quay",
    "half tenth",
    '"ferry quay"',
    "ferr*",
    "common -half",
)
CHANGES = (
    (),
    (("section", "news"),),
    (("section", "chess"),),
    (("section", "oldest"),),
    (("section", "nowhere"),),
    (("section", "news"), ("section", "oldest")),
    (("language", "fi"),),
    (("language", "se"),),
    (("language", "nl"),),
    (("language", "en"), ("section", "oldest")),
    (("language", "se"), ("section", "news")),
    (("kind", "article"),),
    (("kind", "image"),),
    (("kind", "caption"), ("language", "fi")),
    (("kind", "image"), ("section", "news")),
)


def filters(articles: int) -> dict[str, tuple[str, ...]]:
    """Return values of each filter of articles that many, some or few have, or none."""
    return {
        "section": ("news", "oldest", "nowhere"),
        "tag": ("popular", "rare", "middling", "never"),
        "author": ("Ana", "Cy", "Bo"),
        "language": ("en", "se"),
        "source": ("wire", "rare-wire"),
        "image_id": (str(lean.LOGO), str(lean.OTHER_PICTURE)),
        "q": WORDS,
        "published_after": (lean.moment(0.1, articles), lean.moment(0.999, articles)),
        "published_before": (lean.moment(0.9, articles), lean.moment(0.001, articles)),
        "updated_after": (lean.moment(0.1, articles), lean.moment(0.9999, articles)),
    }


def of_articles(articles: int, *, thorough: bool = True) -> Iterator[Shape]:
    """Ask for lists of articles: by each value of each filter, and by pairs of them."""
    known = filters(articles)
    alone = [((name, value),) for name, values in known.items() for value in values]
    twice = [((name, values[0]), (name, values[1])) for name, values in known.items() if name in _SEVERAL]
    for asked in ((), *alone, *twice):
        yield from _ordered(asked)
    for one, two in combinations(known, 2):
        for pair in _pairs(one, two, known, thorough=thorough):
            yield from _ordered(pair) if thorough else [("/v1/articles", pair)]


_SEVERAL = ("section", "tag", "author", "language", "source", "image_id")


def _pairs(
    one: str, two: str, known: dict[str, tuple[str, ...]], *, thorough: bool
) -> Iterator[tuple[tuple[str, str], ...]]:
    for number, first in enumerate(known[one][:4]):
        for second in known[two][:4] if thorough else known[two][number : number + 1]:
            yield (one, first), (two, second)


def _ordered(asked: tuple[tuple[str, str], ...]) -> Iterator[Shape]:
    yield "/v1/articles", asked
    for sort in SORTS:
        yield "/v1/articles", (*asked, ("sort", sort))
    if "q" in dict(asked):
        yield "/v1/articles", (*asked, ("sort", "-published_at"))
    yield "/v1/articles", (*asked, ("count", "true"))


def of_editors(articles: int) -> Iterator[Shape]:
    """Ask for editors' lists: by each value of each filter, by status, and by some pairs."""
    staff = ("view", "staff")
    for path, asked in of_articles(articles, thorough=False):
        yield path, (*asked, staff)
    for status in ("draft", "scheduled", "withdrawn", "published"):
        for also in (
            (),
            (("section", "news"),),
            (("tag", "rare"),),
            (("q", "common"),),
            (("language", "se"),),
        ):
            for path, asked in _ordered((("status", status), *also)):
                yield path, asked


def of_others(articles: int) -> Iterator[Shape]:
    """Ask for all other lists of readers."""
    for asked in CHANGES:
        yield "/v1/changes", asked
        yield "/v1/changes", (*asked, ("limit", "1"))
    for path in ("/v1/sections", "/v1/tags", "/v1/authors"):
        yield path, ()
        yield path, (("count", "true"),)
    for path in (f"/feeds/{name}" for name in FEEDS):
        yield path, ()
        yield path, (("section", "oldest"), ("language", "en"))
    yield "/sitemaps/news.xml", ()
    yield "/sitemaps/index.xml", ()
    yield "/sitemaps/articles.xml", (("section", "oldest"),)
    for number in (3, articles // 2, articles - 5):
        yield "/v1/articles", (("related_to", f"a-{number}"),)
        yield "/v1/articles", (("related_to", f"a-{number}"), ("section", "oldest"))
        yield "/v1/articles", (("related_to", f"a-{number}"), ("language", "se"))
