"""The words around what is published, such as navigation, dates and buttons, in the language of each page.

English words stand in the templates. Each other language has a catalogue in `catalogues/`, a PO file.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

import langcodes
from markupsafe import Markup, escape

if TYPE_CHECKING:
    from babel import Locale

ENGLISH = "en"
CATALOGUES = files(__package__).joinpath("catalogues")
_RIGHT_TO_LEFT = frozenset({"Arab", "Hebr", "Thaa", "Syrc", "Nkoo", "Adlm"})


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one language. Templates know it as `_`: calling it translates."""

    language: str
    """The language of the words, which is another than the one asked for where that has no catalogue."""
    locale: "Locale"
    """The locale of days and numbers."""
    texts: Mapping[str, str] = field(repr=False)

    def __call__(self, text: str, **values: object) -> Markup:
        """Return an English text in this language, as HTML, with values where it names them. An untranslated
        text stays English.
        """
        found = escape(self.texts.get(text, text))
        return found % {name: escape(value) for name, value in values.items()} if values else found

    def day(self, time: date) -> str:
        """Return a day, such as 27 November 2026."""
        from babel import dates  # noqa: PLC0415  # reading its data would delay each start

        return dates.format_date(time, "long", self.locale)

    def short_day(self, time: date) -> str:
        """Return a day without its year, such as 27 Nov."""
        from babel import dates  # noqa: PLC0415

        return dates.format_skeleton("MMMd", time, locale=self.locale)

    def minute(self, time: datetime) -> str:
        """Return a time to the minute, in UTC."""
        from babel import dates  # noqa: PLC0415

        glue = str(dates.get_datetime_format("medium", self.locale))
        return f"{glue.format(dates.format_time(time, 'short', locale=self.locale), self.day(time))} UTC"

    def number(self, value: float) -> str:
        """Return a number with its separators."""
        from babel import numbers  # noqa: PLC0415

        return numbers.format_decimal(value, locale=self.locale)

    def percent(self, share: float, digits: int = 0) -> str:
        """Return a share between 0 and 1 in percent, with so many decimal places."""
        from babel import numbers  # noqa: PLC0415

        whole, _, sign = self.locale.percent_formats[None].pattern.rpartition("0")
        places = f".{'0' * digits}" if digits else ""
        return numbers.format_percent(share, f"{whole}0{places}{sign}", locale=self.locale)

    def list(self, names: Iterable[str]) -> str:
        """Return names as one list, such as A, B and C."""
        from babel import lists  # noqa: PLC0415

        return lists.format_list([*names], locale=self.locale)


@lru_cache(1_000)
def words(*languages: str) -> Words:
    """Return the words of the first of some languages that has any, or the English ones."""
    known = [*translated(), ENGLISH]
    for language in languages:
        nearest, _ = langcodes.closest_match(language, known)
        if nearest in known:
            return Words(nearest, _locale(language, nearest), _catalogue(nearest))
    return Words(ENGLISH, _locale(ENGLISH, ENGLISH), {})


def direction(language: str) -> str:
    """Return the direction in which a language is read, as HTML has it."""
    return "rtl" if langcodes.get(language).maximize().script in _RIGHT_TO_LEFT else "ltr"


@cache
def translated() -> tuple[str, ...]:
    """Return the languages that have a catalogue."""
    return tuple(sorted(each.name.removesuffix(".po") for each in CATALOGUES.iterdir()))


@cache
def _catalogue(language: str) -> dict[str, str]:
    from babel.messages.pofile import read_po  # noqa: PLC0415

    if language == ENGLISH:
        return {}
    with CATALOGUES.joinpath(f"{language}.po").open("rb") as file:
        messages = read_po(file, locale=language)
    return {str(each.id): str(each.string) for each in messages if each.id and each.string}


def _locale(language: str, nearest: str) -> "Locale":
    """Return the locale of a language with its region, such as en-GB, or of the words that are
    nearest to it.
    """
    from babel import Locale, UnknownLocaleError  # noqa: PLC0415

    if langcodes.get(language).language == langcodes.get(nearest).language:
        try:
            return Locale.parse(language, sep="-")
        except (ValueError, UnknownLocaleError):
            pass
    return Locale.parse(nearest)
