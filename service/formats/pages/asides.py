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
    werbung anzeige anzeigen kommentar kommentare weiterlesen publicidad publicidade comentarios relacionadas
    relacionados correlati pubblicita annons annonse reklam reklama reklamy komentarze
    """.split()
)
_STEMS = tuple(
    "recirc promo subscri social advert sponsor donat embed follow whatsapp suggest byline screenreader".split()
)
_PAIRS = frozenset(
    """
    sign-up most-read more-on more-link more-links more-stories more-news more-from read-more read-next read-also
    see-also tag-list fact-box info-box access-wall paywall-prompt paywall-message paywall-banner print-only no-print
    sr-only screen-reader visually-hidden instagram-media app-download
    """.split()
)
# A post's classes list the words it is filed under, and modifiers say what a box has or lacks: neither says
# what it is.
_POST = re.compile(r"(?:^|\s)(?:hentry|type-\w+|status-publish)(?:\s|$)")
_TERM = re.compile(r"(?:^|\s)(?:tag|category)-\S+")
_STATE = re.compile(r"(?<![a-z])(?:has|with|without|label)[-_]+\S+")
_CALL = any_of(
    r"(?:also )?read (?:more|also|next|on)\b|more\s*[:：]|more (?:from|on)\b.{0,40}[:：]|related\s*[:：]|see also",
    r"watch(?: now| more| the video)?\s*[:：]|listen\s*[:：]|follow us|follow .{2,40} on|sign up|subscribe|join our",
    r"click here|for more (?:stories|news|information)|for the latest|get the latest|stay up to date|check out more",
    r"got a story|do you have a (?:story|view)|have you got|get in touch|email us|contact us|want more|don't miss",
    r"download (?:the|our)|this article (?:was|originally|first)|© |copyright|you can (?:also )?(?:follow|unsubscribe)",
    r"most read\b|add .{2,30} as|>>|»|▶|►",
    r"à lire|lire aussi|lesen sie|mehr zum|lea (?:también|más)|leer más|te puede interesar|leggi anche|leia (?:mais|também)",
    r"関連|【関連|◆関連|相关|延伸阅读|相關|延伸閱讀|更多新聞|관련 ?기사|더보기|▶",
    r"(?:auch interessant|mehr (?:dazu|lesen)|lesetipp|zum thema|weiterlesen|hier geht es)\b.{0,3}[:：]?|jetzt (?:kostenlos|abonnieren|anmelden)",
    r"les (?:også|mer)\b|læs (?:også|mere)\b|läs (?:också|mer|även)\b|lue (?:myös|lisää)\b|lees (?:ook|meer)\b|bekijk ook|se også",
    r"(?:czytaj|zobacz|przeczytaj|sprawdź|dowiedz się)(?: też| także| również| więcej)?\s*[:：|]|(?:czytaj|zobacz) (?:też|także|więcej)\b",
    r"(?:leia|veja|saiba|confira) (?:também|mais)\b|siga o|receba as|clique aqui|te recomendamos|lee también|más información\s*:|lire (?:la suite|également)",
    r"(?:ayrıca|bunu da) oku|ilginizi çekebilir|haberin devamı|baca juga|simak juga|lihat juga|xem thêm|đọc thêm|citește și|citiți și|olvass(?:on|a)? tovább",
    r"(?:читайте|смотрите|дивіться) (?:также|також|ещё|ще)\b|подписывайтесь|підписуйтесь|прочетете още|čtěte (?:také|více)|přečtěte si|διαβάστε (?:επίσης|ακόμα)",
    r"(?:اقرأ|شاهد|إقرأ) (?:أيض|ايض)|קראו (?:גם|עוד)|לכתבה|यह भी पढ़ें|ये भी पढ़ें|আরও পড়ুন|อ่านเพิ่มเติม",
)
_MARKS = r"(?:</?(?:strong|em|span)[^<>]*>|\s)*"
_LABELLED_LINK = re.compile(
    rf"{_MARKS}[^<>.!?]{{2,40}}[:|»›：｜]{_MARKS}<a [^<>]+>[^\n]{{15,200}}</a>{_MARKS}"
)
_GATE = any_of(
    r"会員限定|会員登録|読み放題|に登録すると|電子版が利用|有料会員|会員になる|ログインして|réservée? aux abonnés|abonnez-vous|nur für abonnenten|jetzt abonnieren",
    r"solo para suscriptores|suscríbete|suscriptores|per (?:gli )?abbonati|para assinantes|subscribers? only",
    r"artikkelen er for abonnenter|kun for abonnenter|endast för prenumeranter|tylko dla (?:subskrybentów|prenumeratorów)|dostęp do treści",
    r"exclusivo para assinantes|assine (?:já|agora|para)|abonelere özel|voor abonnees|mit (?:f|plus)-?abo|registrieren sie sich|weiterlesen mit",
    r"구독(?:자 전용|하시면)|로그인 후|订阅(?:后|以)|登录后|訂閱",
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
    given = element.get("class") or ""
    if _POST.search(given):
        given = _TERM.sub(" ", given)
    joined = re.sub(r"([a-z])([A-Z])", r"\1-\2", f"{given} {element.get('id') or ''}").lower()
    names = re.findall(r"[a-z]+", _STATE.sub(" ", joined))
    pairs = {f"{first}-{second}" for first, second in pairwise(names)}
    return not (_NAMES.isdisjoint(names) and _PAIRS.isdisjoint(pairs)) or any(
        name.startswith(_STEMS) for name in names
    )


def points_elsewhere(html: str) -> bool:
    """Whether a line is a label and a link to another story ("More: …"), in whatever language the label is."""
    return html.count("<a ") == 1 and _LABELLED_LINK.fullmatch(html) is not None


def calls_away(text: str) -> bool:
    """Whether the text sends its reader elsewhere: to other stories, to a newsletter, to a subscription."""
    return words(text) < 50 and (_CALL.match(text) is not None or _GATE.search(text) is not None)
