"""The caption that holds for a picture in an article, of those for any article and those for this one.

The nearest is the one that the block names; then the one for this article in its language, and the one for
any article in that language; then those in the nearest language that its readers read, then in that of the
house; then any. What the nearest does not say, its text or its alternative text, is taken from the next that
says it in the same language.
"""

from collections.abc import Collection, Iterator
from functools import lru_cache
from uuid import UUID

import langcodes

from service.images.models import CaptionRead, CaptionScope, EffectiveCaption

_FARTHEST = 20
"""CLDR's distance up to which readers of one language are taken to read another, as of Catalan do Spanish."""
_OTHER_SCRIPT, _SAME = 40, 10
Ranked = tuple[CaptionRead, CaptionScope]


def effective(
    captions: Collection[CaptionRead],
    *,
    article_id: UUID | None,
    language: str,
    house_language: str,
    caption_id: UUID | None = None,
) -> EffectiveCaption | None:
    """Return the caption that holds in an article, of all the live captions of one picture; the same one
    whatever their order. Captions that were written for another article are never shown.
    """
    usable = [caption for caption in captions if caption.article_id in (None, article_id)]
    ranked = sorted(usable, key=lambda caption: _place(caption, language, house_language, caption_id))
    if not ranked:
        return None
    best = ranked[0]
    alike = [caption for caption in ranked if caption is best or _are_alike(best.language, caption.language)]
    seen = next((caption for caption in alike if caption.alt_text or caption.decorative), best)
    return EffectiveCaption(
        id=best.id,
        language=best.language,
        text=next((caption.text for caption in alike if caption.text), best.text),
        alt_text=seen.alt_text,
        decorative=seen.decorative,
        scope=_scope(best, language, house_language, caption_id),
    )


def broader(language: str) -> Iterator[str]:
    """Yield a language tag and those it falls back to, by dropping its last subtags: zh-Hant-TW, zh-Hant, zh
    (RFC 4647, 3.4).
    """
    subtags = language.split("-")
    while subtags:
        yield "-".join(subtags)
        subtags.pop()
        # A singleton, such as the x of a private use, opens what follows it and means nothing alone.
        while subtags and len(subtags[-1]) == 1:
            subtags.pop()


@lru_cache(maxsize=4_096)
def distance(wanted: str, written: str) -> int | None:
    """Return how far a text is from readers of a language: 0 for their own, 1 for a broader tag, more for
    other regions, for other scripts and for languages that they read too; None for the rest.
    """
    if wanted == written:
        return 0
    far = langcodes.tag_distance(wanted, written)
    if far > _FARTHEST and _language(wanted) != _language(written):
        return None
    return 1 if far < _OTHER_SCRIPT and written in broader(wanted) else 2 + far


def _language(tag: str) -> str:
    """Return the language alone, or the one of which it is a part, as Norwegian is of Bokmål."""
    return langcodes.standardize_tag(tag, macro=True).partition("-")[0]


@lru_cache(maxsize=4_096)
def _are_alike(one: str, other: str) -> bool:
    return langcodes.tag_distance(one, other) <= _SAME


def _place(
    caption: CaptionRead, language: str, house: str, named: UUID | None
) -> tuple[bool, int, int, str, bool, UUID]:
    tier, far = _tier(caption, language, house)
    tag = caption.language if tier < 2 else ""
    return caption.id != named, tier, far, tag, caption.article_id is None, caption.id


def _tier(caption: CaptionRead, language: str, house: str) -> tuple[int, int]:
    for tier, wanted in enumerate((language, house)):
        far = distance(wanted, caption.language)
        if far is not None:
            return tier, far
    return 2, 0


def _scope(caption: CaptionRead, language: str, house: str, named: UUID | None) -> CaptionScope:
    if caption.id == named:
        return CaptionScope.BLOCK
    if caption.language == language:
        return CaptionScope.IMAGE if caption.article_id is None else CaptionScope.ARTICLE
    return CaptionScope.ANY if _tier(caption, language, house)[0] == 2 else CaptionScope.FALLBACK
