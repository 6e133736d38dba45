"""Text, captions, credits and authors are found on forty pages of twelve languages and eight layouts."""

import pytest

from service.newspages import Paragraph, PictureBlock, read_html
from tests.formats.newsstand import Shown, pages

PAGES = list(pages())


def test_the_newsstand_has_forty_pages_of_twelve_languages() -> None:
    assert len({shown.name for shown in PAGES}) == len(PAGES) == 40
    assert len({shown.story.language for shown in PAGES}) == 12


@pytest.mark.parametrize("shown", PAGES, ids=lambda shown: shown.name)
def test_a_page_of_the_newsstand_is_read_as_it_is(shown: Shown) -> None:
    found = read_html(shown.source.encode(), "https://bote.example/bruecke")
    pictures = [block.picture for block in found.blocks if isinstance(block, PictureBlock)]
    assert [block.html for block in found.blocks if isinstance(block, Paragraph)] == list(shown.story.texts)
    assert [picture.caption for picture in pictures] == list(shown.story.captions)
    assert [picture.credit for picture in pictures] == list(shown.credits)
    assert [author.name for author in found.authors] == [shown.story.author]
    assert (found.headline, found.language) == (shown.story.headline, shown.story.language)
