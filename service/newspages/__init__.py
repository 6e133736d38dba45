"""The reader of news pages: a text dump or a saved HTML page becomes one `Page`, without network or database."""

from service.newspages.decoding import read_text
from service.newspages.dump import read_dump
from service.newspages.html import read_html
from service.newspages.page import (
    Author,
    Banner,
    Block,
    Code,
    Dropped,
    Embed,
    Heading,
    ItemList,
    NotAnArticle,
    Page,
    Paragraph,
    Picture,
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
    "Heading",
    "ItemList",
    "NotAnArticle",
    "Page",
    "Paragraph",
    "Picture",
    "PictureBlock",
    "Quote",
    "Table",
    "read_dump",
    "read_html",
    "read_text",
]
