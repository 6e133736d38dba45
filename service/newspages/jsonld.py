"""The JSON-LD of a page: what it says of its article in the vocabulary of schema.org, however it
is nested.
"""

import json
import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import unescape

from lxml.html import HtmlElement

from service.newspages.text import key, tidy

Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]
Members = dict[str, Json]

_ARTICLES = re.compile(r"(?:Article|Posting|Report|Review|Recipe)$")
_PAGES = re.compile(r"(?:Page|CreativeWork|VideoObject|AudioObject|Episode|ImageGallery|MediaGallery)$")
_MARKUP = re.compile(r"<[^<>]{0,300}>")
_FRAME = re.compile(
    r"^\s*(?:<!--|(?://|/\*)?\s*<!\[CDATA\[(?:\s*\*/)?)|(?:-->|(?://|/\*)?\s*\]\]>(?:\s*\*/)?)\s*$"
)
_LAST_COMMA = re.compile(r",(?=\s*[}\]])")
_JOINTS = re.compile(r"[\s,;]*")
_BAD_ESCAPE = re.compile(r'\\(?!["\\/bfnrt]|u[0-9a-fA-F]{4})')
_QUOTATION_MARK = re.compile(r'(?<!\\)"')
_BEFORE_TEXT = re.compile(r"[{\[,:]\s*$|^\s*$")
_AFTER_TEXT = re.compile(r'\s*(?:[}\]:]|$|,\s*(?:["{\[\d-]|true|false|null))')
_MOST_NODES = 5_000
_DEEPEST = 6
# Members that one object of a page may leave to another object about the same article.
_SHARED = (
    "author",
    "creator",
    "datePublished",
    "dateModified",
    "inLanguage",
    "articleSection",
    "keywords",
    "image",
    "publisher",
    "articleBody",
)


@dataclass(frozen=True, slots=True)
class Node:
    """One object of the page's JSON-LD; `known` are the page's objects by their `@id`, which
    others refer to.
    """

    members: Members
    known: Mapping[str, Members] = field(default_factory=dict)

    @property
    def types(self) -> tuple[str, ...]:
        """Its types by their bare names: `https://schema.org/NewsArticle` is `NewsArticle`."""
        return tuple(name.rsplit("/", 1)[-1] for name in self._values("@type") if isinstance(name, str))

    def text(self, *names: str) -> str | None:
        """Return the first of these members that is a text, as plain text on one line."""
        return next((text for name in names for text in self.texts(name)), None)

    def texts(self, name: str) -> tuple[str, ...]:
        """Return every text of the member."""
        stated = (_as_text(value, _DEEPEST) for value in self._values(name))
        return tuple(filter(None, (plain(value) for value in stated if isinstance(value, str))))

    def nodes(self, name: str) -> tuple["Node", ...]:
        """Return every object of the member. A bare text counts as an object with that name and, if it is
        one, address.
        """
        return tuple(filter(None, map(self._as_node, self._values(name))))

    def _values(self, name: str) -> list[Json]:
        return list(_flat(self.members.get(name), _DEEPEST))

    def _as_node(self, value: Json) -> "Node | None":
        reference = value.get("@id") if isinstance(value, dict) and "name" not in value else value
        if isinstance(reference, str) and reference in self.known:
            return Node(self.known[reference], self.known)
        if isinstance(value, str) and value.strip():
            return Node({"name": value, "url": value}, self.known)
        return Node(value, self.known) if isinstance(value, dict) else None


def _flat(value: Json, deepest: int) -> Iterator[Json]:
    listed = value.get("@list", value.get("@set")) if isinstance(value, dict) else value
    if isinstance(listed, list) and deepest:
        for inner in listed:
            yield from _flat(inner, deepest - 1)
    else:
        yield value


def _as_text(value: Json, deepest: int) -> Json:
    """Return what an object stands for as a text: its value, or its name, however deep that is."""
    if isinstance(value, dict) and deepest:
        return _as_text(value.get("@value", value.get("name")), deepest - 1)
    return value


def plain(text: str) -> str:
    """Text that may carry markup and entities, as plain text on one line."""
    return tidy(_MARKUP.sub(" ", unescape(text)) if "<" in text or "&" in text else text)


def article_node(tree: HtmlElement) -> Node:
    """Return the object that describes the article, completed by the page's other objects for it; empty when
    there is none.
    """
    found = list(_objects(tree))
    known = {str(members["@id"]): members for members in found if "@id" in members and len(members) > 1}
    nodes = [Node(members, known) for members in found]
    articles = [node for node in nodes if any(map(_ARTICLES.search, node.types))]
    pages = [node for node in nodes if any(map(_PAGES.search, node.types))]
    named = [node for node in articles if node.text("headline", "name")]
    best = max(
        named or articles or [page for page in pages if page.text("headline")],
        key=_richness,
        default=Node({}),
    )
    members = dict(best.members)
    for other in (*articles, *pages):
        if _same_article(other, best):
            members |= {
                name: other.members[name]
                for name in _SHARED
                if not members.get(name) and other.members.get(name)
            }
    return Node(members, known)


def _same_article(other: Node, article: Node) -> bool:
    headline = other.text("headline")
    return headline is None or key(headline) == key(article.text("headline", "name") or headline)


def _richness(node: Node) -> int:
    """Pages also describe teasers of other stories, with fewer members."""
    telling = (
        "headline",
        "datePublished",
        "author",
        "articleBody",
        "image",
        "description",
        "mainEntityOfPage",
    )
    return sum(node.members.get(name) is not None for name in telling)


def _objects(tree: HtmlElement) -> Iterator[Members]:
    scripts = (script for script in tree.iter("script") if "ld+json" in (script.get("type") or "").lower())
    waiting: deque[Json] = deque(value for script in scripts for value in _parsed(script.text or ""))
    for _ in range(_MOST_NODES):
        if not waiting:
            return
        value = waiting.popleft()
        if isinstance(value, list):
            waiting.extendleft(reversed(value))
        elif isinstance(value, dict):
            yield value
            waiting.extend(
                value[name]
                for name in ("@graph", "mainEntity", "mainEntityOfPage", "hasPart")
                if name in value
            )


def _parsed(source: str) -> list[Json]:
    """Return the values of the script; pages break the rules with raw line ends, comment marks, last commas
    and objects in a row.
    """
    bare = _FRAME.sub("", source).strip()
    bare = unescape(bare) if bare.startswith(("{&quot;", "[{&quot;")) else bare
    mended = _BAD_ESCAPE.sub(r"\\\\", _LAST_COMMA.sub("", bare))
    return _in_a_row(bare) or _in_a_row(mended) or _in_a_row(_with_inner_quotes_escaped(mended))


def _with_inner_quotes_escaped(source: str) -> str:
    """Return the source with a backslash before each quotation mark that neither opens nor ends a text."""
    return _QUOTATION_MARK.sub(
        lambda mark: (
            '"'
            if _BEFORE_TEXT.search(source, max(0, mark.start() - 20), mark.start())
            or _AFTER_TEXT.match(source, mark.end())
            else '\\"'
        ),
        source,
    )


def _in_a_row(source: str) -> list[Json]:
    decoder = json.JSONDecoder(strict=False)
    found: list[Json] = []
    at = 0
    while at < len(source):
        try:
            value, at = decoder.raw_decode(source, at)
        except (ValueError, RecursionError):
            break
        found.append(value)
        joint = _JOINTS.match(source, at)
        at = joint.end() if joint else at
    return found
