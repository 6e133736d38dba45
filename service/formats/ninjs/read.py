"""A ninjs 3.1 object read into what this store keeps of it. Objects of any sender are taken; what is too long
is cut, what is not said is left to the store.
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

import langcodes
from pydantic import TypeAdapter, ValidationError

from service.articles.body import Heading, Paragraph, Quote
from service.articles.inline import plain
from service.articles.models import Slug
from service.formats.ninjs.markup import CONTROL, Found, Shown, from_html, from_text
from service.formats.ninjs.models import Association, NewsObject, Ninjs
from service.formats.ninjs.parts import Body, Person, PubStatus, Rendition
from service.formats.ninjs.write import LEAD
from service.newspages import Dropped, NotAnArticle
from service.tables import WebAddress, now

_SLUG: TypeAdapter[str] = TypeAdapter(Slug)
_WEB: TypeAdapter[str] = TypeAdapter(WebAddress)
_LONGEST_BEGINNING = 100
_MAIN_PICTURES = {LEAD, "featuremedia", "featured", "main", "mainpicture"}


@dataclass(frozen=True, slots=True)
class NinjsItem:
    """An article as a ninjs object describes it."""

    article_id: UUID | None
    status: PubStatus
    reason: str | None
    content: dict[str, object]
    """The members of an article but for its body and lead picture, and only those that are said."""
    blocks: list[Found]
    pictures: dict[str, Association]
    """By the names under which blocks show them."""
    lead: str | None
    corrections: list[str]
    dropped: tuple[Dropped, ...] = ()

    def addresses(self) -> list[str]:
        """Return the addresses of the article's picture files."""
        return [address for each in self.pictures.values() if (address := file_address(each))]


def read(ninjs: Ninjs) -> NinjsItem:
    """Read an object. Raises NotAnArticle for events and plannings, and when it has no words at all and is
    not about one that is known already.
    """
    status: PubStatus = ninjs.pub_status or "usable"
    article_id = urn_id(ninjs.uri)
    content = {name: value for name, value in _content(ninjs, article_id).items() if value not in (None, [])}
    if ninjs.type in ("event", "planning"):
        raise NotAnArticle("Events and plannings are not articles.")
    blocks = _blocks(ninjs)
    if "headline" not in content and status != "canceled":
        content["headline"] = _first_words(ninjs, blocks)
    pictures = {each.name: each for each in ninjs.associations or [] if _is_picture(each)}
    blocks, lead = _placed(blocks, pictures)
    corrections = [
        text_of(each.value) or "" for each in ninjs.descriptions or [] if each.role == "correction"
    ]
    return NinjsItem(
        article_id,
        status,
        text_of(ninjs.ed_note),
        content,
        blocks,
        pictures,
        lead,
        [each for each in corrections if each],
    )


def _first_words(ninjs: Ninjs, blocks: list[Found]) -> str:
    """Return how the text begins, for an item without a headline, title or slugline."""
    texts = [plain(block.html) for block in blocks if isinstance(block, Paragraph | Heading | Quote)]
    texts += [each.value for each in ninjs.descriptions or []]
    first = next(filter(None, map(line, texts)), None)
    if first is None:
        raise NotAnArticle("The ninjs object has no headline, and no text from which to take one.")
    return first if len(first) <= _LONGEST_BEGINNING else first[:_LONGEST_BEGINNING].rsplit(" ", 1)[0] + "…"


def urn_id(uri: str) -> UUID | None:
    """Return the id in a `urn:uuid:`."""
    try:
        return UUID(uri.removeprefix("urn:uuid:")) if uri.startswith("urn:uuid:") else None
    except ValueError:
        return None


def description(said: NewsObject, role: str) -> str | None:
    """Return the description in a role; case and separators make no difference."""
    wanted = role.lower()
    found = (
        each.value
        for each in said.descriptions or []
        if re.sub(r"[\W_]", "", (each.role or "").lower()) == wanted
    )
    return text_of(next(found, None))


def alternative(said: NewsObject, role: str) -> str | None:
    """Return the alternative id in a role."""
    return next((each.value for each in said.alt_ids or [] if each.role == role and each.value), None)


def source_of(said: NewsObject) -> str | None:
    """Return the name of the source that owns the content."""
    return line(
        next((each.name for each in said.info_sources or [] if each.role == "source" and each.name), None)
    )


def line(value: str | None) -> str | None:
    """Text of one line that the store takes, or None when nothing is left."""
    return re.sub(r"\s*[\n\t]\s*", " ", CONTROL.sub("", value or "")).strip()[:500].strip() or None


def text_of(value: str | None) -> str | None:
    """Text that the store takes, or None when nothing is left."""
    return (
        CONTROL.sub("", (value or "").replace("\r\n", "\n").replace("\r", "\n")).strip()[:20_000].strip()
        or None
    )


def web_address(value: str | None) -> str | None:
    """Return an address that the store takes, or None."""
    try:
        return None if value is None else _WEB.validate_python(value)
    except ValidationError:
        return None


def file_address(picture: Association) -> str | None:
    """Return the address of a picture's best file: the original, or the largest."""
    files = [each for each in picture.renditions or [] if web_address(each.href)]
    best = max(files, key=lambda each: (_is_original(each), each.width or 0), default=None)
    return best.href if best else None


def language_of(value: str | None) -> str | None:
    """Return a language that the store takes, in its canonical form, or None."""
    return (
        langcodes.standardize_tag(value)
        if value and len(value) <= 35 and langcodes.tag_is_valid(value)
        else None
    )


def _is_original(file: Rendition) -> bool:
    return file.name.lower() in {"original", "originalimage", "main"}


def _content(ninjs: Ninjs, article_id: UUID | None) -> dict[str, object]:
    headline = next((each for each in ninjs.headlines or [] if each.value.strip()), None)
    words = (
        ninjs.title or ninjs.slugline if headline is None else _plain(headline.value, headline.content_type)
    )
    source, external_id = _identity(ninjs, article_id)
    subjects = [(each.rel, line(each.name)) for each in ninjs.subjects or [] if each.name]
    section = next((name for rel, name in subjects if rel == "section"), None)
    return {
        "headline": line(words),
        "summary": description(ninjs, "summary") or _unnamed(ninjs),
        "byline": line(ninjs.by),
        "authors": [
            _author(each.name, _web_of(each))
            for each in ninjs.people or []
            if each.rel == "author" and line(each.name)
        ][:50],
        "dateline": line(ninjs.located),
        "section": section,
        "tags": list(dict.fromkeys(name for rel, name in subjects if rel != "section" and name))[:100],
        "language": language_of(ninjs.language),
        "credit_line": line(description(ninjs, "creditline") or _credit(ninjs)),
        "source": source,
        "external_id": external_id,
        "canonical_url": web_address(alternative(ninjs, "canonicalUrl")),
        "embargoed_until": ninjs.embargoed_until,
        "published_at": _published_at(ninjs),
        "usage_terms": text_of(ninjs.usage_terms),
        "copyright_notice": text_of(ninjs.copyright_notice),
        "edition_note": text_of(ninjs.ed_note),
        "slug": _slug(alternative(ninjs, "slug")),
    }


def _identity(ninjs: Ninjs, article_id: UUID | None) -> tuple[str | None, str | None]:
    """Source and external id: as they are said, or who is named in the URI, and the URI."""
    source, external_id = source_of(ninjs), line(alternative(ninjs, "externalId"))
    if external_id is not None or article_id is not None:
        return source, external_id
    parts = urlsplit(ninjs.uri)
    named = parts.hostname or next((part for part in re.split(r"[:,/]", parts.path) if "." in part), None)
    return source or line(named) or "ninjs", ninjs.uri[:500]


def _author(name: str | None, url: str | None) -> dict[str, str | None]:
    return {"name": line(name), "url": url}


def _web_of(person: Person) -> str | None:
    return next(
        (
            found
            for each in person.contact_info or []
            if each.type == "web" and (found := web_address(each.value))
        ),
        None,
    )


def _credit(ninjs: Ninjs) -> str | None:
    names = [each.name for each in ninjs.info_sources or [] if each.role == "input" and each.name]
    return f"With input from {', '.join(names)}" if names else None


def _unnamed(ninjs: Ninjs) -> str | None:
    """Return the description without a role, which is taken for the summary."""
    return text_of(next((each.value for each in ninjs.descriptions or [] if each.role is None), None))


def _published_at(ninjs: Ninjs) -> datetime | None:
    """Return when the content was made; for published content also when its first version was."""
    first = ninjs.first_created if ninjs.pub_status != "withheld" else None
    at = ninjs.content_created or first
    return at if at is not None and at <= now() else None


def _slug(value: str | None) -> str | None:
    try:
        return None if value is None else _SLUG.validate_python(value)
    except ValidationError:
        return None


def _plain(value: str, content_type: str | None) -> str:
    return plain(value) if content_type == "text/html" else value


def _is_picture(each: Association) -> bool:
    if each.type is not None:
        return each.type in ("picture", "graphic")
    return any((file.content_type or "").startswith("image/") for file in each.renditions or [])


def _blocks(ninjs: Ninjs) -> list[Found]:
    body = next((each for each in ninjs.bodies or [] if _is_html(each)), None)
    if body is not None:
        return from_html(body.value)
    return from_text(ninjs.bodies[0].value) if ninjs.bodies else []


def _is_html(body: Body) -> bool:
    if body.content_type is None:
        return re.search(r"</?(?:p|div|h[1-6]|br)\b", body.value[:10_000]) is not None
    return body.content_type.partition(";")[0].strip() in ("text/html", "application/xhtml+xml")


def _placed(blocks: list[Found], pictures: dict[str, Association]) -> tuple[list[Found], str | None]:
    """Return every picture in its place: those that the body shows there, one that leads, and the rest at the
    end.
    """
    shown = [_known(block, pictures) if isinstance(block, Shown) else block for block in blocks]
    # The words of a picture that the object does not bring along are text.
    placed: list[Found] = []
    for block in shown:
        placed += block.words() if isinstance(block, Shown) and block.name is None else [block]
    named = {block.name for block in placed if isinstance(block, Shown)}
    waiting = [name for name in pictures if name not in named]
    lead = next(
        (name for name, each in pictures.items() if (each.rel or name).lower() in _MAIN_PICTURES),
        next(iter(waiting), None),
    )
    return [*placed, *(Shown(name) for name in waiting if name != lead)], lead


def _known(block: Shown, pictures: dict[str, Association]) -> Shown:
    """Return the association that a figure shows, by its name or by the address of one of its files."""
    if block.name in pictures:
        return block
    files = {
        file.href: name for name, each in pictures.items() for file in each.renditions or [] if file.href
    }
    return replace(block, name=files.get(block.address or ""))
