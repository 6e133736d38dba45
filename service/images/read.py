"""Read images and captions: the working rows for editors, the rendered documents for readers.

An image is public while a published article shows it. So is a caption of it, unless it was written for an
article that does not.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as core
from sqlalchemy import bindparam
from sqlmodel import col, select

from service.database import Session
from service.images import rights
from service.images.models import Caption, CaptionRead, Image, ImageRead, Picture, WithdrawalRead
from service.images.renditions import Negative, formats_of, listed, negative_of, original, read_back, written
from service.published import documents
from service.published.ahead import noted_in
from service.published.models import Kind, Published, Reason
from service.published.outcomes import Outcome, Removed, Rendered
from service.published.render import touch
from service.published.terms import shown, shown_in
from service.tables import latest

STAFF_ONLY = frozenset({"gps", "camera", "instructions", "caption_writer", "job_id"})
"""The embedded metadata that only those who publish a picture get."""
UNSEEN = ("digest", "external_id", "source_url")
"""Members that are null for readers: where a file came from, and what would find it elsewhere."""
_OF_PICTURE = tuple(set(Picture.model_fields) - {"formats", "renditions"})
_CAPTIONS = (
    core.select(*(getattr(Caption, name) for name in CaptionRead.model_fields))
    .where(col(Caption.image_id).in_(bindparam("ids", expanding=True)), col(Caption.deleted_at).is_(None))
    .order_by(col(Caption.id))
)


def read_all(session: Session, images: Sequence[Image]) -> list[ImageRead]:
    """Images with all their captions, as editors read them."""
    captions = captions_of(session, [image.id for image in images])
    base = session.database.settings.media_base
    return [with_captions(image, captions.get(image.id, ()), base, staff=True) for image in images]


def read_one(session: Session, image: Image) -> ImageRead:
    """Return one image with all its captions."""
    return read_all(session, [image])[0]


def public_negative(session: Session, image_id: UUID) -> tuple[Negative | None, datetime | None]:
    """Return what the files of a public image are made from, and until when it may be shown; None for an
    image that is not public or has no file, and for no end.
    """
    rows = select(Published.negative, Published.document, Published.expires_at).where(
        Published.kind == Kind.IMAGE, Published.id == image_id, col(Published.reason).is_(None)
    )
    found = session.exec(rows).one_or_none()
    if found is None or (found[2] is not None and found[2] <= latest()):
        return None, None
    negative, document, ends = found
    # Rows that were rendered before there was this column tell it in their document.
    return read_back(negative) if negative else negative_of(documents.read(ImageRead, document)), ends


def public_end(session: Session, image_id: UUID) -> tuple[Reason, str | None] | None:
    """Return why an image that was public is no longer to be shown; None for any other."""
    row = session.exec(
        select(Published.reason, Published.detail, Published.expires_at).where(
            Published.kind == Kind.IMAGE, Published.id == image_id
        )
    ).one_or_none()
    if row is None:
        return None
    reason, detail, ends = row
    if reason is None and ends is not None and ends <= latest():
        return Reason.EXPIRED, None
    return (Reason(reason), detail) if reason in (Reason.WITHDRAWN, Reason.EXPIRED) else None


def read_caption(caption: Caption) -> CaptionRead:
    """Return a caption as it is read."""
    return CaptionRead.model_validate(caption, from_attributes=True)


def captions_of(session: Session, image_ids: Collection[UUID]) -> dict[UUID, list[CaptionRead]]:
    """Return the live captions of images, read afresh, in the order of their ids."""
    found: dict[UUID, list[CaptionRead]] = defaultdict(list)
    if image_ids:
        session.flush()  # What this transaction has written so far is read too.
        for row in session.connection().execute(_CAPTIONS, {"ids": list(image_ids)}):
            # As it was validated when it was written.
            found[row.image_id].append(CaptionRead.model_construct(**row._asdict()))
    return dict(found)


def picture(image: Image, base: str) -> Picture:
    """Return an image as an article shows it; `base` stands before the addresses of its files."""
    known = {name: getattr(image, name) for name in _OF_PICTURE}
    return Picture(**known, formats=formats_of(image), renditions=listed(image, base, staff=False))


def with_captions(
    image: Image, captions: Iterable[CaptionRead], base: str, *, staff: bool = False
) -> ImageRead:
    """Return an image with these captions; for staff, with the file as it came and all that it says of
    itself.
    """
    known = image.model_dump(include=set(ImageRead.model_fields))
    if not staff:
        known |= dict.fromkeys(UNSEEN)
    # By name, because PostgreSQL keeps no order: the same image is the same bytes from either database.
    metadata = {
        name: value for name, value in sorted(image.kept_metadata.items()) if staff or name not in STAFF_ONLY
    }
    withdrawn = withdrawal_of(image)
    if withdrawn is None:
        formats, renditions = formats_of(image), listed(image, base, staff=staff)
    else:
        formats, renditions = (), [] if image.digest is None else [original(image)]
    return ImageRead(
        **known,
        metadata=metadata,
        formats=formats,
        renditions=renditions,
        captions=list(captions),
        withdrawn=withdrawn,
    )


def withdrawal_of(image: Image) -> WithdrawalRead | None:
    """Return when and why an image was withdrawn."""
    if image.withdrawn_at is None:
        return None
    return WithdrawalRead(at=image.withdrawn_at, reason=image.withdrawn_for or "")


def render_images(session: Session, ids: Collection[UUID]) -> Iterator[Outcome]:
    """Render the public documents of these images."""
    captions = captions_of(session, ids)
    public, pairs = _public(session, ids, [caption for known in captions.values() for caption in known])
    rows = select(Image).where(col(Image.id).in_(ids)).execution_options(populate_existing=True)
    images = session.exec(rows).all()
    if (premises := noted_in(session)) is not None:
        live = [(image.id, image.version) for image in images if image.deleted_at is None]
        live += [(caption.id, caption.version) for known in captions.values() for caption in known]
        premises.note_pictures(ids, live)
    for image in images:
        known = captions.get(image.id, [])
        touch(session, Kind.CAPTION, *(caption.id for caption in known))
        if image.deleted_at is not None:
            yield Removed(image.id, image.version, Reason.DELETED)
        elif (why := rights.hidden(image)) is not None:
            yield Removed(image.id, image.version, *why)
        elif image.id not in public:
            yield Removed(image.id, image.version, Reason.UNPUBLISHED)
        else:
            shown = [caption for caption in known if _is_public(caption, public, pairs)]
            document = with_captions(image, shown, session.database.settings.media_base).model_dump_json()
            yield Rendered(
                image.id,
                image.version,
                document.encode(),
                image.created_at,
                image.updated_at,
                source=image.source,
                negative=written(negative_of(image)),
                expires_at=image.usable_until,
            )


def render_captions(session: Session, ids: Collection[UUID]) -> Iterator[Outcome]:
    """Render the public documents of these captions."""
    rows = (
        select(Caption, Image)
        .join(Image)
        .where(col(Caption.id).in_(ids))
        .execution_options(populate_existing=True)
    )
    found = session.exec(rows).all()
    public, pairs = _public(
        session, {caption.image_id for caption, _ in found}, [caption for caption, _ in found]
    )
    for caption, image in found:
        shape = read_caption(caption)
        if caption.deleted_at is not None or image.deleted_at is not None:
            yield Removed(caption.id, caption.version, Reason.DELETED)
        elif (why := rights.hidden(image)) is not None:
            yield Removed(caption.id, caption.version, *why)
        elif not _is_public(shape, public, pairs):
            yield Removed(caption.id, caption.version, Reason.UNPUBLISHED)
        else:
            document = shape.model_dump_json().encode()
            yield Rendered(
                caption.id,
                caption.version,
                document,
                caption.created_at,
                caption.updated_at,
                language=caption.language,
                expires_at=image.usable_until,
            )


def _public(
    session: Session, images: Collection[UUID], captions: Iterable[Caption | CaptionRead]
) -> tuple[set[UUID], set[tuple[UUID, UUID]]]:
    """Return which of the images are public, and in which of the articles that captions were written for."""
    articles = {caption.article_id for caption in captions if caption.article_id is not None}
    return shown(session, images), shown_in(session, images, articles)


def _is_public(caption: CaptionRead, public: Collection[UUID], pairs: Collection[tuple[UUID, UUID]]) -> bool:
    if caption.article_id is not None:
        return (caption.image_id, caption.article_id) in pairs
    return caption.image_id in public
