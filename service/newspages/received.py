"""A page as it was received, and which of the readers is for it."""

from dataclasses import dataclass

from service.newspages.decoding import read_text
from service.newspages.dump import read_dump
from service.newspages.html import read_html
from service.newspages.page import Page


@dataclass(frozen=True, slots=True)
class Received:
    """A page's bytes, and what their sender said of them."""

    content: bytes
    is_text: bool
    """True for the text dump of a page."""
    url: str | None
    charset: str | None


def read(received: Received) -> Page:
    """Read a page. Raises NotAnArticle."""
    if received.is_text:
        return read_dump(read_text(received.content, received.charset))
    return read_html(received.content, received.url, received.charset)
