"""Find when a picture was taken, with the zone where the file gives one: XMP, IPTC-IIM, EXIF."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from PIL import ExifTags

from service.images.darkroom.xmp import PHOTOSHOP, Packet

_EXIF_XMP = "http://ns.adobe.com/exif/1.0/"
_XAP = "http://ns.adobe.com/xap/1.0/"
_IIM_TIME = re.compile(r"(\d{2})(\d{2})(\d{2})(?:([+-]\d{2}):?(\d{2}))?")


def written(
    packet: Packet, iim: Mapping[tuple[int, int], list[str]], camera: Mapping[int, object]
) -> str | None:
    """Return the time in ISO 8601: the first that has its zone, else the first that has a time, else the
    first date.
    """
    candidates = [*_of_xmp(packet), *_of_iim(iim), *_of_exif(camera)]
    times = [time for time in (_valid(text) for text in candidates) if time is not None]
    best = next((time for time in times if time.tzinfo is not None), None)
    # A zone that comes from elsewhere holds for the time that was named first only where both mean the same
    # moment on the clock.
    if times and (
        best is None
        or best.replace(tzinfo=None, microsecond=0) != times[0].replace(tzinfo=None, microsecond=0)
    ):
        best = times[0]
    if best is not None:
        return best.isoformat()
    return next(
        (
            text
            for text in candidates
            if re.fullmatch(r"\d{4}(-\d{2}){0,2}", text) and not text.startswith("0000")
        ),
        None,
    )


def moment(text: str | None) -> str | None:
    """Return the same in UTC, for a time whose zone is known."""
    time = _valid(text or "")
    try:
        return time.astimezone(UTC).isoformat() if time is not None and time.tzinfo is not None else None
    except OverflowError:
        return None


def _valid(text: str) -> datetime | None:
    if len(text) < len("2026-01-31T12:00"):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _of_xmp(packet: Packet) -> Iterator[str]:
    for namespace, name in (
        (PHOTOSHOP, "DateCreated"),
        (_EXIF_XMP, "DateTimeOriginal"),
        (_XAP, "CreateDate"),
    ):
        if text := packet.text(namespace, name):
            yield text


def _of_iim(iim: Mapping[tuple[int, int], list[str]]) -> Iterator[str]:
    """2:55 is CCYYMMDD, 2:60 HHMMSS±HHMM."""
    date = next(iter(iim.get((2, 55), [])), "").replace("-", "").replace(":", "")
    if not re.fullmatch(r"\d{8}", date):
        return
    day = f"{date[:4]}-{date[4:6]}-{date[6:]}"
    clock = _IIM_TIME.fullmatch(next(iter(iim.get((2, 60), [])), "").replace(":", ""))
    if clock is None:
        yield day
    else:
        yield f"{day}T{clock[1]}:{clock[2]}:{clock[3]}" + (f"{clock[4]}:{clock[5]}" if clock[4] else "")


def _of_exif(camera: Mapping[int, object]) -> Iterator[str]:
    original = re.fullmatch(
        r"(\d{4}):(\d{2}):(\d{2}) (\d{2}:\d{2}:\d{2})\0*",
        str(camera.get(ExifTags.Base.DateTimeOriginal, "")).strip(),
    )
    if original is None:
        return
    local = f"{original[1]}-{original[2]}-{original[3]}T{original[4]}"
    offset = str(camera.get(ExifTags.Base.OffsetTimeOriginal, "")).strip("\0 ")
    # The satellites' clock is no help: telephones were seen to write local time there.
    yield local + (offset if re.fullmatch(r"[+-]\d{2}:\d{2}", offset) else "")
