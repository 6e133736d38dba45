"""No page is a fault of the service, however wrong its facts and its markup are: it becomes an article or is
refused.
"""

import json
import re

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from service.newspages.jsonld import Json

_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(
        [
            "2025-02-30T99:00",
            "http://[::1",
            "https://a:b@news.example/",
            "mailto:x@news.example",
            "\ud800",
            "\x00",
            "x" * 30_000,
        ]
    )
)
_ANY: st.SearchStrategy[Json] = st.recursive(
    _LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["@id", "@list", "@value", "name", "url", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)
_MEMBERS = (
    "@type",
    "@id",
    "headline",
    "author",
    "datePublished",
    "dateModified",
    "image",
    "inLanguage",
    "keywords",
    "publisher",
    "articleSection",
    "url",
)
_TAGS = re.compile(r"<[^<>]+>")
_SENTENCES = "".join(
    f"<p>The {name} of the harbour was painted green this spring, as the council had promised.</p>"
    for name in ("crane", "pier", "gate")
)
_BODY = (
    "<main><article><h1>The harbour turns green</h1><p class='byline'>By Ann Lee and Bo Ek</p><time datetime='{0}'>3 May 2025</time>"
    "<figure><img src='{0}' alt='{0}' width='{0}'><figcaption>{0} The green crane. Photo: Bo Ek</figcaption></figure>"
    "<div class='{0}'>"
    + _SENTENCES
    + "<ul><li><a href='{0}'>A list</a></li></ul><blockquote>{0}</blockquote></div></article></main>"
)


@pytest.mark.slow
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    facts=st.dictionaries(st.sampled_from(_MEMBERS), _ANY, max_size=6),
    said=st.text(max_size=30)
    | st.sampled_from(
        ["http://[", "//", "x" * 3000, "mailto:a@b.example", "https://a:b@c.example/d.jpg", "\x00", "0", "-1"]
    ),
    without=st.sets(st.integers(0, 60), max_size=12),
    cut=st.none() | st.integers(0, 3000),
)
@example(
    facts={"@type": "NewsArticle", "author": 5, "image": {"url": 3}, "datePublished": []},
    said="x" * 3000,
    without=set(),
    cut=None,
)
def test_any_facts_and_broken_markup_are_an_article_or_are_refused(
    editor: httpx.Client, facts: dict[str, Json], said: str, without: set[int], cut: int | None
) -> None:
    quoted = said.replace("'", "&#39;").replace("<", "&lt;")
    stated = json.dumps({"@type": "NewsArticle", **facts})
    page = f"<html><head><script type='application/ld+json'>{stated}</script></head><body>{_BODY.format(quoted)}</body></html>"
    place = iter(range(len(page)))
    broken = _TAGS.sub(lambda tag: "" if next(place) in without else tag[0], page)[:cut]
    answer = editor.post(
        "/v1/imports?url=https://news.example/harbour&fetch_images=false",
        content=broken.encode("utf-8", "surrogatepass"),
        headers={"Content-Type": "text/html"},
    )
    assert answer.status_code in (200, 201, 422), answer.text


@pytest.mark.slow
def test_a_list_longer_than_the_store_holds_goes_on_in_another(editor: httpx.Client) -> None:
    entries = "".join(
        f"<li>Entry {number} of a long list of things that were painted green.</li>" for number in range(600)
    )
    page = f"<main><h1>The harbour turns green</h1><article>{_SENTENCES}<ol>{entries}</ol>{_SENTENCES.replace('green', 'blue')}</article></main>"
    answer = editor.post(
        "/v1/imports?fetch_images=false", content=page.encode(), headers={"Content-Type": "text/html"}
    )
    assert answer.status_code == 201
    assert [len(block["items"]) for block in answer.json()["body"] if block["type"] == "list"] == [500, 100]


def test_an_address_longer_than_any_is_left_out_and_the_article_stays(editor: httpx.Client) -> None:
    long = "/" + "a" * 3000
    page = f"<main><h1>The harbour turns green</h1><article>{_SENTENCES}<p><img src='{long}.jpg'>See <a href='{long}'>the list</a> of it all.</p></article></main>"
    answer = editor.post(
        "/v1/imports?url=https://news.example/green&fetch_images=false",
        content=page.encode(),
        headers={"Content-Type": "text/html"},
    )
    assert answer.status_code == 201
    assert "aaaa" not in answer.text
