"""Pictures with their captions for whoever shows them: as many as are asked for, in two queries."""

from collections.abc import Collection
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import bindparam
from sqlmodel import col, select

from service.database import Session
from service.images import rights
from service.images.effective import effective
from service.images.models import CaptionRead, EffectiveCaption, Image, Picture, WithdrawalReason
from service.images.read import captions_of, picture
from service.published.models import Reason

_LIVE = (
    select(Image)
    .where(col(Image.id).in_(bindparam("ids", expanding=True)), col(Image.deleted_at).is_(None))
    .execution_options(populate_existing=True)
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
        """The captions of an image for any article and those for this one. What was written for another
        article stays there: that one may be a draft.
        """
        return [
            caption for caption in self.captions.get(image_id, ()) if caption.article_id in (None, article_id)
        ]

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


def load(session: Session, image_ids: Collection[UUID]) -> Pictures:
    """Load images and their captions afresh; those in the trash are left out."""
    settings = session.database.settings
    if not image_ids:
        return Pictures({}, {}, settings.language, settings.media_base)
    session.flush()  # What this transaction has written so far is read too.
    images = session.exec(_LIVE, params={"ids": list(image_ids)}).all()
    return Pictures(
        {image.id: image for image in images},
        captions_of(session, image_ids),
        settings.language,
        settings.media_base,
    )
