"""What a photograph says of itself becomes credit, captions and metadata."""

from pathlib import Path

import httpx
import pytest

from service.settings import Settings
from tests.images.photographs import (
    UTF8,
    agency,
    alternatives,
    camera_exif,
    iim,
    jpeg,
    packet,
    scene,
    telephone,
    with_segments,
)
from tests.images.pictures import image_of, make_article, upload
from tests.serving import Store, settings_for

FORCED = {"Content-Type": "image/jpeg", "If-Match": "*"}


def sent(editor: httpx.Client, photograph: bytes, **fields: str) -> dict:
    return image_of(upload(editor, photograph, "image/jpeg", **fields))


def words(image: dict) -> dict[str, tuple[str | None, str | None, str]]:
    return {each["language"]: (each["text"], each["alt_text"], each["source"]) for each in image["captions"]}


def test_an_agency_photograph_brings_its_rights_and_captions(editor: httpx.Client):
    image = sent(editor, agency())
    assert image["credit_line"] == "Ana Lind / Harbour Press"
    assert image["copyright_notice"] == "© 2026 Harbour Press"
    assert image["usage_terms"] == "Once, in print and online."
    assert image["taken_at"] == "2026-02-28T06:15:00Z"
    assert words(image) == {
        "en": ("The ferry leaves the quay.", "A white ferry on grey water", "embedded"),
        "fr": ("Le bac quitte le quai.", None, "embedded"),
    }
    said = image["metadata"]
    assert (said["creator"], said["keywords"], said["headline"]) == (
        ["Ana Lind", "Bo Ek"],
        ["ferry", "harbour"],
        "Ferries run again",
    )
    assert (said["city"], said["country"], said["date_taken"]) == (
        "Visby",
        "Sweden",
        "2026-02-28T07:15:00+01:00",
    )
    assert said["digital_source_type"] == "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"


def test_what_the_uploader_says_wins(editor: httpx.Client):
    image = sent(editor, agency(), credit_line="Bo Ek", usage_terms="Free.")
    assert (image["credit_line"], image["usage_terms"], image["copyright_notice"]) == (
        "Bo Ek",
        "Free.",
        "© 2026 Harbour Press",
    )
    assert image["metadata"]["credit_line"] == "Ana Lind / Harbour Press"


def test_a_description_never_becomes_an_alternative_text(editor: httpx.Client):
    described = sent(editor, jpeg(xmp=packet(alternatives("dc:description", default="A ferry."))))
    assert words(described) == {"en": ("A ferry.", None, "embedded")}
    only_alt = sent(
        editor,
        jpeg(
            scene((32, 20)),
            xmp=packet(alternatives("Iptc4xmpCore:AltTextAccessibility", default="White ship")),
        ),
    )
    assert words(only_alt) == {"en": (None, "White ship", "embedded")}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("written", "charset", "read"),
    [
        ("Fähre am Kai, Ångström".encode(), UTF8, "Fähre am Kai, Ångström"),
        ("Fähre am Kai, Ångström".encode(), None, "Fähre am Kai, Ångström"),
        ("Fähre am Kai, Ångström".encode("latin-1"), None, "Fähre am Kai, Ångström"),
        ("“Fähre” – 5 €".encode("cp1252"), None, "“Fähre” – 5 €"),
        ("渡轮离开码头".encode(), UTF8, "渡轮离开码头"),
        ("渡轮离开码头".encode(), None, "渡轮离开码头"),
        ("تغادر العبّارة الرصيف".encode(), UTF8, "تغادر العبّارة الرصيف"),
        ("تغادر العبّارة الرصيف".encode(), None, "تغادر العبّارة الرصيف"),
    ],
)
def test_iim_is_read_in_the_encoding_in_which_it_was_written(
    editor: httpx.Client, written: bytes, charset: bytes | None, read: str
):
    photograph = with_segments(
        jpeg(),
        iim([(120, written), (110, b"Ana Lind"), (116, written), (25, b"one"), (25, written)], charset),
    )
    image = sent(editor, photograph)
    assert (words(image)["en"][0], image["copyright_notice"], image["credit_line"]) == (
        read,
        read,
        "Ana Lind",
    )
    assert image["metadata"]["keywords"] == ["one", read]


@pytest.mark.slow
def test_iim_says_when_and_in_which_language(editor: httpx.Client):
    described = [(120, b"Le bac"), (135, b"fr"), (55, b"20260301"), (60, b"083000-0500")]
    image = sent(editor, with_segments(jpeg(), iim(described)))
    assert (words(image), image["taken_at"]) == ({"fr": ("Le bac", None, "embedded")}, "2026-03-01T13:30:00Z")


def test_exif_is_read_where_nothing_else_speaks(editor: httpx.Client):
    artist = "Åsa Lind".encode()
    exif = camera_exif(Artist=artist, Copyright="Harbour Press", ImageDescription="The quay at dawn")
    image = sent(editor, jpeg(exif=exif))
    assert (image["metadata"]["creator"], image["copyright_notice"]) == (["Åsa Lind"], "Harbour Press")
    assert words(image) == {"en": ("The quay at dawn", None, "embedded")}
    assert (image["taken_at"], image["metadata"]["date_taken"]) == (
        "2026-03-01T06:30:00Z",
        "2026-03-01T08:30:00+02:00",
    )


def test_what_a_camera_writes_by_itself_is_no_caption(editor: httpx.Client):
    assert sent(editor, jpeg(exif=camera_exif(ImageDescription="LUMEN DIGITAL CAMERA")))["captions"] == []


@pytest.mark.slow
def test_a_time_without_a_zone_is_kept_as_it_was_written(editor: httpx.Client):
    image = sent(editor, with_segments(jpeg(), iim([(55, b"20260301"), (60, b"083000")])))
    assert (image["taken_at"], image["metadata"]["date_taken"]) == (None, "2026-03-01T08:30:00")


def test_the_place_is_kept_for_nobody_unless_a_setting_says_so(editor: httpx.Client):
    assert "gps" not in sent(editor, telephone())["metadata"]


class TestWithPlaces:
    @pytest.fixture
    def settings(self, database_url: str, tmp_path: Path) -> Settings:
        return settings_for(database_url, tmp_path, picture_keep_gps=True)

    def test_the_place_is_for_staff_alone(self, editor: httpx.Client, client: httpx.Client):
        image = sent(editor, telephone())
        assert image["metadata"]["gps"] == {
            "latitude": -33.436528,
            "longitude": -70.644306,
            "altitude": 577.2,
        }
        article = make_article(editor, image)
        for path in (
            f"/v1/images/{image['id']}",
            "/v1/images",
            f"/v1/articles/{article['id']}",
            "/v1/articles",
        ):
            shown = client.get(path)
            assert shown.status_code == 200
            assert "gps" not in shown.text
            assert "33.43" not in shown.text
        assert "gps" not in editor.get(f"/v1/articles/{article['id']}").text


@pytest.mark.slow
def test_what_is_meant_for_the_desk_is_not_for_readers(editor: httpx.Client, client: httpx.Client):
    image = sent(editor, agency())
    make_article(editor, image)
    assert image["metadata"]["instructions"] == "Not for resale"
    shown = client.get(f"/v1/images/{image['id']}").json()
    assert shown["metadata"]["headline"] == "Ferries run again"
    assert "instructions" not in shown["metadata"]


@pytest.mark.slow
def test_another_file_brings_its_own_rights_and_leaves_what_somebody_wrote(editor: httpx.Client):
    image = sent(editor, agency(), usage_terms="Free.")
    plain = with_segments(jpeg(), iim([(110, b"Bo Ek"), (120, b"Another caption")]))
    replaced = editor.put(f"/v1/images/{image['id']}/file", content=plain, headers=FORCED).json()
    assert (replaced["credit_line"], replaced["copyright_notice"], replaced["usage_terms"]) == (
        "Bo Ek",
        None,
        "Free.",
    )
    assert replaced["captions"] == image["captions"]


def test_broken_metadata_is_no_reason_to_refuse_a_photograph(editor: httpx.Client):
    deep = b"<x>" * 5_000
    for number, junk in enumerate(
        (
            b"not xml at all",
            b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>',
            deep,
            packet("<dc:creator>") + b"\x00",
        )
    ):
        image = sent(
            editor,
            with_segments(
                jpeg(scene((20 + number, 20)), xmp=junk),
                iim([(120, b"")]),
                b"\xff\xed\x00\x06\x1c\x02\xff\xff",
            ),
        )
        assert image["metadata"] == {}


@pytest.mark.slow
def test_metadata_is_read_from_every_format(editor: httpx.Client, tmp_path: Path):
    said = packet(alternatives("dc:description", sv="Färjan lägger ut."), ' photoshop:Credit="Ana Lind"')
    for kind, content_type in (("PNG", "image/png"), ("WEBP", "image/webp"), ("AVIF", "image/avif")):
        path = tmp_path / kind
        if kind == "PNG":
            from PIL.PngImagePlugin import PngInfo

            info = PngInfo()
            info.add_itxt("XML:com.adobe.xmp", said.decode())
            scene((44, 30)).save(path, kind, pnginfo=info)
        else:
            scene((44, 30)).save(path, kind, xmp=said)
        image = image_of(upload(editor, path.read_bytes(), content_type))
        assert (image["credit_line"], words(image)) == (
            "Ana Lind",
            {"sv": ("Färjan lägger ut.", None, "embedded")},
        ), kind


def test_a_hidden_picture_stays_hidden_with_its_captions(
    store: Store, editor: httpx.Client, client: httpx.Client
):
    image = sent(editor, agency())
    assert client.get(f"/v1/captions/{image['captions'][0]['id']}").status_code == 404
