"""Short keys by which caches in front of this service drop answers: what an answer depends on, and what a change
concerns.

An answer names keys; a change names keys; a cache drops each answer that shares one. A list names the sections or
languages that it is narrowed to, so that changes elsewhere leave it alone; any other list names all of its kind.
"""

import hashlib
from collections.abc import Iterable, Sequence
from uuid import UUID

from fastapi import Request

from service.published.models import Kind
from service.settings import Settings
from service.tables import ANY_LANGUAGE

KEYS = "copydesk.keys"
"""Where in an ASGI scope an endpoint names keys in place of those of its dependencies."""
Place = tuple[str | None, str | None]
"""A section and a language, each of which a resource may lack."""


def of_dependency(name: str) -> str:
    """Return the key of what the wire cache knows as `article:*` or `article:<id in hex>`."""
    kind, _, id_ = name.partition(":")
    return f"{kind}s" if id_ == "*" else f"{kind[0]}-{id_[-16:]}"


def of_list(kind: Kind, sections: Sequence[str], languages: Sequence[str]) -> list[str]:
    """Return the keys of a list that is narrowed to these sections, or else to these languages."""
    if sections:
        return [_of_section(section) for section in sections]
    if languages and ANY_LANGUAGE not in languages:
        return [_of_language(language) for language in languages]
    return [f"{kind.value}s"]


def of_change(kind: str, id_: UUID, places: Iterable[Place]) -> list[str]:
    """Return the keys of all answers that a change concerns; `places` are where the resource is and where it was."""
    found = {of_dependency(f"{kind}:{id_.hex}"), f"{kind}s"}
    for section, language in places if kind == Kind.ARTICLE else ():
        if section:
            found.add(_of_section(section))
        parts = (language or "").split("-")
        found |= {_of_language("-".join(parts[: count + 1])) for count in range(len(parts)) if language}
    return sorted(found)


def _of_section(section: str) -> str:
    return f"s-{hashlib.blake2b(section.encode(), digest_size=6).hexdigest()}"


def _of_language(language: str) -> str:
    return f"l-{language.lower()}"


def name(request: Request, keys: Iterable[str]) -> None:
    """Let this request's answer name these keys, and not those of its dependencies."""
    request.scope[KEYS] = tuple(keys)


def header(settings: Settings, keys: Iterable[str]) -> list[tuple[bytes, bytes]]:
    """Return the header that names keys to the cache that the settings name; none without one."""
    if settings.cache_keys == "off":
        return []
    separator = b"," if settings.cache_keys == "cache-tag" else b" "
    return [(settings.cache_keys.encode(), separator.join(key.encode() for key in sorted(set(keys))))]
