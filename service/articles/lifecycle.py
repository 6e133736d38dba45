"""The life of an article: written, published, embargoed, corrected, withdrawn, trashed. Every write is a
version.

`draft → scheduled → published → withdrawn`. An article is public when it is published, not in the trash and
not expired. An embargo in the future keeps an article `scheduled`; the clock (clock.py) publishes it when its
time has come.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam
from sqlmodel import col, select

from service.articles import claims, desk, slugs
from service.articles.body import images_of
from service.articles.models import (
    READ_ONLY,
    Article,
    ArticleContent,
    ArticleReplace,
    ArticleWrite,
    Correction,
    Status,
)
from service.articles.moves import (
    ended_at,
    make_draft,
    make_public,
    move,
    refuse_date_to_come,
    refuse_end_before_embargo,
    wanted_status,
)
from service.articles.remembering import remember
from service.database import Session
from service.errors import Conflict, Gone, NotFound, ServiceError, Unprocessable
from service.http.callers import Caller
from service.http.patching import refuse_changes
from service.images import resolve
from service.images.claims import Pair
from service.images.resolve import Pictures
from service.scopes import Scope
from service.tables import Time, new_id, new_row, now

_CONTENT = tuple(ArticleContent.model_fields)
_STATE = tuple(set(Article.model_fields) - {"version", "updated_at", "listed_at"})
_TRASH = frozenset({"deleted_at"})
_HELD = (
    select(Article)
    .where(col(Article.id).in_(bindparam("ids", expanding=True)))
    .order_by(col(Article.id))
    .with_for_update()
)


class ArticleWithdrawn(Conflict):
    """A withdrawn article stays as it was withdrawn: it can be read by editors and deleted, not edited or
    published again.
    """

    title = "The article was withdrawn"


class WrongState(Conflict):
    """The article is not in a state in which this can happen to it; `article_status` says in which it is."""

    title = "Not in this state"


def get(session: Session, article_id: UUID, *, lock: bool = False, trashed: bool = False) -> Article:
    """Find a working article. Raises NotFound, and Gone for one in the trash."""
    statement = select(Article).where(Article.id == article_id)
    if lock:
        statement = statement.with_for_update()
    article = session.exec(statement).one_or_none()
    if article is None:
        raise NotFound(f"There is no article {str(article_id)!r}.")
    if not trashed:
        _refuse_trashed(article)
    return article


def hold(session: Session, ids: Collection[UUID]) -> dict[UUID, Article]:
    """Lock those of these articles that there are, in the order of their ids, and return them."""
    return {article.id: article for article in session.exec(_HELD, params={"ids": list(ids)})}


def _refuse_trashed(article: Article) -> None:
    if article.deleted_at is not None:
        raise Gone("This article is in the trash; POST …/restore brings it back.", reason="deleted")


def create(
    session: Session, caller: Caller, write: ArticleWrite, article_id: UUID | None = None
) -> tuple[Article, Pictures]:
    """Make an article, as a draft or published at once. The pictures that it shows come along, as they were
    found.
    """
    ((made, pictures),) = create_all(session, caller, {article_id or new_id(): write})
    if isinstance(made, ServiceError):
        raise made
    if isinstance(write, ArticleReplace):
        refuse_changes(write, made, READ_ONLY)
    return made, pictures


def create_all(
    session: Session, caller: Caller, writes: Mapping[UUID, ArticleWrite]
) -> list[tuple[Article | ServiceError, Pictures]]:
    """Make articles under these ids: what became of each, in their order. One that is refused has left
    nothing behind.

    No two may have the same `source` and `external_id`.
    """
    pictures = resolve.load(
        session, {image for write in writes.values() for image in claims.images_in(write)}
    )
    holders = claims.claim_external_ids(session, list(writes.values()))
    made: dict[UUID, Article | ServiceError] = {}
    for id_, write in writes.items():
        try:
            _refuse_new(session, caller, write, id_, pictures, holders)
        except ServiceError as refusal:
            made[id_] = refusal
    wanted = [
        slugs.Claim(id_, write.slug, write.headline) for id_, write in writes.items() if id_ not in made
    ]
    claimed = slugs.claim_all(session, wanted)
    made |= {id_: slug for id_, slug in claimed.items() if isinstance(slug, ServiceError)}
    times = {id_: now() for id_ in claimed if id_ not in made}
    for id_, text_key in desk.TEXT.place(session, times).items():
        made[id_] = _new(session, id_, str(claimed[id_]), times[id_], text_key, writes[id_])
    created = [one for one in made.values() if isinstance(one, Article)]
    remember(session, created, caller, "created", is_new=True)
    return [(made[id_], pictures) for id_ in writes]


def _refuse_new(
    session: Session,
    caller: Caller,
    write: ArticleWrite,
    article_id: UUID,
    pictures: Pictures,
    holders: Mapping[Pair, UUID],
) -> None:
    if write.status not in (None, Status.DRAFT, Status.PUBLISHED):
        raise Unprocessable.at("/status", f"cannot be {write.status}: a new article is a draft or published")
    if write.status == Status.PUBLISHED:
        caller.need(Scope.CONTENT_PUBLISH)
    caller.need_source(write.source)
    refuse_date_to_come(write)
    refuse_end_before_embargo(write)
    claims.refuse_references(session, write, article_id, pictures)
    claims.refuse_pictures(session, caller, claims.images_in(write), pictures)
    claims.refuse_taken(write, article_id, holders)


def _new(session: Session, id_: UUID, slug: str, at: datetime, text_key: int, write: ArticleWrite) -> Article:
    values = {name: getattr(write, name) for name in _CONTENT} | {"language": _language(session, write)}
    own: dict[str, object] = {
        "id": id_,
        "slug": slug,
        "text_key": text_key,
        "status": Status.DRAFT,
        "scheduled_for": None,
        "publish_at": None,
        "published_at": write.published_at,
        "first_published_at": None,
        "withdrawn_for": None,
        "version": 0,
        "corrections": [],
        "created_at": at,
        "updated_at": at,
        "deleted_at": None,
        "expired_at": ended_at(write.usable_until),
        "listed_at": at,
    }
    article = new_row(Article, values | own)
    if write.status == Status.PUBLISHED:
        make_public(article, now())
    return article


def _language(session: Session, write: ArticleWrite) -> str:
    return write.language or session.database.settings.language


def authorise(caller: Caller, article: Article, status: object = None) -> None:
    """Refuse a caller who may not change this article, or bring it into this status.

    An article that is no draft is, was or will be public, so that changing it is publishing.
    """
    caller.need_source(article.source)
    if article.status != Status.DRAFT or status == Status.PUBLISHED:
        caller.need(Scope.CONTENT_PUBLISH)


def admit(caller: Caller, article: Article, status: object = None, *, trashed: bool = False) -> None:
    """Refuse an article in the trash, unless it is looked for there, and a caller who may not change it."""
    if not trashed:
        _refuse_trashed(article)
    authorise(caller, article, status)


def replace(
    session: Session, caller: Caller, article: Article, write: ArticleReplace
) -> tuple[Article, Pictures]:
    """Write an article anew. What equals the stored leaves no trace: no version, nothing in the feed."""
    caller.need_source(article.source)
    caller.need_source(write.source)  # Before a slug is claimed, which would stay claimed.
    refuse_changes(write, article, READ_ONLY)
    status = wanted_status(article, write)
    before, former, embargo = _state(article), article.status, article.embargoed_until
    pictures = _refuse_edit(session, caller, article, write)
    if write.slug not in (None, article.slug):
        authorise(caller, article, status)  # As above.
    changed = _put_content(session, article, write)
    action = move(article, caller, status, embargo)
    if _state(article) != before:
        caller.need_source(article.source)
        if former != Status.DRAFT:  # See `authorise`. A request that changes nothing is allowed.
            caller.need(Scope.CONTENT_PUBLISH)
        was_public = former == Status.PUBLISHED
        remember(session, [article], caller, action, was_public=was_public, changed=changed)
    return article, pictures


def _refuse_edit(session: Session, caller: Caller, article: Article, write: ArticleReplace) -> Pictures:
    """Refuse content that this article may not get, and return the pictures that it is to show."""
    if article.status == Status.WITHDRAWN and _differs(session, article, write):
        raise ArticleWithdrawn("A withdrawn article cannot be edited.", article_status=str(article.status))
    # The date that is stored stays welcome, also where the clock has been set back behind it since.
    if _is_dated_anew(article, write):
        refuse_date_to_come(write)
    refuse_end_before_embargo(write, article)
    pictures = resolve.load(session, claims.images_in(write))
    claims.refuse_references(session, write, article.id, pictures)
    added = set(claims.images_in(write)).difference(images_of(article.body), [article.lead_image_id])
    claims.refuse_pictures(session, caller, added, pictures)
    holders = {}
    if claims.pair_of(write) != (article.source, article.external_id):
        session.flush()  # An edit before this one may have taken the key, or given it up.
        holders = claims.claim_external_ids(session, [write])
    claims.refuse_taken(write, article.id, holders)
    return pictures


def _put_content(session: Session, article: Article, write: ArticleReplace) -> frozenset[str]:
    """Put content, slug and times into an article. Return the members of the content that have changed."""
    content = {name: getattr(write, name) for name in _CONTENT} | {"language": _language(session, write)}
    changed = frozenset(name for name, value in content.items() if getattr(article, name) != value)
    for name in changed:
        setattr(article, name, content[name])
    if write.slug is not None and write.slug != article.slug:
        article.slug = slugs.claim_one(session, slugs.Claim(article.id, write.slug, write.headline))
    if write.usable_until != article.expired_at:
        article.expired_at = ended_at(write.usable_until)
    if _is_dated_anew(article, write):
        article.published_at = write.published_at
    return changed


def publish(session: Session, caller: Caller, article: Article, at: Time | None) -> Article:
    """Publish now, or at a time; an embargo in the future holds it back until then."""
    authorise(caller, article)
    _refuse_withdrawn(article)
    if article.status == Status.PUBLISHED and (at is None or at <= now()):
        return article
    if article.status == Status.PUBLISHED:
        raise WrongState(
            "The article is published already; unpublish it first, or embargo it, to take it away until"
            " then.",
            article_status=str(article.status),
        )
    before = _state(article)
    make_public(article, max(at or now(), now()))
    if _state(article) != before:
        remember(session, [article], caller, str(article.status))
    return article


def unpublish(session: Session, caller: Caller, article: Article) -> Article:
    """Take an article back to a draft; a scheduled one is no longer scheduled."""
    authorise(caller, article)
    _refuse_withdrawn(article)
    if article.status == Status.DRAFT:
        return article
    was_public = article.status == Status.PUBLISHED
    make_draft(article)
    remember(session, [article], caller, "unpublished", was_public=was_public)
    return article


def withdraw(session: Session, caller: Caller, article: Article, reason: str) -> Article:
    """Kill an article: it leaves a tombstone with the reason on every surface, and cannot come back."""
    authorise(caller, article)
    _refuse_withdrawn(article)
    if article.first_published_at is None:
        raise WrongState(
            "Only what was published can be withdrawn; delete this instead.",
            article_status=str(article.status),
        )
    article.status, article.withdrawn_for = Status.WITHDRAWN, reason
    article.scheduled_for = article.publish_at = None
    remember(session, [article], caller, "withdrawn", was_public=True)
    return article


def correct(session: Session, caller: Caller, article: Article, kind: str, text: str) -> Article:
    """Say what was put right."""
    authorise(caller, article)
    _refuse_withdrawn(article)
    article.corrections = [*article.corrections, Correction(at=now(), kind=kind, text=text)]
    remember(session, [article], caller, "corrected", was_public=article.status == Status.PUBLISHED)
    return article


def trash(session: Session, caller: Caller, article: Article) -> None:
    """Put an article into the trash."""
    authorise(caller, article)
    article.deleted_at = now()
    remember(session, [article], caller, "deleted", was_public=True, changed=_TRASH)


def restore(session: Session, caller: Caller, article: Article) -> Article:
    """Bring an article back from the trash, as it was."""
    if article.deleted_at is None:
        return article
    authorise(caller, article)
    article.deleted_at = None
    remember(session, [article], caller, "restored", was_public=True, changed=_TRASH)
    return article


def release(session: Session, caller: Caller, articles: Sequence[Article]) -> None:
    """Publish scheduled articles whose time has come."""
    at = now()
    for article in articles:
        assert article.scheduled_for is not None
        make_public(article, at)
    remember(session, articles, caller, "published", was_public=False)


def expire(session: Session, caller: Caller, articles: Sequence[Article]) -> None:
    """Take away from readers the articles whose right to be shown has ended."""
    for article in articles:
        article.expired_at = article.usable_until
    remember(session, articles, caller, "expired", was_public=True)


def _is_dated_anew(article: Article, write: ArticleReplace) -> bool:
    """Return whether the request changes the date of publication. Null removes the date of a draft, but not
    of an article that is public.
    """
    given = "published_at" in write.model_fields_set and (
        write.published_at is not None or article.status == Status.DRAFT
    )
    return given and write.published_at != article.published_at


def _differs(session: Session, article: Article, write: ArticleReplace) -> bool:
    names = set(_CONTENT) - {"language"}
    same = all(getattr(article, name) == getattr(write, name) for name in names)
    same = same and article.language == _language(session, write)
    same = same and not _is_dated_anew(article, write)
    return not same or write.slug not in (None, article.slug) or write.status not in (None, article.status)


def _refuse_withdrawn(article: Article) -> None:
    if article.status == Status.WITHDRAWN:
        raise ArticleWithdrawn("The article was withdrawn.", article_status=str(article.status))


def _state(article: Article) -> dict[str, object]:
    # Not copied, because a member is replaced by another, and never altered.
    return {name: getattr(article, name) for name in _STATE}
