"""Restore images and captions as they were exported. Their files are stored before."""

import shutil
from collections.abc import Collection, Sequence
from pathlib import Path
from uuid import UUID

from sqlmodel import col, select

from service.database import Session, insert
from service.images.intake import drafted
from service.images.models import Caption, CaptionRead, Image, ImageRead
from service.images.resolve import forget
from service.images.rights import is_off_web
from service.images.storage import MediaStore
from service.published.models import Kind, Published, Reason
from service.tables import Time


class ImageKept(ImageRead):
    """An image as it is read; one in the trash says since when. Members that earlier versions did not export
    may be absent.
    """

    external_id: str | None = None
    deleted_at: Time | None = None
    opens_at: Time | None = None
    of_file: list[str] | None = None


class CaptionKept(CaptionRead):
    """A caption as it is read; one that was deleted says when."""

    deleted_at: Time | None = None


_AS_READ = tuple(name for name in Image.model_fields if name in ImageKept.model_fields)


def keep_file(store: MediaStore, path: Path, digest: str) -> bool:
    """Keep a picture's file, unless it has another SHA-256; whether it was kept."""
    with path.open("rb") as file, drafted(store, path.stat().st_size) as draft:
        shutil.copyfileobj(file, draft)
        draft.flush()
        is_whole = draft.digest() == digest
        if is_whole:
            store.keep(draft.path, digest)
    return is_whole


def put_images_back(session: Session, images: Sequence[ImageKept]) -> None:
    """Write images."""
    rows = [
        {
            **{name: getattr(image, name) for name in _AS_READ},
            "kept_metadata": image.metadata,
            "withdrawn_at": image.withdrawn.at if image.withdrawn else None,
            "withdrawn_for": image.withdrawn.reason if image.withdrawn else None,
            "is_off_web": is_off_web(image.usable_in),
        }
        for image in images
    ]
    session.execute(insert(session, Image), rows)
    forget(session)


def stand_in(session: Session, ids: Collection[UUID]) -> None:
    """Insert a row for a resource that others refer to and that the export lacks, because it was in the
    trash. Nothing more is known of it.
    """
    known = set(session.exec(select(Image.id).where(col(Image.id).in_(ids))))
    for id_ in sorted(set(ids) - known):
        image = Image(id=id_)
        image.deleted_at = image.updated_at
        session.add(image)


def stand_in_withdrawn(session: Session) -> None:
    """Insert a row without a file for each withdrawn picture that the export holds only as a removal.
    Articles read the reason from it.
    """
    removed = select(Published.id, Published.version, Published.changed_at, Published.detail).where(
        Published.kind == Kind.IMAGE,
        Published.reason == Reason.WITHDRAWN,
        col(Published.id).not_in(select(Image.id)),
    )
    for id_, version, at, reason in session.exec(removed).all():
        session.add(Image(id=id_, version=version, withdrawn_at=at, withdrawn_for=reason))
    session.flush()


def put_captions_back(session: Session, captions: Sequence[CaptionKept]) -> None:
    """Write captions."""
    session.execute(insert(session, Caption), [dict(caption) for caption in captions])
    forget(session)
