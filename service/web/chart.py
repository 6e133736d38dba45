"""Rates over time as lines in SVG: where every point and mark of the drawing is. What is not told leaves a
gap, never a zero.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from service.consent.audit.reports import Cell

WIDTH, HEIGHT = 720, 260
LEFT, RIGHT, TOP, BOTTOM = 52, 84, 16, 32
MOST_MARKS = 6


@dataclass(frozen=True, slots=True)
class Point:
    """A day's share, between 0 and 1, and where it is drawn."""

    day: date
    share: float
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Line:
    """One rate: its unbroken runs, as SVG paths, and its points. `label_y` is where its name stands at the
    end.
    """

    name: str
    paths: list[str]
    points: list[Point]
    label_y: float


@dataclass(frozen=True, slots=True)
class Chart:
    """The rates of one notice. `days` and `shares` are the marks of the axes, each with its place."""

    notice_key: str
    lines: list[Line]
    days: list[tuple[float, date]]
    shares: list[tuple[float, int]]


def draw(notice_key: str, cells: Sequence[Cell], since: date, until: date) -> Chart:
    """Draw the shares of decisions that accepted, and that rejected, day by day."""
    accepted = [(cell.day, cell.acceptance_rate) for cell in cells]
    rejected = [
        (cell.day, cell.rejected / cell.decisions if cell.rejected is not None and cell.decisions else None)
        for cell in cells
    ]
    lines = [
        _line(name, told, since, until) for name, told in (("accepted", accepted), ("rejected", rejected))
    ]
    return Chart(
        notice_key,
        _apart(lines),
        _days(since, until),
        [(_y(share / 100), share) for share in (0, 25, 50, 75, 100)],
    )


def _line(name: str, told: Sequence[tuple[date | None, float | None]], since: date, until: date) -> Line:
    points = [
        Point(day, share, _x(day, since, until), _y(share))
        for day, share in told
        if day is not None and share is not None
    ]
    return Line(name, list(_runs(points)), points, points[-1].y + 4 if points else 0.0)


def _runs(points: Sequence[Point]) -> Iterator[str]:
    """Yield a path for each run of days that follow each other."""
    path, before = "", date.min
    for point in points:
        follows = point.day - before == timedelta(days=1)
        if path and not follows:
            yield path
        path = f"{path} L{point.x:.1f} {point.y:.1f}" if follows else f"M{point.x:.1f} {point.y:.1f}"
        before = point.day
    if path:
        yield path


def _apart(lines: list[Line]) -> list[Line]:
    """Two names at the same height would cover each other."""
    first, second = lines
    if first.points and second.points and abs(first.label_y - second.label_y) < 16:
        middle, sign = (first.label_y + second.label_y) / 2, 1 if first.label_y <= second.label_y else -1
        return [_at(first, middle - 8 * sign), _at(second, middle + 8 * sign)]
    return lines


def _at(line: Line, y: float) -> Line:
    return Line(line.name, line.paths, line.points, y)


def _x(day: date, since: date, until: date) -> float:
    span = max((until - since).days, 1)
    return LEFT + (day - since).days / span * (WIDTH - LEFT - RIGHT)


def _y(share: float) -> float:
    return TOP + (1 - share) * (HEIGHT - TOP - BOTTOM)


def _days(since: date, until: date) -> list[tuple[float, date]]:
    step = max(1, -(-((until - since).days + 1) // MOST_MARKS))
    days = (since + timedelta(days=number) for number in range(0, (until - since).days + 1, step))
    return [(_x(day, since, until), day) for day in days]
