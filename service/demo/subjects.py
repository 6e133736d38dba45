"""Silhouettes that stand at the horizon of a picture."""

import random
from collections.abc import Callable, Iterator

from PIL import ImageDraw

WIDTH, HEIGHT = 1600, 1068
"""The sheet that a silhouette is drawn on."""
Stroke = Callable[[ImageDraw.ImageDraw, random.Random, float, int], None]
"""Draws with a pen at the height of the horizon, in an opacity."""


def bridge(pen: ImageDraw.ImageDraw, chance: random.Random, level: float, ink: int) -> None:
    """A long bridge on two towers, with its cables."""
    deck = level - 46
    pen.rectangle((0, deck, WIDTH, deck + 9), fill=ink)
    for tower in (430, 1150):
        pen.polygon(
            ((tower - 13, level), (tower - 8, deck - 235), (tower + 8, deck - 235), (tower + 13, level)),
            fill=ink,
        )
        pen.rectangle((tower - 20, level - 14, tower + 20, level + 2), fill=ink)
    for first, last, sag in ((-290, 430, 214), (430, 1150, 214), (1150, 1890, 214)):
        middle, half = (first + last) / 2, (last - first) / 2
        cable = [(x, deck - 18 - sag * ((x - middle) / half) ** 2) for x in range(first, last + 1, 8)]
        pen.line(cable, fill=ink, width=4)
        for x, y in cable[::4]:
            pen.line((x, y, x, deck), fill=ink * 3 // 4, width=1)
    for x in range(0, WIDTH, 94):
        pen.rectangle((x, deck, x + 5, level), fill=ink)
    tram = 690 + chance.randrange(60)
    pen.rounded_rectangle((tram, deck - 21, tram + 104, deck), 5, fill=ink)


def skyline(pen: ImageDraw.ImageDraw, chance: random.Random, level: float, ink: int) -> None:
    """The houses of a town, some of them tall, with lit windows."""
    x = -10.0
    while x < WIDTH:
        width, middle = chance.uniform(26, 74), 1 - abs(x / WIDTH - 0.55) * 1.6
        height = chance.uniform(30, 90) + max(0, middle) * chance.uniform(10, 250)
        pen.rectangle((x, level - height, x + width, level), fill=ink)
        if chance.random() < 0.3:
            pen.line(
                (x + width / 2, level - height - chance.uniform(12, 60), x + width / 2, level - height),
                fill=ink,
                width=3,
            )
        for column, row in (
            (c, r) for c in range(4, int(width) - 5, 8) for r in range(8, int(height) - 6, 11)
        ):
            if chance.random() < 0.3:
                pen.rectangle(
                    (x + column, level - height + row, x + column + 3, level - height + row + 4),
                    fill=ink // 4,
                )
        x += width + chance.uniform(-4, 10)


def lighthouse(pen: ImageDraw.ImageDraw, chance: random.Random, level: float, ink: int) -> None:
    """A lighthouse on a rock."""
    x = 1150.0
    rock = [
        (x - 270, level),
        (x - 180, level - 34),
        (x - 84, level - 62),
        (x + 60, level - 70),
        (x + 160, level - 40),
        (x + 290, level),
    ]
    pen.polygon(rock, fill=ink)
    pen.polygon(
        ((x - 34, level - 60), (x - 20, level - 300), (x + 20, level - 300), (x + 34, level - 60)), fill=ink
    )
    pen.rectangle((x - 30, level - 310, x + 30, level - 300), fill=ink)
    pen.rectangle((x - 17, level - 344, x + 17, level - 310), fill=ink * 2 // 3)
    pen.polygon(((x - 22, level - 344), (x, level - 372), (x + 22, level - 344)), fill=ink)
    pen.rectangle((x + 42, level - 104, x + 112, level - 62), fill=ink)
    pen.polygon(((x + 36, level - 104), (x + 77, level - 130), (x + 118, level - 104)), fill=ink)
    for _ in range(9):
        bird = chance.uniform(200, 900), chance.uniform(level - 400, level - 180)
        pen.arc((*bird, bird[0] + 16, bird[1] + 9), 200, 340, fill=ink, width=2)
        pen.arc((bird[0] + 14, bird[1], bird[0] + 30, bird[1] + 9), 200, 340, fill=ink, width=2)


def sails(pen: ImageDraw.ImageDraw, chance: random.Random, level: float, ink: int) -> None:
    """A dozen sailing boats, the near ones larger."""
    for _ in range(12):
        x, size = chance.uniform(60, WIDTH - 60), chance.uniform(26, 118)
        pen.polygon(
            ((x, level - size), (x + size * 0.42, level - size * 0.09), (x, level - size * 0.09)),
            fill=ink * 2 // 3,
        )
        pen.polygon(
            (
                (x - 3, level - size * 0.84),
                (x - size * 0.3, level - size * 0.09),
                (x - 3, level - size * 0.09),
            ),
            fill=ink // 2,
        )
        pen.polygon(
            (
                (x - size * 0.3, level - size * 0.07),
                (x + size * 0.4, level - size * 0.07),
                (x + size * 0.28, level + 2),
                (x - size * 0.22, level + 2),
            ),
            fill=ink,
        )


def cranes(pen: ImageDraw.ImageDraw, chance: random.Random, level: float, ink: int) -> None:
    """The cranes of a port, and what they have stacked."""
    for x in (240.0, 520.0, 1010.0, 1290.0):
        tall = chance.uniform(210, 260)
        for leg in (x, x + 74):
            pen.line((leg, level, leg + 8, level - tall * 0.72), fill=ink, width=8)
        pen.line((x - 150, level - tall * 0.72, x + 190, level - tall * 0.72), fill=ink, width=10)
        pen.line((x + 44, level - tall * 0.72, x + 44, level - tall), fill=ink, width=7)
        for end in (x - 146, x + 180):
            pen.line((x + 44, level - tall, end, level - tall * 0.72), fill=ink, width=3)
    for x, row in ((x, row) for x in range(20, WIDTH, 66) for row in range(5)):
        if chance.random() < 0.75 - row * 0.15:
            pen.rectangle(
                (x, level - 20 * (row + 1), x + 62, level - 20 * row - 2), fill=ink - chance.randrange(70)
            )


def firs(pen: ImageDraw.ImageDraw, chance: random.Random, level: float, ink: int) -> None:
    """A wood of firs in the foreground."""
    for x, height in sorted(_trees(chance), key=lambda tree: tree[1]):
        for step in range(7):
            top, half = level + 90 - height + step * height / 9, height * (0.05 + 0.028 * step)
            pen.polygon(((x, top), (x - half, top + height / 5.4), (x + half, top + height / 5.4)), fill=ink)
        pen.rectangle((x - 3, level + 60 - height * 0.2, x + 3, HEIGHT), fill=ink)
    pen.rectangle((0, level + 80, WIDTH, HEIGHT), fill=ink)


def _trees(chance: random.Random) -> Iterator[tuple[float, float]]:
    x = -20.0
    while x < WIDTH + 20:
        yield x, chance.uniform(90, 330)
        x += chance.uniform(14, 52)
