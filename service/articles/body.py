"""An article's body: typed blocks, and what they become as HTML and as text."""

import html
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    JsonValue,
    StringConstraints,
    model_validator,
)
from typing_extensions import TypeAliasType

from service.articles.inline import Inline, plain
from service.images.models import EffectiveCaption, Picture, WithdrawalReason
from service.images.srcset import WHOLE, files
from service.tables import Line, Reading, Shape, clean_text, unix_newlines

MOST_COLUMNS = 50
MOST_ROWS = 500
MOST_CELLS = 5_000
MOST_CELL_CHARACTERS = 500_000
LONGEST_CODE = 100_000


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc or len(value.split()) > 1:
        raise ValueError("must be an https address")
    return value


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
    level: Literal[2, 3, 4] = 2
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
    items: Annotated[list[Inline], Field(max_length=500, fail_fast=True)]


class ImageBlock(Shape):
    """A picture between paragraphs. `image`, `caption` and `withdrawn` are what readers receive; they are
    ignored on write.
    """

    type: Literal["image"] = "image"
    image_id: UUID
    caption_id: UUID | None = None
    image: Ignored = Field(None, exclude=True)
    caption: Ignored = Field(None, exclude=True)
    withdrawn: Ignored = Field(None, exclude=True)


class Embed(Shape):
    """Something shown from another host, one of those that the service allows."""

    type: Literal["embed"] = "embed"
    url: EmbedAddress


class Divider(Shape):
    """A break between parts."""

    type: Literal["divider"] = "divider"


Cells = TypeAliasType(
    "Cells", Annotated[list[Inline], Field(min_length=1, max_length=MOST_COLUMNS, fail_fast=True)]
)
"""A row of a table."""


class Table(Shape):
    """A table of data. Rows may differ in length."""

    type: Literal["table"] = "table"
    caption: Line | None = None
    header: Annotated[list[Cells], Field(max_length=20)] = Field(
        default_factory=list, description="rows of column heads", examples=[[["Party", "Votes"]]]
    )
    rows: Annotated[list[Cells], Field(min_length=1, max_length=MOST_ROWS)] = Field(
        examples=[[["Greens", "12,345"], ["Liberals", "9,876"]]]
    )

    @model_validator(mode="before")
    @classmethod
    def bounded(cls, value: object) -> object:
        """Count before each cell is sanitised: that costs microseconds a cell."""
        if isinstance(value, dict):
            cells = [cell for name in ("header", "rows") for cell in _cells(value.get(name))]
            if len(cells) > MOST_CELLS:
                raise ValueError(f"must not have more than {MOST_CELLS:,} cells")
            if sum(map(len, cells)) > MOST_CELL_CHARACTERS:
                raise ValueError(f"must not have more than {MOST_CELL_CHARACTERS:,} characters in its cells")
        return value


def _cells(rows: object) -> Iterator[str]:
    for row in rows if isinstance(rows, list) else []:
        for cell in row if isinstance(row, list) else []:
            yield cell if isinstance(cell, str) else ""


class Code(Shape):
    """Source text, kept as it is written: spaces, tabs and line ends included."""

    type: Literal["code"] = "code"
    language: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+#._-]{1,40}$")] | None = Field(
        None, examples=["python"]
    )
    text: Annotated[
        str,
        StringConstraints(max_length=LONGEST_CODE),
        BeforeValidator(unix_newlines),
        AfterValidator(clean_text),
    ]


class ResolvedImage(Reading):
    """A picture as readers receive it, with the caption that holds here. Both are null when the picture is
    gone.
    """

    type: Literal["image"] = "image"
    image_id: UUID
    caption_id: UUID | None
    image: Picture | None
    caption: EffectiveCaption | None
    # Documents that were rendered before there was this member lack it.
    withdrawn: WithdrawalReason | None = Field(None, description="why the picture was withdrawn, if it was")


Words = Paragraph | Heading | Quote | ItemList | Table | Code
"""The blocks that carry words of their own."""
Block = TypeAliasType("Block", Annotated[Words | ImageBlock | Embed | Divider, Field(discriminator="type")])
ResolvedBlock = TypeAliasType(
    "ResolvedBlock", Annotated[Words | ResolvedImage | Embed | Divider, Field(discriminator="type")]
)


def images_of(blocks: Sequence[BaseModel]) -> list[UUID]:
    """Return the images that a body shows, each once, in their order."""
    return list(dict.fromkeys(block.image_id for block in blocks if isinstance(block, ImageBlock)))


def as_html(blocks: Sequence[BaseModel]) -> str:
    """Return a resolved body as HTML: figures with captions and credits, everything escaped or sanitised."""
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
        case Table():
            return table_html(block)
        case Code():
            named = f' class="language-{html.escape(block.language)}"' if block.language else ""
            return f"<pre><code{named}>{html.escape(block.text)}</code></pre>"
        case Embed():
            address = html.escape(block.url)
            return f'<p><a href="{address}">{address}</a></p>'
        case ResolvedImage():
            return figure(block.image, block.caption)
    return "<hr>"


def table_html(table: Table) -> str:
    """Return a table with its caption and its heads."""
    caption = f"<caption>{html.escape(table.caption)}</caption>" if table.caption else ""
    head = f"<thead>{_rows(table.header, 'th')}</thead>" if table.header else ""
    return f"<table>{caption}{head}<tbody>{_rows(table.rows, 'td')}</tbody></table>"


def _rows(rows: list[list[str]], tag: str) -> str:
    scope = ' scope="col"' if tag == "th" else ""
    return "".join(f"<tr>{''.join(f'<{tag}{scope}>{cell}</{tag}>' for cell in row)}</tr>" for row in rows)


def figure(image: Picture | None, caption: EffectiveCaption | None) -> str:
    """Return a picture with its alternative text, size, caption and credit."""
    if image is None or not image.renditions:
        return ""
    shown = image.renditions[0]
    smaller = ", ".join(f"{each.href} {each.width}w" for each in files(image, WHOLE, "webp"))
    choice = f' srcset="{html.escape(smaller)}" sizes="100vw"' if smaller else ""
    alt = html.escape((caption.alt_text if caption else None) or "")
    words = [html.escape(part) for part in (caption.text if caption else None, image.credit_line) if part]
    legend = f"<figcaption>{' '.join(words)}</figcaption>" if words else ""
    size = f'width="{shown.width}" height="{shown.height}"'
    return f'<figure><img src="{html.escape(shown.href)}"{choice} alt="{alt}" {size}>{legend}</figure>'


def as_text(blocks: Sequence[BaseModel]) -> str:
    """Return a resolved body as plain text, a blank line between blocks; pictures give their captions."""
    return "\n\n".join(text for text in _texts(blocks) if text)


def _texts(blocks: Sequence[BaseModel]) -> Iterator[str]:
    for block in blocks:
        match block:
            case Paragraph() | Heading() | Quote():
                yield plain(block.html)
            case ItemList():
                yield "\n".join(f"- {plain(item)}" for item in block.items)
            case Table():
                rows = ["\t".join(plain(cell) for cell in row) for row in (*block.header, *block.rows)]
                yield "\n".join([*([block.caption] if block.caption else []), *rows])
            case Code():
                yield block.text.strip("\n")
            case ResolvedImage(caption=EffectiveCaption(text=str(text))):
                yield text
