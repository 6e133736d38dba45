"""Find the units of a page that are its article: the element that holds most of the text, and the text in it.

trafilatura reads the page once more, and its answer counts as votes: a unit that it too takes for text weighs
most when the container is looked for, and is kept where markup alone leaves a doubt.
"""

from collections import defaultdict

from lxml.html import HtmlElement
from trafilatura import bare_extraction

from service.newspages.asides import asks_to_subscribe, calls_away, is_aside, is_named_aside, points_elsewhere
from service.newspages.bylines import story_credit
from service.newspages.outline import Unit
from service.newspages.text import ends_sentence, is_prose, key, similar, words

_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_TEXT_TAGS = frozenset({"p", "h2", "h3", "h4", "li", "blockquote"})
# The share of the whole text that a container must hold, and of the text of the element around it.
_OF_ALL, _OF_PARENT = 0.7, 0.8
# An element that holds this share of the text is the text, whatever it is called.
_TOO_MUCH_FOR_AN_ASIDE = 0.3
# Where asides would leave less than this share of what the other reading takes for text, their names mean
# something else here.
_MISNAMED = 0.5
# Above a headline stands no more than this share of the text: a standfirst at most.
_ABOVE_A_HEADLINE = 0.2
_LAST_LINES = 4


def outside_reading(page: HtmlElement) -> str:
    """Return the text of the page as trafilatura finds it, empty when it finds none."""
    found = bare_extraction(page, include_comments=False, with_metadata=False, fast=True)
    text = getattr(found, "text", None)
    return text if isinstance(text, str) else ""


class Article:
    """The article among the units of a page.

    `container` is the deepest element that holds most of the text, None in a page without text; `units` are
    the text and the pictures in it, in reading order. `inside` is all that stands there below the headline.
    """

    def __init__(self, units: list[Unit], reading: str, headline: str) -> None:
        self._headline = headline
        self._voted = _Votes(reading)
        self._weights = self._weighed(units)
        self.container = self._deepest()
        self.units: list[Unit] = []
        self.inside: list[Unit] = []
        if self.container is not None:
            self.container = self._widened(self.container, units)
            inside = self._below_headline([unit for unit in units if within(unit.block, self.container)])
            self.inside = inside
            kept = [unit for unit in inside if self._belongs(unit, self.container)]
            if self._weight(kept) < _MISNAMED * self._weight(inside):
                named = set(kept)
                kept = [unit for unit in inside if unit in named or self._voted(unit)]
            self.units = self._trimmed(kept)

    def _weighed(self, units: list[Unit]) -> dict[HtmlElement, float]:
        """Return the words of running text in each element; those only we take for text count a fifth."""
        weights: dict[HtmlElement, float] = defaultdict(float)
        for unit in units:
            length = words(unit.text)
            table = unit.block.tag in {"td", "th"} and not (self._voted(unit) and is_prose(unit.text))
            if (
                length < 8
                or not unit.is_text
                or unit.linked * 2 > len(unit.text)
                or unit.block.tag in _HEADINGS
                or table
            ):
                continue
            weight = (
                min(length, 120)
                * (1.0 if self._voted(unit) else 0.2)
                * (1.0 if ends_sentence(unit.text) else 0.5)
            )
            for element in (unit.block, *unit.block.iterancestors()):
                weights[element] += weight
        return weights

    def _deepest(self) -> HtmlElement | None:
        current = next((element for element in self._weights if element.tag == "body"), None)
        total = self._weights[current] if current is not None else 0.0
        while current is not None:
            child = max(current, key=lambda element: self._weights.get(element, 0.0), default=None)
            weight = self._weights.get(child, 0.0) if child is not None else 0.0
            if (
                child is None
                or child.tag == "p"
                or weight < max(_OF_ALL * total, _OF_PARENT * self._weights[current])
            ):
                return current
            current = child
        return None

    def _widened(self, container: HtmlElement, units: list[Unit]) -> HtmlElement:
        """Return the container, or an element around it that holds further paragraphs: pages wrap what is
        paid for.
        """
        for wider in list(container.iterancestors())[:3]:
            if wider.tag in {"body", "html"}:
                break
            added = sum(words(unit.text) for unit in self._added(container, wider, units))
            if 0 < added <= 0.5 * self._weights[container]:
                container = wider
        return container

    def _added(self, container: HtmlElement, wider: HtmlElement, units: list[Unit]) -> list[Unit]:
        """Return the paragraphs above the container in the wider element, and those below that are its own
        children.
        """
        inside = [within(unit.block, container) for unit in units]
        first = inside.index(True)
        return [
            unit
            for index, unit in enumerate(units)
            if not inside[index]
            and (index < first or unit.block.getparent() is wider)
            and within(unit.block, wider)
            and self._is_paragraph(unit)
            and not self._in_aside(unit.block, wider)
        ]

    def _is_paragraph(self, unit: Unit) -> bool:
        written = words(unit.text) >= 10 and ends_sentence(unit.text) and unit.linked * 4 < len(unit.text)
        return written and unit.block.tag in {"p", "div", "section"} and self._voted(unit)

    def _belongs(self, unit: Unit, container: HtmlElement) -> bool:
        shown = unit.whole is not None and unit.whole.tag not in {"table", "pre"}
        if self._in_aside(unit.block if unit.whole is None else unit.whole, container, surely=shown):
            return False
        if unit.holder is not None:
            return True
        if unit.whole is not None:
            return self._voted(unit) or unit.linked <= 0.75 * max(1, len(unit.text))
        away = calls_away(unit.text, linked=unit.linked > 0) or points_elsewhere(unit.html)
        if away or unit.linked > 0.75 * len(unit.text):
            return False
        return self._voted(unit) or self._stands_beside_text(unit, container)

    def _stands_beside_text(self, unit: Unit, container: HtmlElement) -> bool:
        parent = unit.block.getparent()
        quoted = parent is not None and parent.tag == "blockquote"
        if quoted or unit.block.tag == "figcaption" or within_tag(unit.block, "figcaption", container):
            return True
        beside = parent is not None and self._weights.get(parent, 0.0) > 0.15 * self._weights[container]
        return beside and (
            unit.block.tag in _TEXT_TAGS
            or (words(unit.text) >= 20 and is_prose(unit.text) and unit.linked * 4 < len(unit.text))
        )

    def _in_aside(self, element: HtmlElement, container: HtmlElement, *, surely: bool = False) -> bool:
        for ancestor in (element, *element.iterancestors()):
            if ancestor is container:
                return False
            light = self._weights.get(ancestor, 0.0) <= _TOO_MUCH_FOR_AN_ASIDE * self._weights[container]
            if light and (is_aside(ancestor) or is_named_aside(ancestor, surely=surely)):
                return True
        return False

    def _weight(self, units: list[Unit]) -> int:
        """Return the words of running text that the other reading too takes for text."""
        return sum(
            words(unit.text)
            for unit in units
            if unit.is_text and unit.block.tag not in _HEADINGS and self._voted(unit)
        )

    def _below_headline(self, units: list[Unit]) -> list[Unit]:
        """Return the units after the headline, when it stands among them; pictures above it
        stay.

        Pages head sections and boxes with the first level, too: one that says something else than the
        headline counts only where hardly any text stands above it.
        """
        headings = [index for index, unit in enumerate(units) if unit.block.tag == "h1"]
        likely = [index for index in headings if similar(units[index].text, self._headline)]
        first = next(iter([*likely, *headings]), -1)
        if self._weight(units[: first + 1]) > _ABOVE_A_HEADLINE * self._weight(units):
            return units
        return [unit for index, unit in enumerate(units) if not unit.is_text or index > first]

    def _trimmed(self, units: list[Unit]) -> list[Unit]:
        """Return the units up to the last line of running text, or of what the other reading too takes for
        text.
        """
        last = max((index for index, unit in enumerate(units) if self._may_be_last(unit)), default=-1)
        kept = units[: last + 1]
        # A request to subscribe ends the text that is free. Elsewhere the same words may be a sentence.
        ending = set([unit for unit in kept if unit.is_text][-_LAST_LINES:])
        return [unit for unit in kept if unit not in ending or not asks_to_subscribe(unit.text)]

    def _may_be_last(self, unit: Unit) -> bool:
        if unit.whole is not None:
            return unit.whole.tag in {"table", "pre"}
        if unit.block.tag in _HEADINGS or not unit.text:
            return False
        return is_prose(unit.text) or self._voted(unit) or story_credit(unit.text) is not None


class _Votes:
    """Tells whether the other reading holds a unit's text, but for small differences (ruby, joints)."""

    def __init__(self, reading: str) -> None:
        self._reading = key(reading) if reading.strip() else ""
        self._known: dict[int, bool] = {}

    def __call__(self, unit: Unit) -> bool:
        if id(unit) not in self._known:
            self._known[id(unit)] = self._holds(key(unit.text))
        return self._known[id(unit)]

    def _holds(self, text: str) -> bool:
        if len(text) < 40:
            return len(text) > 1 and text in self._reading
        samples = [text[at : at + 12] for at in range(4, len(text) - 12, max(12, len(text) // 6))]
        return sum(sample in self._reading for sample in samples) * 3 >= len(samples) * 2


def within_tag(element: HtmlElement, tag: str, container: HtmlElement) -> bool:
    """Return whether the element stands in one of that tag inside the container."""
    found = next(element.iterancestors(tag), None)
    return found is not None and within(found, container)


def within(element: HtmlElement, container: HtmlElement) -> bool:
    """Return whether the element is the container or stands in it."""
    return element is container or any(ancestor is container for ancestor in element.iterancestors())
