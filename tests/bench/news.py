"""Invented news: the same number gives the same article, of a length that newsrooms know (some 8
KB as JSON).
"""

import hashlib
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from service.articles.body import Block, Heading, ImageBlock, Paragraph, Quote
from service.articles.models import ArticleCreate, Author, Status
from service.images.models import Caption, Image

BEGAN = datetime(2025, 1, 1, tzinfo=UTC)
SECTIONS = ("City", "Business", "Science", "Culture", "Sport", "World")
PEOPLE = (
    "Mara Ellison",
    "Tomas Reyes",
    "Ines Caro",
    "Joon Park",
    "Adaeze Obi",
    "Lena Fischer",
    "Piotr Zielinski",
    "Noor Haddad",
)
WHO = (
    "The council",
    "A court",
    "The harbour board",
    "The university",
    "A survey",
    "The tram company",
    "A panel of engineers",
    "The museum",
)
DID = ("approved", "postponed", "questioned", "published", "rejected", "extended", "opened", "measured")
WHAT = (
    "the ferry timetable",
    "a plan for new housing",
    "the repair of the bridge",
    "the budget for schools",
    "a map of the seagrass",
    "the night market",
    "a tax on empty shops",
    "the archive of letters",
)
WHERE = (
    "in Larkmouth",
    "on the eastern bank",
    "at the old quay",
    "in the outer bay",
    "near the station",
    "under the cliffs",
    "in the upper town",
)
WHEN = (
    "on Monday",
    "after a long debate",
    "for the second time",
    "two weeks early",
    "despite the storm",
    "by a narrow vote",
    "this winter",
)
STREETS = tuple(
    f"{first}{last}"
    for first in (
        "Alder",
        "Birch",
        "Cooper",
        "Drover",
        "Elm",
        "Fisher",
        "Gull",
        "Heron",
        "Iron",
        "Juniper",
        "Kelp",
        "Linden",
    )
    for last in ("gate", "hill", "market", "row", "side", "walk", "well", "yard")
)
REMARKS = (
    "Those who spoke against it said that the figures were older than they looked, and asked for new ones before the summer.",
    "Neighbours had waited for an answer since the autumn, and several of them stayed in the gallery until it was given.",
    "The cost is put at <strong>4.2 million</strong>, of which a third has been promised by the region.",
    "Nobody expects the work to begin before the last of the winter tides, and the contractors have been told so.",
    'A <a href="https://larkmouth.example/report">summary of the findings</a> was handed out at the door.',
    "What happens next depends on a reading in the other chamber, where the majority is thinner.",
)
DRAWN = ("lead", "inside")


def headline(number: int) -> str:
    """One headline for each number, no two alike."""
    chance = random.Random(f"headline {number}")
    return f"{_sentence(chance)} ({number})"


def _sentence(chance: random.Random) -> str:
    return " ".join(
        (
            chance.choice(WHO),
            chance.choice(DID),
            chance.choice(WHAT),
            chance.choice(WHERE),
            chance.choice(WHEN),
        )
    )


def queries() -> list[str]:
    """What readers search for: two streets that some hundred articles name together."""
    return [f"{one} {other}" for place, one in enumerate(STREETS) for other in STREETS[place + 1 : place + 7]]


def moments() -> list[datetime]:
    """Moments before which lists are asked for, each of them another list of twenty."""
    return [BEGAN + timedelta(minutes=number) for number in range(100, 10_000, 20)]


def article(number: int, images: Sequence[UUID], *, published: bool = True) -> ArticleCreate:
    """An article of nine paragraphs that shows these pictures."""
    chance = random.Random(number)
    return ArticleCreate(
        headline=headline(number),
        summary=f"{_sentence(chance)}. {chance.choice(REMARKS[3:4])}",
        byline=f"By {chance.choice(PEOPLE)}",
        authors=[Author(name=chance.choice(PEOPLE))],
        dateline="LARKMOUTH",
        section=chance.choice(SECTIONS),
        language="en",
        tags=[chance.choice(WHAT).split()[-1], chance.choice(WHERE).split()[-1]],
        credit_line="With input from Harbour Press",
        source="bench.example",
        external_id=str(number),
        canonical_url=f"https://larkmouth.example/news/{number}",
        body=_body(chance, images),
        lead_image_id=images[0] if images else None,
        status=Status.PUBLISHED if published else Status.DRAFT,
        published_at=BEGAN + timedelta(minutes=number) if published else None,
        copyright_notice="© Larkmouth Courier",
    )


def _body(chance: random.Random, images: Sequence[UUID]) -> list[Block]:
    paragraphs: list[Block] = [
        Paragraph(
            html=f"{_sentence(chance)}. {chance.choice(REMARKS)} {_sentence(chance)}, off {chance.choice(STREETS)}."
        )
        for _ in range(9)
    ]
    pictures: list[Block] = [ImageBlock(image_id=image) for image in images]
    heading, quote = (
        Heading(html=_sentence(chance)),
        Quote(html=chance.choice(REMARKS), cite=chance.choice(PEOPLE)),
    )
    return [*pictures[:1], *paragraphs[:4], heading, *pictures[1:], *paragraphs[4:7], quote, *paragraphs[7:]]


def pictures(number: int) -> list[tuple[Image, Caption]]:
    """The article's two pictures with a caption each. They have no file on disk: the bench asks for none."""
    return [_picture(f"{number} {place}", place) for place in DRAWN]


def _picture(name: str, place: str) -> tuple[Image, Caption]:
    chance = random.Random(name)
    image = Image(
        digest=hashlib.sha256(name.encode()).hexdigest(),
        content_type="image/jpeg",
        width=1600,
        height=1067,
        size=240_000,
        credit_line=f"{chance.choice(PEOPLE)}/Harbour Press",
        source="bench.example",
    )
    text = f"{_sentence(chance)}, as seen from the {place} page."
    return image, Caption(
        image_id=image.id, language="en", text=text, alt_text=f"A view {chance.choice(WHERE)}"
    )
