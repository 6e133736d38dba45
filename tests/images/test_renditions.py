"""The sizes and crops of a picture: what they look like, what is in them, how often they are made."""

import io
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from lxml import etree
from PIL import Image, ImageCms

from service.images.renditions import LISTED, accepted
from service.settings import Settings
from tests.images.photographs import agency, jpeg, scene, telephone
from tests.images.pictures import change, href_of, image_of, kept_files, make_article, opened, upload
from tests.patience import wait_until
from tests.serving import Store, settings_for

FORMATS = {"image/jpeg": "JPEG", "image/webp": "WEBP", "image/avif": "AVIF"}
ENDINGS = {"image/jpeg": "jpg", "image/webp": "webp", "image/avif": "avif"}
NEVER = (
    b"GPS",
    b"Exif",
    b"Lumen",
    b"script",
    b"TRAILING",
    b"ICC_PROFILE",
    b"ICCP",
    b"2026:03:01",
    b"Photoshop",
)


def sent(editor: httpx.Client, photograph: bytes, content_type: str = "image/jpeg", **fields: str) -> dict:
    return image_of(upload(editor, photograph, content_type, **fields))


def corners(picture: Image.Image) -> list[str]:
    """The colours in the middle of the quarters, row by row."""
    names = {(1, 0, 0): "red", (0, 1, 0): "lime", (0, 0, 1): "blue", (1, 1, 0): "yellow", (1, 1, 1): "white"}
    width, height = picture.size
    places = [(x, y) for y in (height // 4, 3 * height // 4) for x in (width // 4, 3 * width // 4)]
    pixels = [picture.convert("RGB").getpixel(place) for place in places]
    return [names.get(tuple(round(value / 255) for value in pixel), str(pixel)) for pixel in pixels]


@pytest.mark.slow
def test_a_picture_comes_in_every_width_that_it_has_and_no_larger(editor: httpx.Client):
    image = sent(editor, jpeg(scene((1000, 500))))
    for width in (1000, 960, 640, 480, 320, 160):
        assert opened(editor.get(href_of(image, f"w{width}", "webp"))).size == (width, width // 2)
    assert [each["width"] for each in image["renditions"] if each["name"].startswith("w")] == [1000, 960, 480]
    large = sent(editor, jpeg(scene((2600, 100))))
    assert [each["width"] for each in large["renditions"] if each["name"].startswith("w")] == [*LISTED]


@pytest.mark.parametrize(("content_type", "kind"), FORMATS.items())
def test_every_listed_file_is_what_the_list_says(editor: httpx.Client, content_type: str, kind: str):
    image = sent(editor, jpeg(scene((500, 300))))
    assert [each["name"] for each in image["renditions"][:3]] == ["w500", "w480", "1x1-w300"]
    for each in image["renditions"][:-1]:
        response = editor.get(each["href"].removesuffix("jpg") + ENDINGS[content_type])
        picture = opened(response)
        assert (picture.format, picture.size, response.headers["content-type"]) == (
            kind,
            (each["width"], each["height"]),
            content_type,
        )
        if each["name"].startswith("w"):
            assert corners(picture) == ["red", "lime", "blue", "yellow"]


def test_the_first_rendition_is_a_large_jpeg_for_whoever_shows_one(editor: httpx.Client):
    first = sent(editor, jpeg(scene((500, 300))))["renditions"][0]
    assert (first["name"], first["content_type"]) == ("w500", "image/jpeg")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_comes_out_upright(editor: httpx.Client, orientation: int):
    back = {2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}
    turns = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}
    lying = scene((400, 300))
    if orientation > 1:
        lying = lying.transpose(Image.Transpose(turns[back[orientation]]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = sent(editor, jpeg(lying, exif=exif))
    assert (image["width"], image["height"]) == (400, 300)
    for name in ("w400", "w160", "4x3-w400"):
        assert corners(opened(editor.get(href_of(image, name, "webp")))) == [
            "red",
            "lime",
            "blue",
            "yellow",
        ], name


@pytest.mark.parametrize(
    ("focal_point", "colours"),
    [
        ('{"x": 0, "y": 0.5}', ["red", "red", "blue", "blue"]),
        ('{"x": 1, "y": 0.5}', ["lime", "lime", "yellow", "yellow"]),
        ('{"x": 0.5, "y": 0.5}', ["red", "lime", "blue", "yellow"]),
    ],
)
def test_crops_are_cut_around_the_focal_point(editor: httpx.Client, focal_point: str, colours: list[str]):
    image = sent(editor, jpeg(scene((800, 200))), focal_point=focal_point)
    picture = opened(editor.get(href_of(image, "1x1-w160", "webp")))
    assert (picture.size, corners(picture)) == ((160, 160), colours)


def test_every_crop_has_its_sides(editor: httpx.Client):
    image = sent(editor, jpeg(scene((900, 700))))
    sides = {
        each["name"].split("-")[0]: each["width"] / each["height"]
        for each in image["renditions"]
        if "x" in each["name"]
    }
    assert sides == {"1x1": 1, "4x3": pytest.approx(4 / 3, abs=0.01), "16x9": pytest.approx(16 / 9, abs=0.01)}


def test_moving_the_focal_point_moves_a_picture_to_other_addresses(
    editor: httpx.Client, client: httpx.Client
):
    image = sent(editor, jpeg(scene((800, 200))))
    make_article(editor, image)
    moved = change(editor, f"/v1/images/{image['id']}", {"focal_point": {"x": 0, "y": 0.5}})
    for name in ("w640", "1x1-w160"):
        old, new = href_of(image, name), href_of(moved, name)
        sent_on = client.get(old)
        assert (sent_on.status_code, sent_on.headers["location"], sent_on.headers["cache-control"]) == (
            307,
            new,
            "public, max-age=60",
        )
    assert corners(opened(client.get(new))) == ["red", "red", "blue", "blue"]


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("image/avif,image/webp,*/*;q=0.8", "image/avif"),
        ("image/webp,*/*", "image/webp"),
        ("*/*", "image/jpeg"),
        ("", "image/jpeg"),
        ("image/avif;q=0, image/webp", "image/webp"),
        ("image/jpeg", "image/jpeg"),
    ],
)
def test_without_an_ending_accept_chooses(editor: httpx.Client, client: httpx.Client, accept: str, kind: str):
    image = sent(editor, jpeg(scene((200, 100))))
    make_article(editor, image)
    address = href_of(image, "w160", "webp").removesuffix(".webp")
    response = client.get(address, headers={"Accept": accept})
    assert (response.headers["content-type"], opened(response).format) == (kind, FORMATS[kind])
    assert "accept" in response.headers["vary"].lower()


def test_an_ending_chooses_whatever_is_accepted(editor: httpx.Client):
    image = sent(editor, jpeg(scene((200, 100))))
    address = href_of(image, "16x9-w160", "webp").removesuffix("webp")
    for ending, kind in (("jpg", "JPEG"), ("avif", "AVIF"), ("webp", "WEBP")):
        assert opened(editor.get(address + ending, headers={"Accept": "image/png"})).format == kind


def test_quality_zero_is_a_refusal() -> None:
    assert accepted("image/avif;q=0.0, image/webp;q=0.5") == "webp"


@pytest.mark.parametrize("content_type", FORMATS)
def test_nothing_leaves_but_pixels_and_rights(editor: httpx.Client, content_type: str):
    photograph = telephone(size=(320, 200))
    assert b"GPS" not in photograph  # EXIF has numbers for names: the position itself is looked for
    assert all(word in photograph for word in (b"Exif", b"Lumen", b"script", b"TRAILING"))
    image = sent(editor, photograph)
    for name in ("w200", "w160"):
        made = editor.get(href_of(image, name, ENDINGS[content_type]))
        assert not [word for word in NEVER if word in made.content]
        picture = opened(made)
        assert (dict(picture.getexif()), picture.info.get("comment"), picture.info.get("icc_profile")) == (
            {},
            None,
            None,
        )
        assert made.content.endswith(b"\xff\xd9") or content_type != "image/jpeg"
        if content_type == "image/webp":
            assert int.from_bytes(made.content[4:8], "little") + 8 == len(made.content)


@pytest.mark.parametrize("content_type", FORMATS)
def test_rights_stay_written_in_every_file(editor: httpx.Client, content_type: str):
    image = sent(editor, agency())
    for name in ("w60", "4x3-w53"):
        said = opened(editor.get(href_of(image, name, ENDINGS[content_type]))).info["xmp"]
        texts = [text.strip() for text in etree.fromstring(said).itertext() if text.strip()]
        source_type = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
        assert texts == ["Ana Lind", "Bo Ek", "Ana Lind / Harbour Press", "© 2026 Harbour Press", source_type]


def test_another_credit_is_another_file(editor: httpx.Client):
    image = sent(editor, agency())
    changed = change(editor, f"/v1/images/{image['id']}", {"credit_line": "<Ana> & Bo"})
    old, new = href_of(image, "w60", "webp"), href_of(changed, "w60", "webp")
    assert old != new
    assert b"&lt;Ana&gt; &amp; Bo" in editor.get(new).content


def exchanged() -> bytes:
    """A profile whose red is sRGB's blue, and the other way round."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace(b"rXYZ", b"????").replace(b"bXYZ", b"rXYZ").replace(b"????", b"bXYZ")


@pytest.mark.parametrize(
    ("photograph", "colour"),
    [
        (jpeg(Image.new("RGB", (200, 100), "red"), icc_profile=exchanged()), "blue"),
        (jpeg(Image.new("RGB", (200, 100), "red"), icc_profile=b"junk" * 50), "red"),
        (jpeg(Image.new("RGB", (200, 100), "red"), icc_profile=exchanged()[:300]), "red"),
        (jpeg(Image.new("CMYK", (200, 100), (0, 255, 255, 0))), "red"),
        (jpeg(Image.new("CMYK", (200, 100), (0, 255, 255, 0)), icc_profile=exchanged()), "red"),
        (jpeg(Image.new("L", (200, 100), 255), icc_profile=exchanged()), "white"),
    ],
)
def test_colours_are_converted_to_srgb_and_a_profile_that_does_not_fit_counts_as_none(
    editor: httpx.Client, photograph: bytes, colour: str
):
    assert set(corners(opened(editor.get(href_of(sent(editor, photograph), "w160", "webp"))))) == {colour}


def test_transparency_stays_where_a_format_has_it_and_is_white_where_not(editor: httpx.Client):
    out = io.BytesIO()
    Image.new("RGBA", (200, 100), (255, 0, 0, 0)).save(out, "PNG")
    image = sent(editor, out.getvalue(), "image/png")
    assert opened(editor.get(href_of(image, "w160", "webp"))).convert("RGBA").getpixel((80, 40))[3] == 0
    assert opened(editor.get(href_of(image, "w160", "jpg"))).getpixel((80, 40)) == (255, 255, 255)


@pytest.mark.slow
def test_a_hundred_readers_at_once_have_it_made_once(store: Store, editor: httpx.Client):
    image = sent(editor, jpeg(scene((1600, 1000))))
    make_article(editor, image)
    address, before = href_of(image, "w1280", "webp"), set(kept_files(store))
    with store.client() as client, ThreadPoolExecutor(100) as readers:
        answers = list(readers.map(lambda _: client.get(address), range(100)))
    assert Counter(answer.status_code for answer in answers) == {200: 100}
    assert len({answer.content for answer in answers}) == 1
    assert len(set(kept_files(store)) - before) == 1
    assert "copydesk_renditions_made_total 1.0" in editor.get("/metrics").text


class TestWithAShortQueue:
    @pytest.fixture
    def settings(self, database_url: str, tmp_path: Path) -> Settings:
        return settings_for(database_url, tmp_path, picture_queue=1)

    @pytest.mark.slow
    def test_too_many_sizes_at_once_are_refused_for_now(self, store: Store, editor: httpx.Client):
        noise = Image.merge("RGB", [Image.effect_noise((2400, 1800), 90)] * 3)
        image = sent(editor, jpeg(noise))
        addresses = [
            href_of(image, f"{crop}w{width}", "avif")
            for crop in ("", "1x1-")
            for width in (1600, 1280, 960, 640)
        ]
        with ThreadPoolExecutor(8) as readers:
            answers = list(readers.map(editor.get, addresses))
        refused = [answer for answer in answers if answer.status_code == 503]
        assert {answer.status_code for answer in answers} == {200, 503}
        assert all(
            answer.headers["retry-after"] == "2" and answer.json()["type"] == "/problems/lab-busy"
            for answer in refused
        )
        assert editor.get(addresses[0]).status_code == 200
        # Text is served meanwhile and after.
        assert editor.get("/v1/articles").status_code == 200


def made_of(store: Store, image: dict) -> set[tuple[str, str]]:
    """Return the name and the ending of every file that was made of an image."""
    names = re.findall(rf"renditions/{image['digest']}/(\S+)-[0-9a-f]+\.(\w+)", "\n".join(kept_files(store)))
    return set(names)


class TestMadeAhead:
    @pytest.fixture
    def settings(self, database_url: str, tmp_path: Path) -> Settings:
        return settings_for(database_url, tmp_path, picture_ahead=True)

    @pytest.mark.slow
    def test_the_first_sizes_are_there_before_anyone_asks(self, store: Store, editor: httpx.Client):
        image = sent(editor, jpeg(scene((400, 300))))
        hidden = sent(editor, jpeg(scene((300, 300))))
        make_article(editor, hidden, status="draft")
        make_article(editor, image)
        wanted = {("w400", "jpg"), ("w400", "webp"), ("w160", "webp")}
        wait_until(lambda: wanted <= made_of(store, image))
        assert not [name for name in kept_files(store) if name.startswith(f"renditions/{hidden['digest']}")]


def test_a_picture_has_a_placeholder_and_a_colour(editor: httpx.Client):
    red = sent(editor, jpeg(Image.new("RGB", (300, 200), (200, 30, 30))))
    assert red["dominant_color"].startswith("#c")
    assert 8 <= len(red["placeholder"]) <= 40


def test_an_article_as_html_lets_the_browser_choose(editor: httpx.Client, client: httpx.Client):
    image = sent(editor, jpeg(scene((700, 400))))
    article = make_article(editor, image)
    html = client.get(f"/v1/articles/{article['id']}", params={"body": "html"}).json()["body_html"]
    figure = etree.fromstring(f"<div>{html.replace('srcset', 'data-srcset')}</div>", etree.HTMLParser()).find(
        ".//img"
    )
    assert figure.get("src") == image["renditions"][0]["href"]
    choices = dict(reversed(choice.split(" ")) for choice in figure.get("data-srcset").split(", "))
    assert list(choices) == ["700w", "480w"]
    assert opened(client.get(choices["480w"])).size == (480, 274)
