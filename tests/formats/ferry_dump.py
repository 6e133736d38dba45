"""A dump of a news page about a ferry, put together by tests of the parts that they ask about."""

from service.newspages import (
    FoundPicture,
    Page,
    Paragraph,
    PictureBlock,
)

BANNER = """This Paper and Your Privacy

We use cookies so that this site works and to learn what our readers like. By staying here you accept our cookie policy.

Accept all cookies
"""
HEADLINE = "Ferry line reopens after the long winter storms"
FIRST = (
    "The ferry between the two islands sailed again on Monday, ten weeks after ice had closed the harbour."
)
SECOND = "“We counted every day,” said the harbour master, whose office had kept a lamp burning on the pier."
THIRD = "Tickets cost what they cost last year, and bicycles still travel free of charge."
CAPTION = "Passengers board the first ferry of the year at the old pier, March 3, 2025."
OTHER = "Children wave from the deck as the ship leaves, March 3, 2025."


def dump(*parts: str) -> str:
    return "\n\n".join(parts)


def three(line: str) -> str:
    return f"{line}\n{line}\n\n{line}"


def paragraphs(page: Page) -> list[str]:
    return [block.html for block in page.blocks if isinstance(block, Paragraph)]


def pictures(page: Page) -> list[FoundPicture]:
    return [block.picture for block in page.blocks if isinstance(block, PictureBlock)]
