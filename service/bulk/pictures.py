"""Load the pictures that come inline with the items of a batch together; make, describe and caption them."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy import BindParameter, bindparam
from sqlmodel import col, select

from service.articles.models import Article
from service.bulk.reading import InlineImage, Work
from service.database import Session
from service.http.callers import Caller
from service.images import lifecycle as images
from service.images.captioning import caption_image
from service.images.models import Caption, Image, ImageContent, ImageCreate, ImageReplace
from service.published import working
from service.published.models import Kind

_IDS: BindParameter[Sequence[UUID]] = bindparam("ids", expanding=True)
_HELD = (
    select(Image)
    .where(col(Image.id).in_(_IDS))
    .order_by(col(Image.id))
    .with_for_update(key_share=True)
    .execution_options(populate_existing=True)
)
_CAPTIONS = (
    select(Caption)
    .where(col(Caption.image_id).in_(_IDS), col(Caption.deleted_at).is_(None))
    .order_by(col(Caption.id))
)


class InlinePictures:
    """The pictures of a batch by their ids, locked until its transaction ends, and their live captions."""

    def __init__(self, session: Session, caller: Caller, ids: Collection[UUID]) -> None:
        self._session, self._caller = session, caller
        self._known: dict[UUID, Image] = {}
        self._captions: dict[UUID, list[Caption]] = {}
        self._unused: dict[UUID, Work] = {}
        if ids:
            # In the order of their ids, as a single edit locks them.
            held = session.exec(_HELD, params={"ids": sorted(ids)})
            self._known = {image.id: image for image in held}
            for caption in session.exec(_CAPTIONS, params={"ids": sorted(ids)}):
                self._captions.setdefault(caption.image_id, []).append(caption)

    def make(self, work: Work) -> None:
        """Make the pictures of an item that are not there yet. Raises what refuses them, and what would
        refuse to describe the others.
        """
        for inline, id_ in work.pictures:
            image = self._known.get(id_)
            if image is None:
                content = ImageCreate.model_validate(_members(work, inline))
                self._known[id_], _ = images.create(self._session, self._caller, content, None, id_)
                self._unused[id_] = work
            elif id_ not in self._unused:
                images.refuse_withdrawn(image)
                if _says_more(image, _members(work, inline)):
                    images.authorise(self._session, self._caller, image)

    def keep(self, written: Sequence[Work]) -> None:
        """Keep the pictures of the items of a wave that are written. Delete those that were made for the
        others: an item of the next wave may bring the same picture, which must not find this one.
        """
        for work in written:
            for inline, id_ in work.pictures:
                if (maker := self._unused.pop(id_, None)) is not None and maker is not work:
                    # As its first article says, and not as an item does that was refused.
                    content = ImageCreate.model_validate(_members(work, inline))
                    for name in ImageContent.model_fields:
                        setattr(self._known[id_], name, getattr(content, name))
        if self._unused:
            for id_ in self._unused:
                self._session.delete(self._known.pop(id_))
            self._session.flush()
            working.forget(self._session, Kind.IMAGE, *self._unused)
            self._unused = {}

    def tell(self, work: Work, article: Article, *, again: bool) -> None:
        """Update the metadata and captions of the pictures of an item; `again` when its article was here
        before.
        """
        for inline, id_ in work.pictures:
            self._describe(self._known[id_], _members(work, inline))
        for inline, id_ in work.pictures:
            captions = self._captions.setdefault(id_, [])
            for words in inline.captions:
                made = caption_image(
                    self._session,
                    self._caller,
                    self._known[id_],
                    article.id,
                    words.language or article.language,
                    words.text,
                    words.alt_text,
                    again=again,
                    live=captions,
                )
                captions += [] if made is None else [made]

    def _describe(self, image: Image, said: dict[str, object]) -> None:
        images.refuse_withdrawn(image)
        if _says_more(image, said):
            before = image.model_dump(include=set(ImageContent.model_fields))
            images.replace(self._session, self._caller, image, ImageReplace.model_validate(before | said))


def _members(work: Work, inline: InlineImage) -> dict[str, object]:
    return inline.model_dump(include=set(ImageContent.model_fields), exclude_none=True) | {
        "source": inline.source or work.write.source
    }


def _says_more(image: Image, said: Mapping[str, object]) -> bool:
    return any(getattr(image, name) != value for name, value in said.items())
