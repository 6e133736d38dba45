"""Read bylines, datelines and the agencies named beneath a story: the writers, the place, and who helped."""

import re

from service.newspages.credit_words import AGENCIES
from service.newspages.text import words

_BY = re.compile(
    r"^(?:(?:written |words |reported |story |analysis |opinion )?by|par|(?:(?:ein|eine) [^\W\d_]{4,20} )?von|por|texte? (?:par|von|de)"
    r"|(?:(?:autor(?:es|en|in|a)?|auteurs?|text(?:o|e)?|tekst|author|yazar|penulis|reporter|tekijä)\s*[:：]|(?:автор(?:ы|и|ка)?|текст|लेखक|लेखिका|بقلم|كتب|כותב|írta|napsal[ai]?|yazan|autorius|autorė|tekstas|συντάκτης)\s*[:：]?|av|af|di|door|przez|oleh))"
    r"\s*[:：]?\s+(?P<names>\S.*)$",
    re.IGNORECASE,
)
_BY_CJK = re.compile(
    r"^(?:作者|文|撰文|记者|記者|撰稿|通讯员|글)\s*[:：/／ ]\s*(?P<names>[^\W\d_][\w·・ 、，]{1,40})$"
)
# A short word between names also stands within one (Ortega y Gasset), but then no two words follow it.
_BETWEEN_NAMES = re.compile(
    r"\s*[,;、，|]\s*(?:(?:and|et|und|y|e)\s+)?|\s+/\s+|\s+(?:and|et|und|och|og|&|with)\s+|\s+(?:y|e|i|en|ja|ve|dan|oraz|и|та)\s+(?=\S+\s+\S)"
)
_NAME = re.compile(r"[^\W\d_][^\d!?:;]*")
_PARTICLES = frozenset(
    "de da do dos das del della di du des von van der den el al bin ibn la le ter ten y e zu".split()
)
_NOT_NAMES = re.compile(
    r"^(?:our|staff|the|a|an|in|on|at|monday|tuesday|wednesday|thursday|friday|saturday|sunday|january|february|march|april|may"
    r"|june|july|august|september|october|november|december|when|then|now|all|early|late|next|last|this|that|its|his|her|their)$",
    re.IGNORECASE,
)
# A byline may go on with a date, a time to read, or what its writer does.
_WHEN_OR_ROLE = re.compile(
    r"[\s,|·–-]+(?:(?:am|on|le|el|den|op|il|em|vom|stand:?)\s+)?(?:\d{1,2}[./]\s?\d{1,2}[./]\s?\d{2,4}|\d{4}-\d\d-\d\d|\d{1,2}\.? [^\W\d_]{3,10}\.? \d{4}).*$"
    r"|,\s+(?:[\w-]+ ){0,2}(?:redakteur|redaktor|redaktør|editor|reporter|correspondent|korrespondent|journalist|volont[aä]r|autor)\w*(?:[\s,|].*)?$",
    re.IGNORECASE,
)
_PLACE = r"[A-ZÀ-ÖØ-Þ][A-ZÀ-ÖØ-Þ.'’-]+(?:[ -][A-ZÀ-ÖØ-Þ.'’-]+){0,3}"
_MONTH = r"(?:Jan|Feb|March|April|May|June|July|Aug|Sept?|Oct|Nov|Dec)[a-z]*\.?"
_WHEN_WHO = rf"(?:,\s+[A-Z][\w. ]{{1,30}}?)?(?:,\s+{_MONTH}\s+\d{{1,2}})?(?:\s*[(（][^()（）]{{2,40}}[)）])?"
_DATELINE = re.compile(rf"^(?P<dateline>{_PLACE}{_WHEN_WHO})\s*(?:--|[-–—]|:)\s+(?=\S)")
_DATELINE_LINE = re.compile(
    rf"^(?P<dateline>{_PLACE},?(?:\s+[A-Z][\w. ]{{1,30}},)?\s+{_MONTH}\s+\d{{1,2}}(?:\s*\([^()]{{2,40}}\))?)\s*(?:--|[-–—])?$"
)
_CHINESE_DATELINE = re.compile(r"^(?P<dateline>(?:新华社|中新社|新華社|中新网)\S{2,24}?[电電日])(?:\s|（|\()")

_SIGN_OFF = re.compile(
    r"(?P<plain>[a-zäöüß]{2,5}(?:/[\w-]{2,20}){1,3})|[(\[](?P<inner>[a-zäöüß]{2,5}(?:[/,] ?[\w-]{2,20}){0,3})[)\]]"
)
_CREDITED = re.compile(
    r"^(?:with (?:additional )?(?:inputs?|reporting|contributions?|files?|material|agency inputs?) (?:from|by)\b.+"
    r"|with agenc(?:y inputs?|ies)"
    r"|(?:news )?sources?(?:\(s\)|（s）)?\s*[:：].+|(?:来源|來源|出典|出处)\s*[:：].+)$",
    re.IGNORECASE,
)
_SUPPLIED = re.compile(r"with [\w ]{4,30} (?:from|by)\s+(?P<names>.+)", re.IGNORECASE)
_CREDITED_IN_BRACKETS = re.compile(
    r"^(?:avec|con (?:informaci[óo]n|información de|informazioni)|con agen\w+|mit (?:material|informationen|agentur\w*)"
    r"|com (?:informações|agências?)|med (?:materiale?|innhold|opplysninger)|na podstawie|z materiałów|по материалам|за матеріалами|kaynak"
    r"|据|據|综合|綜合|来源|來源)\b.*"
    r"|^[据據综綜].{2,30}$",
    re.IGNORECASE,
)
_CREDIT_AT_END = re.compile(
    r"[\s.。](?P<bracketed>[(（\[](?P<credit>with (?:additional )?(?:inputs?|reporting|contributions?|files?) (?:from"
    r"|by)\b[^()（）\[\]]{2,160})"
    r"[)）\]])\s*$",
    re.IGNORECASE,
)


def byline_names(line: str) -> tuple[str, ...]:
    """Return the names in a line that is a byline ("By Ann Lee and Wu Min"), nothing when it is
    not one.

    An agency or paper that follows a person ("By Ann Lee, Reuters") is where they work and no author.
    """
    solid = _BY_CJK.match(line)
    if solid:
        return tuple(re.split(r"[ 、，]+", solid["names"].strip()))
    line = _WHEN_OR_ROLE.sub("", line) or line
    found = _BY.match(line)
    if found is None or words(line) > 20 or line[-1] in "!?:。！？":
        return ()
    names = split_names(found["names"])
    if not names or not all(map(is_name, names)):
        return ()
    return tuple(name for name in names if name not in AGENCIES) or names


def sign_off(line: str) -> str | None:
    """Return the initials that end a story as its writer's name does ("(abc/dpa)", "mgö/Paper"), or None."""
    found = _SIGN_OFF.fullmatch(line.strip())
    return (found["plain"] or found["inner"]) if found else None


def split_names(listed: str) -> tuple[str, ...]:
    """Return the names in "Ann Lee, Wu Min and Bo Ek"."""
    return tuple(filter(None, (name.strip(" .\u00a0") for name in _BETWEEN_NAMES.split(listed))))


def is_name(name: str) -> bool:
    """Return whether the text may be a person's name: no figures, no small words but particles, not how a
    sentence begins.
    """
    parts = name.split()
    if not _NAME.fullmatch(name) or len(parts) > 6 or _NOT_NAMES.match(parts[0]) or parts[0] in _PARTICLES:
        return False
    return all(part in _PARTICLES or not part[0].islower() for part in parts)


def dateline(paragraph: str) -> str | None:
    """Return the dateline that opens the paragraph (`OSLO, March 3 (AP) --`) without its dash, or None."""
    head = paragraph[:120]
    found = _DATELINE.match(head) or _CHINESE_DATELINE.match(head)
    return found["dateline"].strip() if found else None


def dateline_alone(line: str) -> str | None:
    """Return the dateline when the line holds nothing else: a place in capitals and a date."""
    found = _DATELINE_LINE.match(line) if len(line) <= 90 else None
    return found["dateline"].strip() if found else None


def story_credit(line: str) -> str | None:
    """Return the line without its brackets when all it does is name who else the story is owed to."""
    inner = line.strip("()（）[]【】 ").removesuffix(".") if line[-1:] in ")）]】" else line.removesuffix(".")
    bracketed = line[:1] in "(（[【"
    if len(line) > 200 or not (_CREDITED.match(inner) or (bracketed and _CREDITED_IN_BRACKETS.match(inner))):
        return None
    supplied = _SUPPLIED.match(inner)
    if supplied and not bracketed and not all(map(_may_supply, _BETWEEN_NAMES.split(supplied["names"]))):
        return None
    return re.sub(r"\s+([,，、])\s*", r"\1 ", inner)


def _may_supply(name: str) -> bool:
    """Return whether a story may be owed to them: a name in capitals, or agencies in general."""
    bare = re.sub(r"^(?:the|our|other)\s+", "", name.strip(), flags=re.IGNORECASE)
    return (
        not bare
        or not bare[0].islower()
        or re.match(r"(?:news )?(?:agenc|wire|staff|report|correspond)", bare) is not None
    )


def cut_story_credit(paragraph: str) -> tuple[str, str | None]:
    """Return the paragraph without a bracketed `(With input from …)` at its end, and that credit."""
    found = _CREDIT_AT_END.search(paragraph[-240:])
    if found is None:
        return paragraph, None
    return paragraph[: -len(found["bracketed"])].rstrip(), found["credit"].strip(" .")
