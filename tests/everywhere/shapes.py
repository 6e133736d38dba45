"""Bodies of every shape: a document as it should be, with one place of it filled up to two megabytes."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hypothesis import strategies as st
from pydantic import JsonValue

from tests.effort import LONG

LARGEST = 1_990_000
Place = tuple[str | int, ...]


@dataclass(frozen=True, repr=False)
class Sent:
    """A request with a body."""

    method: str
    path: str
    media_type: str
    body: bytes = b""
    coding: str = "identity"
    """Of its answer."""

    def __repr__(self) -> str:
        """Tell the beginning of the body alone: a report that has two megabytes is refused, and hides the fault."""
        return (
            f"Sent({self.method} {self.path}, {self.media_type}, {len(self.body)} bytes: {self.body[:200]!r})"
        )


ARTICLE: JsonValue = {
    "headline": "Low water",
    "summary": "s",
    "authors": [{"name": "Ana Lind", "url": "https://wire.example/"}],
    "tags": ["harbour"],
    "source": "wire.example",
    "external_id": "1",
    "canonical_url": "https://wire.example/1",
    "body": [
        {"type": "paragraph", "html": 'Rain <em>and</em> <a href="https://wire.example/">wind</a>'},
        {"type": "list", "items": ["one"]},
        {"type": "table", "header": [["h"]], "rows": [["c"]]},
        {"type": "code", "text": "x"},
    ],
}
PICTURED: JsonValue = {
    "source": "wire.example",
    "external_id": "2",
    "headline": "Low water",
    "lead_image": {
        "source_url": "https://wire.example/1.jpg",
        "captions": [{"language": "en", "text": "t", "alt_text": "a"}],
    },
}
NINJS: JsonValue = {
    "uri": "https://wire.example/1",
    "headlines": [{"value": "Bridge reopens"}],
    "bodies": [{"contentType": "text/html", "value": "<p>Rain <em>and</em> wind</p>"}],
    "subjects": [{"name": "harbour"}],
    "places": [{"name": "Harbour", "geoJSON": {"type": "Point", "coordinates": [1.0, 2.0]}}],
    "associations": [
        {"name": "1", "type": "picture", "renditions": [{"href": "https://wire.example/1.jpg"}]}
    ],
}
JSON, PATCH, LINES, NINJS_TYPE = (
    "application/json",
    "application/merge-patch+json",
    "application/x-ndjson",
    "application/ninjs+json",
)
DOCUMENTS: tuple[tuple[str, str, str, JsonValue], ...] = (
    ("POST", "/v1/articles", JSON, ARTICLE),
    ("PUT", "/v1/articles/{article}", JSON, ARTICLE),
    ("PATCH", "/v1/articles/{article}", PATCH, ARTICLE),
    ("POST", "/v1/articles/{article}/corrections", JSON, {"text": "Four lanes."}),
    ("POST", "/v1/articles/bulk", JSON, [PICTURED]),
    ("POST", "/v1/articles/bulk", LINES, PICTURED),
    ("POST", "/v1/imports", NINJS_TYPE, NINJS),
    ("POST", "/v1/imports", JSON, NINJS),
    ("POST", "/v1/images", JSON, {"credit_line": "c", "focal_point": {"x": 0.5, "y": 0.5}}),
    ("PATCH", "/v1/images/{image}", PATCH, {"credit_line": "c", "usage_terms": "u"}),
    ("POST", "/v1/captions", JSON, {"image_id": "x", "text": "t", "language": "en"}),
    ("POST", "/v1/consents", JSON, {"notice_key": "default", "purposes": [{"purpose": "x"}]}),
    (
        "POST",
        "/v1/consent-notices",
        JSON,
        {"notice_key": "desk", "texts": {"title": "t"}, "purposes": [{"google_consent_types": ["x"]}]},
    ),
    (
        "POST",
        "/v1/webhooks",
        JSON,
        {"url": "https://partner.example/x", "kinds": ["article"], "sections": ["City"]},
    ),
    ("POST", "/v1/tokens", JSON, {"name": "t", "scopes": ["content:read"]}),
)
PIECES = (
    *'a 9<&@\n\\"-é﷽\u0301😀',
    *(
        "a b ",
        "<em>",
        "</p>",
        "<b></b>",
        "<a href=x ",
        "&amp;",
        "<!--",
        "://",
        ". ",
        "A. ",
        "<td>",
        "<li>",
        "x=1;",
    ),
)
PAGE = (
    "<!doctype html><html lang=en><head><title>{0}Bridge reopens</title>{1}</head><body>{2}<article>"
    "<h1>Bridge reopens{3}</h1><p>The harbour bridge reopened on Tuesday, the council said.{4}</p>{5}</article></body></html>"
)
MARKUP = (
    *(
        "<p>Rain and wind.</p>",
        "<img src=a.jpg>",
        "<figure><img src=a.jpg><figcaption>Photo: A/B</figcaption></figure>",
    ),
    *(
        "<table><tr><td>x</table>",
        "<meta property=og:title content=x>",
        "<div><span>x</span></div>",
        "By Ana Lind, ",
    ),
    *(
        "<ul><li>x</ul>",
        "<b><i>",
        "<br>",
        "Photo: ",
        "© ",
        "2026-01-01 ",
        "<div class=cookie><button>Accept</button></div>",
    ),
)
DUMP = "Bridge reopens\nBy Ana Lind\nThe harbour bridge reopened on Tuesday, the council said.\n{0}"
CHARSETS = ("utf-8", "utf-16le", "gb18030", "big5", "euc-jp", "iso-2022-jp", "shift_jis", "punycode", "utf-7")


def places(value: JsonValue, at: Place = ()) -> Iterator[Place]:
    """Every place of a document, that of the whole first."""
    yield at
    members = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for name, member in members:
        yield from places(member, (*at, name))


def filled(value: JsonValue, at: Place, filling: JsonValue) -> JsonValue:
    """Return a document with something else at a place."""
    if not at:
        return filling
    if isinstance(value, list):
        return [filled(each, at[1:], filling) if n == at[0] else each for n, each in enumerate(value)]
    assert isinstance(value, dict)
    return {name: filled(each, at[1:], filling) if name == at[0] else each for name, each in value.items()}


def deep(levels: int, *, as_object: bool) -> JsonValue:
    value: JsonValue = 1
    for _ in range(levels):
        value = {"a": value} if as_object else [value]
    return value


FILLINGS: Mapping[str, JsonValue] = {
    "numbers": [1] * 140_000,
    "fractions": [1.5] * 140_000,
    "texts": ["ab"] * 140_000,
    "nulls": [None] * 140_000,
    "empty objects": [{}] * 55_000,
    "empty lists": [[]] * 55_000,
    "some members": {f"m{n}": n for n in range(8_000)},
    "members": {f"m{n}": n for n in range(29_000)},
    "many members": {f"m{n}": n for n in range(120_000)},
    "nested lists": deep(450, as_object=False),
    "nested objects": deep(450, as_object=True),
}


def repeated(piece: str, size: int = LARGEST) -> str:
    return piece * (size // max(len(piece.encode()), len(json.dumps(piece)) - 2))


@st.composite
def documents(draw: st.DrawFn) -> Sent:
    """Draw a JSON document of which one place is filled, or has many copies of what stood there."""
    method, path, media_type, document = draw(st.sampled_from(DOCUMENTS))
    at = draw(st.sampled_from([*places(document)]))
    old: JsonValue = document
    for step in at:
        old = old[step]  # type: ignore[index]  # a path of this document
    long = st.builds(repeated, st.sampled_from(PIECES), st.sampled_from([49_000, LARGEST]))
    filling = draw(
        st.one_of(st.sampled_from([*FILLINGS.values()]), long, st.just([old] * (200_000 // len(str(old)))))
    )
    return Sent(
        method, path, media_type, json.dumps(filled(document, at, filling), ensure_ascii=False).encode()
    )


@st.composite
def pages(draw: st.DrawFn) -> Sent:
    """Draw a page, or the dump of one, with a long run of something in one place, and maybe
    another charset.
    """
    piece, size = (
        draw(st.sampled_from(PIECES + MARKUP)),
        draw(st.sampled_from([60_000, LARGEST if LONG else 150_000])),
    )
    kind, form = draw(st.sampled_from([("text/html", PAGE), ("text/plain", DUMP)]))
    place = draw(st.integers(0, 5))
    run = repeated(piece + draw(st.sampled_from(["", "\n"])), size)
    text = form.format(*(run if n == place or kind == "text/plain" else "" for n in range(6)))
    charset = draw(st.sampled_from(("", *CHARSETS)))
    media_type = f"{kind}; charset={charset}" if charset else kind
    return Sent("POST", "/v1/imports?fetch_images=false", media_type, text.encode()[:LARGEST])


@st.composite
def lines(draw: st.DrawFn) -> Sent:
    """Draw many items of one kind, as lines or as an array."""
    line = draw(
        st.sampled_from(
            [
                '{"source":"s","external_id":"1","headline":"h"}',
                "[]",
                "{}",
                "1",
                "{",
                "",
                '{"u":1}',
                "[[],[]]",
            ]
        )
    )
    media_type = draw(st.sampled_from([LINES, JSON]))
    size = draw(st.sampled_from([4_000, 60_000]))
    many = [line] * (size // (len(line) + 1))
    text = "\n".join(many) if media_type == LINES else f"[{','.join(many)}]"
    return Sent("POST", "/v1/articles/bulk", media_type, text.encode())
