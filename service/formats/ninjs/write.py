"""An article as a ninjs 3.1 object, with its pictures as associations. docs/partners/ninjs.md lists what
ninjs cannot say.
"""

import re
from collections.abc import Iterator
from uuid import UUID

from service.articles.addresses import as_uri
from service.articles.body import ResolvedImage, as_text
from service.articles.models import ArticleRead, Status
from service.formats.addresses import with_whole_addresses
from service.formats.ninjs.markup import to_html
from service.formats.ninjs.models import Association, Ninjs
from service.formats.ninjs.parts import (
    AltId,
    Body,
    ContactInfo,
    InfoSource,
    Person,
    PubStatus,
    Rendition,
    Standard,
    Subject,
    Words,
)
from service.images.models import EffectiveCaption, Picture
from service.images.models import Rendition as File
from service.published import documents
from service.published.answers import Row
from service.settings import Settings

STANDARD = Standard(
    name="ninjs", version="3.1", schema_="http://www.iptc.org/std/ninjs/ninjs-schema_3.1.json#"
)
LEAD = "lead"
_SUPPLIED = re.compile(
    r"^\W*with (?:\w+ )?(?:inputs?|reporting|contributions?|files?|material) (?:from|by)\s+", re.IGNORECASE
)
_BETWEEN = re.compile(r"\s*(?:[,;]| and | & )\s*")
_STATUS: dict[str, PubStatus] = {Status.PUBLISHED: "usable", Status.WITHDRAWN: "canceled"}


def write(document: bytes, settings: Settings) -> bytes:
    """Return an article's document as ninjs."""
    article = with_whole_addresses(settings, documents.read(ArticleRead, document))
    return as_ninjs(article).model_dump_json(exclude_none=True).encode()


def bury(row: Row, settings: Settings) -> bytes:
    """Return the ninjs of a withdrawn article, with the reason."""
    said = Ninjs(
        uri=row.id.urn,
        type="text",
        representation_type="partial",
        version=str(row.version),
        pub_status="canceled",
        ed_note=row.detail,
        standard=STANDARD,
    )
    return said.model_dump_json(exclude_none=True).encode()


def as_ninjs(article: ArticleRead) -> Ninjs:
    """Return the whole object. Held back articles are `withheld`, killed ones `canceled`."""
    pictures = _Pictures(article)
    text = as_text([block for block in article.body if not isinstance(block, ResolvedImage)])
    markup = to_html(article.body, pictures.name)
    return Ninjs(
        uri=article.id.urn,
        standard=STANDARD,
        type="text",
        representation_type="full",
        version=str(article.version),
        first_created=article.created_at,
        version_created=article.updated_at,
        content_created=article.published_at,
        embargoed_until=article.embargoed_until,
        pub_status=_STATUS.get(article.status, "withheld"),
        copyright_notice=article.copyright_notice,
        usage_terms=article.usage_terms,
        ed_note=article.edition_note,
        language=article.language,
        headlines=[Words(value=article.headline)],
        descriptions=list(_descriptions(article)) or None,
        bodies=[
            Body(content_type="text/html", char_count=len(text), word_count=len(text.split()), value=markup)
        ],
        people=[_person(author.name, author.url) for author in article.authors] or None,
        subjects=list(_subjects(article)) or None,
        info_sources=list(_sources(article)) or None,
        by=article.byline,
        located=article.dateline,
        associations=pictures.associations or None,
        alt_ids=list(_ids(article)),
    )


def _descriptions(article: ArticleRead) -> Iterator[Words]:
    if article.summary:
        yield Words(role="summary", content_type="text/plain", value=article.summary)
    if article.credit_line:
        yield Words(role="creditline", value=article.credit_line)
    for correction in article.corrections:
        yield Words(role="correction", value=correction.text)


def _person(name: str, url: str | None) -> Person:
    return Person(name=name, rel="author", contact_info=[ContactInfo(type="web", value=url)] if url else None)


def _subjects(article: ArticleRead) -> Iterator[Subject]:
    if article.section:
        yield Subject(name=article.section, rel="section")
    for tag in article.tags:
        yield Subject(name=tag, rel="tag")


def _sources(article: ArticleRead) -> Iterator[InfoSource]:
    if article.source:
        yield InfoSource(name=article.source, role="source")
    for name in supplied_by(article.credit_line or ""):
        yield InfoSource(name=name, role="input")


def supplied_by(credit_line: str) -> list[str]:
    """Return the names in `With input from Reuters and AFP`; a line of another kind is one name, whole."""
    names, found = _SUPPLIED.subn("", credit_line.strip(" ()（）"))
    return [name for name in (_BETWEEN.split(names) if found else [names]) if name]


def _ids(article: ArticleRead) -> Iterator[AltId]:
    yield AltId(role="slug", value=article.slug)
    if article.external_id:
        yield AltId(role="externalId", value=article.external_id)
    if article.canonical_url:
        yield AltId(role="canonicalUrl", value=article.canonical_url)


class _Pictures:
    """The associations of an article: one for each picture and the caption that it has there."""

    def __init__(self, article: ArticleRead) -> None:
        self.associations: list[Association] = []
        self._names: dict[tuple[UUID, UUID | None], str] = {}
        lead = article.lead_image
        if lead is not None:
            self._add(lead, lead.caption, LEAD, LEAD)
        for block in article.body:
            if (
                isinstance(block, ResolvedImage)
                and block.image is not None
                and _key(block.image, block.caption) not in self._names
            ):
                self._add(block.image, block.caption, f"picture-{len(self.associations) + 1}", "body")

    def name(self, block: ResolvedImage) -> str:
        """Return the name of the association that a block shows."""
        assert block.image is not None
        return self._names[_key(block.image, block.caption)]

    def _add(self, image: Picture, caption: EffectiveCaption | None, name: str, rel: str) -> None:
        self._names[_key(image, caption)] = name
        self.associations.append(_association(image, caption, name, rel))


def _key(image: Picture, caption: EffectiveCaption | None) -> tuple[UUID, UUID | None]:
    return image.id, caption.id if caption else None


def _association(image: Picture, caption: EffectiveCaption | None, name: str, rel: str) -> Association:
    said = (
        ("altText", caption.alt_text if caption else None),
        ("caption", caption.text if caption else None),
        ("creditline", image.credit_line),
    )
    return Association(
        name=name,
        rel=rel,
        uri=image.id.urn,
        type="picture",
        content_created=image.taken_at,
        copyright_notice=image.copyright_notice,
        usage_terms=image.usage_terms,
        language=caption.language if caption else None,
        descriptions=[Words(role=role, value=value) for role, value in said if value] or None,
        info_sources=[InfoSource(name=image.source, role="source")] if image.source else None,
        renditions=[_rendition(file) for file in image.renditions] or None,
    )


def _rendition(file: File) -> Rendition:
    return Rendition(
        name=file.name,
        href=as_uri(file.href),
        content_type=file.content_type,
        width=file.width,
        height=file.height,
    )
