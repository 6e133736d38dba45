"""An array of any length is cut into its items wherever its bytes are cut, and no item costs more than a body of
its own.
"""

import json
import tracemalloc
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as some

from service.bulk.cutting import Cutter
from service.errors import BadRequest
from tests.articles.newsroom import mark
from tests.formats.test_bulk import PATH, item

JSON = {"Content-Type": "application/json"}
LARGEST = 10_000
TEXTS = some.text(some.sampled_from('ab "\\[]{},:é\n'), max_size=12)
VALUES = some.recursive(
    some.none() | some.booleans() | some.integers() | TEXTS,
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


def _cut(text: bytes, pieces: int) -> list[Any]:
    cutter, found = Cutter(LARGEST), list[bytes | None]()
    for at in range(0, len(text), pieces):
        found += cutter.cut(text[at : at + pieces])
    found += cutter.end()
    return [None if each is None else json.loads(each) for each in found]


@given(some.lists(VALUES, max_size=5), some.integers(1, 9), some.sampled_from([None, 1]))
def test_items_are_cut_out_as_they_are(items: list[Any], pieces: int, indent: int | None) -> None:
    assert _cut(json.dumps(items, indent=indent, ensure_ascii=False).encode(), pieces) == items


@given(some.lists(VALUES, max_size=5), some.integers(1, 9), some.data())
def test_an_array_that_breaks_off_is_told_apart(items: list[Any], pieces: int, data: some.DataObject) -> None:
    text = json.dumps(items).encode()
    kept = data.draw(some.integers(0, len(text) - 1))
    with pytest.raises(BadRequest):
        _cut(text[:kept], pieces)


@pytest.mark.parametrize("text", [b"[1]]", b"[1] x", b"[1}", b"{}", b"[[]", b" "])
def test_what_is_no_array_is_told_apart(text: bytes) -> None:
    with pytest.raises(BadRequest):
        _cut(text, 1)


def test_an_item_that_is_too_large_is_not_held() -> None:
    huge = b'"' + b"x" * LARGEST + b'"'
    assert _cut(b"[1," + huge + b",2," + huge + b"]", 100) == [1, None, 2, None]


@pytest.mark.slow
@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_nesting_costs_no_memory(editor: httpx.Client, opening: bytes) -> None:
    tracemalloc.start()
    try:
        response = editor.post(PATH, content=b"[" + opening * 10_000, headers=JSON)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (response.status_code, response.json()["type"]) == (400, "/problems/broken-stream")
    assert peak < 20_000_000


@pytest.mark.parametrize(
    "bad",
    [
        b'{"headline":"x","body":' + b"[" * 900 + b"]" * 900 + b"}",
        orjson.dumps({f"no_member_{n}": n for n in range(2_000)}),
        orjson.dumps({"headline": "x", "tags": [[0, 0]] * 80_000}),
        b'{"headline":"x","headline":"y"}',
        b'{"headline":"\\ud800"}',
        b"1",
    ],
    ids=["deep", "many members", "many values", "twice", "half a pair", "a number"],
)
def test_an_item_that_is_refused_spoils_no_other(editor: httpx.Client, bad: bytes) -> None:
    name = mark()
    good = orjson.dumps(item(name))
    response = editor.post(PATH, content=b"[" + bad + b"," + good + b"]", headers=JSON)
    first, second = response.json()["items"]
    assert first["status"] in (400, 422)
    assert (second["status"], second["external_id"]) == (201, name)
