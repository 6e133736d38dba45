"""Read one item of a bulk import: an article, with pictures that may be inline in it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, TypeVar, cast
from uuid import UUID

from pydantic import Field, JsonValue, ValidationError
from sqlmodel import col, select

from service.articles.claims import pair_of
from service.articles.models import ArticleWrite
from service.database import Session
from service.errors import FieldProblem, ServiceError, Unprocessable, errors_of
from service.http.bodies import bound
from service.http.problems import pointer_to
from service.images.claims import Pair, by_source
from service.images.models import FocalPoint, Image
from service.tables import Language, Line, Shape, Text, WebAddress, composed, new_id

Name = tuple[str | None, str, str | None]
"""The source of a picture, and by what it is known there: the name of a member, and its value."""


class InlineCaption(Shape):
    """The caption of an inline picture, in the article's language when none is given."""

    language: Language | None = None
    text: Text | None = None
    alt_text: Text | None = None


class InlineImage(Shape):
    """A picture that comes with its article, known by `external_id`, or else by `source_url`, of a `source`
    (absent: the article's).
    """

    external_id: Line | None = None
    source_url: WebAddress | None = Field(default=None, examples=["https://wire.example/pictures/4711.jpg"])
    source: Line | None = None
    credit_line: Line | None = None
    copyright_notice: Text | None = None
    usage_terms: Text | None = None
    focal_point: FocalPoint | None = None
    captions: Annotated[list[InlineCaption], Field(max_length=50)] = Field(default_factory=list)


class BulkItem(ArticleWrite):
    """An article as it is written. Instead of `lead_image_id`, and of a block's `image_id`, it may have an
    `image` inline.
    """

    lead_image: InlineImage | None = None


Shaped = TypeVar("Shaped", InlineImage, BulkItem)


@dataclass(slots=True)
class Work:
    """One valid item: the article to write, and its inline pictures."""

    index: int
    write: ArticleWrite
    pictures: list[tuple[InlineImage, UUID]] = field(default_factory=list)

    @property
    def pair(self) -> Pair | None:
        """Return the integrator's own key."""
        return pair_of(self.write)


class Reading:
    """The items of one batch, read: the pictures that come inline get the ids that they have, or
    will have.
    """

    def __init__(self, session: Session, items: Sequence[Mapping[str, JsonValue]]) -> None:
        said = [(item, picture) for item in items for _, picture in _inline(item)]
        addresses = {address for _, picture in said if (address := _text(picture, "source_url"))}
        keys = {
            (source, key)
            for item, picture in said
            if (source := _text(picture, "source") or _text(item, "source"))
            and (key := _text(picture, "external_id"))
        }
        live, self._ids = select(Image).where(col(Image.deleted_at).is_(None)), dict[Name, UUID]()
        if addresses:
            found = session.exec(live.where(col(Image.source_url).in_(addresses)))
            self._ids |= {(image.source, "source_url", image.source_url): image.id for image in found}
        for of, external_ids in by_source(keys).items():
            found = session.exec(live.where(Image.source == of, col(Image.external_id).in_(external_ids)))
            self._ids |= {(image.source, "external_id", image.external_id): image.id for image in found}

    def read(self, index: int, content: object | ServiceError) -> Work:
        """Understand one item. Raises what was wrong with it."""
        if isinstance(content, ServiceError):
            raise content
        if not isinstance(content, dict):
            raise Unprocessable.at("", "must be an object")
        bound(content)
        pictures: list[tuple[InlineImage, UUID]] = []
        plain = dict(content)
        try:
            for pointer, inline in list(_inline(content)):
                image = _valid(InlineImage, inline, pointer)
                id_ = self._ids.setdefault(_name_of(image, _text(content, "source"), pointer), new_id())
                pictures.append((image, id_))
                _point(plain, pointer, id_)
            return Work(index, _valid(BulkItem, plain, ""), pictures)
        except RecursionError:
            raise Unprocessable.at("", "is nested too deeply") from None


def _text(content: Mapping[str, JsonValue], name: str) -> str | None:
    """Return a member as it will be kept, before it is known to be right; PostgreSQL cannot even be asked for
    U+0000.
    """
    value = content.get(name)
    return composed(value.strip()) if isinstance(value, str) and "\x00" not in value else None


def _name_of(image: InlineImage, source: str | None, pointer: str) -> Name:
    """Return the key by which an inline picture is known; `source` is its article's. Raises Unprocessable
    when there is none.
    """
    of = image.source or source
    if image.external_id is not None:
        if not of:
            raise Unprocessable.at(
                f"{pointer}/source", "must be there, or the article's: `external_id` is one of this source"
            )
        return of, "external_id", image.external_id
    if image.source_url is None:
        raise Unprocessable.at(
            f"{pointer}/source_url", "must be there, or `external_id`: the picture is known by one of them"
        )
    return of, "source_url", image.source_url


def _inline(item: Mapping[str, JsonValue]) -> Iterator[tuple[str, dict[str, JsonValue]]]:
    """Yield the pictures inline in an item, each with its pointer."""
    lead, body = item.get("lead_image"), item.get("body")
    if isinstance(lead, dict):
        yield "/lead_image", lead
    for place, block in enumerate(body if isinstance(body, list) else ()):
        if (
            isinstance(block, dict)
            and block.get("type") == "image"
            and isinstance(image := block.get("image"), dict)
        ):
            yield f"/body/{place}/image", image


def _point(item: dict[str, JsonValue], pointer: str, id_: UUID) -> None:
    """Replace an inline image by its id."""
    if pointer == "/lead_image":
        del item["lead_image"]
        item["lead_image_id"] = str(id_)
        return
    place = int(pointer.split("/")[2])
    body = list(cast("list[JsonValue]", item["body"]))
    block = cast("dict[str, JsonValue]", body[place])
    body[place] = {name: value for name, value in block.items() if name != "image"} | {"image_id": str(id_)}
    item["body"] = body


def _valid(shape: type[Shaped], content: Mapping[str, JsonValue], pointer: str) -> Shaped:
    try:
        return shape.model_validate(content)
    except ValidationError as fault:
        errors = [
            FieldProblem(
                pointer=pointer + pointer_to(error["loc"], content),
                message=error["msg"],
            )
            for error in errors_of(fault)
        ]
        raise Unprocessable(f"{errors[0].pointer}: {errors[0].message}", errors=errors) from None
