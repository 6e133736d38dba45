"""What a page states about its article beside the text: JSON-LD, microdata, OpenGraph and meta, in that spirit.

Each fact has its own order of trust, measured on saved pages: a headline is best told by OpenGraph, a date and
the people by schema.org, whether written as JSON-LD or as microdata.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from functools import cached_property
from itertools import islice
from urllib.parse import urlsplit

from lxml import etree
from lxml.html import HtmlElement

from service.formats.pages.bylines import byline_names, split_names
from service.formats.pages.dates import parse_time
from service.formats.pages.jsonld import Node, article_node, plain
from service.formats.pages.language import language_tag
from service.formats.pages.outline import absolute
from service.formats.pages.page import Author
from service.formats.pages.text import key, tidy, words

_SITE_SUFFIX = re.compile(r"^(.{12,}?)\s*(?:\s[-–—|•·»]|[|｜：])\s*([^|｜]{2,60})$")
_BYLINE_CLASS = re.compile(r"(?:^|[\s_-])(?:byline|author|authors|writer|contributor)(?:[-_]*names?)?(?=$|[\s_-])", re.IGNORECASE)
_ROLE = re.compile(r"\s*[|•·(/].*$|,\s+(?:\w+ )*(?:editor|correspondent|reporter|writer|staff|in [A-Z]\w+)\b.*$", re.IGNORECASE)
_DATE_CLASS = re.compile(r"(?:^|[\s_-])(?:date|datetime|pubdate|published|timestamp)(?=$|[\s_-])", re.IGNORECASE)
_DAY_IN_PATH = re.compile(r"/(20\d\d)/(\d\d)/(\d\d)/")
_NO_NAME = re.compile(
    r"https?:|www\.|@|\d{3}|^(?:admin|author|autor|byline|share|follow|editor|unknown|null|none|redaktion$)$", re.IGNORECASE
)


def _named_date(element: HtmlElement) -> bool:
    return element.tag != "meta" and _DATE_CLASS.search(element.get("class") or "") is not None


class Facts:
    """The facts of one page. Each is read when it is asked for."""

    def __init__(self, tree: HtmlElement, url: str | None) -> None:
        self._tree, self._url = tree, url
        self.node: Node = article_node(tree)
        self._metas: dict[str, list[str]] = {}
        for meta in tree.iter("meta"):
            name = (meta.get("property") or meta.get("name") or meta.get("itemprop") or "").lower()
            content = plain(meta.get("content") or "")
            if name and content:
                self._metas.setdefault(name, []).append(content)

    def meta(self, *names: str) -> str | None:
        """The first of these meta elements that the page has."""
        return next((self._metas[name][0] for name in names if name in self._metas), None)

    def metas(self, name: str) -> list[str]:
        """Every meta element of the name."""
        return self._metas.get(name, [])

    @cached_property
    def headline(self) -> str | None:
        """OpenGraph's headline without the site's name, unless the page contradicts itself about it.

        A meta element that names the headline outright decides; a different `twitter:title`, or a shown and a
        stated headline that differ from OpenGraph's and from each other, cast doubt on OpenGraph's.
        """
        shown = [plain(" ".join(h1.itertext())) for h1 in self._tree.iter("h1")]
        shown = [text for text in shown if words(text) > 1 or key(text) == key(self.node.text("headline") or "")]
        stated = self.node.text("headline") or self._property("headline")
        social, echo = self.meta("og:title"), self.meta("twitter:title")
        outright = self.meta("headline", "parsely-title", "sailthru.title", "dc.title")
        known = [text for text in (stated, *shown) if text]
        if social and _differs(social, known) and (outright or (echo and _differs(echo, [social])) or _differs(stated, shown)):
            social = outright if outright and not _differs(outright, known) else next(iter([*shown[:1], *known]))
        elif social and stated and shown and key(stated) != key(shown[0]) and not _differs(stated, shown[:1]) and _differs(social, known):
            # Two that say the same in other words were written apart: against both, OpenGraph's is an older or a shorter one.
            social = shown[0]
        own = social or stated or next(iter(known), None) or echo or tidy(self._tree.findtext(".//title") or "")
        return self._without_site(own, known) if own else None

    def _without_site(self, headline: str, known: list[str]) -> str:
        shorter = [text for text in known if key(headline).startswith(key(text)) and key(text) != key(headline)]
        suffixed = _SITE_SUFFIX.match(headline)
        if not suffixed:
            return headline
        names = {key(name) for name in (self.site_name, self.site) if name}
        if key(suffixed[2]) in names or any(key(suffixed[1]) == key(text) for text in shorter):
            return suffixed[1]
        return max(shorter, key=len) if shorter and len(max(shorter, key=len)) * 3 > len(headline) else headline

    @cached_property
    def site_name(self) -> str | None:
        publishers = self.node.nodes("publisher")
        return self.meta("og:site_name") or next((p.text("name") for p in publishers if p.text("name")), None)

    @cached_property
    def canonical_url(self) -> str | None:
        """The page's address by its own account, else the one it was fetched from; http and https only."""
        link = next((e.get("href") for e in self._tree.iter("link") if "canonical" in (e.get("rel") or "").lower().split()), None)
        for stated in (link, self.meta("og:url"), self.node.text("url"), self._url):
            address = absolute(stated, self._url)
            if address and address.startswith("http") and urlsplit(address).path.strip("/"):
                return address
        return self._url

    @cached_property
    def site(self) -> str | None:
        """The host name without `www.`."""
        try:
            host = urlsplit(self._url or self.canonical_url or "").hostname
        except ValueError:
            return None
        return host.removeprefix("www.") if host else None

    @cached_property
    def summary(self) -> str | None:
        found = self.meta("og:description", "description", "twitter:description") or self.node.text("description")
        return found if found and words(found) > 2 else None

    @cached_property
    def section(self) -> str | None:
        return self.node.text("articleSection") or self.meta("article:section", "section", "og:article:section")

    @cached_property
    def tags(self) -> tuple[str, ...]:
        """The page's own keywords, each once, in its order."""
        listed = [*self.metas("article:tag"), *self.node.texts("keywords")] or self.metas("news_keywords") or self.metas("keywords")
        found = [tag for entry in listed for tag in (part.strip(" #") for part in re.split(r"[,;、，]", entry))]
        return tuple(dict.fromkeys(tag for tag in found if 0 < len(tag) <= 60))[:30]

    @cached_property
    def language(self) -> str | None:
        """The language the article is stated to be in; the page's own where only that is told."""
        stated = (
            self.node.text("inLanguage"),
            self._tree.get("lang"),
            self._tree.get("xml:lang"),
            self.meta("content-language", "language"),
            self.meta("og:locale"),
        )
        return next(filter(None, map(language_tag, stated)), None)

    @cached_property
    def published_at(self) -> datetime | None:
        stated = [self.node.text("datePublished", "dateCreated", "uploadDate")]
        stated += [
            self.meta(
                "article:published_time",
                "og:article:published_time",
                "datepublished",
                "date",
                "pubdate",
                "publishdate",
                "dc.date",
                "dcterms.created",
                "parsely-pub-date",
                "cxenseparse:recs:publishtime",
                "sailthru.date",
                "publish-date",
                "article.published",
                "date.release",
            )
        ]
        stated += [self._property("datePublished"), self._property("dateCreated")]
        return next(filter(None, map(parse_time, stated)), None) or self._shown_time()

    @cached_property
    def updated_at(self) -> datetime | None:
        stated = (
            self.node.text("dateModified"),
            self.meta("article:modified_time", "og:updated_time", "last-modified", "datemodified"),
            self._property("dateModified"),
        )
        return next(filter(None, map(parse_time, stated)), None)

    def _shown_time(self) -> datetime | None:
        """The first time that readers see, or else the day in the address (`/2025/04/01/`)."""
        for element in self._tree.iter("time"):
            found = parse_time(element.get("datetime") or "") or parse_time(tidy(" ".join(element.itertext())))
            if found:
                return found
        for element in islice(filter(_named_date, self._tree.iter(etree.Element)), 20):
            found = parse_time(tidy(" ".join(islice(element.itertext(), 8))))
            if found:
                return found
        day = _DAY_IN_PATH.search(self.canonical_url or "")
        return parse_time("-".join(day.groups())) if day else None

    @cached_property
    def authors(self) -> tuple[Author, ...]:
        """The people named, each once; a desk or the paper itself where nobody is."""
        people, desks = self._stated_authors()
        if not people:
            people = [Author(name) for name in self._meta_names()] or self._shown_authors()
        if people and all(key(author.name) == key(self.site_name or "") for author in people):
            people = self._shown_authors() or people
        found = [*people, *(desk for desk in desks if not people or key(desk.name) != key(self.site_name or ""))]
        return tuple({key(author.name): author for author in reversed(found)}.values())[::-1]

    def _stated_authors(self) -> tuple[list[Author], list[Author]]:
        people: list[Author] = []
        desks: list[Author] = []
        for node in (*self.node.nodes("author"), *self.node.nodes("creator")):
            name = node.text("name") or ""
            url = absolute(node.text("url"), self._url) if node.text("url") != name else None
            organised = "Organization" in " ".join(node.types)
            for single in (name,) if organised and name else _names(name):
                desk = organised or key(single) == key(self.site_name or "")
                (desks if desk else people).append(Author(single, url if single == name else None))
        return people, desks

    def _meta_names(self) -> list[str]:
        listed = [
            *self.metas("author"),
            *self.metas("article:author"),
            *self.metas("byl"),
            *self.metas("parsely-author"),
            *self.metas("dc.creator"),
            *self.metas("sailthru.author"),
            *self.metas("cxenseparse:author"),
        ]
        return [name for entry in listed for name in _names(entry) if key(name) != key(self.site_name or "")]

    def _shown_authors(self) -> list[Author]:
        """The first names that the page marks as its authors': microdata, `rel=author`, a class that says byline."""
        for element in self._marked():
            text = self._marked_name(element)
            names = byline_names(text) or _names(re.sub(r"^(?:by|par|von|por|di)\s+", "", text, flags=re.IGNORECASE))
            if names and all(1 < words(name) <= 6 or not name.isascii() for name in names):
                return [Author(name, absolute(element.get("href"), self._url)) for name in names]
        return []

    def _marked_name(self, element: HtmlElement) -> str:
        if element.tag == "meta":
            return plain(element.get("content") or "")
        inner = next((e for e in element.iter() if e.get("itemprop") == "name" or e.get("rel") == "author"), element)
        return plain(inner.get("content") or " ".join(inner.itertext()))[:200]

    def _marked(self) -> Iterator[HtmlElement]:
        elements = list(self._tree.iter())
        yield from (e for e in elements if e.get("itemprop") in {"author", "creator"})
        yield from (e for e in elements if e.tag == "a" and "author" in (e.get("rel") or "").split())
        yield from (e for e in elements if isinstance(e.tag, str) and _BYLINE_CLASS.search(e.get("class") or ""))

    def _property(self, name: str) -> str | None:
        for element in self._tree.iterfind(f".//*[@itemprop='{name}']"):
            value = element.get("content") or element.get("datetime") or " ".join(element.itertext())
            if plain(value):
                return plain(value)
        return None


def _differs(text: str | None, others: list[str]) -> bool:
    """Whether the text shares less than four fifths of its words with every one of the others."""
    own = set(re.findall(r"\w+", (text or "").lower()))
    for other in others:
        theirs = set(re.findall(r"\w+", other.lower()))
        if key(text or "") in key(other) or key(other) in key(text or "") or 2 * len(own & theirs) >= 0.8 * (len(own) + len(theirs)):
            return False
    return bool(text and others)


def _names(listed: str) -> tuple[str, ...]:
    """The names of a list, without roles; nothing when the text is an address, a number or a sentence."""
    bare = re.sub(r"^(?:by|par|von|por|di|texto|text|written by|posted by)\s*[:：]?\s+", "", listed.strip(), flags=re.IGNORECASE)
    if not bare or _NO_NAME.search(bare) or len(bare) > 200:
        return ()
    return tuple(name for name in (_ROLE.sub("", part).strip() for part in split_names(bare)) if 1 < len(name) <= 60)
