"""Read a picture's own metadata under the names of the IPTC Photo Metadata Standard: from XMP, from IPTC-IIM,
from EXIF, from the texts of a PNG, in this order.

XMP comes first because IIM cuts its texts (32 bytes of a city, 2,000 of a caption) and EXIF says least. What
cameras and programs fill in by themselves is no description.
"""

import codecs
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Final

from PIL import ExifTags

from service.images.darkroom import iim, licence, taken
from service.images.darkroom.jobs import EmbeddedCaption, Metadata
from service.images.darkroom.opening import Opened
from service.images.darkroom.placeholders import is_written
from service.images.darkroom.refusing import DAMAGE
from service.images.darkroom.xmp import CORE, DC, EXT, PHOTOSHOP, PLUS, XMP_RIGHTS, Packet

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
_LANGUAGE_DATASET = (2, 135)
_DESCRIBING: Final = frozenset({"description", "alt_text", "extended_description"})
_WRITTEN: Final = _DESCRIBING | {"creator"}
_KEYWORDS: Final = {
    "title": "Title",
    "creator": "Author",
    "description": "Description",
    "copyright_notice": "Copyright",
}
"""The keywords of a PNG's own texts (PNG specification, 11.3.3)."""
_TERMS: Final = "http://purl.org/dc/terms/"
_MANIFEST: Final = b"c2pa"
_XP_TITLE, _XP_COMMENT, _XP_AUTHOR, _XP_KEYWORDS, _XP_SUBJECT = 0x9C9B, 0x9C9C, 0x9C9D, 0x9C9E, 0x9C9F
# Looked up now, because a locked process cannot load the table of an encoding.
_WIDE: Final = codecs.lookup("utf-16-le").name
# C2PA's assertions are CBOR: a text is preceded by its length, in the same byte or in one or two more.
_SOURCE_TYPE: Final = re.compile(
    rb"digitalSourceType(?:[\x60-\x77]|\x78.|\x79..)(https?://[\w./-]{10,120}/digitalsourcetype/[A-Za-z]{3,60})",
    re.DOTALL,
)


class Embedded:
    """The three kinds of metadata of one opened picture. What cannot be read of them is not there."""

    def __init__(self, opened: Opened, charset: str) -> None:
        self.packet = Packet(opened.packets)
        self.iim = iim.texts(opened.iim, charset)
        self.texts = opened.texts
        self.charset = charset
        self.credentials = opened.credentials
        self.exif = _tags(opened.exif)
        self.camera, self.gps = dict[int, object](), dict[int, object]()
        with suppress(*DAMAGE):
            self.camera = _tags(opened.exif.get_ifd(ExifTags.IFD.Exif))
        with suppress(*DAMAGE):
            self.gps = _tags(opened.exif.get_ifd(ExifTags.IFD.GPSInfo))
        makers = (self._narrow(tag) for tag in (ExifTags.Base.Make, ExifTags.Base.Model))
        self.machine = " ".join(_cleaned(makers))

    def metadata(self) -> Metadata:
        """Return all metadata of the file by name, and `gps` in degrees and metres."""
        found: Metadata = {}
        for name, (*_, several) in _FIELDS.items():
            if texts := self._first(name, *self._sources(name)):
                found[name] = texts[:_MOST_ITEMS] if several else texts[0]
        found |= self._structures(found)
        if when := taken.written(self.packet, self.iim, self.camera):
            found["date_taken"] = when
        found |= licence.read(self.packet, self.iim)
        if self.machine:
            found["camera"] = self.machine
        if _MANIFEST in self.credentials or self.packet.text(_TERMS, "provenance"):
            found["content_credentials"] = True
            if source_type := _SOURCE_TYPE.search(self.credentials):
                found.setdefault("digital_source_type", source_type[1].decode())
        if position := _position(self.gps):
            found["gps"] = position
        return found

    def _structures(self, found: Metadata) -> Metadata:
        """Fields of structures: the place, unless a plain field names it, and who licenses the picture."""
        fields: Metadata = {}
        for name, key in _PLACES.items():
            place = self.packet.field(EXT, "LocationCreated", key) or self.packet.field(
                EXT, "LocationShown", key
            )
            if place and name not in found:
                fields[name] = place[:_MOST_TEXT]
        for name, key in (("licensor_name", "LicensorName"), ("licensor_url", "LicensorURL")):
            if licensor := self.packet.field(PLUS, "Licensor", key):
                fields[name] = licensor[:_MOST_TEXT]
        return fields

    def captions(self, metadata: Metadata) -> list[EmbeddedCaption]:
        """Return the descriptions and alternative texts by language; one of the default language need not be
        named.
        """
        default = self._default_language()
        texts = self._by_language("description", default)
        alts = self._by_language("alt_text", default)
        description = metadata.get("description")
        if not texts and isinstance(description, str):
            texts = {self._declared() or (next(iter(alts)) if len(alts) == 1 else None): description}
        return [
            EmbeddedCaption(language, texts.get(language), alts.get(language))
            for language in dict.fromkeys([*texts, *alts])
        ]

    def _sources(self, name: str) -> Iterator[Iterable[str | None]]:
        """Yield what each kind of metadata says, the most trusted first."""
        namespace, key, dataset, several = _FIELDS[name]
        in_xmp = self.packet.items(namespace, key)
        yield [item.text for item in in_xmp] if several else [self.packet.text(namespace, key)]
        yield self.iim.get((2, dataset), []) if dataset else []
        yield from self._exif(name)
        yield [self._decoded(self.texts.get(_KEYWORDS.get(name, ""), b""))]

    def _first(self, name: str, *sources: Iterable[str | None]) -> list[str]:
        """Return the texts of the first source that says anything."""
        for source in sources:
            if texts := [text for text in _cleaned(source) if self._is_said(name, text)]:
                return texts
        return []

    def _is_said(self, name: str, text: str) -> bool:
        """Return whether a text says something. A description or a name must also have been written by
        somebody.
        """
        is_readable = text.count("?") <= sum(map(str.isalnum, text)) > 0
        return is_readable and (name not in _WRITTEN or is_written(text, self.machine))

    def _by_language(self, name: str, default: str | None) -> dict[str | None, str]:
        namespace, key, *_ = _FIELDS[name]
        named: dict[str | None, str] = {}
        unnamed = []
        for item in self.packet.items(namespace, key):
            for text in self._first(name, [item.text]):
                if item.language is None:
                    unnamed.append(text)
                else:
                    named.setdefault(item.language, text)
        # Writers of language alternatives repeat one of them as the default.
        for text in unnamed[:1]:
            if text not in named.values():
                named.setdefault(default, text)
        return named

    def _default_language(self) -> str | None:
        """Return the language of the packet's defaults: the one whose text a default repeats, the only one
        that is named, or the declared one.
        """
        languages: dict[str, None] = {}
        for name in (
            "description",
            "alt_text",
            "extended_description",
            "title",
            "copyright_notice",
            "usage_terms",
        ):
            namespace, key, *_ = _FIELDS[name]
            items = self.packet.items(namespace, key)
            default = next((item.text for item in items if item.language is None), None)
            for item in items:
                if item.language is not None and item.text == default:
                    return item.language
                if item.language is not None and name in _DESCRIBING:
                    languages[item.language] = None
        return self._declared() or (next(iter(languages)) if len(languages) == 1 else None)

    def _declared(self) -> str | None:
        said = [self.packet.text(DC, "language"), *self.iim.get(_LANGUAGE_DATASET, [])]
        return next(_cleaned(said), None)

    def _exif(self, name: str) -> Iterator[list[str]]:
        """Yield what the camera's tags say, then those of Windows."""
        match name:
            case "creator":
                authors = self._wide(_XP_AUTHOR)
                yield self._unless_worn(ExifTags.Base.Artist, authors).split(";")
                yield authors.split(";")
            case "copyright_notice":
                # The photographer's, then after a NUL the editor's.
                yield [self._narrow(ExifTags.Base.Copyright).replace("\0", " ")]
            case "title":
                yield [self._wide(_XP_TITLE)]
            case "keywords":
                yield self._wide(_XP_KEYWORDS).split(";")
            case "description":
                wide = [self._wide(tag) for tag in (_XP_COMMENT, _XP_SUBJECT, _XP_TITLE)]
                yield from (
                    [text] for text in (self._unless_worn(ExifTags.Base.ImageDescription, *wide), *wide)
                )

    def _unless_worn(self, tag: int, *wide: str) -> str:
        """Return a text, unless it is a copy of one of Windows' texts with question marks for what is not
        ASCII.
        """
        narrow = self._narrow(tag)
        return "" if any(_is_worn(narrow, text) for text in wide) else narrow

    def _narrow(self, tag: int) -> str:
        """Return a text that should be ASCII, and is in other character sets too."""
        value = self.exif.get(tag)
        # Pillow takes it for Latin-1, which loses nothing.
        raw = value.encode("latin-1", "replace") if isinstance(value, str) else value
        return self._decoded(raw) if isinstance(raw, bytes) else ""

    def _decoded(self, raw: bytes) -> str:
        with suppress(UnicodeError):
            return raw.decode()
        return raw.decode(self.charset, "replace")

    def _wide(self, tag: int) -> str:
        """Return a text as Windows writes it, in UTF-16."""
        value = self.exif.get(tag)
        raw = bytes(value) if isinstance(value, bytes | tuple) else b""
        return raw.decode(_WIDE, "ignore").strip("\0")


def _is_worn(narrow: str, wide: str) -> bool:
    return (
        "?" in narrow
        and len(narrow) == len(wide)
        and all(sign in (whole, "?") for sign, whole in zip(narrow, wide, strict=True))
    )


def _tags(said: Mapping[int, object]) -> dict[int, object]:
    """Return the tags that can be read. One that is broken takes none of the others with it."""
    found = {}
    for tag in list(said):
        with suppress(*DAMAGE):
            found[tag] = said[tag]
    return found


def _cleaned(texts: Iterable[str | None]) -> Iterator[str]:
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
