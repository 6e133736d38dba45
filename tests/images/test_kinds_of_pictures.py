"""Pictures come in as a browser shows them: upright, in their own colours, with what is transparent, and no
more of them than is to be seen.
"""

import struct

import httpx
import pytest
from PIL import Image

from tests.images.photographs import packet, scene, segment, with_segments
from tests.images.pictures import href_of, image_of, opened, upload
from tests.images.surgery import chunk, exif, png, saved, with_aperture, with_chunks, with_cicp

FLAT = Image.new("RGB", (60, 40), (200, 60, 60))
XMP = packet(attributes=' xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"')
JPEG, AVIF = saved(scene(), "JPEG"), saved(FLAT, "AVIF", quality=95, subsampling="4:4:4")
ANIMATION = chunk(b"acTL", struct.pack(">II", 0, 0))
FRAME = chunk(b"fcTL", struct.pack(">IIIIIHHBB", 7, 900, 900, 5, 5, 1, 1, 0, 0))
P3 = [0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060]
PRIMARIES = chunk(b"cHRM", struct.pack(">8I", *(round(100_000 * each) for each in P3)))

WHOLE = {
    "a broken index of further pictures": with_segments(JPEG, segment(0xE2, b"MPF\0MM\0*\0\0\xff\xff\0\0")),
    "an index of no pictures": with_segments(JPEG, segment(0xE2, b"MPF\0II*\0")),
    "a broken header of JFIF": with_segments(JPEG, segment(0xE0, b"JFIF\0\1")),
    "a broken mark of Adobe": with_segments(JPEG, segment(0xEE, b"Adobe\0")),
    "half a colour profile": with_segments(JPEG, segment(0xE2, b"ICC_PROFILE\0\1\2junk")),
    "resources of Photoshop cut off": with_segments(JPEG, segment(0xED, b"Photoshop 3.0\x008BIM\4\4\0\0\0")),
    "bytes that fill up": JPEG[:2] + b"\xff\xff" + JPEG[2:],
    "an animation without frames": with_chunks(saved(scene()), ANIMATION),
    "an animation out of order": with_chunks(saved(scene()), chunk(b"acTL", struct.pack(">II", 2, 0)), FRAME),
    "a text whose checksum is wrong": with_chunks(saved(scene()), chunk(b"tEXt", b"a\0b", is_whole=False)),
    "a profile whose checksum is wrong": with_chunks(
        saved(scene()), chunk(b"iCCP", b"a\0\0b", is_whole=False)
    ),
    "a gamma that is cut off": with_chunks(saved(scene()), chunk(b"gAMA", b"\0")),
}


@pytest.mark.parametrize("name", WHOLE)
def test_what_is_broken_beside_a_picture_is_no_damage_to_it(name: str, sqlite_editor: httpx.Client):
    image = image_of(upload(sqlite_editor, WHOLE[name], "image/png"))
    assert (image["width"], image["height"]) == (60, 40)
    shown = opened(sqlite_editor.get(href_of(image, "w60"))).convert("RGB")
    assert shown.getpixel((5, 5))[0] > 200


def test_one_broken_tag_spoils_no_other(sqlite_editor: httpx.Client):
    tags = ((0x112, 3, b"\6\0"), (0x13B, 2, b"Ana Lind\0"), (0x8298, 2, b"2026 Harbour Press\0"))
    for lost in ([0x10F], [0x10F, 0x110], [0x10E]):
        photograph = saved(scene((60, 40 + len(lost))), "JPEG", exif=exif(*tags, lost=lost), dpi=(72, 72))
        image = image_of(upload(sqlite_editor, photograph, "image/jpeg"))
        assert (image["width"], image["height"]) == (40 + len(lost), 60)
        assert image["metadata"]["creator"] == ["Ana Lind"]
        assert image["copyright_notice"] == "2026 Harbour Press"


@pytest.mark.parametrize(
    "photograph",
    [
        saved(scene(), "JPEG", xmp=XMP),
        saved(scene(), "JPEG", xmp=XMP, exif=exif((0x112, 3, b"\1\0"))),
        saved(scene(), "AVIF", xmp=XMP),
        saved(scene(), "WEBP", xmp=XMP),
        with_chunks(saved(scene()), chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP)),
    ],
)
def test_only_exif_and_boxes_turn_a_picture(sqlite_editor: httpx.Client, photograph: bytes):
    image = image_of(upload(sqlite_editor, photograph, "image/jpeg"))
    assert (image["width"], image["height"]) == (60, 40)


def key(*colour: int) -> bytes:
    return chunk(b"tRNS", struct.pack(f">{len(colour)}H", *colour))


KEYED = {
    "RGB": png([[9, 9, 9] * 8 + [200, 0, 0] * 8] * 16, 8, 2, key(9, 9, 9)),
    "grey": png([[7] * 8 + [200] * 8] * 16, 8, 0, key(7)),
    "grey of four bits": png([[3] * 8 + [12] * 8] * 16, 4, 0, key(3)),
    "grey of two bits": png([[1] * 8 + [2] * 8] * 16, 2, 0, key(1)),
    "one bit": png([[0] * 8 + [1] * 8] * 16, 1, 0, key(0)),
    "grey of sixteen bits": png([[700] * 8 + [701] * 8] * 16, 16, 0, key(700)),
    "RGB of sixteen bits": png([[700, 3, 9] * 8 + [60_000, 0, 0] * 8] * 16, 16, 2, key(700, 3, 9)),
}


@pytest.mark.parametrize("name", KEYED)
def test_the_colour_that_is_transparent_stays_so(sqlite_editor: httpx.Client, name: str):
    image = image_of(upload(sqlite_editor, KEYED[name]))
    shown = opened(sqlite_editor.get(href_of(image, "w16", "webp"))).convert("RGBA")
    assert (shown.getpixel((2, 8))[3], shown.getpixel((13, 8))[3]) == (0, 255)
    on_paper = opened(sqlite_editor.get(href_of(image, "w16", "jpg")))
    assert min(on_paper.convert("RGB").getpixel((2, 8))) > 235


COLOURS = {
    "P3 in an AVIF": (with_cicp(AVIF, 12, 13), (217, 42, 52)),
    "video's numbers in an AVIF": (with_cicp(AVIF, 1, 1), (200, 60, 60)),
    "P3 in a PNG": (with_chunks(saved(FLAT), chunk(b"cICP", bytes([12, 13, 0, 1]))), (217, 42, 52)),
    "P3 by chromaticities": (with_chunks(saved(FLAT), PRIMARIES), (217, 42, 52)),
    "linear light": (with_chunks(saved(FLAT), chunk(b"gAMA", struct.pack(">I", 100_000))), (229, 133, 133)),
    "linear grey": (
        with_chunks(saved(Image.new("L", (60, 40), 60)), chunk(b"gAMA", struct.pack(">I", 100_000))),
        (133, 133, 133),
    ),
    "sRGB's own gamma": (with_chunks(saved(FLAT), chunk(b"gAMA", struct.pack(">I", 45_455))), (200, 60, 60)),
    "sRGB against a gamma": (
        with_chunks(saved(FLAT), chunk(b"sRGB", b"\0"), chunk(b"gAMA", struct.pack(">I", 100_000))),
        (200, 60, 60),
    ),
}


@pytest.mark.parametrize("name", COLOURS)
def test_colours_are_those_that_the_file_declares(sqlite_editor: httpx.Client, name: str):
    content, expected = COLOURS[name]
    image = image_of(upload(sqlite_editor, content))
    shown = opened(sqlite_editor.get(href_of(image, "w60", "webp"))).convert("RGB").getpixel((30, 20))
    assert max(abs(one - other) for one, other in zip(shown, expected, strict=True)) <= 4, shown


@pytest.mark.parametrize("transfer", [16, 18])
def test_high_dynamic_range_is_mapped_into_the_ordinary(sqlite_editor: httpx.Client, transfer: int):
    # Diffuse white is 58 % of PQ's signal and 75 % of HLG's, and half of its light is less by about a tenth.
    white, half = (148, 130) if transfer == 16 else (191, 148)
    steps = Image.new("RGB", (60, 40), (255, 255, 255))
    steps.paste((half, half, half), (0, 0, 20, 40))
    steps.paste((white, white, white), (20, 0, 40, 40))
    image = image_of(upload(sqlite_editor, with_cicp(saved(steps, "AVIF", quality=95), 9, transfer)))
    shown = opened(sqlite_editor.get(href_of(image, "w60", "webp"))).convert("L")
    half, white, bright = (shown.getpixel((x, 20)) for x in (8, 30, 52))
    assert 120 < half < white - 15
    assert 170 < white < 215
    assert bright > 245


@pytest.mark.parametrize(
    ("moved", "seen"), [((0, 0), (30, 20)), ((-15, -10), (30, 20)), ((15, 10), (30, 20)), ((40, 0), (60, 40))]
)
def test_what_was_cut_away_is_not_public(
    sqlite_editor: httpx.Client, moved: tuple[int, int], seen: tuple[int, int]
):
    content = with_aperture(saved(scene(), "AVIF", quality=95), (30, 20), *moved)
    image = image_of(upload(sqlite_editor, content, "image/avif"))
    assert (image["width"], image["height"]) == seen
    shown = opened(sqlite_editor.get(href_of(image, f"w{seen[0]}", "webp"))).convert("RGB")
    if moved == (15, 10):
        assert all(value > 200 for value in shown.getpixel((15, 10))[:2]), "the yellow quarter alone"


def test_a_heic_is_refused_with_what_to_do_instead(sqlite_editor: httpx.Client):
    refused = upload(sqlite_editor, b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64), "image/jpeg")
    assert (refused.status_code, refused.json()["type"]) == (415, "/problems/unknown-picture")
    assert "JPEG" in refused.json()["detail"]
    assert "HEIC" in refused.json()["detail"]
