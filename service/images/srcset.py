"""Name the files of a picture that a page offers to a browser, out of the sizes that the picture names."""

from collections.abc import Iterator

from service.images.models import Picture, Rendition
from service.images.renditions import FORMATS, WIDTHS

WHOLE = "w"
"""The beginning of the names of sizes of the whole picture; those of a crop begin with its sides and a
hyphen.
"""


def files(picture: Picture, prefix: str, ending: str) -> list[Rendition]:
    """Return the sizes that a picture names, as files of one format, the largest first.

    A document that was rendered before `formats` names each file among its renditions.
    """
    named = [each for each in picture.renditions if each.name.startswith(prefix)]
    if ending in picture.formats:
        return [_as(each, ending) for each in named]
    return [each for each in named if each.content_type == FORMATS[ending]]


def steps(picture: Picture, prefix: str, ending: str) -> list[Rendition]:
    """Return files in every width that is made of a picture, named or not, the largest first."""
    found = files(picture, prefix, ending)
    if not found or not picture.formats:
        return found
    return [found[0], *_narrower(found[0], prefix)]


def _narrower(widest: Rendition, prefix: str) -> Iterator[Rendition]:
    start = prefix if prefix.endswith("-") else ""
    for width in (width for width in WIDTHS if width < widest.width):
        name = f"{start}w{width}"
        yield widest.model_copy(
            update={
                "name": name,
                "href": widest.href.replace(f"/{widest.name}-", f"/{name}-"),
                "width": width,
                "height": max(1, round(width * widest.height / widest.width)),
            }
        )


def _as(size: Rendition, ending: str) -> Rendition:
    href = f"{size.href.removesuffix('jpg')}{ending}"
    return size.model_copy(update={"href": href, "content_type": FORMATS[ending]})
