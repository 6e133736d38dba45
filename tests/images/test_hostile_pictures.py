"""Files that are not what they seem: refused or made harmless, and never the end of the service."""

import io
import os
import random
import signal
import struct
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Timer

import httpx
import pytest
from PIL import Image

from service.errors import ServiceError
from service.images.darkroom.jobs import Develop, Print
from service.images.lab import DamagedPicture, Lab, LabBusy, TooDemanding
from service.settings import Settings
from tests.effort import LONG
from tests.images.photographs import agency, jpeg, scene, segment, telephone, with_segments
from tests.images.pictures import href_of, image_of, kept_files, opened, upload
from tests.serving import Store, settings_for

MUTANTS = 5_000 if LONG else 150
MOST_MEMORY, MOST_SECONDS = 600_000_000, 10
HTML = b"<html><script>alert(1)</script></html>"
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>'


def saved(picture: Image.Image, kind: str = "PNG", **saving: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **saving)
    return out.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, packed: bytes) -> bytes:
    """A PNG of RGB pixels; `packed` are its rows, compressed."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def black_png(width: int, height: int) -> bytes:
    """A thousand times smaller as a file than in memory."""
    packer = zlib.compressobj(1)
    return png(
        width,
        height,
        b"".join([packer.compress(bytes(3 * width + 1)) for _ in range(height)] + [packer.flush()]),
    )


def moving(frames: int) -> bytes:
    """A GIF with this many frames of 32 by 32."""
    still = saved(scene((32, 32)), "GIF")
    body = still[: -len(b";")]
    head = 13 + 3 * (2 << (still[10] & 7))
    return body[:head] + body[head:] * frames + b";"


@pytest.fixture
def lab(tmp_path: Path, cold_darkrooms: None) -> Iterator[Lab]:
    running = Lab(settings_for("sqlite:///unused", tmp_path))
    yield running
    running.close()


def peak_of(lab: Lab) -> int:
    """The most memory that the lab's process has had, in bytes: resident, and with all that it has only
    reserved.
    """
    process = lab._darkrooms[0]._process
    assert process is not None
    status = Path(f"/proc/{process.pid}/status").read_text()
    return 1024 * max(
        int(line.split()[1]) for line in status.splitlines() if line.startswith(("VmHWM", "VmPeak"))
    )


REFUSED = {
    "nothing": (b"", 415),
    "a vector graphic": (SVG, 415),
    "a web page": (HTML, 415),
    "a web page that begins like a picture": (b"\xff\xd8\xff\xe0" + HTML, 422),
    "a TIFF": (saved(scene(), "TIFF"), 415),
    "a bitmap": (saved(scene(), "BMP"), 415),
    "an icon": (saved(scene(), "ICO"), 415),
    "a PostScript file": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", 415),
    "a JPEG that ends early": (jpeg(scene((640, 480)))[:4000], 422),
    "a PNG that ends early": (saved(Image.effect_noise((64, 64), 50))[:2000], 422),
    "a WebP that ends early": (saved(Image.effect_noise((64, 64), 50).convert("RGB"), "WEBP")[:500], 422),
    "a PNG of four hundred million pixels": (png(20_000, 20_000, b""), 422),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_whole_picture_is_refused_and_leaves_nothing(
    store: Store, editor: httpx.Client, name: str
):
    content, status = REFUSED[name]
    for content_type in ("image/jpeg", "image/png"):
        response = upload(editor, content, content_type)
        assert (response.status_code, response.headers["content-type"]) == (
            status,
            "application/problem+json",
        ), response.text
    assert kept_files(store) == []


TAKEN = {
    "a JPEG with a web page in its comment": with_segments(jpeg(scene((300, 200))), segment(0xFE, HTML)),
    "a JPEG that is an archive too": jpeg(scene((300, 200))) + b"PK\x03\x04" + HTML,
    "a GIF that is a script too": saved(scene((300, 200)), "GIF") + b"*/alert(1);" + HTML,
    "a PNG with texts": saved(scene((300, 200))).replace(b"IDAT", b"IDAT", 1) + HTML,
    "a telephone's": telephone(size=(300, 200)),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", TAKEN)
def test_what_is_hidden_in_a_picture_does_not_leave(editor: httpx.Client, name: str):
    # The name of a type in a header says nothing: what it is, its bytes say.
    image = image_of(upload(editor, TAKEN[name], "image/avif"))
    assert image["content_type"] in ("image/jpeg", "image/png", "image/gif")
    for each in image["renditions"][:-1]:
        made = editor.get(each["href"])
        assert opened(made).size == (each["width"], each["height"])
        assert not [
            word
            for word in (b"script", b"alert", b"PK\x03\x04", b"Lumen", b"TRAILING")
            if word in made.content
        ]


ODD = {
    "CMYK": saved(scene((300, 200)).convert("CMYK"), "JPEG"),
    "grey": saved(scene((300, 200)).convert("L"), "JPEG"),
    "16 bits": saved(Image.new("I;16", (300, 200), 0x8000)),
    "a palette": saved(scene((300, 200)).quantize(4)),
    "a transparent palette": saved(scene((300, 200)).quantize(4), transparency=0),
    "one bit": saved(scene((300, 200)).convert("1")),
    "grey with alpha": saved(Image.new("LA", (300, 200), (128, 90))),
    "a junk profile": saved(scene((300, 200)), icc_profile=b"junk" * 99),
    "1 by 65,000": saved(Image.new("L", (1, 65_000), 90), "JPEG"),
    "65,000 by 1": saved(Image.new("L", (65_000, 1), 90)),
    "one pixel": saved(Image.new("RGB", (1, 1), "red")),
    "10,000 frames": moving(10_000),
    "moving WebP": saved(
        scene((300, 200)), "WEBP", save_all=True, append_images=[Image.new("RGB", (300, 200))] * 5
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ODD)
def test_odd_pictures_come_out_in_every_size(editor: httpx.Client, name: str):
    image = image_of(upload(editor, ODD[name], "image/png"))
    for each in image["renditions"][:-1]:
        picture = opened(editor.get(each["href"]))
        assert picture.size == (each["width"], each["height"])
        assert max(picture.size) <= 9600
        assert getattr(picture, "n_frames", 1) == 1
    if name == "16 bits":
        assert abs(opened(editor.get(href_of(image, "w160"))).convert("L").getpixel((50, 50)) - 128) <= 2


@pytest.mark.slow
@pytest.mark.usefixtures("cold_darkrooms")
@pytest.mark.parametrize("kind", ["WEBP", "PNG"])
def test_a_picture_that_takes_too_much_memory_is_refused_and_the_next_is_not(tmp_path: Path, kind: str):
    file = tmp_path / "a"
    if kind == "WEBP":
        Image.new("RGB", (6_000, 3_000)).save(file, kind, lossless=True, quality=0, method=0)
    else:
        file.write_bytes(black_png(8_000, 8_000))
    with closing(Lab(settings_for("sqlite:///unused", tmp_path, picture_memory=200_000_000))) as lab:
        with pytest.raises(TooDemanding):
            lab.inspect(file)
        assert peak_of(lab) <= 200_000_000
        file.write_bytes(jpeg())
        assert lab.inspect(file).width == 60


@pytest.mark.long
def test_a_hundred_million_pixels_fit_into_memory(lab: Lab, tmp_path: Path):
    file, made = tmp_path / "a", tmp_path / "b"
    file.write_bytes(black_png(10_000, 10_000))
    started = time.monotonic()
    assert lab.inspect(file).width == 10_000
    lab.develop(file, [made], Develop(120_000_000, [Print("webp", 2_400, 2_400)]))
    print(f"a hundred million pixels: {time.monotonic() - started:.1f} s, {peak_of(lab) / 1e6:.0f} MB")
    assert peak_of(lab) <= MOST_MEMORY


@pytest.mark.slow
@pytest.mark.usefixtures("cold_darkrooms")
def test_a_picture_that_takes_too_long_is_refused_and_the_next_is_not(tmp_path: Path):
    file = tmp_path / "a"
    file.write_bytes(jpeg())
    with closing(Lab(settings_for("sqlite:///unused", tmp_path, picture_seconds=2))) as lab:
        lab.inspect(file)
        first = lab._darkrooms[0]._process
        # The process stands still, as in a decoder's endless loop.
        os.kill(first.pid, signal.SIGSTOP)
        started = time.monotonic()
        with pytest.raises(TooDemanding):
            lab.inspect(file)
        assert time.monotonic() - started > 1.9
        assert first.poll() is not None
        assert lab.inspect(file).width == 60


@pytest.mark.slow
@pytest.mark.parametrize(("of", "refusal"), [(signal.SIGSEGV, DamagedPicture), (signal.SIGKILL, LabBusy)])
def test_a_process_that_dies_takes_nothing_with_it(
    lab: Lab, tmp_path: Path, of: signal.Signals, refusal: type[ServiceError]
):
    file = tmp_path / "a"
    file.write_bytes(jpeg())
    lab.inspect(file)
    process = lab._darkrooms[0]._process

    def end():
        process.send_signal(of)
        process.send_signal(signal.SIGCONT)

    process.send_signal(signal.SIGSTOP)
    timer = Timer(0.3, end)
    timer.start()
    with pytest.raises(refusal):
        lab.inspect(file)
    timer.join()
    assert lab.inspect(file).width == 60


def test_a_process_knows_no_secret(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COPYDESK_SECRET_KEY", "not for darkrooms")
    (tmp_path / "a").write_bytes(jpeg())
    lab.inspect(tmp_path / "a")
    assert b"COPYDESK" not in Path(f"/proc/{lab._darkrooms[0]._process.pid}/environ").read_bytes()


def seeds() -> list[bytes]:
    noisy = Image.merge("RGB", [Image.effect_noise((90, 70), 40)] * 3)
    return [
        agency(),
        telephone(),
        jpeg(noisy, progressive=True),
        saved(noisy),
        saved(noisy.quantize(16), transparency=1),
        saved(noisy, "WEBP"),
        saved(noisy, "WEBP", lossless=True, exif=b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x00"),
        saved(noisy, "AVIF"),
        saved(noisy, "GIF"),
        moving(3),
        saved(Image.new("I;16", (40, 30), 9)),
        saved(noisy.convert("CMYK"), "JPEG"),
    ]


def mutant(chance: random.Random, whole: bytes) -> bytes:
    """The file with a few bytes changed, cut, doubled, moved, or large numbers where sizes stand."""
    damaged = bytearray(whole)
    for _ in range(chance.randint(1, 6)):
        at = (
            chance.randrange(max(1, len(damaged)))
            if chance.random() < 0.5
            else chance.randrange(min(200, max(1, len(damaged))))
        )
        match chance.randrange(6):
            case 0:
                damaged[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                damaged[at : at + 4] = chance.choice(
                    [b"\xff\xff\xff\xff", b"\x00\x00\x00\x00", b"\x7f\xff\xff\xff", b"\x00\x00\xff\xff"]
                )
            case 2:
                del damaged[at : at + chance.randrange(1, 60)]
            case 3:
                damaged[at:at] = damaged[at : at + chance.randrange(1, 400)]
            case 4:
                damaged[at:at] = chance.randbytes(chance.randrange(1, 40))
            case 5:
                del damaged[max(1, at) :]
        if not damaged:
            break
    return bytes(damaged)


@pytest.mark.slow
def test_damaged_files_are_taken_or_refused_and_no_process_dies(lab: Lab, tmp_path: Path):
    chance, known, outcomes = random.Random(7), seeds(), Counter[str]()
    file, made = tmp_path / "a", [tmp_path / "b", tmp_path / "c"]
    slowest, most, deadly = 0.0, 0, list[bytes]()
    for number in range(MUTANTS):
        file.write_bytes(mutant(chance, known[number % len(known)]))
        started = time.monotonic()
        try:
            found = lab.inspect(file)
            wanted = [Print(each, min(found.width, 160), min(found.height, 90)) for each in ("webp", "jpg")]
            lab.develop(file, made, Develop(120_000_000, wanted))
            outcomes["taken"] += 1
            leaked = (b"Lumen", b"script", b"TRAILING")
            assert not [word for word in leaked for print_ in made if word in print_.read_bytes()]
        except ServiceError as refused:
            outcomes[refused.slug()] += 1
            deadly += [file.read_bytes()] if refused.detail == "The file made the decoder fail." else []
        slowest = max(slowest, time.monotonic() - started)
        most = max(most, peak_of(lab))
    print(f"{MUTANTS} files: {dict(outcomes)}, slowest {slowest:.2f} s, most memory {most / 1e6:.0f} MB")
    assert deadly == []
    assert slowest < MOST_SECONDS
    assert most < MOST_MEMORY
    assert outcomes["taken"] > MUTANTS / 20
    assert outcomes["damaged-picture"] > MUTANTS / 20


class TestWithSettings:
    @pytest.fixture
    def settings(self, database_url: str, tmp_path: Path) -> Settings:
        return settings_for(database_url, tmp_path, image_max_pixels=50_000)

    def test_the_limit_of_pixels_is_a_setting(self, editor: httpx.Client):
        refused = upload(editor, jpeg(scene((300, 200))), "image/jpeg")
        assert (refused.status_code, refused.json()["type"], refused.json()["limit"]) == (
            422,
            "/problems/too-many-pixels",
            50_000,
        )
