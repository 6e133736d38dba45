"""Read the facts that a page states about its article beside the text: JSON-LD first, then microdata,
OpenGraph and meta.

Each fact has its own order of trust, measured on saved pages: a headline is best told by OpenGraph, a date
and the people by schema.org, whether written as JSON-LD or as microdata.
"""

import re
from datetime import datetime
from functools import cached_property
from itertools import islice
from urllib.parse import urlsplit

from lxml import etree
from lxml.html import HtmlElement

from service.newspages.dates import day_in_path, parse_time, time_in
from service.newspages.headline import Titles, best_headline
from service.newspages.jsonld import Node, article_node, plain
from service.newspages.language import language_tag
from service.newspages.outline import web_address
from service.newspages.page import Author
from service.newspages.people import People
from service.newspages.text import tidy, words

_DATE_CLASS = re.compile(
    r"(?:^|[\s_-])(?:date|datetime|pub-?date|published|publish(?:ed)?-?(?:date|time)|timestamp|datum|fecha|data|dato|tarih|pubtime|time)(?=$|[\s_-])",
    re.IGNORECASE,
)
_STANDFIRST = re.compile(
    r"(?:^|[\s_-])(?:standfirst|sub-?(?:title|head(?:line|ing)?)|deck?|lede|lead-?(?:text|in)|intro(?:duction|text)?|vorspann"
    r"|chapo|entradilla|bajada|sommario|occhiello|ingress|manchet|teaser-?text|article-?(?:summary|lead|intro|description))"
    r"(?=$|[\s_-])"
)
_PUBLISHED = (
    "article:published_time",
    "og:article:published_time",
    "article:published",
    "og:published_time",
    "datepublished",
    "date",
    "pubdate",
    "publishdate",
    "publish_date",
    "publication_date",
    "publicationdate",
    "publish-date",
    "pub_date",
    "dc.date",
    "dc.date.issued",
    "dc.date.created",
    "dcterms.created",
    "dcterms.issued",
    "dcterms.date",
    "parsely-pub-date",
    "cxenseparse:recs:publishtime",
    "sailthru.date",
    "article.published",
    "article.created",
    "article_date_original",
    "date.release",
    "og:release_date",
    "displaydate",
    "apub:time",
)


def _named_date(element: HtmlElement) -> bool:
    given = f"{element.get('class') or ''} {element.get('id') or ''}"
    return element.tag not in {"meta", "html", "body"} and _DATE_CLASS.search(given) is not None


def _named_standfirst(element: HtmlElement) -> bool:
    return (
        _STANDFIRST.search(re.sub(r"([a-z])([A-Z])", r"\1-\2", element.get("class") or "").lower())
        is not None
    )


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
        """Return the first of these meta elements that the page has."""
        return next((self._metas[name][0] for name in names if name in self._metas), None)

    def metas(self, name: str) -> list[str]:
        """Return every meta element of the name."""
        return self._metas.get(name, [])

    @cached_property
    def headline(self) -> str | None:
        """Return the headline without the site's name and without a kicker."""
        stated = self.node.text("headline") or self._property("headline")
        shown = [plain(" ".join(h1.itertext())) for h1 in self._tree.iter("h1")]
        social, echo = self.meta("og:title"), self.meta("twitter:title")
        outright = self.meta("headline", "parsely-title", "sailthru.title", "dc.title")
        title = tidy(self._tree.findtext(".//title") or "")
        return best_headline(
            Titles(social, echo, outright, stated, shown, title), [self.site_name, self.site]
        )

    @cached_property
    def site_name(self) -> str | None:
        publishers = self.node.nodes("publisher")
        return self.meta("og:site_name") or next((p.text("name") for p in publishers if p.text("name")), None)

    @cached_property
    def canonical_url(self) -> str | None:
        """Return the page's address by its own account, else the one it was fetched from; http and https
        only.
        """
        link = next(
            (
                e.get("href")
                for e in self._tree.iter("link")
                if "canonical" in (e.get("rel") or "").lower().split()
            ),
            None,
        )
        for stated in (link, self.meta("og:url"), self.node.text("url"), self._url):
            address = web_address(stated, self._url)
            if address and urlsplit(address).path.strip("/"):
                return address
        return self._url

    @cached_property
    def site(self) -> str | None:
        """Return the host name without `www.`."""
        try:
            host = urlsplit(self._url or self.canonical_url or "").hostname
        except ValueError:
            return None
        return host.removeprefix("www.") if host else None

    @cached_property
    def summary(self) -> str | None:
        found = self.meta("og:description", "description", "twitter:description") or self.node.text(
            "description"
        )
        return found if found and words(found) > 2 else self._standfirst()

    def _standfirst(self) -> str | None:
        """Return the paragraph beneath the headline that the page names its standfirst."""
        elements = self._tree.iter("p", "div", "h2", "h3")
        for element in islice(filter(_named_standfirst, elements), 10):
            text = plain(" ".join(element.itertext()))
            if 2 < words(text) <= 100 and not element.xpath("boolean(.//p[2] or .//h1)"):
                return text
        return None

    @cached_property
    def section(self) -> str | None:
        return self.node.text("articleSection") or self.meta(
            "article:section", "section", "og:article:section"
        )

    @cached_property
    def tags(self) -> tuple[str, ...]:
        """Return the page's own keywords, each once, in its order."""
        listed = (
            [*self.metas("article:tag"), *self.node.texts("keywords")]
            or self.metas("news_keywords")
            or self.metas("keywords")
        )
        found = [
            tag for entry in listed for tag in (part.strip(" #") for part in re.split(r"[,;、，]", entry))
        ]
        return tuple(dict.fromkeys(tag for tag in found if 0 < len(tag) <= 60))[:30]

    @cached_property
    def language(self) -> str | None:
        """Return the language the article is stated to be in; the page's own where only that is told."""
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
        """Return the time stated for machines; where none is, the one shown beside the headline, or the day
        in the address.
        """
        stated = [
            *self.node.texts("datePublished"),
            *self.node.texts("dateCreated"),
            *self.node.texts("uploadDate"),
        ]
        stated += [entry for name in _PUBLISHED for entry in self.metas(name)[:1]]
        stated += filter(None, (self._property("datePublished"), self._property("dateCreated")))
        return (
            next(filter(None, map(self._time, stated)), None) or self._shown_time() or self._day_in_address()
        )

    @cached_property
    def updated_at(self) -> datetime | None:
        stated = (
            self.node.text("dateModified"),
            self.meta("article:modified_time", "og:updated_time", "last-modified", "datemodified"),
            self._property("dateModified"),
        )
        return next(filter(None, map(self._time, stated)), None)

    def _time(self, stated: str | None) -> datetime | None:
        return parse_time(stated, month_first=self._month_first)

    @cached_property
    def _month_first(self) -> bool:
        """Return whether 5/4 is the 4th of May here, as in the United States and few other countries."""
        _, _, region = (self.language or "").partition("-")
        return region in {"US", "PH"}

    def _shown_time(self) -> datetime | None:
        """Return the first time below the headline; without a headline the first of the page."""
        elements = list(self._tree.iter(etree.Element))
        headlines = [index for index, element in enumerate(elements) if element.tag == "h1"]
        below = elements[headlines[0] :] if headlines else elements
        for element in (*below, *elements[: len(elements) - len(below)]):
            if element.tag == "time":
                found = self._time(element.get("datetime")) or self._time_in(element, 8)
                if found:
                    return found
        for element in islice(filter(_named_date, below), 20):
            found = self._time_in(element, 16)
            if found:
                return found
        return None

    def _time_in(self, element: HtmlElement, most: int) -> datetime | None:
        return time_in(tidy(" ".join(islice(element.itertext(), most))), month_first=self._month_first)

    def _day_in_address(self) -> datetime | None:
        return next(
            filter(None, (day_in_path(urlsplit(url).path) for url in (self.canonical_url, self._url) if url)),
            None,
        )

    @cached_property
    def authors(self) -> tuple[Author, ...]:
        """Return the people named, each once; a desk or the paper itself where nobody is."""
        return self._people.authors()

    def is_site(self, name: str) -> bool:
        """Return whether the name is the paper's own rather than somebody's."""
        return self._people.is_site(name)

    @cached_property
    def _people(self) -> People:
        return People(self._tree, self.node, self._metas, self.site_name, self._url or self.canonical_url)

    def _property(self, name: str) -> str | None:
        for element in self._tree.iterfind(f".//*[@itemprop='{name}']"):
            value = element.get("content") or element.get("datetime") or " ".join(element.itertext())
            if plain(value):
                return plain(value)
        return None
