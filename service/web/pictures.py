"""A picture as a page shows it: its sizes for `srcset`, the room that it takes, its words, and a colour until
it is there.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from service.articles.body import ResolvedImage
from service.articles.models import ArticleRead
from service.images.models import EffectiveCaption, Picture, Rendition
from service.images.srcset import WHOLE, files, steps

OPEN_GRAPH_WIDTH = 1280


@dataclass(frozen=True, slots=True)
class PagePicture:
    """One picture of a page. `caption_language` is None where the page's own language holds."""

    href: str
    width: int
    height: int
    srcset: str
    alt: str
    caption: str | None
    caption_language: str | None
    credit: str | None
    colour: str | None


def whole(image: Picture | None, caption: EffectiveCaption | None, language: str) -> PagePicture | None:
    """Return the picture as it is, in every width; None while it has no file."""
    if image is None or not image.renditions:
        return None
    return _picture(
        image,
        caption,
        language,
        image.renditions[0],
        steps(image, WHOLE, "webp"),
    )


def crop(image: Picture, caption: EffectiveCaption | None, language: str) -> PagePicture | None:
    """Return the picture cut to 16 by 9, for a list."""
    cut = steps(image, "16x9-", "webp")
    shown = next((each for each in cut if each.width <= OPEN_GRAPH_WIDTH), None)
    return None if shown is None else _picture(image, caption, language, shown, cut)


def _picture(
    image: Picture,
    caption: EffectiveCaption | None,
    language: str,
    shown: Rendition,
    sizes: Iterable[Rendition],
) -> PagePicture:
    text = caption.text if caption else None
    return PagePicture(
        shown.href,
        shown.width,
        shown.height,
        ", ".join(f"{each.href} {each.width}w" for each in sizes),
        (caption.alt_text if caption else None) or "",
        text,
        caption.language if caption and caption.language != language else None,
        _credit(image.credit_line, text),
        image.dominant_color,
    )


def _credit(credit: str | None, text: str | None) -> str | None:
    """Return the credit, unless the caption gives it already."""
    return None if credit is None or (text is not None and credit.casefold() in text.casefold()) else credit


def first_of(article: ArticleRead) -> tuple[Picture, EffectiveCaption | None] | None:
    """Return the picture that stands for an article: its lead, or the first that its body shows."""
    if article.lead_image is not None and article.lead_image.renditions:
        return article.lead_image, article.lead_image.caption
    shown = (block for block in article.body if isinstance(block, ResolvedImage))
    return next(
        (
            (block.image, block.caption)
            for block in shown
            if block.image is not None and block.image.renditions
        ),
        None,
    )


def for_open_graph(image: Picture) -> Rendition:
    """Return the JPEG that is shown where somebody shares the article."""
    jpegs = files(image, WHOLE, "jpg")
    return next((each for each in jpegs if each.width <= OPEN_GRAPH_WIDTH), image.renditions[0])


def colours(shown: Iterable[PagePicture | None]) -> str:
    """Return the style element's content: a class for each colour that stands in for a picture."""
    named = dict.fromkeys(picture.colour for picture in shown if picture is not None and picture.colour)
    return "".join(f".c{colour.removeprefix('#')}{{background-color:{colour}}}" for colour in named)
