"""The JSON-LD of a page: what it says of its article in the vocabulary of schema.org, however it is nested."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

from lxml.html import HtmlElement

from service.formats.pages.text import tidy

Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]

_ARTICLES = re.compile(r"(?:Article|BlogPosting|Report|Review|Recipe)$")
_MARKUP = re.compile(r"<[^<>]{0,300}>")
_MOST_NODES = 5_000


@dataclass(frozen=True, slots=True)
class Node:
    """One object of the page's JSON-LD."""

    members: dict[str, Json]

    @property
    def types(self) -> tuple[str, ...]:
        """Its types by their bare names: `https://schema.org/NewsArticle` is `NewsArticle`."""
        stated = self.members.get("@type")
        listed = stated if isinstance(stated, list) else [stated]
        return tuple(name.rsplit("/", 1)[-1] for name in listed if isinstance(name, str))

    def text(self, *names: str) -> str | None:
        """The first of these members that is a text, as plain text on one line."""
        for name in names:
            for value in self._values(name):
                text = plain(value) if isinstance(value, str) else None
                if text:
                    return text
        return None

    def texts(self, name: str) -> tuple[str, ...]:
        """Every text of the member."""
        return tuple(plain(value) for value in self._values(name) if isinstance(value, str) and plain(value))

    def nodes(self, name: str) -> tuple["Node", ...]:
        """Every object of the member; a bare text counts as an object of that name and, if it is one, address."""
        return tuple(filter(None, map(_as_node, self._values(name))))

    def _values(self, name: str) -> list[Json]:
        value = self.members.get(name)
        return value if isinstance(value, list) else [value]


def _as_node(value: Json) -> Node | None:
    if isinstance(value, str) and value.strip():
        return Node({"name": value, "url": value})
    return Node(value) if isinstance(value, dict) else None


def plain(text: str) -> str:
    """Text that may carry markup and entities, as plain text on one line."""
    return tidy(_MARKUP.sub(" ", unescape(text)) if "<" in text or "&" in text else text)


def article_node(tree: HtmlElement) -> Node:
    """The object that describes the article, an empty one when the page has none."""
    nodes = [node for node in _nodes(tree) if any(map(_ARTICLES.search, node.types))]
    named = [node for node in nodes if node.text("headline", "name")]
    return max(named or nodes, key=_richness, default=Node({}))


def _richness(node: Node) -> int:
    """Pages also describe teasers of other stories, with fewer members."""
    telling = ("headline", "datePublished", "author", "articleBody", "image", "description", "mainEntityOfPage")
    return sum(node.members.get(name) is not None for name in telling)


def _nodes(tree: HtmlElement) -> Iterator[Node]:
    scripts = (script for script in tree.iter("script") if "ld+json" in (script.get("type") or ""))
    waiting: list[Json] = [_parsed(script.text or "") for script in scripts]
    for _ in range(_MOST_NODES):
        if not waiting:
            return
        value = waiting.pop(0)
        if isinstance(value, list):
            waiting[:0] = value
        elif isinstance(value, dict):
            yield Node(value)
            waiting.extend(value[name] for name in ("@graph", "mainEntity", "mainEntityOfPage", "hasPart") if name in value)


def _parsed(source: str) -> Json:
    """The value of the script; pages break the rules with raw line ends, comment marks and closing semicolons."""
    bare = re.sub(r"^\s*(?:<!--|//\s*<!\[CDATA\[|<!\[CDATA\[)|(?:-->|//\s*\]\]>|\]\]>)\s*$", "", source).strip().rstrip(";")
    try:
        value: Json = json.loads(bare, strict=False)
    except (ValueError, RecursionError):
        return None
    return value
