"""Pictures for the samples, made when they are needed: landscapes with light, haze, water and grain, the same
picture for the same scene.
"""

import io
import itertools
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

from service.demo import subjects
from service.demo.subjects import Stroke

Colour = tuple[int, int, int]
Stop = tuple[float, Colour]
SIZE = WIDTH, HEIGHT = 1280, 854
WHITE: Colour = (255, 255, 255)
OCTAVES = 5


@dataclass(frozen=True, slots=True)
class Scene:
    """The contents of a picture. Places and heights are shares of its width and height, from the upper left
    corner.
    """

    seed: int
    sky: Sequence[Stop]
    """Colours from the top (0) to the horizon (1)."""
    sun: tuple[float, float, Colour] | None
    """The place of the sun or moon, and the colour of its light."""
    land: tuple[Colour, Colour]
    """The colour of what is near, and of the haze into which what is far fades."""
    horizon: float = 0.62
    clouds: float = 0.5
    """The share of the sky that clouds cover, from 0 to 1."""
    ridges: int = 3
    rise: float = 0.16
    """The height of the farthest hills."""
    is_water: bool = True
    stars: int = 0
    subject: Stroke | None = None


def draw(scene: Scene) -> bytes:
    """Return the picture of a scene as a JPEG."""
    chance = random.Random(scene.seed)  # noqa: S311  # decides where hills are, not who may come in
    level = round(scene.horizon * HEIGHT)
    picture = _sky(scene, chance, level)
    for place in range(scene.ridges):
        _ridge(picture, scene, chance, level, (place + 1) / scene.ridges)
    if scene.subject is not None:
        _stand(picture, scene, chance, level)
    if scene.is_water:
        _reflect(picture, scene, chance, level)
    out = io.BytesIO()
    _as_by_a_lens(picture, chance).save(out, "JPEG", quality=80, optimize=True)
    return out.getvalue()


def between(one: Colour, other: Colour, share: float) -> Colour:
    """Return the colour that is so far on the way from one to the other."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _gradient(stops: Sequence[Stop], size: tuple[int, int]) -> Image.Image:
    """Return colours that go over into each other from the top to the bottom."""
    column = Image.new("RGB", (1, 256))
    for y in range(256):
        at = y / 255
        before = max((stop for stop in stops if stop[0] <= at), key=lambda stop: stop[0], default=stops[0])
        after = min((stop for stop in stops if stop[0] >= at), key=lambda stop: stop[0], default=stops[-1])
        way = after[0] - before[0]
        column.putpixel((0, y), between(before[1], after[1], (at - before[0]) / way if way else 0))
    return column.resize(size, Image.Resampling.BICUBIC)


def _noise(
    chance: random.Random, size: tuple[int, int], coarse: tuple[int, int], octaves: int = OCTAVES
) -> Image.Image:
    """Return clouds of grey, in cells of which the coarsest are so many across and down."""
    half = (size[0] // 2, max(1, size[1] // 2))
    made: Image.Image | None = None
    for octave in range(octaves):
        cells = (min(coarse[0] << octave, half[0]), min(coarse[1] << octave, half[1]))
        layer = Image.frombytes("L", cells, chance.randbytes(cells[0] * cells[1]))
        layer = layer.resize(half, Image.Resampling.BICUBIC)
        made = layer if made is None else Image.blend(made, layer, 0.36)
    assert made is not None
    return ImageOps.autocontrast(made, cutoff=1).resize(size, Image.Resampling.BILINEAR)


def _fade(size: tuple[int, int], first: int, last: int) -> Image.Image:
    """Return a mask that goes from one opacity at the top to another at the bottom."""
    column = Image.frombytes(
        "L", (1, 256), bytes(round(first + (last - first) * y / 255) for y in range(256))
    )
    return column.resize(size, Image.Resampling.BILINEAR)


def _glow(radius: int, strength: int) -> Image.Image:
    """Return a mask that is brightest in its middle."""
    falls = Image.radial_gradient("L").point(
        [round(strength * (1 - min(v / 180, 1)) ** 2.2) for v in range(256)]
    )
    return falls.resize((2 * radius, 2 * radius), Image.Resampling.BICUBIC)


def _sky(scene: Scene, chance: random.Random, level: int) -> Image.Image:
    sky = _gradient([(at * scene.horizon, colour) for at, colour in scene.sky], SIZE)
    pen = ImageDraw.Draw(sky)
    for _ in range(scene.stars):
        x, y, light = chance.random() * WIDTH, chance.random() ** 1.3 * level, chance.random() ** 3
        pen.ellipse(
            (x, y, x + 1 + 2 * light, y + 1 + 2 * light),
            fill=between(scene.sky[0][1], WHITE, 0.35 + 0.6 * light),
        )
    if scene.sun is not None:
        _shine(sky, scene.sun)
    if scene.clouds:
        _cover(sky, scene, chance, level)
    return sky


def _shine(sky: Image.Image, sun: tuple[float, float, Colour]) -> None:
    x, y, colour = round(sun[0] * WIDTH), round(sun[1] * HEIGHT), sun[2]
    for radius, strength, tint in (
        (880, 150, colour),
        (340, 170, colour),
        (96, 255, between(colour, WHITE, 0.6)),
    ):
        sky.paste(tint, (x - radius, y - radius), _glow(radius, strength))
    ImageDraw.Draw(sky).ellipse((x - 21, y - 21, x + 21, y + 21), fill=between(colour, WHITE, 0.85))


def _cover(sky: Image.Image, scene: Scene, chance: random.Random, level: int) -> None:
    """Draw clouds, smaller towards the horizon as they are farther away."""
    sheet = _noise(chance, (WIDTH, 2 * level), (3, 7))
    far = Image.new("L", (WIDTH, level))
    top = 0
    for step in range(8):
        height = round(level * (8 - step) / 36)
        strip = sheet.crop((0, step * level // 4, WIDTH, (step + 1) * level // 4))
        far.paste(strip.resize((WIDTH, height + 1)), (0, top))
        top += height
    # Clouds gather: here the sky is covered, there it is open.
    far = ImageChops.multiply(
        far, _noise(chance, (WIDTH, level), (2, 2), 2).point([150 + v * 105 // 255 for v in range(256)])
    )
    floor = round(255 * (1 - scene.clouds) * 0.8)
    thick = far.filter(ImageFilter.BoxBlur(3)).point(
        [0 if v < floor else min(255, round((v - floor) * 255 / (256 - floor) * 1.25)) for v in range(256)]
    )
    light = between(scene.sky[-1][1], scene.sun[2] if scene.sun else WHITE, 0.5)
    lit = ImageChops.offset(thick, 0, -14).filter(ImageFilter.BoxBlur(9))
    shade = Image.composite(
        Image.new("RGB", thick.size, between(scene.sky[0][1], scene.land[1], 0.55)),
        Image.new("RGB", thick.size, between(light, WHITE, 0.35)),
        lit,
    )
    sky.paste(shade, (0, 0), thick.point([round(v * 0.82) for v in range(256)]))


def _crest(chance: random.Random, roughness: float) -> list[float]:
    """Return heights between -1 and 1 along a line, as broken as hills are (midpoint displacement)."""
    heights, size = [chance.uniform(-0.5, 0.5), chance.uniform(-0.5, 0.5)], 0.7
    while len(heights) < 500:
        pairs = itertools.pairwise(heights)
        middles = [(a + b) / 2 + chance.uniform(-size, size) for a, b in pairs]
        heights = [each for pair in zip(heights, middles, strict=False) for each in pair] + [heights[-1]]
        size *= roughness
    return heights


def _ridge(picture: Image.Image, scene: Scene, chance: random.Random, level: int, near: float) -> None:
    """Lay one line of hills over what is behind it; the nearer the darker, and rougher to look at."""
    top = level - scene.rise * HEIGHT * (1 - near * 0.72)
    swing = scene.rise * HEIGHT * 0.5
    crest = _crest(chance, 0.52)
    line = [(x * WIDTH / (len(crest) - 1), top - swing * height) for x, height in enumerate(crest)]
    mask = Image.new("L", SIZE)
    bottom = level if scene.is_water else HEIGHT
    ImageDraw.Draw(mask).polygon([(0, bottom), *line, (WIDTH, bottom)], fill=255)
    mask = mask.filter(ImageFilter.BoxBlur(1))
    colour = between(scene.land[1], scene.land[0], near**1.3)
    grain = _noise(chance, SIZE, (12, 16))
    dark, bright = between(colour, (0, 0, 0), 0.2 + 0.3 * near), between(colour, scene.land[1], 0.22)
    land = ImageOps.colorize(grain, dark, bright)
    rolls = round(min(line, key=lambda point: point[1])[1])
    if bottom > rolls:
        # Haze lies in the valleys.
        haze = _fade((WIDTH, bottom - rolls), 0, round(150 * (1 - near) + 25))
        land.paste(scene.land[1], (0, rolls), haze)
    picture.paste(land, (0, 0), mask)


def _stand(picture: Image.Image, scene: Scene, chance: random.Random, level: int) -> None:
    assert scene.subject is not None
    mask = Image.new("L", (subjects.WIDTH, subjects.HEIGHT))
    scene.subject(ImageDraw.Draw(mask), chance, scene.horizon * subjects.HEIGHT, 255)
    mask = mask.resize(SIZE, Image.Resampling.BICUBIC)
    colour = between(between(scene.land[0], (0, 0, 0), 0.45), scene.land[1], 0.08)
    body = ImageOps.colorize(
        _noise(chance, SIZE, (20, 30), 5),
        between(colour, (0, 0, 0), 0.35),
        between(colour, scene.land[1], 0.14),
    )
    picture.paste(body, (0, 0), mask.filter(ImageFilter.BoxBlur(0.5)))


def _reflect(picture: Image.Image, scene: Scene, chance: random.Random, level: int) -> None:
    """Let water mirror what is above it, the more broken the nearer it is."""
    depth = HEIGHT - level
    above = picture.crop((0, max(0, level - depth), WIDTH, level))
    mirrored = ImageOps.flip(above).resize((WIDTH, depth)).filter(ImageFilter.BoxBlur(2.5))
    tint = between(scene.sky[0][1], scene.land[0], 0.5)
    mirrored.paste(tint, (0, 0), _fade((WIDTH, depth), 40, 185))
    water = Image.new("RGB", (WIDTH, depth))
    phases = [chance.uniform(0, math.tau) for _ in range(4)]
    for y in range(depth):
        far = (y + 4) / depth
        swell = sum(math.sin(y / (1.2 + 7 * far) / (1 + 0.6 * n) + phase) for n, phase in enumerate(phases))
        source = min(depth - 1, max(0, y + round(swell * (1 + 9 * far))))
        row = mirrored.crop((0, source, WIDTH, source + 1))
        water.paste(row, (0, y))
        water.paste(row, (round(swell * 5 * far), y))
    for step in range(6):
        # Waves look wider the nearer they are.
        first, last = depth * step * step // 36, depth * (step + 1) * (step + 1) // 36
        waves = _noise(chance, (WIDTH, last - first), (14 + 3 * (6 - step), 7), 4)
        light = waves.point([max(0, round((v - 140) * (0.9 + 0.06 * step))) for v in range(256)])
        water.paste(
            between(scene.sky[-1][1], WHITE, 0.25), (0, first), light.point([v // 2 for v in range(256)])
        )
        dark = waves.point([max(0, 96 - v) for v in range(256)])
        water.paste(between(tint, (0, 0, 0), 0.6), (0, first), dark)
    if scene.sun is not None:
        _glitter(water, scene.sun, chance)
    picture.paste(water, (0, level))


def _glitter(water: Image.Image, sun: tuple[float, float, Colour], chance: random.Random) -> None:
    """Lay the path of the sun over the water."""
    pen, depth = ImageDraw.Draw(water), water.height
    for _ in range(1_200):
        y = chance.random() ** 1.6 * depth
        spread = 26 + 190 * y / depth
        x = sun[0] * WIDTH + chance.gauss(0, spread * 0.55)
        length = chance.uniform(2, 5 + 26 * y / depth)
        pen.line(
            (x, y, x + length, y),
            fill=between(sun[2], WHITE, chance.uniform(0.2, 0.8)),
            width=1 + round(2 * y / depth),
        )


def _as_by_a_lens(picture: Image.Image, chance: random.Random) -> Image.Image:
    """Soften, darken the corners and add the grain of a sensor."""
    picture = picture.filter(ImageFilter.BoxBlur(0.5))
    corners = Image.radial_gradient("L").point([max(0, round((v - 110) * 0.55)) for v in range(256)])
    picture.paste((0, 0, 0), (0, 0), corners.resize(SIZE, Image.Resampling.BILINEAR))
    grain = Image.frombytes("L", (WIDTH // 2, HEIGHT), chance.randbytes(WIDTH // 2 * HEIGHT)).resize(SIZE)
    return ImageChops.soft_light(
        picture, Image.merge("RGB", [grain.point([104 + v * 48 // 255 for v in range(256)])] * 3)
    )
