"""The reader of news pages: a text dump or a saved HTML page becomes one `Page`, without network
or database.
"""

# The readers are imported when the first page comes, because their libraries and patterns take half a second
# of each start.
# ruff: noqa: PLC0415
from service.newspages.decoding import read_text
from service.newspages.page import (
    Author,
    Banner,
    Block,
    Code,
    Dropped,
    Embed,
    FoundPicture,
    Heading,
    ItemList,
    NotAnArticle,
    Page,
    Paragraph,
    PictureBlock,
    Quote,
    Table,
)

__all__ = [
    "Author",
    "Banner",
    "Block",
    "Code",
    "Dropped",
    "Embed",
    "FoundPicture",
    "Heading",
    "ItemList",
    "NotAnArticle",
    "Page",
    "Paragraph",
    "PictureBlock",
    "Quote",
    "Table",
    "read_dump",
    "read_html",
    "read_text",
]


def read_html(page: bytes, url: str | None, charset: str | None = None) -> Page:
    """Return the article in a saved page; `url` is where it came from, `charset` what the server said of its
    bytes.

    Raises `NotAnArticle` when the bytes hold no page, no headline or no text, or more than any article.
    """
    from service.newspages import html

    return html.read_html(page, url, charset)


def read_dump(text: str) -> Page:
    """Return the article in a text dump.

    Raises `NotAnArticle` when the text has no headline, nothing beneath it, or the length of a library.
    """
    from service.newspages import dump

    return dump.read_dump(text)
