"""Pictures for the samples, drawn when they are needed: a landscape in layers, the same one for the same
seed.
"""

import io
import math
import random

from PIL import Image, ImageDraw, ImageFilter

Colour = tuple[int, int, int]
SIZE = (1600, 1067)
PALETTES: tuple[tuple[Colour, Colour, Colour], ...] = (
    ((252, 203, 144), (224, 122, 95), (61, 64, 91)),
    ((189, 224, 254), (96, 150, 186), (39, 64, 96)),
    ((233, 237, 201), (129, 161, 110), (52, 78, 65)),
    ((255, 229, 236), (205, 120, 150), (88, 47, 90)),
    ((222, 226, 230), (134, 142, 150), (52, 58, 64)),
)


def draw(seed: int) -> bytes:
    """A landscape as a JPEG."""
    chance = random.Random(seed)  # noqa: S311  # decides where hills are, not who may come in
    sky, middle, ground = PALETTES[seed % len(PALETTES)]
    picture = _sky(sky, middle)
    pen = ImageDraw.Draw(picture)
    _sun(pen, chance, sky)
    layers = 6
    for layer in range(layers):
        colour = _between(middle, ground, (layer + 1) / layers)
        pen.polygon(_ridge(chance, SIZE[1] * (0.45 + 0.09 * layer)), fill=colour)
    out = io.BytesIO()
    picture.filter(ImageFilter.GaussianBlur(0.8)).save(out, "JPEG", quality=82, optimize=True)
    return out.getvalue()


def _between(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _sky(top: Colour, bottom: Colour) -> Image.Image:
    column = Image.new("RGB", (1, SIZE[1]))
    for y in range(SIZE[1]):
        column.putpixel((0, y), _between(top, bottom, min(1.0, y / (SIZE[1] * 0.8))))
    return column.resize(SIZE)


def _sun(pen: ImageDraw.ImageDraw, chance: random.Random, sky: Colour) -> None:
    x, y, radius = (
        chance.uniform(0.2, 0.8) * SIZE[0],
        chance.uniform(0.15, 0.4) * SIZE[1],
        chance.uniform(45, 90),
    )
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=_between(sky, (255, 255, 255), 0.6))


def _ridge(chance: random.Random, base: float) -> list[tuple[float, float]]:
    waves = [
        (chance.uniform(8, 60), chance.uniform(0.002, 0.012), chance.uniform(0, math.tau)) for _ in range(4)
    ]
    crest = [
        (float(x), base - sum(height * math.sin(x * rate + shift) for height, rate, shift in waves))
        for x in range(0, SIZE[0] + 16, 16)
    ]
    return [(0.0, float(SIZE[1])), *crest, (float(SIZE[0]), float(SIZE[1]))]
