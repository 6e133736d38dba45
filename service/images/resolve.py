"""Pictures with their captions for whoever shows them: as many as are asked for, in two queries.

A transaction that writes loads each once. Under the counter's lock it is asked whether each is as it was.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from uuid import UUID

import sqlalchemy as core
from sqlalchemy import bindparam
from sqlmodel import col

from service.database import Session
from service.images import rights
from service.images.effective import effective
from service.images.models import CaptionRead, EffectiveCaption, Image, Picture, WithdrawalReason
from service.images.read import captions_of, picture
from service.published.models import Reason
from service.tables import new_row

_LIVE = core.select(*(getattr(Image, name) for name in Image.model_fields)).where(
    col(Image.id).in_(bindparam("ids", expanding=True)), col(Image.deleted_at).is_(None)
)


@dataclass(frozen=True, slots=True)
class Pictures:
    """Images with their captions, each looked up by its id."""

    images: dict[UUID, Image]
    captions: dict[UUID, list[CaptionRead]]
    house_language: str
    media_base: str
    """The beginning of the addresses of files."""
    _shown: dict[UUID, Picture] = field(default_factory=dict)
    """Pictures, each shaped once: the addresses of its files take longer than all else that an article shows.
    """

    def image(self, image_id: UUID) -> Picture | None:
        """Return the picture; None for one that is not there, trashed, or not to be shown."""
        image = self.images.get(image_id)
        if image is None or rights.hidden(image) is not None:
            return None
        if image_id not in self._shown:
            self._shown[image_id] = picture(image, self.media_base)
        return self._shown[image_id]

    def withdrawal(self, image_id: UUID) -> WithdrawalReason | None:
        """Return why the picture is no longer to be shown; None for one that is, or will be."""
        image = self.images.get(image_id)
        why = None if image is None else rights.hidden(image)
        if why is None or why[0] is Reason.UNPUBLISHED:
            return None
        reason, detail = why
        return WithdrawalReason(reason=str(reason) if detail is None else detail)

    def captions_in(self, image_id: UUID, article_id: UUID | None) -> list[CaptionRead]:
        """Return the captions of an image for any article and those for this one. What was written for
        another article stays there: that one may be a draft.
        """
        return [
            caption for caption in self.captions.get(image_id, ()) if caption.article_id in (None, article_id)
        ]

    def has_own_caption(self, image_id: UUID, article_id: UUID) -> bool:
        """Return whether an image has a caption that was written for this article."""
        return any(caption.article_id == article_id for caption in self.captions.get(image_id, ()))

    def caption(
        self, image_id: UUID, *, article_id: UUID | None, language: str, caption_id: UUID | None = None
    ) -> EffectiveCaption | None:
        """Return the caption that holds for the image in an article; `caption_id` is the one that its block
        names. A picture that is not to be shown has none.
        """
        image = self.images.get(image_id)
        if image is None or rights.hidden(image) is not None:
            return None
        return effective(
            self.captions.get(image_id, ()),
            article_id=article_id,
            language=language,
            house_language=self.house_language,
            caption_id=caption_id,
        )


@dataclass(frozen=True, slots=True)
class _Loaded:
    """The pictures that a transaction has loaded, by the ids that it has asked for, and the versions of these
    and of their captions.
    """

    pictures: Pictures
    pictures_written: int
    asked: set[UUID] = field(default_factory=set)
    versions: dict[UUID, int] = field(default_factory=dict)

    def add(self, session: Session, ids: Collection[UUID]) -> None:
        """Load more of them."""
        session.flush()  # What this transaction has written so far is read too.
        # Past the ORM: nothing is written through them, and it takes as long again.
        rows = session.connection().execute(_LIVE, {"ids": list(ids)})
        images = {row.id: new_row(Image, row._asdict()) for row in rows}
        captions = captions_of(session, ids)
        self.asked.update(ids)
        self.pictures.images.update(images)
        self.pictures.captions.update(captions)
        self.versions.update((id_, image.version) for id_, image in images.items())
        self.versions.update((each.id, each.version) for known in captions.values() for each in known)


def load(session: Session, image_ids: Collection[UUID]) -> Pictures:
    """Return these images and their captions; those in the trash are left out.

    They are loaded afresh, unless this transaction has loaded them before, and has written no picture and no
    caption since. There may be others of that transaction among them.
    """
    settings = session.database.settings
    nothing = Pictures({}, {}, settings.language, settings.media_base)
    if not image_ids:
        return nothing
    known = session.kept.get(_Loaded)
    written = session.gathered.pictures_written
    if not isinstance(known, _Loaded) or session.is_read_only or known.pictures_written != written:
        known = _Loaded(nothing, written)
        session.kept[_Loaded] = known
    if missing := set(image_ids) - known.asked:
        known.add(session, missing)
    return known.pictures


def forget(session: Session) -> None:
    """Have pictures loaded afresh, because some were written without being noted, or by others."""
    session.kept.pop(_Loaded, None)


def loaded(session: Session) -> tuple[Collection[UUID], Iterable[tuple[UUID, int]]]:
    """Return the pictures that this transaction has loaded; and versions, of these and their captions."""
    known = session.kept.get(_Loaded)
    return (known.asked, known.versions.items()) if isinstance(known, _Loaded) else ((), ())
