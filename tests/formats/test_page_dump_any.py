"""Any page that is written as a dump reads back as it was, and any other text does no harm."""

import time
from contextlib import suppress
from dataclasses import dataclass

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from service.newspages import (
    Banner,
    FoundPicture,
    NotAnArticle,
    Paragraph,
    PictureBlock,
    read_dump,
)
from tests.formats.ferry_dump import FIRST, HEADLINE


@pytest.mark.slow
@pytest.mark.parametrize("text", ["(" * 1_900_000, "a " * 950_000, "a/" * 900_000 + "\n" + "b\n" * 50_000])
def test_megabytes_of_nothing_cost_seconds_at_most(text: str) -> None:
    begun = time.process_time()
    with suppress(NotAnArticle):
        read_dump(text)
    assert time.process_time() - begun < 10


def test_a_text_longer_than_any_article_is_refused() -> None:
    with pytest.raises(NotAnArticle, match="longer"):
        read_dump(f"{HEADLINE}\n{FIRST}" + " word" * 2_000_000)


_WORDS = (
    "harbour lamp winter ferry island captain pier letter market bridge garden council teacher river library "
    "morning evening open close carry build remember answer follow travel with under beyond near small old green quiet"
).split()


@st.composite
def _sentences(draw: st.DrawFn, least: int = 7, most: int = 30) -> str:
    chosen = draw(st.lists(st.sampled_from(_WORDS), min_size=least, max_size=most))
    return " ".join(chosen).capitalize() + "."


@dataclass(frozen=True)
class _Model:
    banner: Banner | None
    headline: str
    body: tuple[str | FoundPicture, ...]
    copies: int
    joint: str
    credit_line: str | None
    furniture: tuple[str, ...]

    def dump(self) -> str:
        above = (
            [self.banner.title or "", self.banner.body, self.banner.accept_label or ""] if self.banner else []
        )
        below = [f"({self.credit_line})"] if self.credit_line else []
        return "\n\n".join([*above, self.headline, *map(self._part, self.body), *below, *self.furniture])

    def _part(self, part: str | FoundPicture) -> str:
        if isinstance(part, str):
            return part
        line = f"{part.caption} /{part.credit}" if part.credit else part.caption or ""
        return self.joint.join([line] * self.copies)


_BANNERS = st.builds(
    Banner,
    title=st.sampled_from([None, "Our Cookie Policy", "Your privacy matters to us"]),
    body=_sentences().map(lambda words: f"{words} By reading on you agree to our use of cookies."),
    accept_label=st.sampled_from(["I agree", "Accept all cookies", "Got it", "OK", "Accept"]),
)
_PICTURES = st.builds(
    FoundPicture,
    caption=_sentences(),
    credit=st.sampled_from([None, "Xinhua", "VCG", "CFP", "AFP", "Reuters", "Ann Lee"]),
)


@st.composite
def _models(draw: st.DrawFn) -> _Model:
    texts = draw(st.lists(_sentences(8, 60), min_size=1, max_size=8))
    shown = draw(st.lists(_PICTURES, max_size=6))
    body: list[str | FoundPicture] = draw(st.permutations([*texts, *shown]))
    headline = draw(_sentences(4, 14))[:-1]
    written = [headline.lower(), *(part if isinstance(part, str) else part.caption or "" for part in body)]
    # A page that says one thing twice by chance is no model of one that repeats its captions.
    _assume_distinct(written)
    return _Model(
        banner=draw(st.none() | _BANNERS),
        headline=headline,
        body=tuple(body),
        copies=draw(st.integers(2, 4)),
        joint=draw(st.sampled_from(["\n", "\n\n", "\r\n"])),
        credit_line=draw(st.sampled_from([None, "With input from Xinhua", "With inputs from AFP, Reuters"])),
        furniture=draw(
            st.sampled_from(
                [(), ("Search Trends",), ("Related stories", "Ice on the lake"), ("Copyright © 2025 Post",)]
            )
        ),
    )


def _assume_distinct(written: list[str]) -> None:
    assume(len({text.rstrip(".").lower() for text in written}) == len(written))


@pytest.mark.slow
@settings(deadline=None)
@given(_models())
def test_any_page_dumped_reads_back_as_it_was(model: _Model) -> None:
    page = read_dump(model.dump())
    read = tuple(
        block.picture if isinstance(block, PictureBlock) else block.html
        for block in page.blocks
        if isinstance(block, PictureBlock | Paragraph)
    )
    assert page.headline == model.headline
    assert read == model.body
    assert page.credit_line == model.credit_line
    assert page.banner == model.banner
    assert page.lead == next((part for part in model.body if isinstance(part, FoundPicture)), None)


@pytest.mark.slow
@settings(deadline=None)
@given(st.text() | st.text(st.sampled_from("a .\n/()（©:。\u00a0\ufeff\r日")))
def test_any_text_is_an_article_or_is_refused(text: str) -> None:
    try:
        page = read_dump(text)
    except NotAnArticle:
        return
    assert page.headline and page.blocks
