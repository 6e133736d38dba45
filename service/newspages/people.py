"""Find the authors by the page's own account: schema.org first, then meta elements, then the bylines that
readers see.
"""

import re
from itertools import islice
from urllib.parse import urlsplit

from lxml import etree
from lxml.html import HtmlElement

from service.newspages.bylines import byline_names, is_name, split_names
from service.newspages.jsonld import Node, plain
from service.newspages.outline import web_address
from service.newspages.page import Author
from service.newspages.text import key, words

_METAS = (
    "author",
    "article:author",
    "og:article:author",
    "byl",
    "parsely-author",
    "dc.creator",
    "dcterms.creator",
    "sailthru.author",
    "cxenseparse:author",
)
_ROLE = re.compile(
    r"\s*[|•·(].*$|,\s+(?:\w+ )*(?:editor|correspondent|reporter|writer|staff|in [A-Z]\w+)\b.*$",
    re.IGNORECASE,
)
_ONLY_ROLE = re.compile(
    r"(?:[\w-]+ ){0,3}(?:editor|reporter|correspondent|writer|journalist[ea]?|columnist|redakt(?:ør|eur|eurin|ör)|korrespondent(?:in)?"
    r"|corresponsal|redactora?|giornalista|dziennikarz|muhabir)",
    re.IGNORECASE,
)
_PREFIX = re.compile(
    r"^(?:(?:written|posted|published|words|story|text|texte?|texto|testo|tekst|erstellt|veröffentlicht|geschrieben) )?"
    r"(?:by|par|von|por|di|av|af|door|przez|autor(?:es|en|in|a)?|auteurs?|author|texto?|text|tekst|oleh)\s*[:：]?\s+",
    re.IGNORECASE,
)
_NO_NAME = re.compile(
    r"https?:|www\.|@|\d{3}|^(?:admin|author|autor|byline|share|follow|editor|unknown|null|none|no author)$",
    re.IGNORECASE,
)
_WRITER = (
    r"(?:by-?lines?|authors?|autor(?:es|en|in|a)?|auteurs?|autori|writers?|contributors?|reporters?|journalist(?:s|en)?"
    r"|redakteur(?:in)?|redactor|forfatter|skribent|yazar|muhabir|penulis)"
)
_NO_NAME_ITSELF = (
    r"(?![\s_-]*(?:bio|box|about|info|desc|image|img|avatar|photo|role|title|mail|social|follow|more|page))"
)
_NAMED = re.compile(rf"(?:^|[\s_-]){_WRITER}(?:[-_]*names?)?(?=$|[\s_-]){_NO_NAME_ITSELF}")
_BESIDE = re.compile(
    r"(?:^|[\s_-])(?:comments?|commentlist|respond|reply|sidebar|related|teasers?|recommend\w*|popular|trending|footer|nav|menu|kommentare?|comentarios)(?=$|[\s_-])"
)
_PERSONAL_PAGE = re.compile(
    rf"/(?:{_WRITER}|profiles?|profils?|people|persons?|staff|newsteam|columnists?|redaktion|team|medarbejder|by)/[^/?#]+",
    re.IGNORECASE,
)
_HOST = re.compile(r"(?:www\.)?[\w-]+\.[a-z]{2,6}", re.IGNORECASE)
# Words beside names on pages: buttons, sections, desks without a name.
_OF_THE_PAGE = re.compile(
    r"(?:folgen|follow|seguir|suivre|nachrichten|news|noticias|actualités|redaktion|(?:die |online-?)?redaktion|redacción|rédaction|la rédaction"
    r"|redazione|redakcja|redaktionen|newsroom|news ?desk|web ?desk|staff|staff (?:writer|reporter)|(?:our )?correspondent|agencies|agenturen|agencias)",
    re.IGNORECASE,
)
# Whoever edited or translated a text has not written it.
_OTHER_ROLES = re.compile(
    r"[\s,;|·(-]*\b(?:edited by|editing by|editor\s*:|translated by|translation(?: by)?\s*:|übersetz(?:t von|ung\s*:)|aus dem \w+ von|redigiert von|bearbeitet von"
    r"|traduit par|traduction(?: de)?\s*:?|traducido por|traducción(?: de)?\s*:?|traduzione(?: di)?\s*:?|tradução(?: de)?\s*:?|edição(?: de)?\s*:|edición(?: de)?\s*:"
    r"|przekład\s*:|tłumaczenie\s*:|перевод\s*:|редактор\s*:|photos?(?: by)?\s*:|fotos?\s*:|bilder?\s*:)\s*.*$",
    re.IGNORECASE,
)
_WHEN = re.compile(r"\s+(?:(?:on|am|le|el|den|op|il|em|at)\s+)?\d.*$")
_LONGEST = 200
_MOST = 60
_LAST_ANCESTOR = 12


def _label_of(url: str | None) -> str:
    """Return the part of a host that names its site: `paper` of `www.paper.example`."""
    try:
        host = urlsplit(url or "").hostname or ""
    except ValueError:
        return ""
    parts = host.removeprefix("www.").split(".")
    return parts[-2] if len(parts) > 1 else ""


class People:
    """The people of one page. `site_name` is what the page calls itself: a paper is no author where one is
    named.
    """

    def __init__(
        self,
        tree: HtmlElement,
        node: Node,
        metas: dict[str, list[str]],
        site_name: str | None,
        url: str | None,
    ) -> None:
        self._tree, self._node, self._metas, self._url = tree, node, metas, url
        self._site = key(site_name or "")

    def authors(self) -> tuple[Author, ...]:
        """Return the people named, each once; a desk or the paper itself where nobody is."""
        people, desks = self._stated()
        people = [author for author in people if not self.is_site(author.name)] or people
        people = people or [Author(name) for name in self._meta_names()]
        if all(self.is_site(author.name) for author in people):
            people = self._shown() or people
        found = [*people, *(desk for desk in desks if not people or not self.is_site(desk.name))]
        return tuple({key(author.name): author for author in reversed(found)}.values())[::-1]

    def is_site(self, name: str) -> bool:
        """Return whether the name is the paper's own, its address, or a word of its pages."""
        bare = key(name)
        label = key(_label_of(self._url))
        paper = (
            bare == self._site or (len(label) > 2 and bare.startswith(label)) or _HOST.fullmatch(name.strip())
        )
        return bool(paper or _OF_THE_PAGE.fullmatch(name.strip()))

    def _stated(self) -> tuple[list[Author], list[Author]]:
        people: list[Author] = []
        desks: list[Author] = []
        for node in (*self._node.nodes("author"), *self._node.nodes("creator")):
            organised = "Organization" in " ".join(node.types)
            for name in _stated_names(node):
                url = web_address(node.text("url"), self._url) if node.text("url") != name else None
                for single in (name,) if organised else names(name):
                    desk = organised or key(single) == self._site
                    (desks if desk else people).append(Author(single, url if single == name else None))
        return people, desks

    def _meta_names(self) -> list[str]:
        listed = [entry for name in _METAS for entry in self._metas.get(name, [])]
        # A card's first line is the writer's, in whatever language its label is, unless it tells a time.
        card = [
            entry
            for entry in self._metas.get("twitter:data1", [])
            if not re.search(r"\d", entry) and is_name(entry)
        ]
        found = [name for entry in listed for name in names(entry) if not self.is_site(name)]
        return found or card

    def _shown(self) -> list[Author]:
        """Return the first names that the page marks as its authors': microdata, `rel=author`, a name that
        says byline, a personal page.
        """
        elements = [element for element in self._tree.iter(etree.Element) if element.tag != "link"]
        around = {ancestor for h1 in islice(self._tree.iter("h1"), _MOST) for ancestor in h1.iterancestors()}
        for marks, certain in (
            (_by_property, True),
            (_by_relation, True),
            (_by_name, False),
            (_by_address, False),
        ):
            for element in islice(filter(marks, elements), _MOST):
                found = [] if _stands_beside(element, around) else self._authors_in(element)
                if found and (certain or all(is_name(author.name) for author in found)):
                    return found
        return []

    def _authors_in(self, element: HtmlElement) -> list[Author]:
        around = _byline(element)
        links = [link for link in around.iter("a") if _personal(plain(" ".join(link.itertext())))]
        if len(links) > 1 or (links and links[0] is element):
            return [
                Author(
                    _personal(plain(" ".join(link.itertext()))) or "",
                    web_address(link.get("href"), self._url),
                )
                for link in links
            ]
        inner = next(
            (
                e
                for e in element.iter(etree.Element)
                if e.get("itemprop") == "name" or "author" in (e.get("rel") or "").split()
            ),
            element,
        )
        said = _OTHER_ROLES.sub("", plain(inner.get("content") or " ".join(inner.itertext())))
        found = byline_names(said) or names(_WHEN.sub("", said))
        address = web_address(element.get("href") or (links[0].get("href") if links else None), self._url)
        return [Author(name, address if len(found) == 1 else None) for name in found if words(name) <= 6]


def _stated_names(node: Node) -> tuple[str, ...]:
    parts = [part for part in (node.text("givenName"), node.text("familyName")) if part]
    return node.texts("name") or ((" ".join(parts),) if len(parts) == 2 else ())


def names(listed: str) -> tuple[str, ...]:
    """Return the names of a list, without roles; nothing when the text is an address, a number
    or a sentence.
    """
    bare = _PREFIX.sub("", listed.strip())
    if not bare or _NO_NAME.search(bare) or len(bare) > _LONGEST:
        return ()
    first, *others = map(_without_role, split_names(bare) or ("",))
    return tuple(
        name
        for name in (first, *(name for name in others if not _ONLY_ROLE.fullmatch(name)))
        if 1 < len(name) <= 60
    )


def _without_role(listed: str) -> str:
    """Return a name alone; what follows a slash is where somebody works, but `dpa/lno` is a
    desk's own name.
    """
    bare = _ROLE.sub("", listed).strip()
    name, _, _ = bare.partition("/")
    return name.strip() if " " in name.strip() else bare


def _personal(text: str) -> str | None:
    """Return the text when it is one name as people have them."""
    found = names(text) if text else ()
    return (
        found[0]
        if len(found) == 1 and is_name(found[0]) and (1 < words(found[0]) <= 5 or not found[0].isascii())
        else None
    )


def _by_property(element: HtmlElement) -> bool:
    return element.get("itemprop") in {"author", "creator"}


def _by_relation(element: HtmlElement) -> bool:
    return "author" in (element.get("rel") or "").split()


def _by_name(element: HtmlElement) -> bool:
    given = " ".join(
        element.get(name) or "" for name in ("class", "id", "data-testid", "data-component", "data-qa")
    )
    return (
        element.tag in {"byline", "author"}
        or _NAMED.search(re.sub(r"([a-z])([A-Z])", r"\1-\2", given).lower()) is not None
    )


def _by_address(element: HtmlElement) -> bool:
    if element.tag != "a":
        return False
    try:
        path = urlsplit(element.get("href") or "").path
    except ValueError:
        return False
    return (
        _PERSONAL_PAGE.search(path) is not None and _personal(plain(" ".join(element.itertext()))) is not None
    )


def _stands_beside(element: HtmlElement, around: set[HtmlElement]) -> bool:
    """Return whether the mark belongs to comments, to teasers of other stories or to the page's frame, not to
    what is `around` the headline.
    """
    for ancestor in islice(element.iterancestors(), _LAST_ANCESTOR):
        if ancestor in around:
            return False
        given = re.sub(
            r"([a-z])([A-Z])", r"\1-\2", f"{ancestor.get('class') or ''} {ancestor.get('id') or ''}"
        ).lower()
        if ancestor.tag in {"footer", "nav"} or _BESIDE.search(given):
            return True
    return False


def _byline(element: HtmlElement) -> HtmlElement:
    """Return the line around the mark, where several authors stand side by side."""
    for ancestor in islice(element.iterancestors(), 3):
        if (
            ancestor.tag in {"body", "article", "main", "header"}
            or sum(map(len, islice(ancestor.itertext(), 80))) > _LONGEST
        ):
            break
        element = ancestor
    return element
