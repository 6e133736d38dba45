"""Read when the licence of a picture begins and ends: from PLUS in XMP, then from IPTC-IIM."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from service.images.darkroom.xmp import PLUS, Packet

Texts = Mapping[tuple[int, int], list[str]]
_BEGINS: Final = ("LicenseStartDate", 30, 35)
_ENDS: Final = ("LicenseEndDate", 37, 38)
_DATE: Final = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)")
_TIME: Final = re.compile(r"(\d\d):?(\d\d):?(\d\d)(?:([+-]\d\d):?(\d\d))?")


def read(packet: Packet, iim: Texts) -> dict[str, str]:
    """Return `usable_from` and `usable_until` in ISO 8601 and UTC, as far as the picture tells them.

    A day that is named without a time is meant whole: the licence begins with it, or ends after it. A time
    without a zone is taken as UTC.
    """
    found = {}
    for name, field, is_end in (("usable_from", _BEGINS, False), ("usable_until", _ENDS, True)):
        property_, date, time = field
        for text in (packet.text(PLUS, property_) or "", *_of_iim(iim, date, time)):
            if moment := _moment(text.strip(), is_end=is_end):
                found[name] = moment.isoformat()
                break
    return found


def _of_iim(iim: Texts, date: int, time: int) -> Iterator[str]:
    day = _DATE.fullmatch(next(iter(iim.get((2, date), [])), "").strip())
    if day is None:
        return
    written = "-".join(day.groups())
    clock = _TIME.fullmatch(next(iter(iim.get((2, time), [])), "").strip())
    if clock is None:
        yield written
    else:
        yield f"{written}T{clock[1]}:{clock[2]}:{clock[3]}" + (f"{clock[4]}:{clock[5]}" if clock[4] else "")


def _moment(text: str, *, is_end: bool) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        is_day = len(text) <= len("2026-01-31")
        return moment.astimezone(UTC) + timedelta(days=is_day and is_end)
    except (ValueError, OverflowError):
        return None
