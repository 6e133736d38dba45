"""What a picture says of itself, by the names of the IPTC Photo Metadata Standard: from XMP, from IPTC-IIM,
from EXIF, in this order.

XMP comes first because IIM cuts its texts (32 bytes of a city, 2,000 of a caption) and EXIF says least. Of
EXIF, cameras fill in more than people do: an image description that names the camera is no caption.
"""

import codecs
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from PIL import ExifTags, Image, IptcImagePlugin

from service.images.darkroom import taken
from service.images.darkroom.decoding import DAMAGE
from service.images.darkroom.jobs import EmbeddedCaption, Metadata
from service.images.darkroom.xmp import CORE, DC, EXT, PHOTOSHOP, XMP_RIGHTS, Item, Packet

# name: XMP property, IIM dataset of record 2, whether there may be several
_FIELDS: Final = {
    "creator": (DC, "creator", 80, True),
    "creator_job_title": (PHOTOSHOP, "AuthorsPosition", 85, False),
    "credit_line": (PHOTOSHOP, "Credit", 110, False),
    "copyright_notice": (DC, "rights", 116, False),
    "usage_terms": (XMP_RIGHTS, "UsageTerms", None, False),
    "web_statement": (XMP_RIGHTS, "WebStatement", None, False),
    "source": (PHOTOSHOP, "Source", 115, False),
    "title": (DC, "title", 5, False),
    "headline": (PHOTOSHOP, "Headline", 105, False),
    "description": (DC, "description", 120, False),
    "alt_text": (CORE, "AltTextAccessibility", None, False),
    "extended_description": (CORE, "ExtDescrAccessibility", None, False),
    "caption_writer": (PHOTOSHOP, "CaptionWriter", 122, False),
    "keywords": (DC, "subject", 25, True),
    "event": (EXT, "Event", None, False),
    "persons": (EXT, "PersonInImage", None, True),
    "sublocation": (CORE, "Location", 92, False),
    "city": (PHOTOSHOP, "City", 90, False),
    "province_state": (PHOTOSHOP, "State", 95, False),
    "country": (PHOTOSHOP, "Country", 101, False),
    "country_code": (CORE, "CountryCode", 100, False),
    "instructions": (PHOTOSHOP, "Instructions", 40, False),
    "job_id": (PHOTOSHOP, "TransmissionReference", 103, False),
    "digital_source_type": (EXT, "DigitalSourceType", None, False),
}
_PLACES: Final = {
    "city": "City",
    "province_state": "ProvinceState",
    "country": "CountryName",
    "country_code": "CountryCode",
}
_MOST_TEXT, _MOST_ITEMS = 20_000, 200
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_UTF8_DECLARED = b"\x1b%G"
# Looked up now, because a locked process cannot load the table of an encoding.
_WESTERN: Final = codecs.lookup("cp1252")
_LANGUAGE_DATASET, _CHARSET = (2, 135), (1, 90)


class Embedded:
    """The three kinds of metadata of one opened picture. What cannot be read of them is not there."""

    def __init__(self, opened: Image.Image) -> None:
        self.packet = Packet(opened.info.get("xmp"))
        self.iim = _iim(opened)
        self.exif: dict[int, object] = {}
        self.camera: dict[int, object] = {}
        self.gps: dict[int, object] = {}
        with suppress(*DAMAGE):
            exif = opened.getexif()
            self.exif = dict(exif)
            self.camera = dict(exif.get_ifd(ExifTags.IFD.Exif))
            self.gps = dict(exif.get_ifd(ExifTags.IFD.GPSInfo))

    def metadata(self) -> Metadata:
        """Everything that is said, by name, and `gps` in degrees and metres."""
        found: Metadata = {}
        for name, (namespace, key, dataset, several) in _FIELDS.items():
            texts = (
                [item.text for item in self.packet.items(namespace, key)]
                if several
                else [self.packet.text(namespace, key)]
            )
            texts = (
                [*_cleaned(texts)]
                or [*_cleaned(self.iim.get((2, dataset), []) if dataset else [])]
                or [*_cleaned(self._exif(name))]
            )
            if texts:
                found[name] = texts[:_MOST_ITEMS] if several else texts[0]
        for name, key in _PLACES.items():
            place = self.packet.field("LocationCreated", key) or self.packet.field("LocationShown", key)
            if place and name not in found:
                found[name] = place[:_MOST_TEXT]
        if when := taken.written(self.packet, self.iim, self.camera):
            found["date_taken"] = when
        if camera := " ".join(
            _cleaned(
                [self._ascii(self.exif, ExifTags.Base.Make), self._ascii(self.exif, ExifTags.Base.Model)]
            )
        ):
            found["camera"] = camera
        if position := _position(self.gps):
            found["gps"] = position
        return found

    def captions(self, metadata: Metadata) -> list[EmbeddedCaption]:
        """The descriptions and alternative texts by language; one of the default language need not be named."""
        texts, alts = self._by_language(DC, "description"), self._by_language(CORE, "AltTextAccessibility")
        description = metadata.get("description")
        if not texts and isinstance(description, str):
            texts = {self._language(): description}
        return [
            EmbeddedCaption(language, texts.get(language), alts.get(language))
            for language in dict.fromkeys([*texts, *alts])
        ]

    def _by_language(self, namespace: str, name: str) -> dict[str | None, str]:
        items = [
            Item(text, item.language)
            for item in self.packet.items(namespace, name)
            for text in _cleaned([item.text])
        ]
        named: dict[str | None, str] = {
            item.language: item.text for item in items if item.language is not None
        }
        # Writers of language alternatives repeat one of them as the default.
        default = next(
            (item.text for item in items if item.language is None and item.text not in named.values()), None
        )
        return named if default is None else {self._language(): default} | named

    def _language(self) -> str | None:
        declared = [self.packet.text(DC, "language"), *self.iim.get(_LANGUAGE_DATASET, [])]
        return next((language for language in _cleaned(declared)), None)

    def _exif(self, name: str) -> list[str | None]:
        match name:
            case "creator":
                return list((self._ascii(self.exif, ExifTags.Base.Artist) or "").split(";"))
            case "copyright_notice":
                # The photographer's, then after a NUL the editor's.
                return [(self._ascii(self.exif, ExifTags.Base.Copyright) or "").replace("\0", " ")]
            case "description":
                said, make = (
                    self._ascii(self.exif, tag) or ""
                    for tag in (ExifTags.Base.ImageDescription, ExifTags.Base.Make)
                )
                brand = make.strip("\0 ").partition(" ")[0].lower()
                return [] if brand and brand in said.lower() else [said]
        return []

    @staticmethod
    def _ascii(tags: dict[int, object], tag: int) -> str | None:
        value = tags.get(tag)
        if not isinstance(value, str):
            return None
        # EXIF says ASCII, Pillow reads Latin-1, and programs write UTF-8.
        with suppress(UnicodeError):
            return value.encode("latin-1").decode()
        return value


def _iim(opened: Image.Image) -> dict[tuple[int, int], list[str]]:
    """The texts of IPTC-IIM by record and dataset."""
    raw: dict[tuple[int, int], bytes | list[bytes]] = {}
    with suppress(*DAMAGE):
        raw = IptcImagePlugin.getiptcinfo(opened) or {}  # type: ignore[arg-type]  # it takes any picture, and asks what it is
    charset = raw.pop(_CHARSET, b"")
    declared = b"".join(charset) if isinstance(charset, list) else charset
    lists = {key: value if isinstance(value, list) else [value] for key, value in raw.items()}
    # Pillow gives None for an empty dataset.
    return {key: [_decoded(value or b"", declared) for value in values] for key, values in lists.items()}


def _decoded(value: bytes, charset: bytes) -> str:
    """IIM text. Without a declaration most programs write UTF-8, which Latin-1 text is never taken for; the
    rest write Windows' Latin-1.
    """
    with suppress(UnicodeError):
        return value.decode()
    return value.decode("utf-8" if charset == _UTF8_DECLARED else _WESTERN.name, "replace")


def _cleaned(texts: Iterator[str] | list[str] | list[str | None]) -> Iterator[str]:
    """Texts without control characters and surrounding space; empty ones are left out."""
    for text in texts:
        clean = _CONTROL.sub(" ", (text or "").replace("\r\n", "\n").replace("\r", "\n")).strip()[:_MOST_TEXT]
        if clean:
            yield clean


def _position(gps: dict[int, object]) -> dict[str, float] | None:
    """Degrees north and east, and metres above the sea where they are known."""
    try:
        latitude = _degrees(gps[ExifTags.GPS.GPSLatitude], gps.get(ExifTags.GPS.GPSLatitudeRef), "S")
        longitude = _degrees(gps[ExifTags.GPS.GPSLongitude], gps.get(ExifTags.GPS.GPSLongitudeRef), "W")
        position = {"latitude": latitude, "longitude": longitude}
        if ExifTags.GPS.GPSAltitude in gps:
            below = gps.get(ExifTags.GPS.GPSAltitudeRef) in (1, b"\x01")
            position["altitude"] = round(float(gps[ExifTags.GPS.GPSAltitude]) * (-1 if below else 1), 1)  # type: ignore[arg-type]  # a rational, or refused
    except DAMAGE:
        return None
    known = (
        abs(latitude) <= 90 and abs(longitude) <= 180 and all(abs(value) < 1e6 for value in position.values())
    )
    return position if known else None


def _degrees(value: object, reference: object, negative: str) -> float:
    degrees, minutes, seconds = (float(part) for part in value)  # type: ignore[attr-defined]  # three rationals, or refused
    sign = -1 if str(reference).upper().startswith(negative) else 1
    return round(sign * (degrees + minutes / 60 + seconds / 3600), 6)
