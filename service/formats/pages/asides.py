"""What stands inside an article and is no part of it: boxes told by their names, calls told by their words."""

import re
from itertools import pairwise

from lxml.html import HtmlElement

from service.formats.pages.text import any_of, words

_NAMES = frozenset(
    """
    related relateds recommend recommended recommendation recommendations newsletter newsletters signup share sharing
    comment comments respond disqus ad ads adslot banner breadcrumb breadcrumbs author authors bio avatar tag tags
    taglist topics keyword keywords toolbar tools cookie cookies consent gate modal popup overlay dialog popular
    mostread trending sidebar teaser teasers footer foot menu nav navi navigation copyright print noprint login
    register registration factbox infobox tweet player tooltip hidden pr ranking wall poll quiz rating feedback
    crosslink crosslinks outbrain taboola nocontent timestamp dateline readmore
    """.split()
)
_STEMS = tuple("recirc promo subscri social advert sponsor donat embed follow whatsapp suggest byline screenreader".split())
_PAIRS = frozenset(
    """
    sign-up most-read more-on more-link more-links more-stories more-news more-from read-more read-next read-also
    see-also tag-list fact-box info-box access-wall paywall-prompt paywall-message paywall-banner print-only no-print
    sr-only screen-reader visually-hidden instagram-media app-download
    """.split()
)
_CALL = any_of(
    r"(?:also )?read (?:more|also|next|on)\b|more\s*[:：]|more (?:from|on)\b.{0,40}[:：]|related\s*[:：]|see also",
    r"watch(?: now| more| the video)?\s*[:：]|listen\s*[:：]|follow us|follow .{2,40} on|sign up|subscribe|join our",
    r"click here|for more (?:stories|news|information)|for the latest|get the latest|stay up to date|check out more",
    r"got a story|do you have a (?:story|view)|have you got|get in touch|email us|contact us|want more|don't miss",
    r"download (?:the|our)|this article (?:was|originally|first)|© |copyright|you can (?:also )?(?:follow|unsubscribe)",
    r"most read\b|add .{2,30} as|>>|»|▶|►",
    r"à lire|lire aussi|lesen sie|mehr zum|lea (?:también|más)|leer más|te puede interesar|leggi anche|leia (?:mais|também)",
    r"関連|【関連|◆関連|相关|延伸阅读",
)
_GATE = any_of(
    r"会員限定|会員登録|有料会員|会員になる|ログインして|réservée? aux abonnés|abonnez-vous|nur für abonnenten|jetzt abonnieren",
    r"solo para suscriptores|suscríbete|suscriptores|per (?:gli )?abbonati|para assinantes|subscribers? only",
    r"(?:log in|sign in|subscribe|register) (?:to|or) (?:continue|create|read|subscribe|register)",
)


def is_aside(element: HtmlElement) -> bool:
    """Whether the element's tag, state or name tells that it stands beside the text, or that nobody sees it."""
    parent = element.getparent()
    if element.tag == "footer" and parent is not None and parent.tag == "blockquote":
        return False
    if element.tag in {"aside", "footer", "nav", "header", "table"} or element.get("hidden") is not None:
        return True
    return re.search(r"display:\s*none", element.get("style") or "") is not None or is_named_aside(element)


def is_named_aside(element: HtmlElement) -> bool:
    """Whether class or id name the element as something that is no article."""
    given = f"{element.get('class') or ''} {element.get('id') or ''}"
    names = re.findall(r"[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1-\2", given).lower())
    pairs = {f"{first}-{second}" for first, second in pairwise(names)}
    return not (_NAMES.isdisjoint(names) and _PAIRS.isdisjoint(pairs)) or any(name.startswith(_STEMS) for name in names)


def calls_away(text: str) -> bool:
    """Whether the text sends its reader elsewhere: to other stories, to a newsletter, to a subscription."""
    return words(text) < 50 and (_CALL.match(text) is not None or _GATE.search(text) is not None)
