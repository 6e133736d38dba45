"""Pages and dumps are decoded as browsers decode them: by the labels and tables of the WHATWG Encoding
Standard.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from service.cli.program import app
from service.newspages import NotAnArticle, Paragraph, read_html, read_text
from service.newspages.decoding import decode

URL = "https://news.example/bro"


def two_bytes(leads: Iterable[int], trails: Iterable[int]) -> bytes:
    """Every pair, each on a line of its own, so that a wrong one does not spoil the next."""
    trails = list(trails)
    return b"\n".join(bytes((lead, trail)) for lead in leads for trail in trails)


ONE_BYTE = bytes(range(0x80, 0x100))
ALL_BUT_7F = (*range(0x40, 0x7F), *range(0x80, 0xFF))
TABLES = {
    "big5": (two_bytes(range(0x81, 0xFF), (*range(0x40, 0x7F), *range(0xA1, 0xFF))), "bcdc01514d6d85ac"),
    "gbk": (two_bytes(range(0x81, 0xFF), ALL_BUT_7F), "fd48ac1b9d0a4740"),
    "euc-kr": (two_bytes(range(0x81, 0xFF), range(0x41, 0xFF)), "0b0001b7bfa6f0e4"),
    "euc-jp": (two_bytes(range(0xA1, 0xFF), range(0xA1, 0xFF)), "740f3c368feb6fae"),
    "shift_jis": (
        two_bytes((*range(0x81, 0xA0), *range(0xE0, 0xFD)), ALL_BUT_7F[:-2]),
        "32a67f73b65ff072",
    ),
    "ibm866": (ONE_BYTE, "2e3f89d51df1d1b9"),
    "iso-8859-2": (ONE_BYTE, "da4d3b2f8f06435d"),
    "iso-8859-3": (ONE_BYTE, "c1d9ce25d3762a52"),
    "iso-8859-4": (ONE_BYTE, "54140e6e75ba62ce"),
    "iso-8859-5": (ONE_BYTE, "5372981566958051"),
    "iso-8859-6": (ONE_BYTE, "2b716bc800e7bfe3"),
    "iso-8859-7": (ONE_BYTE, "8d94b0308cf418c9"),
    "iso-8859-8": (ONE_BYTE, "ade2c0790e86ddc8"),
    "iso-8859-10": (ONE_BYTE, "129e084c5bc4da60"),
    "iso-8859-13": (ONE_BYTE, "20a9bcd406361c31"),
    "iso-8859-14": (ONE_BYTE, "80050213abdb4257"),
    "iso-8859-15": (ONE_BYTE, "b9a4a2394ee58552"),
    "iso-8859-16": (ONE_BYTE, "c2bb18a77fe0cd90"),
    "koi8-r": (ONE_BYTE, "25a9da95cf2db39e"),
    "koi8-u": (ONE_BYTE, "79b0a6e96024f61a"),
    "macintosh": (ONE_BYTE, "94dcdcc19412eb48"),
    "windows-874": (ONE_BYTE, "4bb5efdc1a2832ec"),
    "windows-1250": (ONE_BYTE, "52665a0c49e77322"),
    "windows-1251": (ONE_BYTE, "153baf169d84e269"),
    "windows-1252": (ONE_BYTE, "9ba654722668eee9"),
    "windows-1253": (ONE_BYTE, "fa630499b7db169e"),
    "windows-1254": (ONE_BYTE, "612d01246f4b5106"),
    "windows-1255": (ONE_BYTE, "16925d6a9d5cff62"),
    "windows-1256": (ONE_BYTE, "ae636a90722c9d75"),
    "windows-1257": (ONE_BYTE, "abd51531663d43f8"),
    "windows-1258": (ONE_BYTE, "ded84db6d51e3143"),
    "x-mac-cyrillic": (ONE_BYTE, "ab39a8a69bbbd008"),
}
"""Bytes of an encoding, and the SHA-256 of their text as the standard's index files have it, but for two
fraction strokes of Big5 that Python's codec cannot tell from their full-width forms.
"""


@pytest.mark.parametrize("name", TABLES)
def test_a_whole_table_is_that_of_the_standard(name: str) -> None:
    written, digest = TABLES[name]
    assert hashlib.sha256(decode(written, name).encode()).hexdigest()[:16] == digest


@pytest.mark.parametrize(
    ("name", "written", "text"),
    [
        ("gbk", b"\x80 \xb0\xff<p> \xb0\xc2\xff", "€ \ufffd<p> 奥\ufffd"),
        ("big5", b"\x88\x62 \xa4<p> \xff\xa4\xa4", "Ê̄ \ufffd<p> \ufffd中"),
        ("euc-jp", b"\xad\xa1 \x8e\xb1 \x8f\xa2\xb7 \x8f\xb0\xa1 \xa4", "① ｱ ～ 丂 \ufffd"),
        ("iso-2022-jp", b'a \x1b$B-!$"\x1b(J\\~ \x1b(I1\x1b(B z', "a ①あ¥‾ ｱ z"),
        ("windows-1252", b"\x81\x93a\x94", "\x81“a”"),
        ("iso-8859-3", b"\xa5", "\ufffd"),
    ],
)
def test_a_bad_byte_costs_one_character_and_no_markup(name: str, written: bytes, text: str) -> None:
    assert decode(written, name) == text


TEXTS = {
    "ja": "市議会は火曜日、冬の嵐が来る前に古い港の橋を架け替えることを全会一致で決めたと発表した。",
    "he": "מועצת העיר החליטה ביום שלישי לבנות מחדש את הגשר הישן בנמל לפני שסופות החורף יגיעו שוב השנה.",
    "ru": "Городской совет решил во вторник перестроить старый мост в гавани до начала зимних штормов.",
    "zh": "市议会星期二决定，在今年冬季风暴到来之前重建旧港大桥，工程预计持续十一个月，费用由大区承担。",
    "ko": "시의회는 화요일 겨울 폭풍이 오기 전에 낡은 항구 다리를 다시 짓기로 만장일치로 결정했다고 밝혔다.",
}
DIRT = b"<p>\xff\xfd</p>"


def page(text: str, codec: str, label: str = "", dirt: bytes = b"") -> bytes:
    """A page without a language, whose only hint is the label in it."""
    meta = f'<meta http-equiv=Content-Type content="text/html; charset={label}">' if label else ""
    markup = f"<html>{meta}<h1>{text[:14]}</h1><article><p>{text}</p><p>{text[::-1]}</p></article></html>"
    return markup.encode(codec).replace(b"</article>", dirt + b"</article>")


@pytest.mark.parametrize(
    ("language", "codec", "label"),
    [
        ("ja", "shift_jis", "x-sjis"),
        ("ja", "shift_jis", " Windows-31J "),
        ("ja", "iso2022_jp", "csISO2022JP"),
        ("ja", "euc_jp", "x-euc-jp"),
        ("he", "iso8859-8", "ISO-8859-8-I"),
        ("he", "iso8859-8", "logical"),
        ("ru", "cp1251", "x-cp1251"),
        ("ru", "koi8-r", "koi"),
        ("ru", "cp866", "866"),
        ("zh", "gbk", "x-gbk"),
        ("ko", "cp949", "ks_c_5601-1987"),
    ],
)
@pytest.mark.parametrize("place", ["page", "server"])
def test_a_page_is_read_by_any_label_that_browsers_know(
    language: str, codec: str, label: str, place: str
) -> None:
    text = TEXTS[language]
    dirt = b"" if codec == "iso2022_jp" else DIRT
    if place == "page":
        found = read_html(page(text, codec, label, dirt), URL)
    else:
        found = read_html(page(text, codec, dirt=dirt), URL, label)
    assert Paragraph(text) in found.blocks


def test_the_server_is_believed_before_the_page_and_the_bytes_before_both() -> None:
    text = TEXTS["ru"]
    assert Paragraph(text) in read_html(page(text, "cp1251", "koi8-r"), URL, "windows-1251").blocks
    assert Paragraph(text) in read_html(page(text, "utf-8", "koi8-r"), URL, "windows-1251").blocks
    assert Paragraph(text) in read_html(page(text, "cp1251", "windows-1251"), URL, "utf-8").blocks
    assert Paragraph(text) in read_html(page(text, "utf-16", "koi8-r"), URL, "koi8-r").blocks


def test_a_page_in_an_encoding_that_browsers_gave_up_is_refused() -> None:
    with pytest.raises(NotAnArticle, match="no longer"):
        read_html(page(TEXTS["ko"], "cp949", "iso-2022-kr"), URL)


DUMP = "Старый мост перестроят\n\n" + TEXTS["ru"]


@pytest.mark.parametrize(
    ("written", "charset", "text"),
    [
        (DUMP.encode("utf-16"), None, DUMP),
        (DUMP.encode("utf-16"), "koi8-r", DUMP),
        (b"\xfe\xff" + DUMP.encode("utf-16-be"), "utf-8", DUMP),
        (DUMP.encode("utf-8-sig"), None, DUMP),
        (DUMP.encode("cp1251"), "x-cp1251", DUMP),
        (DUMP.encode("cp1251"), None, None),
        (DUMP.encode("cp1251"), "utf-8", None),
        (DUMP.encode(), "nonsense", None),
        (DUMP.encode(), "hex", None),
        ("An honest \ufffd in the text".encode(), None, "An honest \ufffd in the text"),
    ],
)
def test_a_dump_is_decoded_by_its_mark_or_its_label_or_refused(
    written: bytes, charset: str | None, text: str | None
) -> None:
    if text is None:
        with pytest.raises(NotAnArticle, match="not"):
            read_text(written, charset)
    else:
        assert read_text(written, charset) == text


def test_the_command_line_never_makes_an_article_of_garbage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sqlite_template: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COPYDESK_DATABASE_URL", f"sqlite:///{tmp_path / 'copydesk.db'}")
    (tmp_path / "copydesk.db").write_bytes(sqlite_template.read_bytes())
    for name, encoding in (("wide.txt", "utf-16"), ("old.txt", "cp1251")):
        (tmp_path / name).write_bytes(DUMP.encode(encoding))
    (tmp_path / "page.txt").write_bytes(page(TEXTS["ru"], "utf-16"))
    runner = CliRunner()
    taken = runner.invoke(app, ["import", "wide.txt", "page.txt"])
    assert (taken.exit_code, len(taken.stdout.splitlines())) == (0, 2), taken.output
    refused = runner.invoke(app, ["import", "old.txt"])
    assert refused.exit_code == 1
    assert "not in utf-8" in refused.output


def test_a_refused_encoding_is_told_over_the_api(editor: httpx.Client) -> None:
    answer = editor.post("/v1/imports", content=DUMP.encode("cp1251"), headers={"Content-Type": "text/plain"})
    assert answer.status_code == 422
    assert "name its character set" in answer.json()["detail"]
    named = {"Content-Type": 'text/plain; charset="windows-1251"'}
    taken = editor.post("/v1/imports", content=DUMP.encode("cp1251"), headers=named)
    assert (taken.status_code, taken.json()["headline"]) == (201, "Старый мост перестроят")
