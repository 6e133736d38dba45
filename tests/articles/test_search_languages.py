"""Search finds what is there in every script, and not what is not."""

import unicodedata
from functools import cache
from typing import NamedTuple

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.articles.newsroom import ids, mark, published
from tests.effort import LONG


class Language(NamedTuple):
    """A text, what is found in it, and what looks alike and is not there."""

    text: str
    found: list[str]
    missed: list[str]


LANGUAGES = {
    "Arabic": Language(
        "أعلن رئيس الحكومة في مـصر إلى الصحافة عن سياسة جديدة، وقال مسؤولٌ إنَّ على الوزارة…",
        ["اعلن", "الحكومه", "مصر", "الي", "سياسه", "مسؤول", "مسوول", "علي", "إنّ", '"سياسة جديدة"'],
        ["اعلان", "الحكوم", "مصري", "ما"],
    ),
    "Bengali": Language("ঢাকায় নির্বাচন, হঠাৎ বৃষ্টি", ["নির্বাচন", "ঢাকায়", "হঠাত্\u200d"], ["নর্বাচন", "নির্বাচনী"]),
    "Burmese": Language("မြန်မာနိုင်ငံ၏ သတင်းများ", ["မြန်မာ", "နိုင်ငံ", "သတင်း"], ["မြ", "မာနို", "သတင"]),
    "Chinese": Language(
        "市政府宣布新的公园计划。开馆，长江·三峡见",
        ["公园", "市政府", "新的公园", "长江三峡"],
        ["园公", "馆长", "大阪"],
    ),
    "Czech": Language(
        "Příliš žluťoučký kůň úpěl", ["prilis", "ZLUTOUCKY", "kůň", '"kun upel"'], ["kůnž", "úpě"]
    ),
    "French": Language(
        "Le cœur de l’État bat à l’Élysée : « liberté, égalité »",
        ["coeur", "cœur", "etat", "l'état", "ELYSEE", "“liberté égalité”", "« bat à l’Élysée »"],
        ["cour", "lelysee", "« égalité liberté »"],
    ),
    "German": Language(
        "Die Straße am Fluß führt nach Köln; Donau\u00addampf\u00adschiff",
        ["strasse", "STRASSE", "fluss", "Fluß", "köln", "koln", "donaudampfschiff"],
        ["koeln", "strase", "dampf"],
    ),
    "Greek": Language("Ο Σίσυφος στην Αθήνα", ["σισυφοσ", "ΣΊΣΥΦΟΣ", "αθηνα"], ["σίσυφο", "αθήνας"]),
    "Hebrew": Language('שָׁלוֹם לצה"ל מתל־אביב', ["שלום", 'לצה"ל', "לצה״ל", "אביב", "מתל"], ["שלומ", "צהל"]),
    "Hindi": Language(
        "चुनाव आयोग की हिन्दी में घोषणा, संख्या १२३",
        ["चुनाव", "हिन्दी", "की", "123", "१२३"],
        ["चीन", "चुनव", "हिन्द", "का"],
    ),
    "Icelandic": Language(
        "Þingið ræddi um Ægi og eldgos", ["thingid", "þingið", "raeddi", "aegi"], ["þing", "ræd"]
    ),
    "Japanese": Language(
        "新しい図書館が東京で開館した。パリへ、ﾊﾞｽで",
        ["図書館", "東京", "開館した", "パリ", "バス"],
        ["館図", "バリ", "ハス", "大阪"],
    ),
    "Khmer": Language("ខ្មែរនិងភាសាកម្ពុជា", ["ខ្មែរ", "ភាសា", "កម្ពុជា"], ["មែរ", "ខែរ"]),
    "Korean": Language("서울 지하철 요금", ["지하철", "요금", "서울"], ["하지", "울지"]),
    "Lao": Language("ປະເທດລາວ ແລະ ຂ່າວ", ["ລາວ", "ຂ່າວ", "ປະເທດ"], ["ຂາວ", "ຂ້າວ"]),
    "Malayalam": Language("അവൻ വന്നു", ["അവൻ", "അവന്\u200d"], ["അവന", "വന്ന"]),
    "Persian": Language(
        "کتاب‌های خانۀ علی در رئیس‌جمهور", ["كتاب\u200cهاي", "کتابهای", "خانه", "علي"], ["کتاب", "خان"]
    ),
    "Polish": Language("Łódź i Gdańsk świętują", ["lodz", "ŁÓDŹ", "gdansk", "swietuja"], ["lod", "gdan"]),
    "Russian": Language("Правительство Москвы ещё", ["москвы", "ПРАВИТЕЛЬСТВО", "еще"], ["москва", "киев"]),
    "Tamil": Language("தமிழ் செய்தி", ["தமிழ்", "செய்தி"], ["தமிழ", "செய்த", "தமழ்"]),
    "Thai": Language("ข่าววันนี้ เกาะสมุย", ["ข่าว", "วันนี้", "เกาะ", "ข่าววัน"], ["ข้าว", "ขาว", "กา", "วันนี"]),
    "Tibetan": Language("བོད་ཀྱི་གསར་འགྱུར", ["བོད", "གསར་འགྱུར"], ["བད", "གསང"]),
    "Turkish": Language(
        "Iğdır'da ışık, İstanbul'da kış", ["ığdır", "IGDIR", "isik", "istanbul", "KIŞ"], ["sik", "kisi"]
    ),
    "Ukrainian": Language("Пʼять п’ять об'єктів", ["п'ять", "п’ять", "об’єктів"], ["пять", "об’єкт"]),
    "Vietnamese": Language("Đà Nẵng đón bão", ["da nang", "Đà", "bao", '"đà nẵng"'], ["danang", "ban"]),
}


@pytest.mark.slow
def test_words_are_found_in_every_language(
    client: httpx.Client, editor: httpx.Client, desk: httpx.Client
) -> None:
    section, wrong = mark(), []
    articles = {
        name: published(editor, section=section, body=[{"type": "paragraph", "html": language.text}])["id"]
        for name, language in LANGUAGES.items()
    }
    for name, language in LANGUAGES.items():
        for q, is_there in [*((q, True) for q in language.found), *((q, False) for q in language.missed)]:
            for caller in (client, desk):
                answer = caller.get("/v1/articles", params={"section": section, "q": q, "limit": 100})
                if (articles[name] in ids(answer)) is not is_there:
                    wrong.append((name, q, is_there))
    assert wrong == []


EXACT = (
    "DEVANAGARI GURMUKHI GUJARATI ORIYA TAMIL TELUGU KANNADA SINHALA TIBETAN ETHIOPIC GEORGIAN ARMENIAN NKO SYRIAC"
    " THAANA MONGOLIAN CHEROKEE BALINESE"
).split()
"""Scripts in which search tells apart whatever NFKC_Casefold does."""
FOLDED = "LATIN GREEK CYRILLIC HEBREW ARABIC BENGALI MALAYALAM".split()
UNSPACED = "THAI LAO KHMER MYANMAR HIRAGANA KATAKANA HANGUL CJK".split()


@cache
def characters(script: str) -> tuple[str, str]:
    """The letters of a script, and its marks, by the names that Unicode gives them."""
    letters, marks = [], []
    for code in range(0xA0, 0x20000):
        character = chr(code)
        if unicodedata.name(character, "").startswith(f"{script} "):
            category = unicodedata.category(character)
            # Compatibility characters may be several letters, or none; a Greek iota below is a letter in
            # capitals.
            plain = not unicodedata.decomposition(character).startswith("<")
            if plain and "\u0345" not in unicodedata.normalize("NFD", character):
                letters += [character] if category in ("Ll", "Lo") else []
                marks += [character] if category in ("Mn", "Mc") else []
    return "".join(letters), "".join(marks) or letters[0]


@st.composite
def words(draw: st.DrawFn, script: str) -> str:
    letters, marks = characters(script)
    syllables = st.tuples(st.sampled_from(letters), st.sampled_from(["", "", *marks]))
    return "".join(map("".join, draw(st.lists(syllables, min_size=1, max_size=4))))


def folded(word: str) -> str:
    """NFKC_Casefold, as Unicode defines it."""
    return unicodedata.normalize(
        "NFKC", unicodedata.normalize("NFKC", unicodedata.normalize("NFD", word)).casefold()
    )


def spellings(word: str) -> set[str]:
    """Ways to write a word which are one to every reader."""
    forms = {unicodedata.normalize(form, word) for form in ("NFC", "NFD", "NFKC", "NFKD")}
    return forms | {word.upper(), "\u00ad".join([word[:1], word[1:]]), f"{word}\ufeff", f'"{word}"'}


@pytest.mark.slow
@settings(
    max_examples=300 if LONG else 25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_a_word_is_found_in_all_its_spellings_and_no_other(
    client: httpx.Client, editor: httpx.Client, data: st.DataObject
) -> None:
    script = data.draw(st.sampled_from([*EXACT, *FOLDED, *UNSPACED]))
    there = data.draw(st.lists(words(script), min_size=1, max_size=5))
    text = data.draw(st.sampled_from([" ", ", ", "\n", " — "])).join(there)
    section = mark()
    article = published(editor, section=section, headline="1", summary=text)

    def is_found(q: str) -> bool:
        return ids(client.get("/v1/articles", params={"section": section, "q": q})) == [article["id"]]

    for word in there:
        assert [q for q in spellings(word) if not is_found(q)] == []
    known = {folded(word) for word in there}
    for other in data.draw(st.lists(words(script), max_size=3)):
        if script in EXACT:
            assert is_found(other) is (folded(other) in known), other
        elif script in UNSPACED and not any(folded(other) in word for word in known):
            assert not is_found(other), other
