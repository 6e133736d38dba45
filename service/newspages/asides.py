"""Tell boxes inside an article that are no part of it: boxes by their names, calls by their words."""

import re
from itertools import islice, pairwise

from lxml.html import HtmlElement

from service.newspages.text import any_of, ends_sentence, words

# Names of boxes that tell what stands in them wherever they stand in a class.
_NAMES = frozenset(
    """
    related relateds recommend recommended recommendation recommendations newsletter newsletters signup sharing
    comments respond disqus adslot breadcrumb breadcrumbs bio avatar taglist toolbar cookie cookies consent popup
    popular mostread trending sidebar teaser teasers footer navi navigation noprint factbox infobox tooltip ranking
    quiz feedback crosslink crosslinks outbrain taboola nocontent readmore
    werbung anzeige anzeigen kommentar kommentare weiterlesen publicidad publicidade comentarios relacionadas
    relacionados correlati pubblicita annons annonse reklam reklama reklamy komentarze
    """.split()
)
_STEMS = tuple("recirc promo subscri advert sponsor donat whatsapp screenreader".split())
# Names that say so only where they are the whole name, or the name of a part of a page: a class that merely
# contains "hidden", "ad" or "social" may say anything.
_WHOLE_NAMES = frozenset(
    """
    share comment ad ads banner author authors tag tags topics keyword keywords tools gate modal overlay dialog foot
    menu nav copyright print login register registration tweet player hidden pr wall poll rating timestamp dateline
    byline bylines social follow suggestions
    """.split()
)
_PARTS_OF_PAGES = frozenset(
    """
    box bar button buttons link links list icon icons widget block container wrapper wrap section area slot unit item
    items info details card name names meta tools menu bio label row group inner module component banner bottom top
    header footer article post entry story page site content js unit inline us media share follow image img photo text video audio
    """.split()
)
_PAIRS = frozenset(
    """
    sign-up most-read more-on more-link more-links more-stories more-news more-from read-more read-next read-also
    see-also tag-list fact-box info-box access-wall paywall-prompt paywall-message paywall-banner print-only no-print
    sr-only screen-reader visually-hidden app-download
    """.split()
)
_SLIDE = re.compile(
    r"(?:^|[\s_-])(?:slid(?:e|es|er|eshow)|carousel|swiper|slick|gallery|galerie|lightbox|splide|glide)(?:$|[\s_-])"
)
# Utility classes style at some width or in some state only, and say nothing of what is in the box.
_UTILITY = re.compile(r"[:\[/]")
_SHOWN_WIDER = re.compile(r"(?:^|\s)(?:xs|sm|md|lg|xl|2xl)[:-](?:block|flex|grid|inline|contents|table)")
# A post's classes list the words it is filed under, and modifiers say what a box has or lacks: neither says
# what it is.
_POST = re.compile(r"(?:^|\s)(?:hentry|type-\w+|status-publish)(?:\s|$)")
_TERM = re.compile(r"(?:^|\s)(?:tag|category)-\S+")
_STATE = re.compile(r"(?<![a-z])(?:has|with|without|label)[-_]+\S+")
_CALL = any_of(
    r"(?:also )?read (?:more|also|next|on)\b|more\s*[:：]|more (?:from|on)\b.{0,40}[:：]|related\s*[:：]|see also",
    r"watch(?: now| more| the video)?\s*[:：]|listen\s*[:：]|follow us|follow .{2,40} on|sign up\b|subscribe\b|join our\b",
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
_COLON = re.compile(r"[^.!?。»«“”\"]{0,30}[:：|›]")
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
    """Return whether the element's tag or state tells that it stands beside the text, or that
    nobody sees it.
    """
    parent = element.getparent()
    if element.tag == "footer" and parent is not None and parent.tag == "blockquote":
        return False
    if element.tag == "header":
        return not any(True for _ in element.iter("h2", "h3", "h4", "h5")) or any(
            True for _ in element.iter("h1", "nav")
        )
    if element.tag in {"aside", "footer", "nav"}:
        return True
    if _SLIDE.search(" ".join(e.get("class") or "" for e in (element, *islice(element.iterancestors(), 2)))):
        # All slides but one are hidden until they are called.
        return False
    hidden = re.search(r"display:\s*none", element.get("style") or "") is not None
    return hidden or element.get("hidden") is not None


def is_named_aside(element: HtmlElement, *, surely: bool = False) -> bool:
    """Return whether class or id name the element as something that is no article; `surely` by the whole
    names of other boxes alone, since players and posts are shown in boxes of their name.
    """
    given = element.get("class") or ""
    if _POST.search(given):
        given = _TERM.sub(" ", given)
    shown = _SHOWN_WIDER.search(given) is not None
    joined = re.sub(r"([a-z])([A-Z])", r"\1-\2", f"{given} {element.get('id') or ''}").lower()
    for name in _STATE.sub(" ", joined).split():
        if (
            not _UTILITY.search(name)
            and not (shown and name == "hidden")
            and _names_aside(name, surely=surely)
        ):
            return True
    return False


def _names_aside(name: str, *, surely: bool) -> bool:
    parts = re.findall(r"[a-z]+", name)
    if not _NAMES.isdisjoint(parts) or any(part.startswith(_STEMS) for part in parts):
        return True
    if any(f"{first}-{second}" in _PAIRS for first, second in pairwise(parts)):
        return True
    if surely:
        return False
    known = [part for part in parts if part in _WHOLE_NAMES]
    others = [part for part in parts if part not in _WHOLE_NAMES and len(part) > 1]
    return bool(known) and (not others or ("hidden" not in known and _PARTS_OF_PAGES.issuperset(others)))


def points_elsewhere(html: str) -> bool:
    """Return whether a line is a label and a link to another story ("More: …"), in whatever language the
    label is.
    """
    return html.count("<a ") == 1 and _LABELLED_LINK.fullmatch(html) is not None


def asks_to_subscribe(text: str) -> bool:
    """Return whether the words are those of a paywall."""
    return words(text) < 50 and _GATE.search(text) is not None


def calls_away(text: str, *, linked: bool) -> bool:
    """Return whether the text sends its reader elsewhere: to other stories, to a newsletter, to a
    subscription.

    The words alone do not tell: sentences begin with them, too. They must lead somewhere by a link, stand
    before a colon, or be no sentence.
    """
    if words(text) >= 50:
        return False
    called, gated = _CALL.match(text), _GATE.search(text)
    if called is None and gated is None:
        return False
    announced = called is not None and (called[0][-1] in ":：" or bool(_COLON.match(text, called.end())))
    return linked or announced or not ends_sentence(text)
