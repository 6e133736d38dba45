"""Which units of a page are its article: the container that holds most of the text, and what in it is no text.

trafilatura reads the page once more and its answer counts as votes: a unit that it too takes for text weighs
most when the container is looked for, and is kept where markup alone would leave a doubt.
"""

import re
from collections import defaultdict

from lxml.html import HtmlElement
from trafilatura import bare_extraction

from service.formats.pages.outline import Unit
from service.formats.pages.text import ends_sentence, is_prose, key, words

_ASIDE = re.compile(
    r"(?:^|[\s_-])(?:related|relateds?|recommend(?:ed|ations?)?|recirc\w*|promo\w*|newsletters?|sign-?up|subscri\w+"
    r"|shar(?:e|ing)(?:-?(?:bar|box|buttons?|links?|tools?|icons?|this|container|list))?|social\w*|"
    r"comments?|respond|disqus|advert\w*|ads?|adslot|banner|sponsor\w*|breadcrumbs?|byline|authors?|bio|tags?|tag-?list"
    r"|topics|keywords?|toolbar|tools|cookies?|consent|"
    r"gate|modal|popup|overlay|dialog|popular|most-?read|trending|sidebar|teasers?|footer|foot|menu|navi?(?:gation)?"
    r"|more-?(?:on|link|links|stories|news|from)|read-?(?:more|next|also)|see-?also|"
    r"copyright|print-?only|login|register|registration|access-?wall|paywall-?(?:prompt|message|banner)|donat\w+"
    r"|fact-?box|info-?box|infobox|tweet|twitter-tweet|instagram-media|tiktok-embed|embed\w*|player|"
    r"tooltip|hidden|screen-?reader\w*|sr-only|visually-?hidden|pr|ranking|wall|poll|quiz|rating|feedback|follow\w*"
    r"|app-?download|whatsapp\w*|correction-?form|crosslinks?|outbrain|taboola|nocontent|no-?print|noprint|byline\w*"
    r"|timestamp|dateline|suggest\w*)"
    r"(?=$|[\s_-])"
)
_CALL = re.compile(
    r"^(?:(?:also )?read (?:more|also|next|on)\b|more\s*[:：]|more (?:from|on)\b.{0,40}[:：]|related\s*[:：]|see also"
    r"|watch(?: now| more| the video)?\s*[:：]|listen\s*[:：]|à lire|lire aussi|lesen sie|mehr zum|lea (?:también|más)"
    r"|leer más|te puede interesar|"
    r"leggi anche|leia (?:mais|também)|>>|»|関連|【関連|▶|►|◆関連|相关|延伸阅读|follow us|follow .{2,40} on|sign up|subscribe"
    r"|join our|click here|for more (?:stories|news|information)|got a story|do you have a (?:story|view)|get in touch|"
    r"want more|don't miss|download (?:the|our)|stay up to date|check out more|this article (?:was|originally|first)|© "
    r"|copyright|have you got|"
    r"for the latest|get the latest|you can (?:also )?(?:follow|unsubscribe)|email us|contact us|add .{2,30} as)",
    re.IGNORECASE,
)

_GATE = re.compile(
    r"会員限定|会員登録|有料会員|会員になる|ログインして|réservée? aux abonnés|abonnez-vous|solo para suscriptores|suscríbete|suscriptores|nur für abonnenten|"
    r"jetzt abonnieren|per (?:gli )?abbonati|para assinantes|subscribers? only|(?:log in|sign in|subscribe"
    r"|register) (?:to|or) (?:continue|create|read|subscribe|register)",
    re.IGNORECASE,
)


def outside_reading(page: HtmlElement) -> str:
    """What trafilatura takes for the text of the page, empty when it finds none."""
    found = bare_extraction(page, include_comments=False, with_metadata=False)
    text = getattr(found, "text", None)
    return text if isinstance(text, str) else ""


def within(element: HtmlElement, container: HtmlElement | None) -> bool:
    """Whether the element is the container or stands in it."""
    return element is container or any(ancestor is container for ancestor in element.iterancestors())


def below_headline(units: list[Unit]) -> list[Unit]:
    """The units after the page's first heading, when it stands among them; pictures above it stay."""
    first = next((index for index, unit in enumerate(units) if unit.block.tag == "h1"), -1)
    return [unit for index, unit in enumerate(units) if unit.holder is not None or (index > first and unit.block.tag != "h1")]


class Article:
    """The article among the units of a page.

    `container` is the deepest element that holds most of the text, `units` what of it is text or picture.
    """

    def __init__(self, units: list[Unit], reading: str) -> None:
        self._votes = key(reading) if reading else ""
        self._weights: dict[HtmlElement, float] = defaultdict(float)
        self._asides: dict[HtmlElement, bool] = {}
        self._votes_of = {id(unit): self._vote(unit) for unit in units}
        for unit in units:
            self._weigh(unit)
        self.container = self._climbed(self._deepest(), units)
        inside = below_headline([unit for unit in units if self._is_inside(unit)])
        self.units = self._trimmed([unit for unit in inside if self._belongs(unit)])

    def _voted(self, unit: Unit) -> bool:
        return self._votes_of[id(unit)]

    def _vote(self, unit: Unit) -> bool:
        """Whether the other reading holds the text, small differences (ruby, joints) allowed for."""
        own = key(unit.text)
        if len(own) < 40:
            return len(own) > 1 and own in self._votes
        samples = [own[at : at + 12] for at in range(4, len(own) - 12, max(12, len(own) // 6))]
        return sum(sample in self._votes for sample in samples) * 3 >= len(samples) * 2

    def _climbed(self, container: HtmlElement | None, units: list[Unit]) -> HtmlElement | None:
        """The container, or an element around it that holds further paragraphs which both readings take for text."""
        if container is None:
            return None
        self.container = container
        for parent in list(container.iterancestors())[:3]:
            if parent.tag in {"body", "html"}:
                break
            self.container, self._asides = parent, {}
            beyond = [u for u in self._beyond(container, parent, units) if self._is_paragraph(u)]
            if not beyond or sum(words(u.text) for u in beyond) > 0.5 * self._weights[container]:
                continue
            container = parent
        self._asides = {}
        return container

    def _beyond(self, container: HtmlElement, parent: HtmlElement, units: list[Unit]) -> list[Unit]:
        """What the wider element adds: all that stands above the container, and below it its own paragraphs."""
        inside = [within(unit.block, container) for unit in units]
        first = inside.index(True)
        return [
            unit
            for index, unit in enumerate(units)
            if not inside[index] and self._is_inside(unit) and (index < first or unit.block.getparent() is parent)
        ]

    def _is_paragraph(self, unit: Unit) -> bool:
        long = words(unit.text) >= 10 and ends_sentence(unit.text) and unit.linked * 4 < len(unit.text)
        return long and self._voted(unit) and unit.block.tag in {"p", "div", "section"} and not self._in_aside(unit.block)

    def _weigh(self, unit: Unit) -> None:
        length = words(unit.text)
        if unit.linked * 2 > len(unit.text) or length < 8 or unit.block.tag in {"h1", "h2", "h3", "h4", "td", "th"}:
            return
        weight = min(length, 120) * (1.0 if self._voted(unit) else 0.2) * (1.0 if ends_sentence(unit.text) else 0.5)
        self._weights[unit.block] += weight
        for ancestor in unit.block.iterancestors():
            self._weights[ancestor] += weight

    def _deepest(self) -> HtmlElement | None:
        current = next((element for element in self._weights if element.tag == "body"), None)
        if current is None:
            return None
        total = self._weights[current]
        while True:
            heaviest = max(current, key=lambda child: self._weights.get(child, 0.0), default=None)
            weight = self._weights.get(heaviest, 0.0) if heaviest is not None else 0.0
            if heaviest is None or weight < 0.7 * total or weight < 0.8 * self._weights[current] or heaviest.tag == "p":
                return current
            current = heaviest

    def _is_inside(self, unit: Unit) -> bool:
        return within(unit.block, self.container)

    def _belongs(self, unit: Unit) -> bool:
        if self._in_aside(unit.block):
            return False
        if unit.holder is not None:
            return True
        if unit.linked > 0.75 * len(unit.text) and not self._is_listed(unit):
            return False
        if words(unit.text) < 50 and (_CALL.match(unit.text) or _GATE.search(unit.text)):
            return False
        return self._voted(unit) or self._beside_text(unit)

    def _is_listed(self, unit: Unit) -> bool:
        return False

    def _beside_text(self, unit: Unit) -> bool:
        parent = unit.block.getparent()
        return (
            unit.block.tag in {"p", "h2", "h3", "h4", "li", "blockquote"}
            and parent is not None
            and self._weights.get(parent, 0.0) > 0.15 * self._weights[self.container]
        )

    def _in_aside(self, element: HtmlElement) -> bool:
        while element is not self.container and element is not None:
            if element not in self._asides:
                self._asides[element] = self._is_aside(element)
            if self._asides[element]:
                return True
            element = element.getparent()
        return False

    def _is_aside(self, element: HtmlElement) -> bool:
        if self._weights.get(element, 0.0) > 0.3 * self._weights.get(self.container, 1.0):
            return False
        if element.tag in {"aside", "footer", "nav", "header", "table"} or element.get("hidden") is not None:
            return True
        if "none" in (element.get("style") or "") and re.search(r"display:\s*none", element.get("style") or ""):
            return True
        named = f"{element.get('class') or ''} {element.get('id') or ''}"
        named = re.sub(r"([a-z])([A-Z])", r"\1-\2", named).lower()
        return _ASIDE.search(named) is not None

    def _trimmed(self, units: list[Unit]) -> list[Unit]:
        text = [i for i, unit in enumerate(units) if unit.text and (is_prose(unit.text) or self._voted(unit))]
        while text and not is_prose(units[text[-1]].text):
            text.pop()
        return units[: text[-1] + 1] if text else []
