"""docs/performance.md, written from what a run has measured."""

import os
import platform
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from tests.bench.figures import Figure
from tests.bench.measure import Outcome

PATH = Path(__file__).parents[2] / "docs/performance.md"
GIB = 1 << 30
OUTCOMES = {
    "article, 304": "a reader has the article already and asks whether it has changed",
    "article, hit, one key": "the same article from the memory of the process, again and again",
    "article, hit, 10,000 keys": "10,000 articles from memory, in turn",
    "article, miss, 10,000 keys": "10,000 articles in turn that are not in memory: each is read from the database",
    "list of 20, hit": "the first page of the newest articles, from memory",
    "list of 20, miss": "the same page, read from the database each time",
    "search, miss": "a full-text search, read from the database each time",
    "create a draft": "a new article with two pictures that are there already, four writers at a time",
    "create and publish": "the same, published at once",
    "consent": "a first decision of a new reader, as a banner sends it, four at a time",
}
"""What each line of the first table measures."""
FIGURES = {
    "consent, decisions": "64 connections that each send a new reader's decision, in a store of a million readers",
    "consent, p99": "the time within which 99 of 100 such decisions are answered, at half the rate of the line above",
    "consent, current": "the record of one of a million readers, with the way there and back",
    "bulk": "articles a second of a bulk import, over those of a bare `executemany` of the same rows by the database's driver",
    "bulk, memory": "what the process has of its own at its peak after 100,000 items, over that after 10,000",
    "sixteen publishers": "publishes a second over the locked transactions a second of bare drivers",
    "readers beside publishers": "the 99th percentile of a miss, over that of readers alone",
    "spread": "the longest time for which another writer waits while a new caption reaches that many articles",
    "article, two pictures": "what a reader gets of an article of nine paragraphs and two pictures with captions",
    "list of 20 cards": "what a reader gets of the twenty newest such articles",
    "demo's front page": "the same of the demo, packed with Brotli as a browser asks for it",
    "size": "a question to a store of so many articles: its CPU, with the database's, over that in the smallest store; of each group the worst",
    "start of `serve`": "from the start of the process to the first good answer of `/health/ready`",
}
"""What each line of the second table measures, by the beginning of its name."""


def write(outcomes: Sequence[Outcome], figures: Sequence[Figure], *, machine: str, rounds: int) -> str:
    """Return the page. A part that was not measured is not in it."""
    return "\n".join(_lines(outcomes, figures, machine, rounds)) + "\n"


def _lines(
    outcomes: Sequence[Outcome], figures: Sequence[Figure], machine: str, rounds: int
) -> Iterator[str]:
    yield "# Performance"
    yield ""
    yield f"Written by `./run bench --markdown`, which writes it anew on your machine. Here: {machine}."
    yield f"Medians of {rounds} round{'s' if rounds > 1 else ''}, with the least and the most in brackets. Compare figures of one machine only; ratios hold on others too."
    if outcomes:
        yield ""
        yield from _requests(outcomes)
    if figures:
        yield ""
        yield from _figures(figures)


def _requests(outcomes: Sequence[Outcome]) -> Iterator[str]:
    yield "## What a request costs"
    yield ""
    yield "The ratio is the CPU that a bare ASGI app takes for the same bytes and headers, on the same server and core, over the CPU that Copydesk takes."
    yield "1.00 would be a service that costs nothing; 0.50 costs as much again. Articles have the size shown; the store has 10,000 of them."
    yield ""
    yield "| | database | ratio to bare | CPU µs | a second | kB | to reach | |"
    yield "|---|---|---|---|---|---|---|---|"
    for one in outcomes:
        bar = str(one.phase.bar)
        yield _row(
            one.phase.name,
            one.phase.database,
            f"{one.ratio:.2f} ({min(one.ratios):.2f}–{max(one.ratios):.2f})",
            f"{median(sample.cpu for sample in one.samples) * 1e6:,.0f}",
            f"{one.rate:,.0f}",
            f"{one.size / 1_000:,.1f}",
            bar,
            _mark(met=one.met) if bar else "",
        )
    yield ""
    for name in dict.fromkeys(one.phase.name for one in outcomes):
        yield f"- **{name}**: {OUTCOMES[name]}."


def _figures(figures: Sequence[Figure]) -> Iterator[str]:
    yield "## Many at once, and starting"
    yield ""
    yield "| | database | median | to reach | | beside it, medians |"
    yield "|---|---|---|---|---|---|"
    for one in figures:
        beside = (f"{name.replace('_', ' ')} {median(seen):,.4g}" for name, seen in one.beside.items())
        yield _row(
            one.name,
            one.database,
            f"{one.median:,.3g} {one.unit} ({min(one.rounds):,.3g}–{max(one.rounds):,.3g})",
            f"{'≤' if one.at_most else '≥'} {one.bar:,.3g}",
            _mark(met=one.met),
            ", ".join(beside),
        )
    yield ""
    for known in dict.fromkeys(_known(one.name) for one in figures):
        yield f"- **{known}**: {FIGURES[known]}."


def _known(name: str) -> str:
    """Return the longest beginning of a figure's name that is explained."""
    return max((known for known in FIGURES if name.startswith(known)), key=len)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _mark(*, met: bool) -> str:
    return "reached" if met else "**missed**"


def machine() -> str:
    """Return what runs the benchmark: its processor, its cores, its memory, and how busy it was."""
    said = (line.partition(":") for line in Path("/proc/cpuinfo").read_text().splitlines())
    model = next((value.strip() for name, _, value in said if name.startswith("model name")), "a processor")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB
    return f"{model}, {len(os.sched_getaffinity(0))} cores, {memory:.0f} GiB, Python {platform.python_version()}, load before {os.getloadavg()[2]:.1f}"
