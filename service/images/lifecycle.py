"""The life of an image: created with or without its file, edited, given another file, trashed and restored.

The same bytes are the same image: a picture that is there already is not made again. An image that a working
article shows, a draft's too, cannot be trashed.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from pydantic import JsonValue, TypeAdapter
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from service.database import Session, insert
from service.errors import Conflict, Gone, NotFound
from service.http.callers import HOUSE, Caller
from service.http.patching import refuse_changes
from service.images import captions, claims, rights, uses
from service.images.intake import KeptFile
from service.images.models import (
    Image,
    ImageContent,
    ImageCreate,
    ImageReplace,
    ImageWithdrawal,
    Metadata,
    UseRead,
)
from service.images.read import captions_of, read_one
from service.published import working
from service.published.models import Kind
from service.published.render import show_again, touch
from service.published.terms import shown
from service.scopes import Scope
from service.settings import Settings
from service.tables import latest, new_id, now

_CONTENT = tuple(ImageContent.model_fields)
_RIGHTS = ("credit_line", "copyright_notice", "usage_terms")
_LINE = 500
_METADATA: TypeAdapter[Metadata] = TypeAdapter(Metadata)
_READ_ONLY = sorted(set(ImageReplace.model_fields) - set(ImageCreate.model_fields))


class SamePicture(Conflict):
    """Another image has this very picture; `id` says which. One picture is one image."""

    title = "Another image has this picture"


class PictureWithdrawn(Conflict):
    """This picture was withdrawn (killed); `reason` tells why, and `id` which image it is. It is not taken in
    again, not shown and not changed until POST …/reinstate undoes the withdrawal.
    """

    title = "The picture was withdrawn"


class NotWithdrawn(Conflict):
    """This picture is not withdrawn, so there is nothing to undo."""

    title = "The picture is not withdrawn"


class InUse(Conflict):
    """Articles show this image; `uses` lists them to a token with `content:read`. Take it out of
    them first.
    """

    title = "Articles show this image"


def get(session: Session, image_id: UUID, *, lock: bool = False, trashed: bool = False) -> Image:
    """Find a working image. Raises NotFound, and Gone for one in the trash."""
    statement = select(Image).where(Image.id == image_id)
    image = session.exec(statement.with_for_update() if lock else statement).one_or_none()
    if image is None:
        raise NotFound(f"There is no image {str(image_id)!r}.")
    if image.deleted_at is not None and not trashed:
        raise Gone("This image is in the trash; POST …/restore brings it back.", reason="deleted")
    return image


def authorise(session: Session, caller: Caller, image: Image) -> None:
    """Refuse a caller who may not change this image: another source's, or a public one without the scope."""
    caller.need_source(image.source)
    if not caller.may(Scope.CONTENT_PUBLISH) and shown(session, [image.id]):
        caller.need(Scope.CONTENT_PUBLISH)


def open_image(session: Session, caller: Caller, image_id: UUID, *, trashed: bool = False) -> Image:
    """Find and lock an image that the caller may change. Raises what `get` and `authorise` raise."""
    image = get(session, image_id, lock=True, trashed=trashed)
    authorise(session, caller, image)
    return image


def create(
    session: Session,
    caller: Caller,
    content: ImageContent,
    file: KeptFile | None,
    image_id: UUID | None = None,
) -> tuple[Image, bool]:
    """Make an image, or find the one that has this picture already, as it is; whether one was made. Raises
    ImageKeyTaken, and PictureWithdrawn.
    """
    caller.need_source(content.source)
    rights.check(content)
    image = Image(**{name: getattr(content, name) for name in _CONTENT}, id=image_id or new_id())
    rights.settle(image)
    same = None if file is None else _with_digest(session, file.digest)
    if same is not None:
        refuse_withdrawn(same)
    else:
        claims.claim(session, content, image.id)
    if file is None:
        session.add(image)
        working.note(session, Kind.IMAGE, image.id)
        return image, True
    _give(session, image, file)
    row = {name: getattr(image, name) for name in Image.model_fields}
    while True:
        # On PostgreSQL this waits for a rival with the same picture, and sees the rival's row afterwards.
        added = insert(session, Image).values(row)
        session.execute(
            added.on_conflict_do_nothing(
                index_elements=["digest"], index_where=col(Image.deleted_at).is_(None)
            )
        )
        held = _with_digest(session, file.digest)
        if held is not None:
            refuse_withdrawn(held)
        if held is not None and held.id == image.id:
            captions.embed(session, caller, held, file.found.captions)
        if held is not None:
            if held.id == image.id:
                working.note(session, Kind.IMAGE, image.id)
            return held, held.id == image.id


def _with_digest(session: Session, digest: str) -> Image | None:
    return session.exec(
        select(Image).where(Image.digest == digest, col(Image.deleted_at).is_(None))
    ).one_or_none()


def create_as(session: Session, caller: Caller, image_id: UUID, write: ImageReplace) -> Image:
    """Make an image without its file under an id that the caller chose."""
    image, _ = create(session, caller, write, None, image_id)
    refuse_changes(write, read_one(session, image), _READ_ONLY)
    return image


def replace(session: Session, caller: Caller, image: Image, write: ImageReplace) -> None:
    """Write what is said of an image anew. What equals the stored leaves no trace. Raises ImageKeyTaken."""
    refuse_changes(write, read_one(session, image), _READ_ONLY)
    changed = {
        name: getattr(write, name) for name in _CONTENT if getattr(write, name) != getattr(image, name)
    }
    if changed:
        authorise(session, caller, image)
        caller.need_source(write.source)
        refuse_withdrawn(image)
    if {"source", "external_id"} & changed.keys():
        claims.claim(session, write, image.id)
    if changed:
        rights.know_of_file(image, _said(image.kept_metadata, session.database.settings))
        image.of_file = [name for name in image.of_file or () if name not in changed]
    for name, value in changed.items():
        setattr(image, name, value)
    if changed.keys() & set(rights.RIGHTS):
        rights.check(image)
        _change_rights(session, image)
    if changed:
        _note_change(session, image)


def pass_time(session: Session, images: Sequence[Image]) -> None:
    """Let the licences of some images begin or end, as the time has come."""
    at = latest()
    for image in images:
        rights.pass_time(image, at)
        _note_change(session, image)
        _note_captions(session, image)
    session.gathered.ended.update(image.id for image in images if image.expired_at is not None)


def _change_rights(session: Session, image: Image) -> None:
    rights.settle(image)
    show_again(session, image.id)
    _note_captions(session, image)


def replace_file(session: Session, caller: Caller, image: Image, file: KeptFile) -> None:
    """Give an image its file, or another one. Raises SamePicture, and PictureWithdrawn."""
    refuse_withdrawn(image)
    if image.digest == file.digest:
        return
    authorise(session, caller, image)
    if (same := _with_digest(session, file.digest)) is not None:
        refuse_withdrawn(same)
    _give(session, image, file)
    show_again(session, image.id)
    _note_change(session, image)
    _flush_alone(session, image)
    captions.embed(session, caller, image, file.found.captions)


def look_again(session: Session, image: Image, file: KeptFile) -> bool:
    """Write what its own file says of an image under today's rules, and return whether anything changed."""
    before = image.model_dump(exclude={"of_file"})
    # A picture that readers see already does not go because its file is read again.
    _give(session, image, file, takes_licence=False)
    has_changed = image.model_dump(exclude={"of_file"}) != before
    if has_changed:
        _note_change(session, image)
    captions.embed(session, HOUSE, image, file.found.captions)
    return has_changed


def trash(session: Session, caller: Caller, image: Image) -> None:
    """Put an image into the trash. Raises InUse, and PictureWithdrawn: the original is evidence,
    and is kept.
    """
    authorise(session, caller, image)
    refuse_withdrawn(image)
    shown_by = uses.of(session, image.id)
    if shown_by:
        listed: list[JsonValue] = [
            UseRead.model_validate(use, from_attributes=True).model_dump(mode="json") for use in shown_by
        ]
        said = f"{len(listed)} article(s) show this image."
        raise InUse(said, uses=listed) if caller.may(Scope.CONTENT_READ) else InUse(said)
    image.deleted_at = now()
    _note_change(session, image)
    _note_captions(session, image)


def restore(session: Session, caller: Caller, image: Image) -> None:
    """Bring an image back from the trash. Raises SamePicture and ImageKeyTaken when its picture or key has
    come in again since.
    """
    if image.deleted_at is None:
        return
    authorise(session, caller, image)
    claims.claim(session, image, image.id)
    image.deleted_at = None
    _note_change(session, image)
    _flush_alone(session, image)
    _note_captions(session, image)


def refuse_withdrawn(image: Image) -> None:
    """Raise PictureWithdrawn for a picture that was withdrawn."""
    if image.withdrawn_at is not None:
        said = f"This picture was withdrawn: {image.withdrawn_for}"
        raise PictureWithdrawn(said, id=str(image.id), reason=image.withdrawn_for)


def withdraw(session: Session, caller: Caller, image: Image, reason: str) -> None:
    """Kill a picture: whatever shows it shows nothing in its place. Raises PictureWithdrawn."""
    refuse_withdrawn(image)
    _note_withdrawal(session, caller, image, reason, is_undone=False)
    image.withdrawn_at, image.withdrawn_for = image.updated_at, reason


def reinstate(session: Session, caller: Caller, image: Image, reason: str) -> None:
    """Undo a withdrawal: articles show the picture again. Raises NotWithdrawn."""
    if image.withdrawn_at is None:
        raise NotWithdrawn("This picture is not withdrawn.")
    image.withdrawn_at = image.withdrawn_for = None
    show_again(session, image.id)
    _note_withdrawal(session, caller, image, reason, is_undone=True)


def _note_withdrawal(session: Session, caller: Caller, image: Image, reason: str, *, is_undone: bool) -> None:
    _note_change(session, image)
    _note_captions(session, image)
    session.add(
        ImageWithdrawal(
            image_id=image.id,
            version=image.version,
            is_undone=is_undone,
            reason=reason,
            at=image.updated_at,
            actor_id=caller.id,
            actor=caller.name,
        )
    )


def _give(session: Session, image: Image, file: KeptFile, *, takes_licence: bool = True) -> None:
    """Give an image its file and the metadata of that file. What somebody has written stays, and metadata of
    the file before goes.
    """
    settings = session.database.settings
    before, found = _embedded_rights(image.kept_metadata, settings), file.found
    before_file = image.kept_metadata
    rights.know_of_file(image, _said(before_file, settings))
    image.digest, image.size = file.digest, file.size
    image.content_type, image.width, image.height = found.content_type, found.width, found.height
    image.placeholder, image.dominant_color = found.placeholder, found.dominant_color
    image.taken_at = None if found.taken_at is None else datetime.fromisoformat(found.taken_at)
    image.kept_metadata = _METADATA.validate_python(
        {name: said for name, said in found.metadata.items() if name != "gps" or settings.picture_keep_gps}
    )
    if takes_licence:
        rights.take_from_file(image, before_file)
    now_said = _embedded_rights(image.kept_metadata, settings)
    for name in _RIGHTS:
        if rights.is_of_file(image, name, before[name]):
            rights.take(image, name, now_said[name])


def _said(metadata: Metadata, settings: Settings) -> dict[str, object]:
    """Return what a picture says of itself, as the members of its image take it."""
    return {**_embedded_rights(metadata, settings), **rights.times_of(metadata)}


def _embedded_rights(metadata: Metadata, settings: Settings) -> dict[str, str | None]:
    """Return the rights that a picture says of itself, as its fields take them."""
    texts = {name: text if isinstance(text := metadata.get(name), str) else None for name in _RIGHTS}
    credit, creator = texts["credit_line"], metadata.get("creator")
    if credit is None and settings.picture_credit_creator and isinstance(creator, list):
        credit = ", ".join(str(name) for name in creator)
    return texts | {"credit_line": " ".join((credit or "").split())[:_LINE] or None}


def _note_change(session: Session, image: Image) -> None:
    image.version += 1
    image.updated_at = now()
    touch(session, Kind.IMAGE, image.id)


def _note_captions(session: Session, image: Image) -> None:
    """Note the captions of an image that was deleted or restored, because they come and go with it."""
    working.note(
        session, Kind.CAPTION, *(caption.id for caption in captions_of(session, [image.id]).get(image.id, []))
    )


def _flush_alone(session: Session, image: Image) -> None:
    """Write the image now, so that the unique digest speaks here and not at the commit."""
    digest = image.digest
    try:
        session.flush()
    except IntegrityError:
        session.rollback()
        statement = select(Image.id).where(Image.digest == digest, col(Image.deleted_at).is_(None))
        raise SamePicture(
            "Another image has this picture.", id=str(session.exec(statement).one_or_none())
        ) from None
