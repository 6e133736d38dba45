"""The language of a text that does not state one, told from its script and its commonest words."""

import re
from collections import Counter

import langcodes

_SAMPLE = 20_000
# Scripts that one language of news almost owns. Han comes last: Japanese is written with it too.
_SCRIPTS = (
    ("ja", re.compile(r"[\u3040-\u30ff]")),
    ("ko", re.compile(r"[\uac00-\ud7af]")),
    ("th", re.compile(r"[\u0e00-\u0e7f]")),
    ("el", re.compile(r"[\u0370-\u03ff]")),
    ("he", re.compile(r"[\u0590-\u05ff]")),
    ("hi", re.compile(r"[\u0900-\u097f]")),
    ("bn", re.compile(r"[\u0980-\u09ff]")),
    ("ta", re.compile(r"[\u0b80-\u0bff]")),
    ("ka", re.compile(r"[\u10a0-\u10ff]")),
    ("hy", re.compile(r"[\u0530-\u058f]")),
    ("zh", re.compile(r"[\u4e00-\u9fff]")),
)
_COMMON_WORDS = {
    "en": "the of and to in that for is on with was by as at from has said",
    "fr": "le la les des et est une dans pour que qui sur avec pas au du ce",
    "de": "der die das und ist von den mit dem nicht ein eine auf für sich im zu",
    "es": "el la los las de y que en un una por con para del se su más",
    "it": "il la di che e un una per con del della non sono gli nel alla è",
    "pt": "o a os as de e que em um uma para com não do da no na dos",
    "nl": "de het een en van in op dat is voor met niet zijn aan te door",
    "sv": "och att det som en på är av för med den till inte har de ett",
    "da": "og at det som en på er af for med den til ikke har de et",
    "nb": "og at det som en på er av for med den til ikke har de et",
    "pl": "w i na z do się że nie jest to o po od jak przez za",
    "tr": "ve bir bu da de için ile olarak daha çok olan gibi ise kadar",
    "id": "yang di dan untuk dengan ini dari itu pada tidak dalam akan ke",
    "vi": "của và là có trong cho không được với các những một đã này",
    "fi": "ja on ei se että oli hän mutta myös kun ovat joka kuin",
    "ru": "и в на не что с по как из это за от для его к",
    "uk": "і в на не що з та про за від до як для це у",
    "ar": "في من على إلى أن التي عن مع هذا الذي كما بعد",
    "fa": "و در به از که این را با است برای آن",
}
_VOCABULARY = {tag: frozenset(common.split()) for tag, common in _COMMON_WORDS.items()}


def guess_language(text: str) -> str | None:
    """Return the BCP 47 language of the text, or None when it is too short or too mixed to tell."""
    sample = text[:_SAMPLE]
    letters = sum(map(str.isalpha, sample)) or 1
    for tag, script in _SCRIPTS:
        if len(script.findall(sample)) > letters * (0.04 if tag == "ja" else 0.3):
            return tag
    return _by_common_words(re.findall(r"[^\W\d_]+", sample.casefold()))


def _by_common_words(found: list[str]) -> str | None:
    counts = Counter(found)
    hits = {tag: sum(counts[word] for word in known) for tag, known in _VOCABULARY.items()}
    best, second = sorted(hits, key=lambda tag: hits[tag], reverse=True)[:2]
    if hits[best] < 3 or hits[best] * 20 < len(found) or hits[best] == hits[second]:
        return None
    return best


def language_tag(stated: str | None) -> str | None:
    """Return a stated language (`en_GB`, `FR-fr`, `zh-Hans-CN`) as a BCP 47 tag, or None when it is none."""
    tag = (stated or "").strip().replace("_", "-").split(",")[0]
    if not tag or len(tag) > 35 or not langcodes.tag_is_valid(tag):
        return None
    return langcodes.standardize_tag(tag)
