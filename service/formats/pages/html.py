"""The reader of saved HTML pages: the article that the page shows, with its pictures where it shows them."""

from dataclasses import replace

from lxml.html import HtmlElement

from service.formats.pages import figures
from service.formats.pages.article import Article, outside_reading
from service.formats.pages.blocks import blocks
from service.formats.pages.bylines import byline_names, cut_story_credit, dateline, story_credit
from service.formats.pages.dates import date_line
from service.formats.pages.document import parse
from service.formats.pages.facts import Facts
from service.formats.pages.furniture import is_label, is_legal
from service.formats.pages.language import guess_language
from service.formats.pages.lead import leading
from service.formats.pages.outline import Unit, absolute, outline
from service.formats.pages.overlay import banner_in
from service.formats.pages.page import Author, Block, Heading, NotAnArticle, Page, Picture, PictureBlock
from service.formats.pages.text import key, tidy, words


def read_html(page: bytes, url: str | None, charset: str | None = None) -> Page:
    """The article in a saved page; `url` is where it came from, `charset` what the server said of its bytes.

    Raises `NotAnArticle` when the bytes hold no page, no headline or no text.
    """
    tree = parse(page, charset)
    body = tree.find("body")
    facts = Facts(tree, _web_address(url))
    headline = facts.headline
    if body is None or not headline:
        raise NotAnArticle("The page has no headline.")
    base = _base(tree, facts.canonical_url or url)
    units = outline(body, base, figures.holders(body))
    article = Article(units, f"{outside_reading(tree)}\n{facts.node.text('articleBody') or ''}")
    text = _Text(article.units, headline)
    if not any(unit.text for unit in text.units):
        raise NotAnArticle("The page has no text beneath its headline.")
    first = next((unit for unit in article.units if unit.text), None)
    above = [unit for unit in leading(units, article.container, first) if unit not in article.units]
    found = list(
        blocks(
            [*above, *text.units], article.container, lambda unit: figures.picture(unit.holder, base) if unit.holder is not None else None
        )
    )
    kept = tuple(_each_once(found))
    prose = [unit.text for unit in text.units if unit.text]
    authors = facts.authors or tuple(map(Author, byline_names(text.byline or "")))
    return Page(
        headline=headline[:300],
        blocks=kept,
        summary=facts.summary,
        byline=text.byline or ", ".join(author.name for author in authors) or None,
        authors=authors,
        dateline=dateline(prose[0]),
        section=facts.section,
        tags=facts.tags,
        language=facts.language or guess_language(" ".join(prose)),
        credit_line="; ".join(text.credits) or None,
        site=facts.site,
        canonical_url=facts.canonical_url,
        published_at=facts.published_at,
        updated_at=facts.updated_at,
        lead=_lead(kept, facts, base),
        banner=banner_in(tree),
    )


def _web_address(url: str | None) -> str | None:
    address = absolute(url, None)
    return address if address and address.startswith("http") else None


def _base(tree: HtmlElement, url: str | None) -> str | None:
    stated = next((e.get("href") for e in tree.iter("base") if e.get("href")), None)
    return absolute(stated, url) or url if stated else url


class _Text:
    """The article's units without byline, credit, date and labels, which are kept as facts where they are some."""

    def __init__(self, units: list[Unit], headline: str) -> None:
        self.byline: str | None = None
        self.credits: list[str] = []
        self.units: list[Unit] = []
        self._headline, self._seen = key(headline), set[str]()
        for unit in units:
            if unit.holder is not None or self._keeps(unit):
                self.units.append(unit)
        while self.units and self.units[-1].block.tag in {"h2", "h3", "h4", "h5", "h6"} and self.units[-1].holder is None:
            self.units.pop()

    def _keeps(self, unit: Unit) -> bool:
        same = key(unit.text)
        if same == self._headline or (same in self._seen and words(unit.text) > 7) or self._is_fact(unit):
            return False
        self._seen.add(same)
        if is_label(unit.text) or is_legal(unit.text):
            return unit.block.tag == "p" and words(unit.text) > 8
        markup, credit = cut_story_credit(unit.html)
        if credit:
            unit.html = markup
            self.credits.append(credit)
        return True

    def _is_fact(self, unit: Unit) -> bool:
        credit = story_credit(unit.text)
        if credit:
            self.credits.append(credit)
        early = sum(bool(kept.text) for kept in self.units) < 2
        if early and not self.byline and byline_names(unit.text):
            self.byline = unit.text
            return True
        return bool(credit or (early and date_line(unit.text)))


def _each_once(found: list[Block]) -> list[Block]:
    """The blocks, each picture once: pages show the lead again in a gallery, or a copy for small screens.

    Pictures that are loaded late share the address of a placeholder, so different captions are different pictures.
    """
    kept: list[Block] = []
    captions: set[str] = set()
    addresses: set[str] = set()
    for block in found:
        if isinstance(block, PictureBlock):
            picture = block.picture
            if picture.caption and is_label(picture.caption):
                block = PictureBlock(replace(picture, caption=None))
            caption, address = key(block.picture.caption or ""), (picture.url or "").split("?")[0]
            if caption in captions or (not caption and (not address or address in addresses)):
                continue
            captions |= {caption} if caption else set()
            addresses.add(address)
        kept.append(block)
    return kept


def _lead(found: tuple[Block, ...], facts: Facts, base: str | None) -> Picture | None:
    """The first picture shown; where none is, the one that the page names for others to show."""
    first = next((block.picture for block in found if isinstance(block, PictureBlock)), None)
    named = absolute(facts.meta("og:image", "twitter:image"), base) or next(
        (absolute(image.text("url", "contentUrl"), base) for image in facts.node.nodes("image")), None
    )
    if first is not None or not named:
        return first
    return Picture(named, facts.meta("og:image:alt", "twitter:image:alt"))
