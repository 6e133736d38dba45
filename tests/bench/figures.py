"""Figures that are no ratio to the bare app: what was measured, round by round, and the bar that it must
reach.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from rich.console import Console
from rich.table import Table


@dataclass(slots=True)
class Figure:
    """One thing measured in several rounds. A bar is what the median must reach, or with `at_most` must not
    pass.
    """

    name: str
    database: str
    unit: str
    bar: float
    at_most: bool = False
    rounds: list[float] = field(default_factory=list)
    beside: dict[str, list[float]] = field(default_factory=dict)
    """What was seen with it, by its name, which ends in its unit."""

    def note(self, value: float, **beside: float) -> None:
        """Take down one round."""
        self.rounds.append(value)
        for name, seen in beside.items():
            self.beside.setdefault(name, []).append(seen)

    @property
    def median(self) -> float:
        """The middle one of the rounds."""
        return median(self.rounds)

    @property
    def met(self) -> bool:
        """Whether the bar is reached."""
        return self.median <= self.bar if self.at_most else self.median >= self.bar


def show(console: Console, figures: Sequence[Figure], notes: Sequence[str]) -> None:
    """Print the table, the bars beside the figures and a mark where one is missed."""
    table = Table(caption="\n".join(notes), caption_justify="left", highlight=False)
    table.add_column("")
    table.add_column("database")
    for name in ("median", "range", "bar", ""):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("beside it, medians")
    for one in figures:
        mark = "[green]ok[/]" if one.met else "[bold red]missed[/]"
        table.add_row(
            one.name,
            one.database,
            f"[bold]{one.median:,.3g}[/] {one.unit}",
            f"{min(one.rounds):,.3g} - {max(one.rounds):,.3g}",
            f"{'≤' if one.at_most else '≥'} {one.bar:,.3g}",
            mark,
            ", ".join(f"{name.replace('_', ' ')} {median(seen):,.4g}" for name, seen in one.beside.items()),
        )
    console.print(table)


def as_json(figures: Sequence[Figure], notes: Sequence[str]) -> dict[str, object]:
    """The same for scripts."""
    return {
        "notes": list(notes),
        "figures": [
            {
                "name": one.name,
                "database": one.database,
                "unit": one.unit,
                "median": one.median,
                "rounds": one.rounds,
                "bar": {"at_most" if one.at_most else "at_least": one.bar},
                "met": one.met,
                "beside": one.beside,
            }
            for one in figures
        ],
    }
