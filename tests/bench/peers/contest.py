"""Ask Copydesk and its peers the same questions, in rounds, and say what each request costs."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from tests.bench.cores import Unfit
from tests.bench.measure import Bench
from tests.bench.peers.contenders import (
    COPYDESK,
    COUNT,
    FROM_MEMORY,
    LIST,
    ONE,
    QUESTIONS,
    SEARCH,
    Contender,
    contenders,
)
from tests.bench.stores import Stores

_FILLS = 8
"""Seconds in which every answer has come into memory."""
TITLE = "## Beside other frameworks"
"""The section of docs/performance.md that `write` makes anew."""
NOTES = (
    "Milliseconds of CPU of a request, all processes of a server added; medians of the rounds, in brackets the least and the most.",
    "One process on one core each, 10,000 articles of nine paragraphs in SQLite (WAL, synchronous=FULL), 16 connections; 4 create.",
    f"{COPYDESK}: with a cache of 1 MiB, from which each answer has been pushed out when it is asked for again. {FROM_MEMORY}: 512 MiB.",
    "The peers keep no answers and ask for no token. Their articles lie in one table, with pictures, captions and authors as JSON, so that nothing"
    " is joined, and with the same indexes and full text. A created article has no picture.",
    "A search of Copydesk gives snippets and a count ends at 2,000; a create checks a token, and keeps a version and what the desk searches.",
    "FastAPI and Datasette run under uvicorn with uvloop and httptools, the two of Django under gunicorn with 16 threads. Datasette creates nothing.",
)


@dataclass(slots=True)
class Cost:
    """The cost of one question for one contender: CPU seconds of a request, and requests a second, of each round."""

    question: str
    contender: str
    cpu: list[float] = field(default_factory=list)
    rate: list[float] = field(default_factory=list)

    @property
    def ms(self) -> str:
        """Return the milliseconds, with their range."""
        least, middle, most = (_digits(of(self.cpu)) for of in (min, median, max))
        return middle if least == most else f"{middle} ({least}–{most})"


def measure(bench: Bench, stores: Stores) -> list[Cost]:
    """Ask every contender every question. In each round all are asked, so that what disturbs one disturbs the
    others too. Raises Unfit where their answers differ.
    """
    with contenders(bench, stores) as known:
        for question in (ONE, LIST, COUNT, SEARCH):
            _compare(question, known)
        costs = [Cost(question, one.name) for question in QUESTIONS for one in known if question in one.plans]
        by_name = {one.name: one for one in known}
        for cost in costs:
            one = by_name[cost.contender]
            bench.wrk.run(
                one.plans[cost.question], one.served.port, _FILLS if cost.contender == FROM_MEMORY else 1
            )
        rounds = [cost for _ in range(bench.rounds) for cost in costs]
        for cost in bench.progress.track(rounds, description="peers"):
            one = by_name[cost.contender]
            sample = bench.sample(one.plans[cost.question], one.served)
            cost.cpu.append(sample.cpu)
            cost.rate.append(sample.rate)
    return costs


def _compare(question: str, known: Sequence[Contender]) -> None:
    expected = known[0].headlines(question)
    for other in known[1:]:
        if not expected or other.headlines(question) != expected:
            raise Unfit(f"{question}: {other.name} answers something else than {known[0].name}")


def show(console: Console, costs: Sequence[Cost]) -> None:
    """Print the table."""
    table = Table(
        title="CPU of a request, ms", caption="\n".join(NOTES), caption_justify="left", highlight=False
    )
    table.add_column("")
    names, rows = _table(costs)
    for name in names:
        table.add_column(name, justify="right")
    for question, cells in rows.items():
        table.add_row(question, *cells)
    console.print(table)


def as_json(costs: Sequence[Cost]) -> dict[str, object]:
    """Return the same for scripts. Times are in seconds."""
    return {
        "notes": list(NOTES),
        "peers": [
            {
                "question": one.question,
                "contender": one.contender,
                "cpu": {"median": median(one.cpu), "rounds": one.cpu},
                "rate": {"median": median(one.rate), "rounds": one.rate},
            }
            for one in costs
        ],
    }


def write(path: Path, costs: Sequence[Cost], *, machine: str) -> None:
    """Write the section of the page anew, and leave the others."""
    names, rows = _table(costs)
    lines = [
        TITLE,
        "",
        f"Written by `./run bench --peers --markdown`. Here: {machine}.",
        *NOTES,
        "",
        f"| | {' | '.join(names)} |",
        f"|---|{'---|' * len(names)}",
        *(f"| {question} | {' | '.join(cells)} |" for question, cells in rows.items()),
    ]
    section = "\n".join(lines) + "\n"
    page = path.read_text()
    found = re.search(rf"^{re.escape(TITLE)}\n.*?(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    if found is None:
        path.write_text(f"{page.rstrip()}\n\n{section}")
    else:
        after = page[found.end() :]
        path.write_text(f"{page[: found.start()]}{section}{after and chr(10)}{after}")


def _table(costs: Sequence[Cost]) -> tuple[list[str], Mapping[str, list[str]]]:
    names = list(dict.fromkeys(one.contender for one in costs))
    known = {(one.question, one.contender): one.ms for one in costs}
    return names, {question: [known.get((question, name), "–") for name in names] for question in QUESTIONS}


def _digits(seconds: float) -> str:
    return f"{seconds * 1_000:#.2g}".rstrip(".")
