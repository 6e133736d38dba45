"""The times that pages state, as aware datetimes; a page that names no zone is taken to mean UTC.

A day without a time of the day is noon UTC, which is that day everywhere from Honolulu to Auckland. So is
midnight sharp in another zone than UTC: that is how programs write a day.
"""

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

_MONTHS = tuple(
    """
    january januar janvier enero gennaio janeiro januari jänner stycznia styczeń ocak января січня ledna tammikuuta ianuarie ιανουαρίου januára
    february februar février fevrier febrero febbraio fevereiro februari feber lutego luty şubat февраля лютого února helmikuuta φεβρουαρίου
    march märz mars marzo março maart marts marca marzec mart марта березня března maaliskuuta martie maret μαρτίου
    april avril abril aprile kwietnia kwiecień nisan апреля квітня dubna huhtikuuta aprilie απριλίου
    may mai mayo maggio maio mei maj maja mayıs мая травня května toukokuuta μαΐου
    june juin juni junio giugno junho czerwca czerwiec haziran июня червня června kesäkuuta iunie ιουνίου
    july juillet juli julio luglio julho lipca lipiec temmuz июля липня července heinäkuuta iulie ιουλίου
    august août aout agosto augustus augusti sierpnia sierpień ağustos августа серпня srpna elokuuta agustus αυγούστου
    september septembre septiembre settembre setembro września wrzesień eylül сентября вересня září syyskuuta septembrie σεπτεμβρίου
    october oktober octobre octubre ottobre outubro października październik ekim октября жовтня října lokakuuta octombrie οκτωβρίου
    november novembre noviembre novembro listopada listopad kasım ноября листопада listopadu marraskuuta noiembrie νοεμβρίου
    december dezember décembre decembre diciembre dicembre dezembro grudnia grudzień aralık декабря грудня prosince joulukuuta desember
    """.strip().splitlines()
)
_LABEL = (
    r"(?:(?:first |last )?(?:published|created|updated|posted|modified|date|time)(?: (?:on|at))?|publié le|mis à jour le"
    r"|veröffentlicht|erstellt|aktualisiert|publicado(?: el| em)?|actualizado(?: el)?|atualizado(?: em)?|pubblicato(?: il)?|aggiornato(?: il)?"
    r"|stand|datum|publicerad|uppdaterad|publisert|oppdatert|opdateret|udgivet|opublikowano|aktualizacja|giriş|güncelleme|입력|수정"
    r"|发布时间|发布于|更新时间|更新于|時間|公開|更新)\s*[:：]?\s*"
)
_CLOCK = r"(?P<hour>\d{1,2})[:h时時](?P<minute>\d{2})(?:[:分](?P<second>\d{2}))?分?\s*(?P<half>[ap]\.?m\.?)?"
_DAY = (
    r"(?:(?P<y1>\d{4})[-/.年년]\s?(?P<m1>\d{1,2})[-/.月월]\s?(?P<d1>\d{1,2})[日일.]?"
    r"|(?P<d4>\d{1,2})(?P<mark>[/.])(?P<m4>\d{1,2})[/.](?P<y4>\d{4})"
    r"|(?P<d2>\d{1,2})(?:st|nd|rd|th|er|\.)?[-\s]+(?:de )?(?P<n2>[^\W\d_]{3,10})\.?(?: de)?[-\s,]{1,2}(?P<y2>\d{4})"
    r"|(?P<n3>[^\W\d_]{3,10})\.? (?P<d3>\d{1,2})(?:st|nd|rd|th)?,? (?P<y3>\d{4}))"
)
_ZONE = (
    r"(?P<zone>Z|UTC|GMT(?:[+-]\d{1,2}(?::?\d{2})?)?|[+-]\d{2}:?\d{2}|BJT|JST|CET|CEST|BST|E[SD]T|P[SD]T)?"
)
_WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? )?"
_CLOCK_FIRST = re.compile(rf"(?P<label>{_LABEL})?{_CLOCK}\s*{_ZONE}[\s,]*{_WEEKDAY}{_DAY}", re.IGNORECASE)
_DAY_FIRST = re.compile(
    rf"(?P<label>{_LABEL})?{_WEEKDAY}{_DAY}(?:[\sT,|·]*(?:at |à |um |kl\.? ?)?{_CLOCK}\s*{_ZONE})?",
    re.IGNORECASE,
)
_ANYWHERE = re.compile(
    rf"(?<![\d.,/-]){_DAY}(?:[\sT,|·–-]*(?:at |à |um |kl\.? ?)?{_CLOCK}\s*{_ZONE})?", re.IGNORECASE
)
_DAY_IN_PATH = re.compile(
    r"(?<!\d)(?P<year>20\d\d)(?:(?P<mark>[-/])(?P<month>[01]?\d)(?P=mark)(?P<day>[0-3]?\d)|[-/]?(?P<month2>[01]\d)[-/]?(?P<day2>[0-3]\d))(?!\d)"
)
_COMPACT = re.compile(
    r"(20\d\d|19\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?:T?(\d\d):?(\d\d)(?::?(\d\d))?)?Z?", re.ASCII
)
# The form that `Date.toString()` prints: Sat May 04 2024 10:20:30 GMT+0200 (Central European Summer Time).
_JAVASCRIPT = re.compile(
    r"[A-Z][a-z]{2},? (?P<month>[A-Z][a-z]{2}) (?P<day>\d{1,2}),? (?P<year>\d{4}) (?P<clock>\d\d?:\d\d(?::\d\d)?)"
    r"(?: (?:GMT|UTC)?(?P<zone>[+-]\d\d:?\d\d|Z)?)?",
    re.ASCII,
)
_LONGEST = 200
MIDNIGHT = datetime.min.time()
_ZONES = {"bjt": 8, "jst": 9, "cet": 1, "cest": 2, "bst": 1, "est": -5, "edt": -4, "pst": -8, "pdt": -7}


def parse_time(stated: str | None, *, month_first: bool = False) -> datetime | None:
    """Return a time as machines state it: ISO 8601, RFC 5322, what JavaScript prints, digits alone, or a line
    that `date_line` reads.
    """
    text = (stated or "").strip()[:64]
    if re.fullmatch(r"1\d{9}(?:\d{3})?", text, re.ASCII):
        return datetime.fromtimestamp(int(text[:10]), UTC)
    if found := _COMPACT.fullmatch(text):
        text = f"{found[1]}-{found[2]}-{found[3]}" + (
            f"T{found[4]}:{found[5]}:{found[6] or 0:0>2}" if found[4] else ""
        )
    elif found := _JAVASCRIPT.match(text):
        text = f"{found['day']} {found['month']} {found['year']} {found['clock']} {found['zone'] or 'Z'}"
    for read in (datetime.fromisoformat, parsedate_to_datetime) if len(text) > len("2026-05-04") else ():
        try:
            return _aware(read(text))
        except (ValueError, IndexError, OverflowError):
            continue
    line = date_line(text, month_first=month_first)
    return line[0] if line else None


def _aware(time: datetime) -> datetime | None:
    if not 1600 < time.year < 9000:
        return None
    aware = time if time.tzinfo is not None else time.replace(tzinfo=UTC)
    return _noon(aware) if aware.utcoffset() and aware.time() == MIDNIGHT else aware


def _noon(day: datetime) -> datetime:
    return day.replace(hour=12, tzinfo=UTC)


def date_line(line: str, *, month_first: bool = False) -> tuple[datetime, bool] | None:
    """Return the time in a line that holds nothing else ("Updated 20:15, 13-Jul-2024"), and whether it is an
    update's. `month_first` reads 5/4/2024 as the 4th of May, as in the United States.
    """
    found = (_DAY_FIRST.fullmatch(line) or _CLOCK_FIRST.fullmatch(line)) if len(line) <= 90 else None
    if found is None:
        return None
    parts = {name: value for name, value in found.groupdict().items() if value}
    try:
        time = _built(parts, month_first=month_first)
    except ValueError:
        return None
    return time, re.match(
        r"updat|last|modif|mis à|aktual|actual|atual|aggior|uppdat|oppdat|opdat|güncel|수정|更新",
        parts.get("label", ""),
        re.IGNORECASE,
    ) is not None


def time_in(text: str, *, month_first: bool = False) -> datetime | None:
    """Return the first day, and time of it, that stands in the text."""
    for found in _ANYWHERE.finditer(text[:_LONGEST]):
        try:
            parts = {name: value for name, value in found.groupdict().items() if value}
            return _built(parts, month_first=month_first)
        except ValueError:
            continue
    return None


def day_in_path(path: str) -> datetime | None:
    """Return the day that an address carries (`/2025/04/01/`, `/20250401/`, `t20250401_`), as noon UTC."""
    for found in _DAY_IN_PATH.finditer(path[:500]):
        with suppress(ValueError):
            return _noon(
                datetime(
                    int(found["year"]),
                    int(found["month"] or found["month2"]),
                    int(found["day"] or found["day2"]),
                    tzinfo=UTC,
                )
            )
    return None


def _built(parts: dict[str, str], *, month_first: bool) -> datetime:
    """Return the time of the named parts of a line. In `3/4/2025` the day comes first, unless the language
    has the month there, or only the second number can be a day.
    """
    year, day = (int(next(parts[kind + form] for form in "1234" if kind + form in parts)) for kind in "yd")
    name = parts.get("n2") or parts.get("n3")
    month = _month(name) if name else int(parts.get("m1") or parts["m4"])
    american = month_first and parts.get("mark") == "/"
    if "m4" in parts and (month > 12 or american):
        day, month = month, day
    hour = int(parts.get("hour", 0))
    half = parts.get("half", "").lower()[:1]
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    minute, second = int(parts.get("minute", 0)), int(parts.get("second", 0))
    time = datetime(year, month, day, hour, minute, second, tzinfo=_zone(parts.get("zone", "")))
    return time if "hour" in parts else _noon(time)


def _month(name: str) -> int:
    """Return the number of a month by its name or the beginning of it; ValueError for another word."""
    names = [any(known.startswith(name.lower()) for known in month.split()) for month in _MONTHS]
    return names.index(True) + 1


def _zone(name: str) -> timezone:
    offset = re.search(r"([+-])(\d{1,2}):?(\d{2})?$", name)
    if offset:
        hours = timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))
        return timezone(hours if offset[1] == "+" else -hours)
    hours_east = _ZONES.get(name.lower(), 0)
    return timezone(timedelta(hours=hours_east)) if hours_east else UTC
