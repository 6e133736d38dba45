"""The figures, for people and for scripts."""

import platform
from collections.abc import Callable, Mapping, Sequence
from statistics import median

from rich.console import Console
from rich.table import Table

from tests.bench.measure import Outcome, Sample

MEGABYTE = 1 << 20


def show(console: Console, title: str, outcomes: Sequence[Outcome], notes: Sequence[str]) -> None:
    """Print the table, the bars beside the figures and a mark where one is missed."""
    table = Table(
        title=title, title_justify="left", caption="\n".join(notes), caption_justify="left", highlight=False
    )
    table.add_column("")
    table.add_column("database")
    for name in (
        "bytes",
        "ratio to bare",
        "range",
        "bar",
        "",
        "CPU µs",
        "bare",
        "req/s",
        "p50 ms",
        "p99 ms",
        "MiB",
    ):
        table.add_column(name, justify="right", no_wrap=True)
    for outcome in outcomes:
        table.add_row(*_row(outcome))
    console.print(table)


def _row(outcome: Outcome) -> list[str]:
    ratios, bar = outcome.ratios, outcome.phase.bar
    mark = "" if not str(bar) else "[green]ok[/]" if outcome.met else "[bold red]missed[/]"
    return [
        outcome.phase.name,
        outcome.phase.database,
        f"{outcome.size:,}",
        f"[bold]{outcome.ratio:.3f}[/]",
        f"{min(ratios):.3f} - {max(ratios):.3f}",
        str(bar),
        mark,
        f"{_middle(outcome.samples, _cpu) * 1e6:,.0f}",
        f"{_middle(outcome.bare, _cpu) * 1e6:,.0f}",
        f"{outcome.rate:,.0f}",
        f"{_middle(outcome.samples, _p50) * 1e3:.1f}",
        f"{_middle(outcome.samples, _p99) * 1e3:.1f}",
        f"{outcome.memory / MEGABYTE:,.0f}",
    ]


def as_json(server: str, outcomes: Sequence[Outcome], notes: Sequence[str]) -> dict[str, object]:
    """The same for scripts. Times in seconds, memory in bytes."""
    return {
        "server": server,
        "python": platform.python_version(),
        "notes": list(notes),
        "figures": [_figures(one) for one in outcomes],
    }


def _figures(outcome: Outcome) -> Mapping[str, object]:
    bar = outcome.phase.bar
    return {
        "name": outcome.phase.name,
        "database": outcome.phase.database,
        "bytes": outcome.size,
        "memory": outcome.memory,
        "ratio": {"median": outcome.ratio, "rounds": outcome.ratios},
        "cpu": _spread(outcome.samples, _cpu),
        "bare_cpu": _spread(outcome.bare, _cpu),
        "rate": _spread(outcome.samples, _rate),
        "p50": _spread(outcome.samples, _p50),
        "p99": _spread(outcome.samples, _p99),
        "bar": {"ratio": bar.ratio, "rate": bar.rate, "aim": bar.aim},
        "met": outcome.met,
    }


def _spread(samples: Sequence[Sample], of: Callable[[Sample], float]) -> dict[str, object]:
    return {"median": _middle(samples, of), "rounds": [of(sample) for sample in samples]}


def _middle(samples: Sequence[Sample], of: Callable[[Sample], float]) -> float:
    return median(map(of, samples))


def _cpu(sample: Sample) -> float:
    return sample.cpu


def _rate(sample: Sample) -> float:
    return sample.rate


def _p50(sample: Sample) -> float:
    return sample.load.p50


def _p99(sample: Sample) -> float:
    return sample.load.p99
