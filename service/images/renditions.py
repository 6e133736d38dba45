"""The files of a picture and their addresses: widths of the whole, and crops around the focal point.

An address holds a token of all that its bytes come from: the picture, the focal point of a crop, the rights
that stay written in it, and the recipe by which it is made. When one of these changes, so does the address;
so a file may be cached for ever.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

import orjson
from pydantic import JsonValue, TypeAdapter

from service.http.negotiation import ranges
from service.images.darkroom.jobs import Rights
from service.images.models import FocalPoint, Image, ImageRead, Rendition
from service.images.storage import original_name

WIDTHS = (2400, 1600, 1280, 960, 640, 480, 320, 160)
"""Every width that is made when it is asked for, of the whole picture and of each crop."""
LISTED = (2400, 1600, 960, 480)
"""The widths of the whole picture that an image names."""
CROPS = {"1x1": (1, 1), "4x3": (4, 3), "16x9": (16, 9)}
LISTED_CROPS = {"1x1": 320, "4x3": 640, "16x9": 1280}
"""The width in which an image names each crop, or the largest that the picture has below it."""
FORMATS = {"avif": "image/avif", "webp": "image/webp", "jpg": "image/jpeg"}
TALLEST = 9600
"""Pixels that a rendition may be high. WebP ends at 16,383; a picture that is a thousand times as high as
wide is no photograph.
"""
RECIPE = 2
"""Raise it when the same picture is to come out differently: every address changes."""
_NAME = re.compile(
    r"(?P<size>(?:(?P<crop>[0-9]{1,2}x[0-9]{1,2})-)?w(?P<width>[0-9]{1,4}))-(?P<token>[0-9a-f]{8,12})"
    r"(?:\.(?P<format>jpg|webp|avif))?"
)
_CENTRE = FocalPoint(x=0.5, y=0.5)
_MOST_CREATORS, _MOST_TEXT = 10, 2_000
Part = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Size:
    """One size of a picture: its name, its pixels, and the part of the upright picture in fractions (left,
    top, width, height).
    """

    name: str
    width: int
    height: int
    part: Part = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Negative:
    """The facts of an image that its renditions are made from and depend on."""

    image_id: UUID
    digest: str
    width: int
    height: int
    focal_point: FocalPoint
    rights: Rights

    def sizes(self) -> Iterator[Size]:
        """Yield every size that there is, the whole picture first, the largest first. None is larger than the
        picture.
        """
        yield from self.whole()
        yield from self.crops()

    def whole(self) -> Iterator[Size]:
        """Yield the sizes of the whole picture."""
        return self._of("", self.width, self.height, (0.0, 0.0, 1.0, 1.0))

    def crops(self) -> Iterator[Size]:
        """Yield the sizes of what is cut around the focal point."""
        for name, (across, down) in CROPS.items():
            width = min(self.width, self.height * across / down)
            height = width * down / across
            part = self._part(width / self.width, min(height, self.height) / self.height)
            yield from self._of(f"{name}-", width, height, part)

    def _of(self, prefix: str, width: float, height: float, part: Part) -> Iterator[Size]:
        largest = max(1, int(min(width, WIDTHS[0], TALLEST * width / height)))
        for wide in (largest, *(wide for wide in WIDTHS if wide < largest)):
            yield Size(f"{prefix}w{wide}", wide, min(TALLEST, max(1, round(wide * height / width))), part)

    def _part(self, width: float, height: float) -> Part:
        left, top = self.focal_point.x - width / 2, self.focal_point.y - height / 2
        return min(max(left, 0.0), 1 - width), min(max(top, 0.0), 1 - height), width, height

    def token(self) -> str:
        """Return eight hexadecimal digits that change with whatever the bytes of any size come from."""
        point = self.focal_point
        source = [RECIPE, self.digest, point.x, point.y, self.rights]
        return hashlib.sha256(orjson.dumps(source)).hexdigest()[:8]

    def href(self, size: Size, format_: str | None, token: str | None = None) -> str:
        """Return the address of one file; without a format, the one whose answer is chosen by `Accept`."""
        stem = f"/media/{self.image_id}/{size.name}-{token or self.token()}"
        return f"{stem}.{format_}" if format_ else stem

    def file(self, size: Size, format_: str) -> str:
        """Return the name under which the media store keeps a file, among all that was made of this picture.

        It changes with what this one file comes from: another focal point leaves the whole picture as it is.
        """
        source = [RECIPE, self.digest, size.name, size.part, self.rights]
        return f"{size.name}-{hashlib.sha256(orjson.dumps(source)).hexdigest()[:12]}.{format_}"


@dataclass(frozen=True, slots=True)
class WantedRendition:
    """A size that an address asks for, a format unless `Accept` is to choose, and whether the address is one
    of today's: of the size by its name, with today's token.
    """

    size: Size
    format: str | None
    is_current: bool


def negative_of(image: Image | ImageRead) -> Negative | None:
    """Return the facts that an image's renditions are made from; None while it has no file."""
    if image.digest is None or image.width is None or image.height is None:
        return None
    said = image.kept_metadata if isinstance(image, Image) else image.metadata
    focal_point = image.focal_point or _CENTRE
    return Negative(image.id, image.digest, image.width, image.height, focal_point, _rights(image, said))


def _rights(image: Image | ImageRead, said: Mapping[str, JsonValue]) -> Rights:
    """Cut where a file has no room: the whole packet of a JPEG must fit into 64 kB."""

    def text(name: str) -> str | None:
        value = said.get(name)
        return value[:_MOST_TEXT] if isinstance(value, str) else None

    creator = said.get("creator")
    names = (
        [name[:_MOST_TEXT] for name in creator if isinstance(name, str)] if isinstance(creator, list) else []
    )
    return Rights(
        tuple(names[:_MOST_CREATORS]),
        image.credit_line,
        image.copyright_notice[:_MOST_TEXT] if image.copyright_notice else None,
        *(text(name) for name in ("digital_source_type", "web_statement", "licensor_name", "licensor_url")),
    )


_NEGATIVE = TypeAdapter(Negative)


def written(negative: Negative | None) -> bytes | None:
    """Return a negative as bytes, which the store keeps beside the public document of the image."""
    return None if negative is None else _NEGATIVE.dump_json(negative)


def read_back(written: bytes) -> Negative:
    """Read a negative that was written down."""
    return _NEGATIVE.validate_json(written)


def formats_of(image: Image | ImageRead) -> tuple[str, ...]:
    """Return the endings that each address of an image takes; none while it has no file."""
    return () if image.digest is None else tuple(FORMATS)


def listed(image: Image | ImageRead, base: str, *, staff: bool) -> list[Rendition]:
    """Return the sizes that an image names, for `srcset`. The first one, the largest, is for a page that
    shows one. The file as it came holds what readers must not have, such as places: it is for staff, and no
    CDN has it. `base` stands before the addresses.
    """
    negative = negative_of(image)
    if negative is None:
        return []
    found = _sizes_of(negative, base)
    return [*found, original(image)] if staff else [*found]


@lru_cache(maxsize=512)
def _sizes_of(negative: Negative, base: str) -> list[Rendition]:
    # Kept, because pictures are shown again and again.
    whole = list(negative.whole())
    sizes = [size for size in whole if size is whole[0] or size.width in LISTED]
    crops = list(negative.crops())
    for name, width in LISTED_CROPS.items():
        sizes.append(next(size for size in crops if size.name.startswith(f"{name}-") and size.width <= width))
    token = negative.token()
    return [
        Rendition(
            name=size.name,
            href=base + negative.href(size, "jpg", token),
            width=size.width,
            height=size.height,
            content_type=FORMATS["jpg"],
        )
        for size in sizes
    ]


def original(image: Image | ImageRead) -> Rendition:
    """Return the file as it came."""
    assert image.digest is not None
    assert image.content_type is not None
    href = f"/media/{image.id}/{original_name(image.digest, image.content_type)}"
    return Rendition(
        name="original",
        href=href,
        width=image.width or 0,
        height=image.height or 0,
        content_type=image.content_type,
    )


def asked(negative: Negative, name: str) -> WantedRendition | None:
    """Read the last part of an address; None for a name that no version has given to a size.

    A width or crop that is no longer listed stands for the smallest listed size that is as wide, because an
    address that was good stays good while the picture is there.
    """
    if name.startswith(f"original-{negative.digest[:12]}."):
        # Before there were sizes, documents named the original, which readers do not get any more.
        return WantedRendition(next(negative.whole()), None, is_current=False)
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    size = next((size for size in negative.sizes() if size.name == match["size"]), None)
    if size is not None:
        return WantedRendition(size, match["format"], match["token"] == negative.token())
    return WantedRendition(
        _nearest(negative, match["crop"], int(match["width"])), match["format"], is_current=False
    )


def _nearest(negative: Negative, crop: str | None, width: int) -> Size:
    sizes = [size for size in negative.crops() if size.name.startswith(f"{crop}-")] if crop else []
    sizes = sizes or list(negative.whole())
    return min((size for size in sizes if size.width >= width), key=_width, default=max(sizes, key=_width))


def _width(size: Size) -> int:
    return size.width


def accepted(accept: str) -> str:
    """Return the format for an `Accept` header: the smallest that is named, and JPEG, which everyone can
    show, otherwise.
    """
    named = ranges(accept)
    return next((format_ for format_ in ("avif", "webp") if named.get(FORMATS[format_], 0) > 0), "jpg")
