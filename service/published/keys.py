"""Short keys by which caches in front of this service drop answers: what an answer depends on, and what a
change concerns.

An answer names keys; a change names keys; a cache drops each answer that shares one. A list names the
articles that it shows, and what it is narrowed to: a tag, an author, a section or a language. A change of an
article names the article, and, if the article has joined or left lists or moved in them (`moves.py`), what
those are narrowed to. Therefore a changed headline empties the lists that show it and leaves the others
alone.
"""

import hashlib
from collections.abc import Iterable, Sequence
from uuid import UUID

from fastapi import Request

from service.published.models import NameField
from service.settings import Settings

KEYS = "copydesk.keys"
"""The place in an ASGI scope in which an endpoint names keys instead of those of its dependencies."""
EVERYTHING = "copydesk"
"""The key of every answer that names any."""
LISTED = "listing"
"""The key of lists that are narrowed to nothing which has a key of its own: any article that joins, leaves or
moves.
"""
MOST_NAMED = 200
"""Keys of one answer. A header of 4 kB holds them, which every cache takes."""
_LETTERS = {NameField.SECTION: "s", NameField.TAG: "t", NameField.AUTHOR: "b"}


def of_dependency(name: str) -> str:
    """Return the key of what the wire cache knows as `article:*` or `article:<id in hex>`."""
    kind, _, id_ = name.partition(":")
    return f"{kind}s" if id_ == "*" else f"{kind[0]}-{id_[-16:]}"


def of_resource(kind: str, id_: UUID) -> str:
    """Return the key of one resource."""
    return of_dependency(f"{kind}:{id_.hex}")


def of_name(field: NameField, value: str) -> str:
    """Return the key of lists that are narrowed to a section, tag or author."""
    return f"{_LETTERS[field]}-{hashlib.blake2b(value.encode(), digest_size=6).hexdigest()}"


def of_language(language: str) -> str:
    """Return the key of lists that are narrowed to a language range."""
    return f"l-{language.lower()}"


def of_page(kind: str, lists: Iterable[str], shown: Iterable[UUID]) -> list[str]:
    """Return the keys of a page: those of the lists that it is a page of, and of what it shows. Of more than
    an answer names, only the key of everything of its kind is left.
    """
    found = [*lists, *(of_resource(kind, id_) for id_ in shown)]
    return found if len(found) < MOST_NAMED else [f"{kind}s"]


def of_change(kind: str, id_: UUID, moved: Iterable[str]) -> list[str]:
    """Return the keys of all answers that a change concerns; `moved` are those of the lists that
    it alters.
    """
    return sorted({of_resource(kind, id_), f"{kind}s", *moved})


def name(request: Request, keys: Iterable[str]) -> None:
    """Let this request's answer name these keys, and not those of its dependencies."""
    request.scope[KEYS] = tuple(keys)


def header(settings: Settings, keys: Sequence[str]) -> list[tuple[bytes, bytes]]:
    """Return the header that names keys to the cache that the settings name; none without one."""
    if settings.cache_keys == "off":
        return []
    separator = b"," if settings.cache_keys == "cache-tag" else b" "
    return [
        (settings.cache_keys.encode(), separator.join(key.encode() for key in sorted({EVERYTHING, *keys})))
    ]
