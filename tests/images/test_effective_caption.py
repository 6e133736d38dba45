"""Which caption holds for a picture in an article: the rule against a plain model of it, and through HTTP."""

from datetime import UTC, datetime
from uuid import UUID

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.images.effective import broader, distance, effective
from service.images.models import CaptionRead, CaptionSource
from tests.images.pictures import change, make_article, make_caption, make_image

THIS, OTHER = UUID(int=1), UUID(int=2)
LANGUAGES = ("zh-Hant-TW", "zh-Hant", "zh", "en", "en-GB", "fr")
# What readers of each language read beside it, the nearest first.
FALLBACKS = {
    "zh-Hant-TW": ["zh-Hant", "zh"],
    "zh-Hant": ["zh-Hant-TW", "zh"],
    "zh": ["zh-Hant", "zh-Hant-TW"],
    "en": ["en-GB"],
    "en-GB": ["en"],
    "fr": [],
}


def caption(id_: int, article_id: UUID | None, language: str) -> CaptionRead:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return CaptionRead(
        id=UUID(int=id_),
        image_id=UUID(int=9),
        article_id=article_id,
        language=language,
        text="",
        alt_text=None,
        source=CaptionSource.MANUAL,
        version=1,
        created_at=at,
        updated_at=at,
    )


places = st.tuples(st.sampled_from([None, THIS, OTHER]), st.sampled_from(LANGUAGES))
captions = st.lists(places, unique=True).map(
    lambda found: [caption(100 + n, *place) for n, place in enumerate(found)]
)


def model(found: list[CaptionRead], language: str, house: str, block: UUID | None) -> tuple[UUID, str] | None:
    """The rule in so many words: a list of everything that may be shown, best first."""
    ranked = [(one, "block") for one in found if one.id == block]
    ranked += [(one, "article") for one in found if (one.article_id, one.language) == (THIS, language)]
    ranked += [(one, "image") for one in found if (one.article_id, one.language) == (None, language)]
    for tag in [*FALLBACKS[language], house, *FALLBACKS[house]]:
        ranked += [
            (one, "fallback")
            for article in (THIS, None)
            for one in found
            if (one.article_id, one.language) == (article, tag)
        ]
    ranked += [(one, "any") for article in (THIS, None) for one in found if one.article_id == article]
    return next(((one.id, scope) for one, scope in ranked if one.article_id != OTHER), None)


@given(
    found=captions,
    order=st.randoms(use_true_random=False),
    language=st.sampled_from(LANGUAGES),
    house=st.sampled_from(LANGUAGES),
    block=st.none() | st.integers(100, 118).map(lambda n: UUID(int=n)),
)
def test_the_rule_agrees_with_a_plain_model_of_it(found, order, language, house, block):
    expected = model(found, language, house, block)
    order.shuffle(found)
    chosen = effective(found, article_id=THIS, language=language, house_language=house, caption_id=block)
    assert (None if chosen is None else (chosen.id, str(chosen.scope))) == expected


@given(found=captions, language=st.sampled_from(LANGUAGES))
def test_what_was_written_for_another_article_is_never_shown(found, language):
    block = next((one.id for one in found if one.article_id == OTHER), None)
    chosen = effective(found, article_id=THIS, language=language, house_language="en", caption_id=block)
    assert chosen is None or chosen.id not in {one.id for one in found if one.article_id == OTHER}
    assert (chosen is None) == all(one.article_id == OTHER for one in found)


@pytest.mark.parametrize(
    ("language", "tags"),
    [
        ("zh-Hant-TW", ["zh-Hant-TW", "zh-Hant", "zh"]),
        ("en", ["en"]),
        ("de-CH-1996", ["de-CH-1996", "de-CH", "de"]),
        ("en-US-u-hc-h12", ["en-US-u-hc-h12", "en-US-u-hc", "en-US", "en"]),
        ("fr-x-press", ["fr-x-press", "fr"]),
    ],
)
def test_a_language_falls_back_by_dropping_subtags(language: str, tags: list[str]):
    assert list(broader(language)) == tags


@pytest.mark.parametrize(
    ("language", "written", "chosen"),
    [
        ("en", ["de-DE", "en-GB"], "en-GB"),
        ("zh-TW", ["en", "zh-Hans", "zh-Hant"], "zh-Hant"),
        ("zh-TW", ["en", "zh-Hans"], "zh-Hans"),
        ("pt", ["en", "pt-PT", "pt-BR"], "pt-BR"),
        ("no", ["en", "nb"], "nb"),
        ("nb", ["en", "no"], "no"),
        ("en-GB", ["en-AU", "en"], "en"),
        ("es-MX", ["en", "es-ES", "es-AR"], "es-AR"),
        ("sr-Cyrl", ["en", "sr-Latn"], "sr-Latn"),
        ("fil", ["de", "tl"], "tl"),
        ("uk", ["en", "ru"], "en"),
        ("ja", ["de", "en-AU"], "en-AU"),
    ],
)
def test_readers_get_the_nearest_language_that_they_read(language: str, written: list[str], chosen: str):
    found = [caption(100 + number, None, tag) for number, tag in enumerate(written)]
    assert effective(found, article_id=THIS, language=language, house_language="en").language == chosen


@given(found=captions, language=st.sampled_from(LANGUAGES))
def test_their_own_language_is_nearest(found, language):
    assert distance(language, language) == 0
    assert all(distance(language, one.language) != 0 for one in found if one.language != language)


def shown(client: httpx.Client, article: dict) -> tuple[str, str] | None:
    found = client.get(f"/v1/articles/{article['id']}").json()["body"][0]["caption"]
    return None if found is None else (found["text"], found["scope"])


@pytest.mark.slow
def test_readers_get_the_nearest_caption_as_captions_come_and_go(editor: httpx.Client, client: httpx.Client):
    image = make_image(editor)
    article, other = (
        make_article(editor, image, headline=name, language="zh-Hant-TW") for name in ("This", "Other")
    )
    forced = {"If-Match": "*"}
    made = []
    for scope, place in (
        ("any", {"language": "fr"}),
        ("fallback", {"language": "en"}),
        ("fallback", {"language": "zh"}),
        ("fallback", {"language": "zh-Hant"}),
        ("image", {"language": "zh-Hant-TW"}),
        ("article", {"language": "zh-Hant-TW", "article_id": article["id"]}),
    ):
        text = f"Written in {place}"
        if "article_id" not in place:
            make_caption(editor, image, f"Elsewhere, {place}", **place, article_id=other["id"])
        made.append((make_caption(editor, image, text, **place), scope))
        assert shown(client, article) == (text, scope)
    block = {"type": "image", "image_id": image["id"], "caption_id": made[0][0]["id"]}
    change(editor, f"/v1/articles/{article['id']}", {"body": [block]})
    assert shown(client, article) == (made[0][0]["text"], "block")
    assert editor.delete(f"/v1/captions/{made[0][0]['id']}", headers=forced).status_code == 204
    for (gone, _), (left, scope) in zip(made[:1:-1], made[-2:0:-1], strict=True):
        editor.delete(f"/v1/captions/{gone['id']}", headers=forced)
        assert shown(client, article) == (left["text"], scope)
    editor.delete(f"/v1/captions/{made[1][0]['id']}", headers=forced)
    assert shown(client, article) is None


@pytest.mark.slow
def test_the_lead_image_carries_its_caption(editor: httpx.Client, client: httpx.Client):
    image = make_image(editor)
    article = make_article(editor, lead_image_id=image["id"])
    make_caption(editor, image, article_id=article["id"])
    for reader in (client, editor):
        assert (
            reader.get(f"/v1/articles/{article['id']}").json()["lead_image"]["caption"]["scope"] == "article"
        )


@pytest.mark.slow
def test_what_a_caption_does_not_say_is_taken_from_the_next(editor: httpx.Client, client: httpx.Client):
    image = make_image(editor)
    article = make_article(editor, image, language="en-GB")

    def holds() -> tuple[str | None, str | None, bool, str]:
        found = client.get(f"/v1/articles/{article['id']}").json()["body"][0]["caption"]
        return found["text"], found["alt_text"], found["decorative"], found["scope"]

    make_caption(editor, image, "Bro i gryningen", language="sv", alt_text="En bro")
    general = make_caption(editor, image, "Bridge", language="en", alt_text="A low bridge")
    assert holds() == ("Bridge", "A low bridge", False, "fallback")
    own = make_caption(editor, image, "The bridge today", language="en-GB", article_id=article["id"])
    assert holds() == ("The bridge today", "A low bridge", False, "article")
    path = f"/v1/captions/{general['id']}"
    change(editor, path, {"alt_text": None})
    assert holds() == ("The bridge today", None, False, "article"), "no Swedish for readers of English"
    change(editor, path, {"decorative": True})
    assert holds() == ("The bridge today", None, True, "article")
    change(editor, f"/v1/captions/{own['id']}", {"text": None, "alt_text": "Today's bridge"})
    assert holds() == ("Bridge", "Today's bridge", False, "article")
