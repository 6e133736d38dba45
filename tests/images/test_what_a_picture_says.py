"""What files say of themselves in odd ways: languages, packets, character sets, rights, and what nobody
wrote.
"""

import zlib

import httpx
import pytest

from service.settings import Settings
from tests.images.photographs import (
    UTF8,
    alternatives,
    array,
    camera_exif,
    iim,
    jpeg,
    packet,
    scene,
    segment,
    with_segments,
)
from tests.images.pictures import href_of, image_of, make_article, upload
from tests.images.surgery import chunk, exif, saved, with_chunks
from tests.serving import settings_for

XMP = b"http://ns.adobe.com/xap/1.0/\0"
XMP_MORE = b"http://ns.adobe.com/xmp/extension/\0"
IPTC = b"\niptc\n      24\n" + iim([(120, b"Dawn")])[18:].hex().encode()
ALT = "Iptc4xmpCore:AltTextAccessibility"
SOURCE = b"http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
MANIFEST = b"\0\0\0\x20jumb c2pa.actions digitalSourceType\x78" + bytes([len(SOURCE)]) + SOURCE
LICENSOR = (
    "<plus:Licensor><rdf:Seq><rdf:li rdf:parseType='Resource'><plus:LicensorName>Harbour Press</plus:LicensorName>"
    "<plus:LicensorURL>https://press.example/licence</plus:LicensorURL></rdf:li></rdf:Seq></plus:Licensor>"
)


def sent(editor: httpx.Client, photograph: bytes) -> dict:
    return image_of(upload(editor, photograph, "image/jpeg"))


def words(image: dict) -> dict[str, tuple[str | None, str | None]]:
    return {each["language"]: (each["text"], each["alt_text"]) for each in image["captions"]}


@pytest.mark.parametrize(
    ("described", "seen", "read"),
    [
        ({"default": "Dawn"}, {"sv": "Bridge"}, {"sv": ("Dawn", "Bridge")}),
        ({"sv": "Dawn"}, {"default": "Bridge"}, {"sv": ("Dawn", "Bridge")}),
        (
            {"de": "Bro", "default": "Dawn", "sv": "Dawn"},
            {"default": "B"},
            {"de": ("Bro", None), "sv": ("Dawn", "B")},
        ),
        (
            {"default": "Dawn", "en": "Dawn"},
            {"default": "B", "fr": "P"},
            {"en": ("Dawn", "B"), "fr": (None, "P")},
        ),
        ({"default": "Dawn"}, {"default": "Bridge"}, {"en": ("Dawn", "Bridge")}),
        ({"default": "Other", "en": "Dawn"}, {"en": "B"}, {"en": ("Dawn", "B")}),
    ],
)
def test_a_default_belongs_to_the_language_whose_text_it_repeats(
    sqlite_editor: httpx.Client, described: dict, seen: dict, read: dict
):
    said = alternatives("dc:description", **described) + alternatives(ALT, **seen)
    assert words(sent(sqlite_editor, jpeg(xmp=packet(said)))) == read


def test_a_packet_needs_no_envelope_and_several_are_one(sqlite_editor: httpx.Client):
    whole = packet(alternatives("dc:description", en="Dawn"), ' photoshop:Credit="Ana Lind"')
    bare = whole[whole.index(b"<rdf:RDF") : whole.index(b"</x:xmpmeta>")]
    other = packet(array("dc:creator", "Bo Ek"), ' photoshop:City="Visby" photoshop:Credit="Bo Ek"')
    image = sent(sqlite_editor, with_segments(jpeg(), segment(0xE1, XMP + bare), segment(0xE1, XMP + other)))
    assert (image["credit_line"], image["metadata"]["city"]) == ("Ana Lind", "Visby")
    assert words(image) == {"en": ("Dawn", None)}


@pytest.mark.parametrize(
    ("text", "charset", "encoding"),
    [
        ("Мост на рассвете", b"\x1b-L", "iso8859-5"),
        ("Γέφυρα την αυγή", b"\x1b-F", "iso8859-7"),
        ("Żółty most", b"\x1b-B", "iso8859-2"),
        ("جسر عند الفجر", b"\x1b-G", "iso8859-6"),
        ("גשר עם שחר", b"\x1b-H", "iso8859-8"),
        ("สะพานยามเช้า", b"\x1b-T", "iso8859-11"),
        ("黎明的桥", b"\x1b$)A", "gb2312"),
        ("Brücke – früh", b"\x1b.A", "utf-8"),
        ("Brücke", UTF8, "utf-8"),
        ("Мост на рассвете", b"\x1b-A\x1b-L", "iso8859-5"),
        ("夜明けの橋", b"\x1b$B", "iso2022_jp"),
        ("새벽 다리", b"\x1b$*C", "euc_kr"),
        ("Brücke", b"\x1b%/I", "utf-8"),
    ],
)
def test_iim_is_decoded_as_it_declares(sqlite_editor: httpx.Client, text: str, charset: bytes, encoding: str):
    image = sent(sqlite_editor, with_segments(jpeg(), iim([(120, text.encode(encoding))], charset)))
    assert image["metadata"]["description"] == text


def test_a_text_that_is_cut_inside_a_sign_keeps_its_other_signs(sqlite_editor: httpx.Client):
    cut = "Brücke am Öresund ö".encode()[:-1]
    assert sent(sqlite_editor, with_segments(jpeg(), iim([(120, cut)])))["metadata"] == {
        "description": "Brücke am Öresund"
    }


@pytest.mark.parametrize(
    "nobody_wrote",
    [
        "default",
        "DCIM/100MEDIA/DJI_0123.JPG",
        "IMG_4711",
        "Fire at the docks.jpg",
        "??????? ?????",
        "...",
        "12345",
        "OLYMPUS DIGITAL CAMERA",
        "Lumen P3",
        "Exif_JPEG_PICTURE",
        "Screenshot 12",
        "mmexport1714810830",
        "Edited with Snapseed",
        "Enter caption here",
        "SAMSUNG DIGIMAX A403",
        "  ",
    ],
)
def test_what_nobody_wrote_is_no_caption(sqlite_editor: httpx.Client, nobody_wrote: str):
    assert sent(sqlite_editor, jpeg(exif=camera_exif(ImageDescription=nobody_wrote)))["captions"] == []
    described = packet(alternatives("dc:description", default=nobody_wrote, fr=nobody_wrote))
    both = with_segments(jpeg(exif=camera_exif(), xmp=described), iim([(120, b"Boats in the harbour")]))
    assert words(sent(sqlite_editor, both)) == {"en": ("Boats in the harbour", None)}


@pytest.mark.parametrize(
    "text", ["Photo of a bridge", "橋と船", "Canon falls silent at noon", "Taken by the sea"]
)
def test_a_caption_of_few_words_stays(sqlite_editor: httpx.Client, text: str):
    assert words(sent(sqlite_editor, jpeg(exif=exif((0x10E, 2, text.encode()))))) == {"en": (text, None)}


@pytest.mark.parametrize("make", ["LG Electronics", "Lumen", "samsung", "HTC"])
def test_a_caption_that_only_looks_like_a_camera_stays(sqlite_editor: httpx.Client, make: str):
    text = f"Protesters in Belgrade hold a {make} banner: {make}."
    image = sent(sqlite_editor, jpeg(exif=camera_exif(Make=make, ImageDescription=text)))
    assert words(image) == {"en": (text, None)}


def test_windows_own_tags_are_read(sqlite_editor: httpx.Client):
    def wide(text: str) -> bytes:
        return text.encode("utf-16-le") + b"\0\0"

    tags = (
        (0x10E, 2, b"?????? ????\0"),
        (0x9C9B, 1, wide("Старый мост")),
        (0x9C9C, 1, wide("Лодки под мостом")),
        (0x9C9D, 1, wide("Анна Линд")),
        (0x9C9E, 1, wide("мост;река")),
    )
    said = sent(sqlite_editor, saved(scene(), "JPEG", exif=exif(*tags)))
    assert words(said) == {"en": ("Лодки под мостом", None)}
    assert {name: said["metadata"][name] for name in ("title", "creator", "keywords")} == {
        "title": "Старый мост",
        "creator": ["Анна Линд"],
        "keywords": ["мост", "река"],
    }
    assert words(sent(sqlite_editor, saved(scene((40, 40)), "JPEG", exif=exif(*tags[:2])))) == {
        "en": ("Старый мост", None)
    }


DAWN = packet(alternatives("dc:description", en="Dawn"))
LONG = XMP_MORE + b"0" * 32 + len(DAWN).to_bytes(4)
CAMERA = camera_exif(ImageDescription="Dawn").tobytes()
GIF = saved(scene(), "GIF")
COLOURS = 13 + (3 << (GIF[10] & 7) + 1)
"""Where the table of colours of that GIF ends."""
PLACES = {
    "a GIF": GIF[:COLOURS]
    + b"\x21\xff\x0bXMP DataXMP"
    + DAWN
    + b"\1"
    + bytes(range(255, -1, -1))
    + b"\0"
    + GIF[COLOURS:],
    "a PNG's own text": with_chunks(saved(scene()), chunk(b"tEXt", b"Description\0Dawn")),
    "IIM in a PNG": with_chunks(
        saved(scene()), chunk(b"zTXt", b"Raw profile type iptc\0\0" + zlib.compress(IPTC))
    ),
    "a packet in two segments": with_segments(
        jpeg(),
        segment(0xE1, LONG + (40).to_bytes(4) + DAWN[40:]),
        segment(0xE1, LONG + (0).to_bytes(4) + DAWN[:40]),
    ),
    "EXIF in two segments": with_segments(
        jpeg(), segment(0xE1, CAMERA[:90]), segment(0xE1, b"Exif\0\0" + CAMERA[90:])
    ),
    "a packet in UTF-16": jpeg(xmp=DAWN.decode().encode("utf-16")),
    "a packet with a lone ampersand": jpeg(xmp=DAWN.replace(b"<rdf:Alt>", b"<rdf:Alt>&\1")),
    "a packet with qualifiers": jpeg(
        xmp=packet("<dc:description rdf:parseType='Resource'><rdf:value>Dawn</rdf:value></dc:description>")
    ),
    "a language with an underscore": jpeg(xmp=packet(alternatives("dc:description", en_GB="Dawn"))),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_description_is_read_wherever_it_stands(sqlite_editor: httpx.Client, place: str):
    language = "en-GB" if "underscore" in place else "en"
    assert words(sent(sqlite_editor, PLACES[place])) == {language: ("Dawn", None)}


@pytest.mark.parametrize(
    "content",
    [
        with_segments(jpeg(), segment(0xEB, b"JP\0\1\0\0\0\1" + MANIFEST)),
        with_chunks(saved(scene()), chunk(b"caBX", MANIFEST)),
        saved(scene(), "WEBP", lossless=True) + b"C2PA" + len(MANIFEST).to_bytes(4, "little") + MANIFEST,
        saved(scene(), "AVIF")
        + (24 + len(MANIFEST)).to_bytes(4)
        + b"uuid\xd8\xfe\xc3\xd6\x1b\x0e\x48\x3c\x92\x97\x58\x28\x87\x7e\xc4\x81"
        + MANIFEST,
    ],
    ids=["JPEG", "PNG", "WebP", "AVIF"],
)
def test_content_credentials_are_noted(sqlite_editor: httpx.Client, content: bytes):
    said = sent(sqlite_editor, content)["metadata"]
    assert said == {"content_credentials": True, "digital_source_type": SOURCE.decode()}


def test_boxes_of_another_kind_are_no_content_credentials(sqlite_editor: httpx.Client):
    boxes = segment(0xEB, b"JP\0\1\0\0\0\1\0\0\0\x20jumb json.something else")
    assert sent(sqlite_editor, with_segments(jpeg(), boxes))["metadata"] == {}


def test_where_to_ask_for_a_licence_stays_in_public_files(sqlite_editor: httpx.Client):
    rights = packet(
        LICENSOR,
        ' xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/" xmpRights:WebStatement="https://press.example/terms"',
    )
    image = sent(sqlite_editor, jpeg(xmp=rights))
    make_article(sqlite_editor, image)
    for ending in ("jpg", "webp", "avif"):
        made = sqlite_editor.get(href_of(image, "w60", ending))
        again = image_of(upload(sqlite_editor, made.content, made.headers["content-type"]))
        assert again["metadata"] == {
            "licensor_name": "Harbour Press",
            "licensor_url": "https://press.example/licence",
            "web_statement": "https://press.example/terms",
        }


def test_a_picture_without_a_credit_is_credited_to_who_made_it(sqlite_editor: httpx.Client):
    names = array("dc:creator", "Ana Lind", "Bo Ek")
    assert sent(sqlite_editor, jpeg(xmp=packet(names)))["credit_line"] == "Ana Lind, Bo Ek"
    credited = packet(names, ' photoshop:Credit="Harbour Press"')
    assert sent(sqlite_editor, jpeg(xmp=credited))["credit_line"] == "Harbour Press"


class TestWithHouseRules:
    @pytest.fixture
    def settings(self, database_url: str, tmp_path) -> Settings:
        return settings_for(
            database_url, tmp_path, picture_charset="windows-1251", picture_credit_creator=False
        )

    def test_old_texts_are_in_the_charset_of_the_house_and_by_lines_are_no_credits(
        self, editor: httpx.Client
    ):
        said = [(120, "Мост на рассвете".encode("cp1251")), (80, "Анна Линд".encode("cp1251"))]
        image = sent(editor, with_segments(jpeg(), iim(said)))
        assert words(image) == {"en": ("Мост на рассвете", None)}
        assert (image["credit_line"], image["metadata"]["creator"]) == (None, ["Анна Линд"])
