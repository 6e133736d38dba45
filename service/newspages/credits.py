"""The credit in a caption's tail: found, and taken out of the caption.

Five forms are known, as agencies and picture desks write them: a slash (`… in Oslo. /Xinhua`), brackets that
speak of pictures (`… in Oslo. (AP Photo/A. Lee)`), a word that announces a credit (`… in Oslo. Photo: A.
Lee`), the same without a colon (`… in Oslo. Photo by A. Lee`), an agency's name alone (`… in Oslo. A.
Lee/Getty Images`).
"""

import re
from collections.abc import Iterator

from service.newspages.credit_words import AGENCY, ANNOUNCED, SOURCE

_AFTER_SENTENCE = r"(?:(?<=[.。!?！？…”\"’')）\]」』])\s*|\s+[-–—|•·]\s*|^)"
_LONGEST = 160
# So many words in small letters are those of a sentence, not of names.
_SMALL_WORDS = 3

_SLASH = re.compile(
    r"(?:(?<=[\s.。!?！？”\"’')）」』])|(?<=[\u3040-\u9fff]))[/／](?P<credit>[^\W\d_a-z][^.。!?！？]{1,60})$"
)
_SLASHED_AGENCY = re.compile(
    rf"(?:(?<=[\s.。!?！？”\"’')）」』])[/／]\s|(?<=\w)[/／])(?P<credit>(?:{AGENCY})\b[^.。!?！？]{{0,60}})$"
)
_BRACKETS = re.compile(r"[(（\[【](?P<credit>[^()（）\[\]【】]{2,120})[)）\]】]\s*[.。]?$")
_NAME_BEFORE = re.compile(
    r"[.。!?！？][\"”’']?\s+(?P<name>[^\W\d_a-z][\w'’-]+(?:\s[^\W\d_a-z][\w.'’-]*){0,3})\s*$"
)
_COLON = re.compile(
    rf"(?:(?:^|(?<=[\W_])|(?<=[\u3040-\u9fff]))(?P<mark>{ANNOUNCED})|(?:^|(?<=[.!?…)|–—-]\s))(?:{SOURCE}))\s*(?:[:：=]|[©ⓒ])\s*(?P<credit>\S[^。!?！？]{{1,90}})$",
    re.IGNORECASE,
)
_BY = re.compile(
    rf"{_AFTER_SENTENCE}(?P<mark>(?:photo(?:graph)?s?|pictures?|images?|fotos?)\s+(?:by|courtesy of|par|von|di|de)\s+"
    rf"|courtesy of\s+|fot\.\s+|\(c\)\s+)"
    r"(?P<credit>\S[^。!?！？]{1,90})$",
    re.IGNORECASE,
)
# These words also say what a picture is of.
_OF_SOMETHING = re.compile(r"(?<!courtesy )\b(?:of|par|von|di|de)\s*$", re.IGNORECASE)
_PARTICLES = frozenset("de da do dos das del della di du des von van der den la le y e und et via".split())
_OWNED = re.compile(r"(?:^|(?<=\s))(?P<mark>[©ⓒ]\s*)(?P<credit>[^\s。!?！？©ⓒ][^。!?！？©ⓒ]{1,90})$")
_NAMED = re.compile(
    rf"{_AFTER_SENTENCE}(?P<credit>(?:(?:[^\W\d_a-zß-ÿ][\w.'’-]*|v[ao]n|de[rl]?|d[ai]|via|for)[ /,]+){{0,5}}(?:{AGENCY})"
    r"(?:\s?(?:[/|,]|\bvia\b|-)\s?[^\W\d_][\w.'’ -]{1,40}){0,3})$"
    r"|\s(?P<unmistakable>(?:[\w.'’-]+\s?/\s?)*(?:Getty Images|AP Photo|Alamy Stock Photo|Shutterstock)(?:/[\w.'’ -]{2,40})?)$"
)
_TAKEN = re.compile(
    r"(?:(?<=[。！？、，＝])|\s|^)(?P<credit>(?:(?:新华社|中新社|新華社)?(?:发|記者|记者)\s?)?[^\s。！？、，＝]{1,16}?)\s?"
    r"(?:摄|攝|供图|撮影|提供|写す|撮す)$"
)
_OF_PICTURES = re.compile(
    rf"^(?:{ANNOUNCED}|{SOURCE})(?:\s*[:：/=©]|\s+(?:by|via|courtesy)\b)|^[©ⓒ]|\bAP (?:Photo|Foto)\b|\bv[ií]a (?:{AGENCY}|AP)\b"
    rf"|^(?:{AGENCY})$|^(?:{AGENCY})\s?[/|,-]|[/|,-]\s?(?:{AGENCY})$|(?:撮影|提供|摄|攝|供图)$",
    re.IGNORECASE,
)
# Those who gave a picture away, where no photographer is named.
_GIVEN = (
    r"supplied(?: by [^.]{2,60})?|handout(?: photo)?|hand-out|file(?: (?:photo|picture|image))?|submitted(?: photo)?|provided(?: by [^.]{2,60})?"
    r"|contributed|stock image|gentileza[^.]{0,50}|cortesía[^.]{0,50}|redes sociales|archivo|privat|zvg|d\.?r\.?|divulgação|reprodução|sin crédito"
)
_GIVEN_TAIL = re.compile(rf"(?:(?<=[.!?”\"’')])\s+|\s[|/–-]\s)(?P<credit>{_GIVEN})\.?$", re.IGNORECASE)
_FOR_A_PAPER = re.compile(
    r"(?<=[.!?”\"’')])\s+(?P<credit>(?:[A-Z][\w.'’-]+\s){2,4}(?:for|/)\s(?:The\s)?[A-Z][\w'’-]+(?:\s[A-Z][\w'’-]+){0,3})$"
)
_LITHUANIAN = re.compile(
    r"(?:(?<=[.!?”\"’')])\s+|\s?/\s?)(?P<credit>[^.!?/]{3,40}(?:\s?/\s?[^.!?/]{2,40})?)\s+nuotr(?:auka)?\.?$"
)
_MANY = re.compile(
    rf"(?:^|(?<=[.!?…)|–—-])\s+)(?:{ANNOUNCED})\s*[:：]\s*(?P<credit>[^.:：]{{2,60}}(?:[.,;|/]\s*[^\W\d_][\w/ &-]{{2,24}}[:：]\s*[^.:：]{{2,60}}){{1,5}})\.?$",
    re.IGNORECASE,
)
_RESERVED = re.compile(
    r"(?:^|\s[-–—]\s)(?:copyright|tous droits réservés|all rights reserved)\s+(?P<credit>[^.!?]{2,90})$",
    re.IGNORECASE,
)
_PHOTOGRAPHS_ONLY = re.compile(
    r"[(（\[](?:AP Photo/|(?:photo(?:graph)?s?|picture|image|foto)\s*(?:by\b|:|courtesy)|[^()]*[/|]\s*Getty Images)"
    r"[^()（）\[\]]*[)）\]]$",
    re.IGNORECASE,
)


def split_credit(caption: str) -> tuple[str, str | None]:
    """Return the caption without the credit in its tail, and that credit without its mark ("/", "Photo:",
    brackets).

    A caption that is nothing but a credit leaves an empty first part. Text without a credit comes back whole.
    """
    for start, credit in _candidates(caption):
        if start == 0 and credit and _is_sentence(credit):
            return credit, None
        if credit and _plausible(credit):
            return caption[:start].rstrip(" \u00a0|-–—/,;、"), credit
    return caption, None


def _is_sentence(credit: str) -> bool:
    """Return whether what follows a label ("Bild: Blick auf den alten Hafen von Ostvik") says
    what is seen.
    """
    small = [part for part in credit.split() if part[:1].islower() and part not in _PARTICLES]
    owed = re.search(rf"\b(?:courtesy|via|with|for|by|from|of|{AGENCY})\b|[/©|]", credit)
    return len(small) >= _SMALL_WORDS and owed is None


def _candidates(caption: str) -> Iterator[tuple[int, str]]:
    offset = max(0, len(caption) - _LONGEST)
    tail = caption[offset:]
    found = _BRACKETS.search(tail)
    if found and _OF_PICTURES.search(found["credit"]):
        before = _NAME_BEFORE.search(tail[: found.start()])
        start = before.start("name") if before else found.start()
        yield offset + start, bare_credit(tail[start : found.end()] if before else found["credit"])
    for pattern in (
        _MANY,
        _RESERVED,
        _LITHUANIAN,
        _FOR_A_PAPER,
        _GIVEN_TAIL,
        _COLON,
        _BY,
        _OWNED,
        _SLASH,
        _NAMED,
        _TAKEN,
        _SLASHED_AGENCY,
    ):
        found = pattern.search(tail)
        if found:
            credit = next(part for name, part in found.groupdict().items() if part and name != "mark")
            if pattern is _BY and not _names_somebody(
                found["mark"], credit, opens=not found.start() + offset
            ):
                continue
            yield offset + found.start(), bare_credit(credit)


def _names_somebody(mark: str, credit: str, *, opens: bool) -> bool:
    """Return whether a photographer follows: "Foto de Ana Lind", not "Foto de archivo del puente"."""
    if not _OF_SOMETHING.search(mark):
        return True
    parts = re.split(r"[\s/]+", credit.strip(" ."))
    named = all(part in _PARTICLES or not part[:1].islower() for part in parts) and not re.search(
        r"\d", credit
    )
    return named and not (opens and len(parts) < 2)


def _plausible(credit: str) -> bool:
    """Return whether the text is a name or two, not the rest of a sentence."""
    return len(credit.split()) <= 12 and not re.search(
        r"[a-z\u00e0-\u00ff]{3}[.!?] (?![^\W\d_]+[:：])\w", credit
    )


def bare_credit(credit: str) -> str:
    """Return a credit without the mark before its names: `(Photo by Ann Lee/VCG)` is `Ann Lee/VCG`."""
    inner = credit.strip(" \u00a0|/／-–—:：,;")
    for opening, closing in ("()", "（）", "[]", "【】"):
        if inner.startswith(opening) or inner.count(opening) != inner.count(closing):
            inner = inner.strip(f" {opening}{closing}")
    for pattern in (_COLON, _BY, _OWNED):
        found = pattern.match(inner)
        if found:
            inner = found["credit"].strip()
    return "" if re.fullmatch(f"{ANNOUNCED}|{SOURCE}", inner, re.IGNORECASE) else inner


def is_credit(text: str, *, alone: bool) -> bool:
    """Return whether the text says whom a picture is owed to: by a mark, an agency, or, where it stands
    `alone` in an element of its own, by nothing but names.
    """
    inner = text.strip(" ()[]|/–—-").removesuffix(".")
    if not inner:
        return False
    marked = (
        _OF_PICTURES.search(inner) or re.search(r"[©ⓒ]", inner) or re.fullmatch(_GIVEN, inner, re.IGNORECASE)
    )
    if marked or re.search(rf"(?:^|[\s/|,(])(?:{AGENCY})(?:$|[\s/|,)])", inner):
        return True
    names = re.split(r"\s*[/|,&]\s*|\s+(?:and|for|via|und|et|y)\s+(?:The\s)?", inner)
    people = [
        len(name.split()) in {2, 3} and all(part[:1].isupper() for part in name.split()) for name in names
    ]
    return alone and bool(people) and people[0] and all(name[:1].isupper() for name in names)


def is_photo_caption(text: str) -> bool:
    """Return whether the tail is a credit that only photographs carry, so that one copy is proof enough."""
    return len(text) <= 600 and _PHOTOGRAPHS_ONLY.search(text[-_LONGEST:]) is not None
