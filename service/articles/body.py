"""An article's body: typed blocks whose inline HTML is always clean, and what they become as HTML and as
text.
"""

import html
import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal
from urllib.parse import urlsplit
from uuid import UUID

import nh3
from pydantic import AfterValidator, BaseModel, Field, JsonValue, StringConstraints, WithJsonSchema

from service.images.models import EffectiveCaption, ImageRead
from service.tables import Line, Reading, Shape, clean_text

_CLEANER = nh3.Cleaner(
    tags={"a", "strong", "em", "code", "sub", "sup", "br", "span"},
    attributes={"a": {"href"}, "span": {"lang"}},
    url_schemes={"http", "https", "mailto"},
    link_rel=None,
)
"""Made once, which costs as much as cleaning a paragraph."""
_TAG = re.compile("<[^>]*>")
"""In clean HTML, where neither character stands for itself, not even in an address."""
_MARKUP = re.compile("[<>&\u00a0\x00\r]")
"""Without any of these a text is its own HTML, and need not be parsed."""
_SMALL = "image/webp"
LONGEST_INLINE = 50_000


def sanitise(value: str) -> str:
    """Keep `a[href] strong em code sub sup br span[lang]` and links to http, https and mailto; drop all else.

    Cleaning what is clean already changes nothing.
    """
    if _MARKUP.search(value) is None:
        return value.strip()
    clean = _CLEANER.clean(value).strip()
    # What is moved out of a table that goes may nest links, which HTML does not: the next reading takes them
    # apart.
    while "<" in clean and clean != value:
        value, clean = clean, _CLEANER.clean(clean).strip()
    return clean


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc or len(value.split()) > 1:
        raise ValueError("must be an https address")
    return value


def _inline(value: str) -> str:
    given = clean_text(value.replace("\r\n", "\n").replace("\r", "\n") if "\r" in value else value)
    clean = sanitise(given)
    # Measured and looked through as it is kept: sanitising turns & into &amp;, and &#7; into a control
    # character.
    if clean != given:
        clean_text(clean)
    if len(clean) > LONGEST_INLINE:
        raise ValueError(f"must not have more than {LONGEST_INLINE} characters")
    return clean


Inline = Annotated[
    str, WithJsonSchema({"type": "string", "maxLength": LONGEST_INLINE}), AfterValidator(_inline)
]
"""Inline HTML, sanitised."""
EmbedAddress = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=2_000),
    AfterValidator(clean_text),
    AfterValidator(_web_address),
]


def _nothing(_value: JsonValue) -> None:
    return None


Ignored = Annotated[JsonValue, AfterValidator(_nothing)]
"""Taken, and not kept: two blocks are equal whatever was sent back with them."""


class Paragraph(Shape):
    """A paragraph."""

    type: Literal["paragraph"] = "paragraph"
    html: Inline = Field(examples=["The council <strong>agreed</strong> on Tuesday."])


class Heading(Shape):
    """A heading inside the body; the headline is level 1."""

    type: Literal["heading"] = "heading"
    level: int = Field(2, ge=2, le=4, strict=True)
    html: Inline


class Quote(Shape):
    """A quotation set apart, with who said it."""

    type: Literal["quote"] = "quote"
    html: Inline
    cite: Line | None = None


class ItemList(Shape):
    """A list."""

    type: Literal["list"] = "list"
    ordered: bool = Field(False, strict=True)
    items: Annotated[list[Inline], Field(max_length=500)]


class ImageBlock(Shape):
    """A picture between paragraphs. `image` and `caption` are what readers receive; they are ignored on
    write.
    """

    type: Literal["image"] = "image"
    image_id: UUID
    caption_id: UUID | None = None
    image: Ignored = Field(None, exclude=True)
    caption: Ignored = Field(None, exclude=True)


class Embed(Shape):
    """Something shown from another host, one of those that the service allows."""

    type: Literal["embed"] = "embed"
    url: EmbedAddress


class Divider(Shape):
    """A break between parts."""

    type: Literal["divider"] = "divider"


class ResolvedImage(Reading):
    """A picture as readers receive it, with the caption that holds here. Both are null when the picture is
    gone.
    """

    type: Literal["image"] = "image"
    image_id: UUID
    caption_id: UUID | None
    image: ImageRead | None
    caption: EffectiveCaption | None


Block = Annotated[
    Paragraph | Heading | Quote | ItemList | ImageBlock | Embed | Divider, Field(discriminator="type")
]
ResolvedBlock = Annotated[
    Paragraph | Heading | Quote | ItemList | ResolvedImage | Embed | Divider, Field(discriminator="type")
]


def images_of(blocks: Sequence[BaseModel]) -> list[UUID]:
    """The images that a body shows, each once, in their order."""
    return list(dict.fromkeys(block.image_id for block in blocks if isinstance(block, ImageBlock)))


def as_html(blocks: Sequence[BaseModel]) -> str:
    """A resolved body as HTML: figures with captions and credits, everything escaped or sanitised."""
    return "\n".join(_block_html(block) for block in blocks)


def _block_html(block: BaseModel) -> str:  # noqa: PLR0911  # a return for each kind of block
    match block:
        case Paragraph():
            return f"<p>{block.html}</p>"
        case Heading():
            return f"<h{block.level}>{block.html}</h{block.level}>"
        case Quote():
            cite = f"<footer><cite>{html.escape(block.cite)}</cite></footer>" if block.cite else ""
            return f"<blockquote><p>{block.html}</p>{cite}</blockquote>"
        case ItemList():
            tag = "ol" if block.ordered else "ul"
            return f"<{tag}>{''.join(f'<li>{item}</li>' for item in block.items)}</{tag}>"
        case Embed():
            address = html.escape(block.url)
            return f'<p><a href="{address}">{address}</a></p>'
        case ResolvedImage():
            return figure(block.image, block.caption)
    return "<hr>"


def figure(image: ImageRead | None, caption: EffectiveCaption | None) -> str:
    """A picture with its alternative text, size, caption and credit."""
    if image is None or not image.renditions:
        return ""
    shown = image.renditions[0]
    smaller = ", ".join(
        f"{each.href} {each.width}w"
        for each in image.renditions
        if each.name.startswith("w") and each.content_type == _SMALL
    )
    choice = f' srcset="{html.escape(smaller)}" sizes="100vw"' if smaller else ""
    alt = html.escape((caption.alt_text if caption else None) or "")
    words = [html.escape(part) for part in (caption.text if caption else None, image.credit_line) if part]
    legend = f"<figcaption>{' '.join(words)}</figcaption>" if words else ""
    size = f'width="{shown.width}" height="{shown.height}"'
    return f'<figure><img src="{html.escape(shown.href)}"{choice} alt="{alt}" {size}>{legend}</figure>'


def as_text(blocks: Sequence[BaseModel]) -> str:
    """A resolved body as plain text, a blank line between blocks; pictures give their captions."""
    return "\n\n".join(text for text in _texts(blocks) if text)


def _texts(blocks: Sequence[BaseModel]) -> Iterator[str]:
    for block in blocks:
        match block:
            case Paragraph() | Heading() | Quote():
                yield plain(block.html)
            case ItemList():
                yield "\n".join(f"- {plain(item)}" for item in block.items)
            case ResolvedImage(caption=EffectiveCaption(text=str(text))):
                yield text


def plain(inline: str) -> str:
    """Inline HTML as plain text."""
    return html.unescape(_TAG.sub("", inline.replace("<br>", "\n")))
