"""The words of a picture: its caption and its credit, told apart by the names, the marks and the form that
they have on pages.
"""

import re
from collections.abc import Collection, Iterator
from itertools import islice

from lxml import etree
from lxml.html import HtmlElement

from service.newspages.bylines import byline_names
from service.newspages.credits import bare_credit, is_credit, split_credit
from service.newspages.dates import date_line
from service.newspages.jsonld import plain
from service.newspages.text import any_of, key, tidy, words


def name_of(*forms: str) -> re.Pattern[str]:
    """Return a pattern for names of elements: any of the forms as a word or words of one."""
    return re.compile(rf"(?:^|[\s_-])(?:{'|'.join(forms)})(?:$|[\s_-])")


_CAPTION = name_of(
    r"(?:fig)?captions?|legende?|légende|didascalia|bildunterschrift|bildtext|pie-?(?:de-?)?foto|cutline",
    r"(?:image|img|photo|picture|foto|bild|media)[-_]{0,2}(?:caption|description|desc|legend|title|text|info|data)",
    r"podpis|opis|popisek|bijschrift|onderschrift|bildetekst|bil{1,2}edtekst|kuvateksti|kepalairas|keterangan|chu-thich|alt-?yazi",
)
_CREDIT = name_of(
    r"credits?|copyrights?|photographer|photo-?by|fotograf\w*|bildquelle|attribution|agency|sources?|firma|rights",
    r"licen[cs]e|author|autor|auteur|byline",
)
_UNSEEN = name_of(
    r"sr-only|screen-?reader\w*|visually-?hidden|hidden-text|button|btn|toggle|expand|enlarge|zoom|icon|counter|share",
)
_INSTRUCTION = any_of(
    r"\(?(?:click|tap|press)(?: here| on (?:the )?(?:image|picture|photo))? to (?:enlarge|expand|zoom|view)[^.)]{0,30}[.)]?",
    r"\(?(?:open|view) (?:image )?in (?:gallery|fullscreen)\)?|(?:enlarge|expand) (?:this )?(?:image|picture|photo)",
    r"view (?:image|gallery)|(?:hide|toggle) caption|(?:画像|写真)?を?拡大(?:写真|画像|する)?(?:を見る)?",
    r"agrandir(?: l['’]image)?|bild vergrößern|ampliar(?: foto| imagen)?|ingrandisci",
)
# Words before a caption that tell those who cannot see the page where it stands.
_LABEL = re.compile(
    r"(?:(?:image|photo|picture|media) (?:caption|description)|légende (?:de l['’])?image|pie de (?:foto|imagen)|legenda da foto"
    r"|keterangan gambar|chụp lại hình ảnh|подпись к (?:фото|изображению)|підпис до фото|इमेज कैप्शन|ছবির ক্যাপশন|التعليق على الصورة"
    r"|توضیح تصویر|resim açıklaması|fotoğraf altı yazısı|图像加注文字|圖像加註文字|back to video|zurück zum video)\s*[,،，:：-]?\s*"
    r"|(?:caption|légende|legende|bildunterschrift|bildtext|legenda|didascalia|bijschrift|fotobijschrift|bildtekst|billedtekst|kuvateksti"
    r"|podpis|popisek|तस्वीर|توضيح|写真説明|사진 설명|图片说明)\s*[,،，:：]\s*",
    re.IGNORECASE,
)
_OWED_FIRST = re.compile(
    r"(?:image source|photo source|автор фото|источник изображения|фото|इमेज स्रोत|fuente de la imagen|crédit photo|crédito|صدر الصورة"
    r"|مصدر الصورة|sumber gambar|nguồn hình ảnh|görsel kaynağı|图像来源|圖像來源|画像提供)\s*[,،:：]\s*",
    re.IGNORECASE,
)
_AIRED = re.compile(
    r"(?:audio|video|podcast|watch|listen)\s*[:：].*|.*[|·]\s*\d{1,2}\.\d{1,2}\.\d{4}(?:\s*[|·].*)?",
    re.IGNORECASE,
)
_WHEN = re.compile(
    r"[\s,|]+\d{1,2}[./]\d{1,2}[./]\d{2,4}.*$|,\s*(?:[\w-]+ )?(?:redakteur|editor|reporter|correspond|korrespondent|redact|journalist)\w*.*$",
    re.IGNORECASE,
)
_DATA = ("data-caption", "data-description", "data-sub-html", "data-title")
_OWN_TAGS = frozenset("span small cite p div em i".split())
_LONGEST_CREDIT = 120
# In words. Shorter text in a figure is a label, and longer text is not about its picture alone.
_SHORTEST_UNNAMED, _LONGEST_UNNAMED = 3, 80
_SILENT = frozenset({"script", "style", "noscript", "button", "svg", "template", "select"})
_RUNS_ON = frozenset("a abbr b bdi bdo cite em i q s small strong sub sup time u ruby rb rt rp".split())


def _visible(element: HtmlElement, without: Collection[HtmlElement] = ()) -> Iterator[str]:
    """Yield the pieces of text that readers see: no scripts, and not what only buttons and screen readers
    say.
    """
    walk = etree.iterwalk(element, events=("start", "end"))
    for event, inner in walk:
        space = " " if inner.tag not in _RUNS_ON else ""
        if event == "start":
            hidden = (
                inner.tag in _SILENT
                or inner in without
                or (inner is not element and _UNSEEN.search(named(inner)))
            )
            if hidden:
                walk.skip_subtree()
            yield space + ("" if hidden else inner.text or "")
        elif inner is not element:
            yield space + (inner.tail or "")


def short_text(element: HtmlElement) -> str:
    """Return the visible text as far as a caption's length; longer text is none."""
    return tidy("".join(islice(_visible(element), 400)))[:4000]


def named(element: HtmlElement) -> str:
    """Return the names an author gave the element: class, id, itemprop and test id, in lower case and
    hyphenated.
    """
    given = " ".join(
        element.get(name) or "" for name in ("class", "itemprop", "data-testid", "data-component")
    )
    return re.sub(r"([a-z])([A-Z])", r"\1-\2", given).lower()


def is_caption(element: HtmlElement) -> bool:
    """Return whether the element is, or is named, a caption."""
    return element.tag == "figcaption" or (
        element.tag not in {"img", "a"} and _CAPTION.search(named(element)) is not None
    )


def caption_and_credit(holder: HtmlElement) -> tuple[str | None, str | None] | None:
    """Caption and credit; None where the words are those of a portrait, a player or a teaser. A page's
    repetitions of a caption are one; what stands in a credit element is no caption.
    """
    inside = [element for element in holder.iter(etree.Element) if element is not holder]
    owed = [element for element in inside if _CREDIT.search(named(element)) and not is_caption(element)]
    owed += _credits_at_the_end(holder, owed)
    texts = _caption_texts(holder, set(owed))
    first, whole = _labels_off(" ".join(texts.values()))
    caption, tail = split_credit(whole)
    tail = tail or first
    if is_no_caption(caption):
        return None
    stated = next(filter(None, (tidy("".join(_visible(element))) for element in owed)), None)
    if stated and not texts and words(stated) > 12:
        caption, tail, stated = *split_credit(stated), None
    return caption or None, (bare_credit(stated) if stated else tail) or None


def _caption_texts(holder: HtmlElement, owed: set[HtmlElement]) -> dict[str, str]:
    """Return the caption's parts by their keys, in order. Where nothing is named a caption, the holder's own
    text is it.
    """
    captions = [
        element for element in holder.iter(etree.Element) if element is not holder and is_caption(element)
    ]
    within = {*captions, *owed}
    outermost = [element for element in captions if within.isdisjoint(element.iterancestors())]
    if not outermost and holder.tag != "img":
        if holder.tag == "figure" and _is_more_than_caption(holder):
            return _stated_in_data(holder)
        outermost = [holder]
    found = {key(text): text for text in (_without(caption, owed) for caption in outermost) if text}
    return found or _stated_in_data(holder)


def _is_more_than_caption(figure: HtmlElement) -> bool:
    """Return whether the text of a figure without a named caption is a link, a heading, or longer than
    captions are.
    """
    headed = any(True for _ in figure.iter("h1", "h2", "h3", "h4", "li", "table", "iframe"))
    return headed or not _SHORTEST_UNNAMED <= words(short_text(figure)) <= _LONGEST_UNNAMED


def _stated_in_data(holder: HtmlElement) -> dict[str, str]:
    """Return the caption that a slide carries for a script to show."""
    for element in (holder, *islice(holder.iter("img", "a"), 4)):
        for name in _DATA:
            text = plain(element.get(name) or "")
            if words(text) > 2 and "/" not in text[:1] and not text.startswith("http"):
                return {key(text): text}
    return {}


def _labels_off(caption: str) -> tuple[str | None, str]:
    """Return the credit that stands first, and the caption without its label."""
    bare = caption[label.end() :] if (label := _LABEL.match(caption)) else caption
    owed = _OWED_FIRST.match(bare)
    if owed is None:
        return None, bare
    rest = bare[owed.end() :]
    # The credit ends where the caption's own label begins.
    inner = _LABEL.search(rest[:_LONGEST_CREDIT])
    if inner is None:
        return None, bare
    return rest[: inner.start()].strip(" ,"), rest[inner.end() :]


def is_no_caption(text: str) -> bool:
    """Return whether the words beside a picture are those of a portrait, a player or a teaser."""
    if not text or words(text) > 25:
        return False
    return bool(_AIRED.fullmatch(text) or date_line(text) or byline_names(_WHEN.sub("", text)))


def _credits_at_the_end(holder: HtmlElement, owed: list[HtmlElement]) -> list[HtmlElement]:
    """Return the elements that end a caption and hold nothing but whom the picture is owed to, whatever their
    names.
    """
    found = []
    for caption in (element for element in holder.iter(etree.Element) if is_caption(element)):
        last = caption[-1] if len(caption) else None
        if last is None or last in owed or last.tag not in _OWN_TAGS or (last.tail or "").strip():
            continue
        said, whole = short_text(last), short_text(caption)
        styled = last.tag not in {"em", "i"}
        if said and said != whole and words(said) <= 12 and is_credit(said, alone=styled):
            found.append(last)
    return found


def _without(caption: HtmlElement, owed: set[HtmlElement]) -> str:
    """Return the caption's own text, without credit elements and without instructions to the reader."""
    return tidy(_INSTRUCTION.sub(" ", tidy("".join(_visible(caption, owed))))).strip(" |")
