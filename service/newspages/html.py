"""The reader of saved HTML pages: the article that the page shows, with its pictures where it shows them."""

import re
from collections import Counter
from dataclasses import replace

from lxml.html import HtmlElement

from service.newspages import figures
from service.newspages.addresses import FILE
from service.newspages.article import Article, outside_reading
from service.newspages.blocks import blocks, wholes
from service.newspages.bylines import byline_names, dateline
from service.newspages.document import parse
from service.newspages.facts import Facts
from service.newspages.furniture import is_label
from service.newspages.jsonld import plain
from service.newspages.language import guess_language
from service.newspages.lead import leading
from service.newspages.leftovers import leftovers
from service.newspages.outline import Unit, outline, web_address
from service.newspages.overlay import banner_in
from service.newspages.page import Author, Block, FoundPicture, NotAnArticle, Page, Paragraph, PictureBlock
from service.newspages.story import Story
from service.newspages.text import as_html, key, tidy_lines

_BREAK = re.compile(r"</p>|<br\s*/?>|</div>|</h\d>", re.IGNORECASE)
_LONGEST_HEADLINE = 300
_LINES_ABOVE = 15


def read_html(page: bytes, url: str | None, charset: str | None = None) -> Page:
    """Return the article in a saved page; `url` is where it came from, `charset` what the server said of its
    bytes.

    Raises `NotAnArticle` when the bytes hold no page, no headline or no text, or more than any article.
    """
    tree = parse(page, charset)
    facts = Facts(tree, web_address(url, None))
    body = tree.find("body")
    if body is None or not facts.headline:
        raise NotAnArticle("The page has no headline.")
    base = _base(tree, facts.canonical_url)
    figures.part_shared(body)
    apart = wholes(body, base)
    units = outline(body, base, figures.holders(body, apart), apart)
    article = Article(
        units, f"{outside_reading(tree)}\n{facts.node.text('articleBody') or ''}", facts.headline
    )
    story = Story(article.units, facts.headline)
    story.byline = story.byline or _line_above(units, article)
    shown = _shown(units, article, story, base) if story.texts else _stated_text(facts)
    if not shown:
        raise NotAnArticle("The page has no text beneath its headline.")
    shown, lead = _led(shown, facts, base)
    dropped = leftovers(article.inside, story.units, article.container, base)
    read = _page(facts, facts.headline, story)
    return replace(read, blocks=shown, lead=lead, banner=banner_in(tree), dropped=dropped)


def _page(facts: Facts, headline: str, story: Story) -> Page:
    """Return all of the page but what it shows."""
    authors = _authors(facts, story)
    return Page(
        headline=headline[:_LONGEST_HEADLINE],
        blocks=(),
        summary=facts.summary,
        byline=story.byline or ", ".join(author.name for author in authors) or None,
        authors=authors,
        dateline=dateline(story.texts[0]) if story.texts else None,
        section=facts.section,
        tags=facts.tags,
        language=facts.language or guess_language(" ".join(story.texts)),
        credit_line="; ".join(story.credits) or None,
        site=facts.site,
        canonical_url=facts.canonical_url,
        published_at=facts.published_at,
        updated_at=facts.updated_at,
    )


def _authors(facts: Facts, story: Story) -> tuple[Author, ...]:
    """Whom the page names for machines, unless that is the paper itself and a byline or the initials beneath
    the text name somebody.
    """
    if facts.authors and not all(facts.is_site(author.name) for author in facts.authors):
        return facts.authors
    named = byline_names(story.byline or "") or ((story.sign_off,) if story.sign_off else ())
    return tuple(map(Author, named)) or facts.authors


def _stated_text(facts: Facts) -> tuple[Block, ...]:
    """Return the text that the page states for machines: what it shows readers, scripts bring later."""
    whole = facts.node.members.get("articleBody")
    lines = tidy_lines(_BREAK.sub("\n", whole)) if isinstance(whole, str) else []
    return tuple(Paragraph(as_html(line)) for line in filter(None, map(plain, lines)))


def _line_above(units: list[Unit], article: Article) -> str | None:
    """Return the byline that stands between the headline and the text, outside the element that holds the
    text.
    """
    first = next((index for index, unit in enumerate(units) if article.units and unit is article.units[0]), 0)
    near = [unit.text for unit in units[max(0, first - _LINES_ABOVE) : first]]
    return next((line for line in reversed(near) if line and byline_names(line)), None)


def _base(tree: HtmlElement, url: str | None) -> str | None:
    """Return the address to which relative addresses are relative."""
    stated = next((element.get("href") for element in tree.iter("base") if element.get("href")), None)
    return web_address(stated, url) or url


def _shown(units: list[Unit], article: Article, story: Story, base: str | None) -> tuple[Block, ...]:
    first = next((unit for unit in article.units if unit.is_text), None)
    inside = set(map(id, article.units))
    above = [unit for unit in leading(units, article.container, first) if id(unit) not in inside]

    def picture(unit: Unit) -> PictureBlock | None:
        found = figures.picture(unit.holder, base) if unit.holder is not None else None
        return PictureBlock(found) if found else None

    return tuple(
        _without_placeholders(
            _each_picture_once(list(blocks([*above, *story.units], article.container, base, picture)))
        )
    )


def _file_of(url: str) -> str:
    """Return the part of an address that names the file: a query may choose its size, or be all that tells it
    from others.
    """
    path, _, query = url.partition("?")
    return path if FILE.search(path) or not query else url


def _without_placeholders(found: list[Block]) -> list[Block]:
    """Drop the address of pictures where three of them, with different captions, share one: it is that of a
    placeholder until they are loaded.
    """
    pictures = [block.picture for block in found if isinstance(block, PictureBlock)]
    shared = {
        url for url, times in Counter(picture.url for picture in pictures if picture.url).items() if times > 2
    }
    return [
        PictureBlock(replace(block.picture, url=None))
        if isinstance(block, PictureBlock) and block.picture.url in shared
        else block
        for block in found
    ]


def _each_picture_once(found: list[Block]) -> list[Block]:
    """Return the blocks without repeated pictures: the lead again in a gallery, a copy for
    small screens.

    Pictures that are loaded late share the address of a placeholder, so different captions are different
    pictures.
    """
    kept: list[Block] = []
    seen: set[str] = set()
    for block in found:
        if not isinstance(block, PictureBlock):
            kept.append(block)
            continue
        picture = _without_label(block.picture)
        caption, address = key(picture.caption or ""), _file_of(picture.url or "")
        if (
            not {caption or address}.isdisjoint(seen)
            or not (caption or address)
            or (not caption and _is_icon(address))
        ):
            continue
        seen.update({caption, address} - {""})
        kept.append(PictureBlock(picture))
    return kept


def _is_icon(address: str) -> bool:
    """Return whether an uncaptioned picture is a drawing of the page's own: no photograph is an SVG."""
    return address.lower().endswith(".svg")


def _without_label(picture: FoundPicture) -> FoundPicture:
    """Drop a caption that is a button or a marker beside the picture ("Share", "Advertisement")."""
    return replace(picture, caption=None) if picture.caption and is_label(picture.caption) else picture


def _led(
    shown: tuple[Block, ...], facts: Facts, base: str | None
) -> tuple[tuple[Block, ...], FoundPicture | None]:
    """Return the blocks and the first picture among them; where none is, or its file is named nowhere, the
    one that the page names for others to show.
    """
    place = next((at for at, block in enumerate(shown) if isinstance(block, PictureBlock)), None)
    stated = _stated_picture(facts, base)
    if place is None:
        return shown, stated
    block = shown[place]
    assert isinstance(block, PictureBlock)
    lead = block.picture
    used = {block.picture.url for block in shown if isinstance(block, PictureBlock)}
    if lead.url is None and stated is not None and stated.url not in used:
        lead = replace(lead, url=stated.url, alt=lead.alt or stated.alt)
    return (*shown[:place], PictureBlock(lead), *shown[place + 1 :]), lead


def _stated_picture(facts: Facts, base: str | None) -> FoundPicture | None:
    stated = [
        facts.meta("og:image", "twitter:image"),
        *(image.text("url", "contentUrl") for image in facts.node.nodes("image")),
    ]
    named = next(filter(None, (web_address(address, base) for address in stated)), None)
    return FoundPicture(named, facts.meta("og:image:alt", "twitter:image:alt")) if named else None
