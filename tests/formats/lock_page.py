"""A news page about a canal lock, into which tests put the markup that they ask about."""

from service.newspages import (
    Block,
    Page,
    Paragraph,
    PictureBlock,
    read_html,
)

URL = "https://post.example/lock"
HEADLINE = "The old canal lock opens again"
TEXTS = (
    "The lock beneath the mill opened on Saturday, four years after its gates had been carried away by the flood.",
    "Masons from two villages rebuilt the chamber stone by stone, with lime that was burnt in the quarry above it.",
    "The first boat through was a barge with apples, whose skipper had waited below the weir since the early morning.",
    "From next week the keeper will be there every day, and who wants to pass at night must ring the bell twice.",
)


def page(
    inside: str, head: str = "", lang: str = "en", texts: tuple[str, ...] = TEXTS, above: str = ""
) -> Page:
    paragraphs = [f"<p>{text}</p>" for text in texts]
    body = "".join([*paragraphs[:2], inside, *paragraphs[2:]])
    markup = f"<main><article><h1>{HEADLINE}</h1>{above}<div class=story>{body}</div></article></main>"
    source = f"<!doctype html><html lang={lang}><head><meta charset=utf-8>{head}</head><body>{markup}</body></html>"
    return read_html(source.encode(), URL)


def added(found: Page) -> list[Block]:
    """Return the blocks of a page that are none of its four paragraphs."""
    return [block for block in found.blocks if block not in tuple(map(Paragraph, TEXTS))]


def pictures(found: Page) -> list[tuple[str | None, str | None]]:
    return [(b.picture.url, b.picture.caption) for b in found.blocks if isinstance(b, PictureBlock)]


DATA = "data:image/gif;base64,R0lGODlhAQABAAAAACw="
