"""Check the pictures that an article refers to, and claim the integrator's key of an article."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy import ARRAY, String, bindparam, cast
from sqlmodel import col, func, select

from service.articles import desk
from service.articles.body import images_of
from service.articles.models import Article, ArticleWrite
from service.database import Session
from service.errors import Conflict, Unprocessable
from service.http.callers import Caller
from service.images.claims import LONGEST_KEY, Pair, by_source
from service.images.lifecycle import refuse_withdrawn
from service.images.resolve import Pictures
from service.published.terms import shown

_HOLDERS = select(Article.source, Article.external_id, Article.id).where(
    col(Article.source) == bindparam("source"),
    col(Article.external_id).in_(bindparam("external_ids", expanding=True)),
)


class ExternalIdTaken(Conflict):
    """Another article has this `source` and `external_id`; `id` says which."""

    title = "External id taken"


def images_in(write: ArticleWrite) -> list[UUID]:
    """Return the pictures that an article is to show."""
    return [*images_of(write.body), *([write.lead_image_id] if write.lead_image_id else [])]


def refuse_references(session: Session, write: ArticleWrite, article_id: UUID, pictures: Pictures) -> None:
    """Refuse pictures, captions and embeds that this store cannot show, each with its pointer."""
    errors = list(desk.reference_problems(write, article_id, pictures, session.database.settings.embed_hosts))
    if errors:
        raise Unprocessable(f"{errors[0].pointer} {errors[0].message}.", errors=errors)


def refuse_pictures(session: Session, caller: Caller, new: Collection[UUID], pictures: Pictures) -> None:
    """Refuse to show pictures that are withdrawn, or of other sources and not public with a token that is
    bound to a source.

    Articles make the pictures public that they show. Raises PictureWithdrawn.
    """
    for id_ in new:
        if (image := pictures.images.get(id_)) is not None:
            refuse_withdrawn(image)
    if caller.source is None:
        return
    foreign = {
        id_: image for id_ in new if (image := pictures.images.get(id_)) and image.source != caller.source
    }
    for id_ in foreign.keys() - shown(session, foreign):
        caller.need_source(foreign[id_].source)


def pair_of(write: ArticleWrite) -> Pair | None:
    """Return the integrator's own key of an article, if it is to have one."""
    return None if write.source is None or write.external_id is None else (write.source, write.external_id)


def pairs_of(*writes: ArticleWrite) -> list[Pair]:
    """Return the keys of articles, of those that are to have one."""
    return [pair for write in writes if (pair := pair_of(write)) is not None]


def claim_external_ids(session: Session, writes: Sequence[ArticleWrite]) -> dict[Pair, UUID]:
    """Return which articles hold these external ids already."""
    pairs = sorted(pairs_of(*writes))
    if not pairs:
        return {}
    if not session.database.is_sqlite:
        # Of two that claim the same pair at once, the second waits here, and then sees the first.
        keys = func.unnest(
            cast([f"{source}\n{external_id}" for source, external_id in pairs], ARRAY(String))
        ).column_valued("key")
        session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(keys, 0))))
    return holders(session, pairs)


def holders(session: Session, pairs: Sequence[Pair]) -> dict[Pair, UUID]:
    """Return which articles hold these external ids now."""
    asked = (
        {"source": source, "external_ids": external_ids} for source, external_ids in by_source(pairs).items()
    )
    return {
        (source, external_id): id_
        for one in asked
        for source, external_id, id_ in session.connection().execute(_HOLDERS, one)
    }


def refuse_taken(write: ArticleWrite, article_id: UUID, holders: Mapping[Pair, UUID]) -> None:
    """Raises ExternalIdTaken when the key is another article's, and Unprocessable when it is too long to be
    one.
    """
    pair = pair_of(write)
    if pair is not None and len("".join(pair).encode()) > LONGEST_KEY:
        raise Unprocessable.at(
            "/external_id", f"must not have more than {LONGEST_KEY} bytes together with source"
        )
    holder = None if pair is None else holders.get(pair)
    if holder not in (None, article_id):
        raise ExternalIdTaken("Another article has this source and external_id.", id=str(holder))
