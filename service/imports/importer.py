"""A page that was read becomes one article with its pictures, captions and banner; the same page again
updates what it made.

An article that was imported is known by its `source` (the page's site) and `external_id` (its canonical
address; of a text dump, which has neither, the fingerprint of its headline). Pictures are known by their
address, or by their place in that article.
"""

import hashlib
import html
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

from slugify import slugify
from sqlmodel import col, select

from service.articles import lifecycle
from service.articles.body import ImageBlock
from service.articles.models import Article, ArticleCreate, ArticleReplace, Status
from service.consent.notices.defaults import is_for_banners, record_banner
from service.database import Session
from service.http.callers import Caller
from service.images import lifecycle as images
from service.images.captioning import caption_image
from service.images.intake import KeptFile
from service.images.models import Image, ImageContent, ImageCreate, ImageReplace
from service.newspages import (
    Banner,
    Block,
    Code,
    Dropped,
    Embed,
    FoundPicture,
    Heading,
    ItemList,
    Page,
    Paragraph,
    PictureBlock,
    Quote,
    Table,
)
from service.scopes import Scope
from service.tables import new_id, now

NONE_FETCHED: Mapping[str, KeptFile] = {}
_ANOTHER_ZONE = timedelta(hours=24)
DUMP = "page-dump"
"""The source of a page that does not say where it is from."""


@dataclass(frozen=True, slots=True)
class Imported:
    """The result of importing a page."""

    article: Article
    created: bool
    dropped: Sequence[Dropped] = ()
    """The parts that were not kept, beside what reading the page has left out."""


def bring_in(
    session: Session,
    caller: Caller,
    page: Page,
    *,
    files: Mapping[str, KeptFile] = NONE_FETCHED,
    publish: bool = False,
) -> Imported:
    """Write a page into the store: as a draft, or published. An article that is published already
    stays so.
    """
    source, external_id = identity(page)
    found = select(Article).where(Article.source == source, Article.external_id == external_id)
    article = session.exec(found.with_for_update()).one_or_none()
    article_id = article.id if article else new_id()
    language = page.language or session.database.settings.language
    pictures = _Pictures(session, caller, page, article, article_id, language, files)
    body = [_block(block, pictures) for block in page.blocks]
    lead = pictures.place(page.lead) if page.lead is not None else None
    content = (
        _content(page, source, external_id, language)
        | _dated(page, article)
        | {"body": body, "lead_image_id": lead}
    )
    if publish:
        caller.need(Scope.CONTENT_PUBLISH)
        content["status"] = Status.PUBLISHED
    if article is None:
        written, _ = lifecycle.create(session, caller, ArticleCreate.model_validate(content), article_id)
    else:
        written = _update(session, caller, article, ArticleReplace.model_validate(content))
    pictures.caption_all()
    dropped = [] if page.banner is None else _keep_banner(session, caller, page, page.banner, language)
    return Imported(written, created=article is None, dropped=dropped)


def identity(page: Page) -> tuple[str, str]:
    """Return the key by which a page is known: its site and canonical address, or the fingerprint of its
    headline.
    """
    if page.site and page.canonical_url:
        return page.site, page.canonical_url[:500]
    return page.site or DUMP, hashlib.sha256(" ".join(page.headline.split()).encode()).hexdigest()[:32]


def _update(session: Session, caller: Caller, article: Article, write: ArticleReplace) -> Article:
    if article.deleted_at is not None:
        lifecycle.restore(session, caller, article)
    return lifecycle.replace(session, caller, article, write)[0]


def _content(page: Page, source: str, external_id: str, language: str) -> dict[str, object]:
    return {
        "headline": page.headline[:500],
        "summary": page.summary,
        "byline": _short(page.byline),
        "dateline": _short(page.dateline),
        "authors": [{"name": author.name[:500], "url": author.url} for author in page.authors[:50]],
        "section": _short(page.section),
        "tags": [tag[:500] for tag in page.tags[:100]],
        "language": language,
        "credit_line": _short(page.credit_line),
        "source": source,
        "external_id": external_id,
        "canonical_url": page.canonical_url,
    }


def _dated(page: Page, article: Article | None) -> dict[str, object]:
    """Return when the page was published. One that says nothing of it leaves the stored time as it is, and
    one from the future is not believed, but for today: clocks and zones differ by less than a day.
    """
    stated, known = page.published_at, article.published_at if article else None
    if stated is None or stated > now() + _ANOTHER_ZONE:
        return {}
    if stated > now():
        return {} if known is not None else {"published_at": now()}
    return {"published_at": stated}


def _short(value: str | None) -> str | None:
    return value[:500] if value else None


def _block(block: Block, pictures: "_Pictures") -> dict[str, object]:  # noqa: PLR0911  # one for each kind
    match block:
        case Paragraph():
            return {"type": "paragraph", "html": block.html}
        case Heading():
            return {"type": "heading", "level": block.level, "html": block.html}
        case Quote():
            return {"type": "quote", "html": block.html, "cite": _short(block.cite)}
        case ItemList():
            return {"type": "list", "ordered": block.ordered, "items": list(block.items)}
        case Table():
            return {"type": "table", "caption": block.caption, "header": block.header, "rows": block.rows}
        case Code():
            return {"type": "code", "language": block.language, "text": block.text}
        case Embed():
            return embedded(block.url, pictures.embed_hosts)
        case PictureBlock():
            return {"type": "image", "image_id": pictures.place(block.picture)}


def embedded(address: str, hosts: Collection[str]) -> dict[str, object]:
    """Return an embed block, or a link where this store may not show the host."""
    if urlsplit(address).hostname in hosts:
        return {"type": "embed", "url": address}
    return {"type": "paragraph", "html": f'<a href="{html.escape(address)}">{html.escape(address)}</a>'}


class _Pictures:
    """The images of one page: found again, or made without their files, each with its caption."""

    def __init__(
        self,
        session: Session,
        caller: Caller,
        page: Page,
        article: Article | None,
        article_id: UUID,
        language: str,
        files: Mapping[str, KeptFile],
    ) -> None:
        self._files = files
        self.embed_hosts = session.database.settings.embed_hosts
        self._session = session
        self._caller = caller
        self._site = page.site or DUMP
        self._article_id = article_id
        self._language = language
        self._before: Iterator[UUID] = iter(
            [block.image_id for block in article.body if isinstance(block, ImageBlock)] if article else []
        )
        self._placed: dict[FoundPicture, Image] = {}
        self._again = article is not None

    def place(self, picture: FoundPicture) -> UUID:
        """Return the id of the image for a picture; the same picture twice is one image. Raises
        PictureWithdrawn.
        """
        image = self._placed.get(picture) or self._same_address(picture)
        if image is None:
            image = self._with_file(self._find(picture), picture) or self._make(picture)
            images.refuse_withdrawn(image)
            self._placed[picture] = image
        return image.id

    def _same_address(self, picture: FoundPicture) -> Image | None:
        return next(
            (
                image
                for image in self._placed.values()
                if picture.url is not None and image.source_url == picture.url
            ),
            None,
        )

    def _find(self, picture: FoundPicture) -> Image | None:
        live = select(Image).where(col(Image.deleted_at).is_(None))
        if picture.url is not None:
            return self._session.exec(
                live.where(Image.source == self._site, Image.source_url == picture.url)
            ).first()
        before = next(self._before, None)
        return (
            None
            if before is None
            else self._session.exec(
                live.where(Image.id == before, col(Image.source_url).is_(None))
            ).one_or_none()
        )

    def _with_file(self, image: Image | None, picture: FoundPicture) -> Image | None:
        """Give the fetched file to an image that had none."""
        file = self._files.get(picture.url or "")
        if image is not None and image.digest is None and file is not None:
            images.replace_file(self._session, self._caller, image, file)
        return image

    def _make(self, picture: FoundPicture) -> Image:
        content = ImageCreate(source=self._site, source_url=picture.url, credit_line=_short(picture.credit))
        image, _ = images.create(self._session, self._caller, content, self._files.get(picture.url or ""))
        return image

    def caption_all(self) -> None:
        """Give every picture its credit and caption, once the article is there to refer to."""
        self._session.flush()
        for picture, image in self._placed.items():
            if picture.credit:
                said = image.model_dump(include=set(ImageContent.model_fields)) | {
                    "credit_line": _short(picture.credit)
                }
                images.replace(self._session, self._caller, image, ImageReplace.model_validate(said))
            caption_image(
                self._session,
                self._caller,
                image,
                self._article_id,
                self._language,
                picture.caption,
                picture.alt,
                again=self._again,
            )


def _keep_banner(
    session: Session, caller: Caller, page: Page, banner: Banner, language: str
) -> list[Dropped]:
    """Keep the page's cookie banner, word for word, as a consent notice that tells the truth about itself.

    A notice is public. The banner is dropped for a caller who may publish nothing, and where its key has
    notices that readers decide on.
    """
    key = slugify(page.site or "", max_length=100) or DUMP
    may_publish = caller.may(Scope.CONTENT_PUBLISH) or caller.may(Scope.CONSENT_WRITE)
    if not may_publish or not is_for_banners(session, key):
        return [Dropped("banner", banner.body[:100])]
    record_banner(
        session,
        key=key,
        title=banner.title,
        body=banner.body,
        accept_label=banner.accept_label,
        reject_label=banner.reject_label,
        settings_label=banner.settings_label,
        language=language,
    )
    return []
