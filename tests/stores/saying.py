"""What an answer says: the part of its content that every later version must say too.

The API's own JSON is kept member by member. A page, a feed or another's format is searched for texts of the
store: headlines, paragraphs, captions, credits.
"""

import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping

import httpx
from pydantic import JsonValue

from tests.stores.manifest import Answer

OWN = re.compile(r"/v1/(?!.*[?&]format=)")
CHANGES = {
    "next": "a cursor",
    "cursor": "a cursor",
    "renditions": "each version lists the sizes that it makes; kept addresses of files are asked for by themselves",
    "digest": "readers need not be told the digest of the original",
    "source_url": "readers need not be told where a picture came from",
    "body_html": "its text is searched for, as a page is",
    "body_text": "its text is searched for, as a page is",
}
"""Members of the API's own JSON that a later version may answer otherwise, and why."""
OF_ITS_OWN = {
    "image": frozenset(
        "content_type size external_id metadata captions version created_at updated_at".split()
    ),
    "caption": frozenset("image_id article_id source version created_at updated_at".split()),
}
OF_ITS_OWN["lead_image"] = OF_ITS_OWN["image"]
"""Members that an article need not repeat of what it shows: the picture or caption has an address of its own.
"""
LIST_OF_ARTICLES = re.compile(r"(/v1/articles)(?:\?(?!.*status=)(.*))?")
TELLING = frozenset(
    "headline summary byline dateline section credit_line copyright_notice text alt_text cite html name edition_note".split()
)
"""Members whose values readers see."""
MOST_TOLD = 40
_TAG = re.compile(r"<[^>]*>")
_VALUE = re.compile(r'="([^"]*)"')


def kept(response: httpx.Response, texts: Iterable[str]) -> Answer:
    """Return what of an answer is kept in a manifest."""
    return Answer(
        status=response.status_code,
        location=response.headers.get("location"),
        says=_content(response, texts) if response.content else None,
    )


def losses(client: httpx.Client, answers: Mapping[str, Answer]) -> list[str]:
    """Return what the answers of today say no more, with their addresses: the first of it."""
    found = [
        f"{address}: {fault}"
        for address, old in answers.items()
        for fault in missing(old, client.get(asked_now(address, client)))
    ]
    return found[:MOST_TOLD]


def asked_now(address: str, client: httpx.Client) -> str:
    """Return how today's clients ask for what an address gave: a token sees in lists what readers see by
    default.
    """
    found = LIST_OF_ARTICLES.fullmatch(address)
    if found is None or "authorization" not in client.headers:
        return address
    return f"{found[1]}?view=staff&{found[2] or ''}"


def missing(old: Answer, response: httpx.Response) -> list[str]:
    """Return what an answer does not say any more, each with its place."""
    found = []
    if (old.status, old.location) != (response.status_code, response.headers.get("location")):
        found.append(
            f"it was {old.status} {old.location}, and is {response.status_code} {response.text[:200]}"
        )
    elif _is_own(response):
        found += lacks(_members(response.json()), _members(old.says))
    elif isinstance(old.says, list):
        said = words(response.text)
        found += [f"it does not say {text!r}" for text in old.says if str(text) not in said]
    return found


def telling(document: JsonValue) -> Iterator[str]:
    """Yield the texts of a document that readers see, as plain text."""
    if isinstance(document, dict):
        for name, value in document.items():
            if isinstance(value, str) and name in TELLING:
                yield _plain(html.unescape(value))
            elif name not in CHANGES:
                yield from telling(value)
    elif isinstance(document, list):
        for value in document:
            yield from telling(value)


def words(text: str) -> str:
    """Return all text of a page, a feed or JSON, attributes too, without markup and with single spaces."""
    if text.startswith(("{", "[")):
        text = " ".join(_strings(json.loads(text)))
    markup = html.unescape(text)
    values = " ".join(_VALUE.findall(markup))
    return f"{_plain(markup)} {_plain(values)}"


def _plain(markup: str) -> str:
    return " ".join(html.unescape(_TAG.sub("", markup)).split())


def _strings(value: JsonValue) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _strings(each)


def _is_own(response: httpx.Response) -> bool:
    is_json = response.headers.get("content-type", "").startswith("application/json")
    return is_json and OWN.match(response.request.url.raw_path.decode()) is not None


def _content(response: httpx.Response, texts: Iterable[str]) -> JsonValue:
    if _is_own(response):
        return _members(response.json())
    said = words(response.text)
    return sorted({text for text in texts if text in said})


def _members(document: JsonValue) -> JsonValue:
    """Return the members that stay. Of a list the ids of its items stay: whether a list shows whole items is
    the version's own.
    """
    if not isinstance(document, dict):
        return document
    if isinstance(items := document.get("items"), list):
        return [_name(item) for item in items]
    is_image = "focal_point" in document
    return {
        name: [_members(each) for each in value] if isinstance(value, list) else _part(name, value)
        for name, value in document.items()
        if name not in CHANGES and not (is_image and name == "external_id")
    }


def _part(name: str, value: JsonValue) -> JsonValue:
    said = _members(value)
    if not isinstance(said, dict):
        return said
    return {member: each for member, each in said.items() if member not in OF_ITS_OWN.get(name, ())}


def _name(item: JsonValue) -> JsonValue:
    if not isinstance(item, dict):
        return item
    for name in ("id", "event_id", "article_id"):
        if name in item:
            return item[name]
    return {name: item[name] for name in ("notice_key", "version", "day", "changed_at") if name in item}


def lacks(new: JsonValue, old: JsonValue, place: str = "") -> Iterator[str]:
    """Yield what a document says no more, each with its place; what it says besides is welcome."""
    if old is None:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for name, value in old.items():
            if name in new:
                yield from lacks(new[name], value, f"{place}/{name}")
            else:
                yield f"{place}/{name} is gone"
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for number, (after, before) in enumerate(zip(new, old, strict=True)):
            yield from lacks(after, before, f"{place}/{number}")
    elif old != new:
        yield f"{place or '/'} was {str(old)[:120]}, and is {str(new)[:120]}"
