"""Photographs as cameras and agencies write them, made here: with EXIF, IPTC-IIM and XMP, and with what must
never leave.
"""

import io
import struct
from collections.abc import Iterable

from PIL import ExifTags, Image

GPS_WORDS = (b"Exif", b"GPS", b"\x12\x34\x56\x78secret place")
UTF8 = b"\x1b%G"
RDF = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"'
    ' xmlns:xmpRights="http://ns.adobe.com/xap/1.0/rights/" xmlns:Iptc4xmpCore="http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"'
    ' xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"{attributes}>{properties}</rdf:Description></rdf:RDF></x:xmpmeta>'
)


def scene(size: tuple[int, int] = (60, 40)) -> Image.Image:
    """Four quarters of different colours, so that what is up and what is left can be told."""
    picture = Image.new("RGB", size)
    half = (size[0] // 2, size[1] // 2)
    for colour, place in (("red", (0, 0)), ("lime", (half[0], 0)), ("blue", (0, half[1])), ("yellow", half)):
        picture.paste(colour, (*place, size[0], size[1]))
    return picture


def jpeg(picture: Image.Image | None = None, **saving: object) -> bytes:
    out = io.BytesIO()
    (picture or scene()).save(out, "JPEG", quality=92, **saving)
    return out.getvalue()


def packet(properties: str = "", attributes: str = "") -> bytes:
    """An XMP packet."""
    return RDF.format(properties=properties, attributes=attributes).encode()


def alternatives(name: str, **texts: str) -> str:
    """A property with a text for each language; `default` is x-default."""
    items = "".join(
        f'<rdf:li xml:lang="{tag.replace("default", "x-default")}">{text}</rdf:li>'
        for tag, text in texts.items()
    )
    return f"<{name}><rdf:Alt>{items}</rdf:Alt></{name}>"


def array(name: str, *texts: str) -> str:
    """A property with several texts."""
    return f"<{name}><rdf:Seq>{''.join(f'<rdf:li>{text}</rdf:li>' for text in texts)}</rdf:Seq></{name}>"


def iim(datasets: Iterable[tuple[int, bytes]], charset: bytes | None = None) -> bytes:
    """A Photoshop segment with datasets of IIM's application record."""
    records = b"" if charset is None else b"\x1c\x01\x5a" + struct.pack(">H", len(charset)) + charset
    records += b"".join(
        b"\x1c\x02" + bytes([number]) + struct.pack(">H", len(value)) + value for number, value in datasets
    )
    resource = (
        b"8BIM\x04\x04\x00\x00" + struct.pack(">I", len(records)) + records + b"\x00" * (len(records) % 2)
    )
    return segment(0xED, b"Photoshop 3.0\x00" + resource)


def segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def with_segments(photograph: bytes, *segments: bytes) -> bytes:
    """The JPEG with more segments at its beginning."""
    return photograph[:2] + b"".join(segments) + photograph[2:]


def camera_exif(orientation: int = 1, **more: object) -> Image.Exif:
    """What a telephone writes: its maker, its position, the time with its zone."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Make], exif[ExifTags.Base.Model] = "Lumen", "Lumen P3"
    details = exif.get_ifd(ExifTags.IFD.Exif)
    details[ExifTags.Base.DateTimeOriginal] = "2026:03:01 08:30:00"
    details[ExifTags.Base.OffsetTimeOriginal] = "+02:00"
    position = exif.get_ifd(ExifTags.IFD.GPSInfo)
    position[ExifTags.GPS.GPSLatitudeRef], position[ExifTags.GPS.GPSLatitude] = "S", (33.0, 26.0, 11.5)
    position[ExifTags.GPS.GPSLongitudeRef], position[ExifTags.GPS.GPSLongitude] = "W", (70.0, 38.0, 39.5)
    position[ExifTags.GPS.GPSAltitude] = 577.25
    for name, value in more.items():
        exif[ExifTags.Base[name]] = value
    return exif


def telephone(orientation: int = 6, size: tuple[int, int] = (60, 40)) -> bytes:
    """A picture taken upright, with the camera's position, a comment and bytes behind its end."""
    return (
        jpeg(scene(size), exif=camera_exif(orientation), comment=b"<script>alert(1)</script>")
        + b"TRAILING BYTES"
    )


def agency(**changes: str) -> bytes:
    """A picture as agencies send it: IIM and XMP."""
    properties = (
        alternatives(
            "dc:description",
            default="The ferry leaves the quay.",
            en="The ferry leaves the quay.",
            fr="Le bac quitte le quai.",
        )
        + alternatives("Iptc4xmpCore:AltTextAccessibility", en="A white ferry on grey water")
        + array("dc:creator", "Ana Lind", "Bo Ek")
        + alternatives("dc:rights", default="© 2026 Harbour Press")
        + alternatives("xmpRights:UsageTerms", default="Once, in print and online.")
        + array("dc:subject", "ferry", "harbour")
        + "<photoshop:Headline>Ferries run again</photoshop:Headline><photoshop:City>Visby</photoshop:City>"
        + "<photoshop:Country>Sweden</photoshop:Country><photoshop:DateCreated>2026-02-28T07:15:00+01:00</photoshop:DateCreated>"
        + "<photoshop:Instructions>Not for resale</photoshop:Instructions>"
    )
    source_type = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
    attributes = f' photoshop:Credit="Ana Lind / Harbour Press" Iptc4xmpExt:DigitalSourceType="{source_type}"'
    described = iim([(120, b"Cut off by II"), (110, b"Cut off"), (80, b"Ana Lind")], UTF8)
    return with_segments(jpeg(xmp=packet(properties, attributes)), described)
