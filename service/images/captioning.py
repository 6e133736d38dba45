"""Store the words that came with a picture: as its own caption while it has none, or else as its caption in
this article.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import col, select

from service.database import Session
from service.http.callers import Caller
from service.images import captions
from service.images.caption_writing import CaptionReplace, CaptionWrite
from service.images.models import Caption, CaptionSource, Image


def caption_image(
    session: Session,
    caller: Caller,
    image: Image,
    article_id: UUID,
    language: str,
    words: str | None,
    alt: str | None,
    *,
    again: bool,
    live: Sequence[Caption] | None = None,
) -> Caption | None:
    """Caption a picture of an imported article, and return the new caption if one is made; `again` when the
    article was here before. What editors wrote is left alone.

    Where the caller may not write the picture's own caption, the words become a caption in this article.
    `live` are all captions of the picture, which a caller that holds picture and article has loaded.
    """
    captioned = _live(session, image.id) if live is None else live
    known = {caption.article_id: caption for caption in captioned if caption.language == language}
    usable = (caption for caption in known.values() if caption.article_id in (None, article_id))
    if not (words or alt) or any((caption.text, caption.alt_text) == (words, alt) for caption in usable):
        return None
    may_share = captions.may_write(session, caller, image.id, None)
    ours = known.get(article_id) or (known.get(None) if again and may_share else None)
    if ours is None:
        scope = article_id if None in known or not may_share else None
        write = CaptionWrite(
            article_id=scope, text=words, alt_text=alt, source=CaptionSource.IMPORT, language=language
        )
        return captions.create(session, caller, write, image.id, is_free=live is not None)
    if ours.source is CaptionSource.IMPORT:
        captions.replace(
            session,
            caller,
            ours,
            CaptionReplace(article_id=ours.article_id, text=words, alt_text=alt, source=ours.source),
        )
    return None


def _live(session: Session, image_id: UUID) -> Sequence[Caption]:
    live = select(Caption).where(Caption.image_id == image_id, col(Caption.deleted_at).is_(None))
    return session.exec(live).all()
