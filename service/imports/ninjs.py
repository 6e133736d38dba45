"""Write a ninjs object into the store: one article with its pictures and captions. The same object again
updates it.

An article is known by `source` and `external_id`, or by its own id when the URI is a `urn:uuid:`: an object
that this store, or another Copydesk, has written leads back to the same article.
"""

from collections.abc import Mapping
from uuid import UUID

from pydantic import ValidationError
from sqlmodel import col, select

from service.articles import lifecycle
from service.articles.body import Embed
from service.articles.models import Article, ArticleCreate, ArticleReplace, ArticleSlug, ArticleWrite, Status
from service.database import Session
from service.errors import Unprocessable, errors_of
from service.formats.ninjs import read
from service.formats.ninjs.markup import Found, Shown
from service.formats.ninjs.models import Association
from service.formats.ninjs.read import NinjsItem
from service.http.callers import Caller
from service.images import lifecycle as images
from service.images.captioning import caption_image
from service.images.intake import KeptFile
from service.images.models import Image, ImageContent, ImageCreate, ImageReplace
from service.imports.importer import Imported, embedded
from service.tables import new_id


def bring_in(session: Session, caller: Caller, item: NinjsItem, files: Mapping[str, KeptFile]) -> Imported:
    """Write an object into the store: `usable` as a draft, or as it stands when it is here; `withheld` not
    published; `canceled` withdrawn.
    """
    article = _find(session, item)
    if item.status == "canceled":
        return Imported(_cancel(session, caller, item, article), created=False)
    article_id = article.id if article else item.article_id or new_id()
    pictures = {name: _image(session, caller, item, each, files) for name, each in item.pictures.items()}
    body = [_block(session, block, pictures) for block in item.blocks]
    content = item.content | {"body": body, "lead_image_id": pictures[item.lead].id if item.lead else None}
    if _is_taken(session, item.content.get("slug"), article_id):
        content.pop("slug")
    if item.status == "withheld":
        content["status"] = Status.DRAFT
    written = _write(session, caller, content, article, article_id)
    session.flush()  # Captions refer to the article.
    for name, each in item.pictures.items():
        words = read.description(each, "caption"), read.description(each, "alttext")
        caption_image(
            session,
            caller,
            pictures[name],
            article_id,
            read.language_of(each.language) or written.language,
            *words,
            again=article is not None,
        )
    for correction in item.corrections:
        if correction not in {known.text for known in written.corrections}:
            lifecycle.correct(session, caller, written, "correction", correction)
    return Imported(written, created=article is None)


def _find(session: Session, item: NinjsItem) -> Article | None:
    source, external_id = item.content.get("source"), item.content.get("external_id")
    same = select(Article).with_for_update()
    if source and external_id:
        found = session.exec(
            same.where(Article.source == source, Article.external_id == external_id)
        ).one_or_none()
        if found is not None:
            return found
    return (
        None
        if item.article_id is None
        else session.exec(same.where(Article.id == item.article_id)).one_or_none()
    )


def _write(
    session: Session, caller: Caller, content: dict[str, object], article: Article | None, article_id: UUID
) -> Article:
    try:
        write: ArticleWrite = (
            ArticleReplace.model_validate(content) if article else ArticleCreate.model_validate(content)
        )
    except ValidationError as error:
        first = errors_of(error)[0]
        raise Unprocessable.at("/bodies", f"{'/'.join(map(str, first['loc']))}: {first['msg']}") from None
    if article is None:
        return lifecycle.create(session, caller, write, article_id)[0]
    assert isinstance(write, ArticleReplace)
    if article.deleted_at is not None:
        lifecycle.restore(session, caller, article)
    return lifecycle.replace(session, caller, article, write)[0]


def _cancel(session: Session, caller: Caller, item: NinjsItem, article: Article | None) -> Article:
    """Withdraw what was published, and put into the trash what never was."""
    if article is None:
        raise Unprocessable.at("/pubStatus", "cancels an item that this store does not have")
    if article.first_published_at is None:
        lifecycle.trash(session, caller, article)
    elif article.status != Status.WITHDRAWN:
        lifecycle.withdraw(session, caller, article, item.reason or "Canceled by its provider.")
    return article


def _is_taken(session: Session, slug: object, article_id: UUID) -> bool:
    """Return whether another article has, or had, the slug: this one then gets one of its own."""
    holder = select(ArticleSlug.article_id).where(
        ArticleSlug.slug == slug, ArticleSlug.article_id != article_id
    )
    return slug is not None and session.exec(holder).one_or_none() is not None


def _block(session: Session, block: Found, pictures: Mapping[str, Image]) -> dict[str, object]:
    match block:
        case Shown():
            return {"type": "image", "image_id": pictures[block.name or ""].id}
        case Embed():
            return embedded(block.url, session.database.settings.embed_hosts)
    return block.model_dump()


def _image(
    session: Session, caller: Caller, item: NinjsItem, said: Association, files: Mapping[str, KeptFile]
) -> Image:
    """Return the image of an association: found again, or made, with what is said of it."""
    address = read.file_address(said)
    file = files.get(address or "")
    content = {
        "credit_line": read.line(read.description(said, "creditline")),
        "copyright_notice": read.text_of(said.copyright_notice),
        "usage_terms": read.text_of(said.usage_terms),
        "source": read.source_of(said) or item.content.get("source"),
        "source_url": read.web_address(read.alternative(said, "sourceUrl") or address),
        "focal_point": _focal_point(said),
    }
    known = {name: value for name, value in content.items() if value is not None}
    image = _same_image(session, said, known)
    if image is None:
        wanted = read.urn_id(said.uri)
        taken = wanted is not None and session.get(Image, wanted) is not None
        return images.create(
            session, caller, ImageCreate.model_validate(known), file, None if taken else wanted
        )[0]
    images.refuse_withdrawn(image)
    if image.digest is None and file is not None:
        images.replace_file(session, caller, image, file)
    # Where it came from is what it was found by, or what this store knows better.
    told = {name: value for name, value in known.items() if name not in ("source", "source_url")}
    stored = image.model_dump(include=set(ImageContent.model_fields))
    images.replace(session, caller, image, ImageReplace.model_validate(stored | told))
    return image


def _same_image(session: Session, said: Association, content: Mapping[str, object]) -> Image | None:
    live = select(Image).where(col(Image.deleted_at).is_(None))
    id_, digest = read.urn_id(said.uri), read.alternative(said, "sha256")
    for condition in (
        None if id_ is None else Image.id == id_,
        None if digest is None else Image.digest == digest,
        (col(Image.source) == content.get("source")) & (col(Image.source_url) == content.get("source_url"))
        if "source_url" in content
        else None,
    ):
        if condition is not None and (found := session.exec(live.where(condition)).first()) is not None:
            return found
    return None


def _focal_point(said: Association) -> dict[str, float] | None:
    for file in said.renditions or []:
        if file.poi and file.width and file.height and file.poi.x is not None and file.poi.y is not None:
            return {
                "x": min(1.0, max(0.0, file.poi.x / file.width)),
                "y": min(1.0, max(0.0, file.poi.y / file.height)),
            }
    return None
