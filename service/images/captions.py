"""Write captions: one of a picture for each language, for any article or for one alone."""

from collections.abc import Iterable
from uuid import UUID

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Uuid, column, table
from sqlmodel import col, select

from service.database import Session
from service.errors import Conflict, Forbidden, Gone, NotFound, Unprocessable
from service.http.callers import Caller
from service.http.patching import refuse_changes
from service.images.caption_writing import CaptionReplace, CaptionWrite
from service.images.darkroom.jobs import EmbeddedCaption
from service.images.models import (
    Caption,
    CaptionContent,
    CaptionSource,
    Image,
    ImageUse,
)
from service.images.read import read_caption
from service.published.models import Kind
from service.published.render import touch
from service.published.terms import shown, shown_in
from service.scopes import Scope
from service.tables import Language, new_id, now

# The articles room stands above this one. Of its table, only the columns that a caption needs are known here.
_ARTICLE = table("article", column("id", Uuid()), column("deleted_at"), column("source"))
_LANGUAGE: TypeAdapter[str] = TypeAdapter(Language)
_CONTENT = ("language", *CaptionContent.model_fields)
_READ_ONLY = sorted(set(CaptionReplace.model_fields) - set(CaptionWrite.model_fields))


class CaptionTaken(Conflict):
    """The image has a caption for this article, or for any, in this language already; `id` says which."""

    title = "There is such a caption already"


def get(session: Session, caption_id: UUID, *, lock: bool = False) -> Caption:
    """Find a caption. Raises NotFound, and Gone when it, or its image, was deleted."""
    statement = select(Caption, Image.deleted_at).join(Image).where(Caption.id == caption_id)
    found = session.exec(statement.with_for_update(of=Caption) if lock else statement).one_or_none()
    if found is None:
        raise NotFound(f"There is no caption {str(caption_id)!r}.")
    caption, image_deleted_at = found
    if caption.deleted_at is not None or image_deleted_at is not None:
        raise Gone("This caption, or its image, was deleted.", reason="deleted")
    return caption


def may_write(session: Session, caller: Caller, image_id: UUID, article_id: UUID | None) -> bool:
    """Return whether the caller may write captions of an image, for any article or for this one."""
    try:
        _authorise(session, caller, image_id, article_id)
    except Forbidden:
        return False
    return True


def _authorise(session: Session, caller: Caller, image_id: UUID, article_id: UUID | None) -> None:
    """Refuse a caller who may not write such a caption.

    A caption for one article is of that article's source, any other of its image's. It is public where
    readers see it. A token that is bound to a source captions pictures of others for the articles alone that
    may show them, as `refuse_pictures` says of articles.
    """
    if caller.source is not None:
        if article_id is not None:
            of_article = select(_ARTICLE.c.source).where(_ARTICLE.c.id == article_id)
            caller.need_source(session.exec(of_article).one_or_none())
        if article_id is None or not _may_show(session, image_id, article_id):
            of_image = select(Image.source).where(Image.id == image_id)
            caller.need_source(session.exec(of_image).one_or_none())
    if not caller.may(Scope.CONTENT_PUBLISH):
        is_public = (
            shown(session, [image_id]) if article_id is None else shown_in(session, [image_id], [article_id])
        )
        if is_public:
            caller.need(Scope.CONTENT_PUBLISH)


def _may_show(session: Session, image_id: UUID, article_id: UUID) -> bool:
    """Return whether any article may show an image, because it is public, or this one does."""
    use = select(ImageUse.article_id).where(ImageUse.image_id == image_id, ImageUse.article_id == article_id)
    return bool(shown(session, [image_id])) or session.exec(use).first() is not None


def open_caption(session: Session, caller: Caller, caption_id: UUID) -> Caption:
    """Find and lock a caption that the caller may change. Raises what `get` raises, and Forbidden."""
    caption = get(session, caption_id, lock=True)
    _authorise(session, caller, caption.image_id, caption.article_id)
    return caption


def create(
    session: Session,
    caller: Caller,
    write: CaptionWrite,
    image_id: UUID,
    caption_id: UUID | None = None,
    *,
    is_free: bool = False,
) -> Caption:
    """Write a new caption of an image. Raises CaptionTaken, unless its place `is_free`, as one knows who
    holds the image and the article.
    """
    _authorise(session, caller, image_id, write.article_id)
    language = write.language or session.database.settings.language
    if not is_free:
        _claim(session, image_id, write.article_id, language, caption_id)
    values = {name: getattr(write, name) for name in _CONTENT}
    caption = Caption(**values | {"language": language}, id=caption_id or new_id(), image_id=image_id)
    session.add(caption)
    _touch(session, caption)
    return caption


def embed(session: Session, caller: Caller, image: Image, found: Iterable[EmbeddedCaption]) -> None:
    """Write the captions that a picture brings with it, in languages in which it has none for any article
    yet.
    """
    live = select(Caption.language).where(
        Caption.image_id == image.id, col(Caption.article_id).is_(None), col(Caption.deleted_at).is_(None)
    )
    known = set(session.exec(live))
    for each in found:
        language = _known_language(each.language) or session.database.settings.language
        if language not in known and (each.text or each.alt_text):
            known.add(language)
            words = CaptionWrite(
                language=language, text=each.text, alt_text=each.alt_text, source=CaptionSource.EMBEDDED
            )
            create(session, caller, words, image.id)


def _known_language(tag: str | None) -> str | None:
    """Return a language as this store writes it; None if the tag is invalid or says "undetermined"."""
    try:
        known = None if tag is None else _LANGUAGE.validate_python(tag.replace("_", "-"))
    except ValidationError:
        return None
    return None if known == "und" else known


def create_as(
    session: Session, caller: Caller, caption_id: UUID, image_id: UUID, write: CaptionReplace
) -> Caption:
    """Write a new caption under an id that the caller chose."""
    caption = create(session, caller, write, image_id, caption_id)
    refuse_changes(write, read_caption(caption), _READ_ONLY)
    return caption


def replace(session: Session, caller: Caller, caption: Caption, write: CaptionReplace) -> None:
    """Replace a caption. When nothing differs, nothing is written: no version and no entry in the change
    feed.
    """
    refuse_changes(write, read_caption(caption), _READ_ONLY)
    changed = {
        name: getattr(write, name) for name in _CONTENT if getattr(write, name) != getattr(caption, name)
    }
    if write.language is None:
        changed.pop("language", None)
    if not changed:
        return
    _authorise(session, caller, caption.image_id, caption.article_id)
    _authorise(session, caller, caption.image_id, write.article_id)
    if changed.keys() & {"article_id", "language"}:
        _claim(session, caption.image_id, write.article_id, write.language or caption.language, caption.id)
    for name, value in changed.items():
        setattr(caption, name, value)
    _note_change(session, caption)


def delete(session: Session, caption: Caption) -> None:
    """Delete a caption; its place is free for another."""
    caption.deleted_at = now()
    _note_change(session, caption)


def _note_change(session: Session, caption: Caption) -> None:
    caption.version += 1
    caption.updated_at = now()
    _touch(session, caption)


def _touch(session: Session, caption: Caption) -> None:
    touch(session, Kind.CAPTION, caption.id)
    touch(session, Kind.IMAGE, caption.image_id)


def _claim(
    session: Session, image_id: UUID, article_id: UUID | None, language: str, own_id: UUID | None
) -> None:
    """Check that the image and the article exist, and that no other caption has this article and language.

    Lock order: the article before the image, as writers of articles do. Otherwise two requests can deadlock.
    The lock on the image lets one caption of it be written at a time.
    """
    if article_id is not None:
        article = select(_ARTICLE.c.id).where(_ARTICLE.c.id == article_id, _ARTICLE.c.deleted_at.is_(None))
        if session.exec(article.with_for_update(read=True, key_share=True)).one_or_none() is None:
            raise Unprocessable.at("/article_id", "names no article of this store")
    image = select(Image.id).where(Image.id == image_id, col(Image.deleted_at).is_(None))
    if session.exec(image.with_for_update(key_share=True)).one_or_none() is None:
        raise Unprocessable.at("/image_id", "names no image of this store")
    holder = select(Caption.id).where(
        Caption.image_id == image_id,
        Caption.article_id == article_id,
        Caption.language == language,
        col(Caption.deleted_at).is_(None),
    )
    taken = next((id_ for id_ in session.exec(holder) if id_ != own_id), None)
    if taken is not None:
        raise CaptionTaken(f"This image has a caption in {language} there already.", id=str(taken))
