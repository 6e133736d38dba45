"""The words around what is published are in the language of the page."""

import re
from pathlib import Path

import httpx
import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from service.web import words
from tests.articles.newsroom import do, mark, published
from tests.consent.deciding import notice, publish
from tests.serving import Store, another
from tests.web.looking import one, page_of

TEMPLATES = Path(words.__file__).parent / "templates"
OF_ADMINISTRATORS = {"followers.html"}
"""Pages that administrators alone see, in English as the rest that they use: API, commands, log."""
CATALOGUES = sorted((Path(words.__file__).parent / "catalogues").glob("*.po"))


def in_templates() -> set[str]:
    """Every text that a template has translated."""
    found = extract_from_dir(
        TEMPLATES,
        [("**.html", "jinja2.ext:babel_extract")],
        options_map={"**.html": {"silent": "false"}},
        keywords={"_": None},
    )
    return {text for _, _, text, _, _ in found if isinstance(text, str)}


def values(text: str) -> list[str]:
    return sorted(re.findall(r"%\(\w+\)s", text))


def test_there_are_catalogues_of_the_great_languages() -> None:
    assert {each.stem for each in CATALOGUES} >= {"ar", "de", "es", "fr", "hi", "zh"}
    assert len(in_templates()) > 70


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_every_catalogue_has_every_word_of_the_templates_and_no_other(path: Path) -> None:
    with path.open("rb") as file:
        catalogue = read_po(file, locale=path.stem, abort_invalid=True)
    said = {str(each.id): str(each.string) for each in catalogue if each.id}
    assert said.keys() == in_templates()
    assert [text for text, own in said.items() if not own or values(own) != values(text)] == []
    assert not catalogue.obsolete and not any(each.fuzzy for each in catalogue if each.id)


def test_no_word_of_a_template_is_left_untranslated() -> None:
    """Texts between tags, and in attributes that readers are told, hold nothing but expressions."""
    told = re.compile(r'>([^<>{}]*[A-Za-z]{3}[^<>{}]*)<|(?:aria-label|title|placeholder)="([A-Za-z][^"{}]*)"')
    for template in TEMPLATES.glob("*.html"):
        if template.name in OF_ADMINISTRATORS:
            continue
        text = re.sub(r"{[{%#].*?[}%#]}", "", template.read_text(), flags=re.DOTALL)
        left = {(found[1] or found[2]).strip() for found in told.finditer(text)}
        assert left <= {"RSS"}, template.name


NEWS = [
    ("en", "ltr", "Search", "Published", "Corrected"),
    ("en-GB", "ltr", "Search", "Published", "Corrected"),
    ("de-AT", "ltr", "Suchen", "Veröffentlicht", "Berichtigt"),
    ("fr", "ltr", "Rechercher", "Publié le", "Rectifié"),
    ("es-MX", "ltr", "Buscar", "Publicado", "Corregido"),
    ("ar", "rtl", "بحث", "نُشر", "مصحَّح"),
    ("zh-Hans", "ltr", "搜索", "发布于", "已更正"),
    ("hi", "ltr", "खोजें", "प्रकाशित", "संशोधित"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("language", "direction", "search", "when", "corrected"), NEWS)
def test_an_article_is_surrounded_by_words_of_its_own_language(
    client: httpx.Client,
    editor: httpx.Client,
    language: str,
    direction: str,
    search: str,
    when: str,
    corrected: str,
) -> None:
    article = published(editor, headline=mark(), language=language)
    do(editor, article, "corrections", text="Three, not two.")
    page = page_of(client.get(f"/read/{article['slug']}"))
    assert (one(page, "/html/@lang"), one(page, "/html/@dir")) == (
        language.split("-", maxsplit=1)[0],
        direction,
    )
    assert one(page, "//form[@role='search']/button/text()") == search
    byline = page.xpath("//p[@class='byline']")[0]
    assert when in byline.text_content() and corrected in byline.text_content()


def test_days_are_written_as_their_readers_write_them(client: httpx.Client, editor: httpx.Client) -> None:
    written = {
        "en": "March 7, 2021, 6:05 PM UTC".replace(" PM", "\N{NARROW NO-BREAK SPACE}PM"),
        "en-GB": "7 March 2021, 18:05 UTC",
        "de": "7. März 2021, 18:05 UTC",
        "zh-Hans": "2021年3月7日 18:05 UTC",
    }
    for language, told in written.items():
        article = published(
            editor, headline=mark(), language=language, published_at="2021-03-07T18:05:09+00:00"
        )
        page = page_of(client.get(f"/read/{article['slug']}"))
        assert page.xpath("//p[@class='byline']//time")[0].text_content() == told


def test_an_article_in_a_language_without_words_has_those_of_the_house(
    store: Store, client: httpx.Client, editor: httpx.Client
) -> None:
    address = f"/read/{published(editor, headline=mark(), language='fi')['slug']}"
    assert one(page_of(client.get(address)), "/html/@lang") == "en"
    with another(store, language="de") as german, german.client() as reader:
        page = page_of(reader.get(address))
        assert (one(page, "/html/@lang"), one(page, "//article/@lang")) == ("de", "fi")
        assert one(page_of(reader.get("/")), "/html/@lang") == "de"
        missing = page_of(reader.get("/nowhere", headers={"Accept": "text/html"}), 404)
        assert one(missing, "//h1/text()") == "Nicht gefunden"
        wrong = published(editor, headline=mark())
        do(editor, wrong, "withdraw", reason="Die falsche Fähre.")
        gone = page_of(reader.get(f"/read/{wrong['slug']}"), 410)
        assert "zurückgezogen: Die falsche Fähre." in gone.text_content()


@pytest.fixture
def notices(store: Store) -> None:
    with store.client("consent:write") as newsroom:
        words_of = {
            "fr": {"accept_all": "Accepter", "reject_all": "Refuser", "save": "Choisir"},
            "fi": {"accept_all": "Hyväksy", "reject_all": "Hylkää", "save": "Valitse"},
        }
        for language, actions in words_of.items():
            texts = {"title": "Cookies", "body": "Cookies.", "actions": actions}
            publish(newsroom, notice("default", language=language, texts=texts))


@pytest.mark.usefixtures("notices")
@pytest.mark.parametrize(
    ("language", "opens", "saves"),
    [
        ("en", "Choose", "Save my choice"),
        ("fr", "Choisir", "Enregistrer mon choix"),
        ("fi", "Valitse", "Valitse"),
    ],
)
def test_the_button_that_saves_a_choice_says_so_in_the_language_of_the_notice(
    client: httpx.Client, editor: httpx.Client, language: str, opens: str, saves: str
) -> None:
    article = published(editor, headline=mark(), language=language)
    (chooses,) = page_of(client.get(f"/read/{article['slug']}")).xpath("//section[@id='notice']//details")
    assert one(chooses, "summary/text()") == opens
    assert one(chooses, "button/text()") == saves
