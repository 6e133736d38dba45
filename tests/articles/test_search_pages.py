"""Searches page by page find what a reading of every article finds, however few entries a page may read."""

from collections.abc import Sequence
from itertools import product

import httpx
import pytest

from service.articles import lists
from service.http import pages
from service.published import hits, selection, words
from tests.articles.newsroom import ids, mark, published

NUMBER = 14
SORTS = ("relevance", "-published_at", "published_at", "-updated_at")
QUERIES = ("tram", "tra*", "t* -bus", "tram OR ferry", '"night bus"')
Texts = dict[str, tuple[str, str, str]]
"""The headline, the body and the section of each article, by its id: the oldest first."""


@pytest.fixture(params=["all at once", "a few at a time", "one at a time"])
def _bounds(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bound what a page reads, and in the second case so narrowly that a few articles are too many."""
    if request.param == "all at once":
        return
    for module in (hits, selection, lists):
        for name, bound in (("MOST_HITS", 4), ("MOST_LOOKED_UP", 2), ("MOST_PROBED", 3)):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, bound)
    # Of one hit at a time, the index does not tell the next one of the same moment.
    windows = (1,) if request.param == "one at a time" else (2, 4, 100)
    monkeypatch.setattr(hits, "WINDOWS", windows)
    monkeypatch.setattr(hits, "LATELY", 6)
    monkeypatch.setattr(hits, "MANY", 2)
    monkeypatch.setattr(pages, "MOST_READ", 6)
    monkeypatch.setattr(words, "_MOST_SPELT_OUT", 2)


@pytest.fixture
def texts(editor: httpx.Client) -> Texts:
    """Articles that have a word in the headline, in the body, in both or in none."""
    made: Texts = {}
    sections = mark(), mark()
    for number in range(NUMBER):
        headline = " ".join(
            word for word, each in (("Tram", 2), ("ferry", 5), ("trams", 7)) if number % each == 0
        )
        body = " ".join(
            word for word, each in (("tram", 3), ("night bus", 4), ("trail", 11)) if number % each == 0
        )
        article = published(
            editor,
            headline=headline or "Quay",
            body=[{"type": "paragraph", "html": body or "Quiet"}],
            section=sections[number % 3 == 0],
            published_at=f"2024-01-{1 + number // 2:02}T00:00:00Z",
        )
        made[article["id"]] = (headline or "Quay", body or "Quiet", sections[number % 3 == 0])
    return made


@pytest.mark.slow
@pytest.mark.usefixtures("_bounds")
def test_pages_of_a_search_have_what_a_reading_of_every_article_finds(
    client: httpx.Client, desk: httpx.Client, texts: Texts
) -> None:
    sections: Sequence[str | None] = [None, next(iter(texts.values()))[2]]
    for caller, view in ((client, {}), (desk, {"view": "staff"})):
        # Editors' searches are ranked among some of the newest hits alone.
        for q, sort, section in product(QUERIES, SORTS[1:] if view else SORTS, sections):
            asked = {"q": q, "sort": sort, "limit": "3", **view, **({"section": section} if section else {})}
            address = str(httpx.URL("/v1/articles", params=asked))
            # The other case's articles have the same words.
            found = [id_ for id_ in _walked(caller, address) if id_ in texts]
            wanted = {
                id_ for id_ in texts if _is_hit(q, *texts[id_][:2]) and section in {None, texts[id_][2]}
            }
            assert len(found) == len(set(found)), address
            assert set(found) == wanted, address
            if not view:
                assert _is_in_order(found, sort, q, list(texts), texts), address


def _walked(client: httpx.Client, address: str) -> list[str]:
    """Return the ids of all pages, which have an end."""
    found, following = [], address
    for _ in range(100):
        answer = client.get(following)
        found += ids(answer)
        following = answer.json()["next"]
        if following is None:
            return found
    pytest.fail(f"{address} has no end.")


def _is_hit(q: str, headline: str, body: str) -> bool:
    """Read a text as the queries above ask for it."""
    has = f"{headline} {body} ".lower().split()
    text = f" {body.lower()} "
    return {
        "tram": "tram" in has,
        "tra*": any(word.startswith("tra") for word in has),
        "t*": any(word.startswith("t") for word in has),
        "t* -bus": any(word.startswith("t") for word in has) and "bus" not in has,
        "tram OR ferry": "tram" in has or "ferry" in has,
        '"night bus"': " night bus " in text,
    }[q]


def _is_in_order(found: list[str], sort: str, q: str, made: list[str], texts: Texts) -> bool:
    """Compare days of publication, two articles a day; of updates, the order in which they were made."""
    if sort == "-updated_at":
        return found == sorted(found, key=made.index, reverse=True)
    days = [made.index(id_) // 2 for id_ in found]
    if sort == "published_at":
        return days == sorted(days)
    in_headline = [_is_hit(q.removesuffix(" -bus"), texts[id_][0], "") for id_ in found]
    places = [(sort == "relevance" and first, day) for first, day in zip(in_headline, days, strict=True)]
    return places == sorted(places, reverse=True)
