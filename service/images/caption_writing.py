"""Captions as integrators and editors send them."""

from typing import Self
from uuid import UUID

from pydantic import StrictInt, model_validator

from service.images.models import CaptionContent
from service.tables import Language, TableShape, Time


class CaptionWrite(CaptionContent, TableShape):
    """A caption in a request. Without a language it is in the house's."""

    language: Language | None = None

    @model_validator(mode="after")
    def says_something(self) -> Self:
        """Refuse a caption without words, because it would hide one that has some."""
        if self.decorative and self.alt_text:
            raise ValueError("is decorative, so it has no alt_text")
        if self.text or self.alt_text or self.decorative:
            return self
        raise ValueError("needs text or alt_text, or is decorative")


class CaptionCreate(CaptionWrite):
    """A new caption of an image."""

    image_id: UUID


class CaptionReplace(CaptionWrite):
    """A caption as it was read may be sent back: members that only the service sets are welcome while they
    are unchanged.
    """

    id: UUID | None = None
    image_id: UUID | None = None
    version: StrictInt | None = None
    created_at: Time | None = None
    updated_at: Time | None = None
