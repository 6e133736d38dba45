"""What an article may refer to and be known by: pictures that are there, and a key of the integrator's that is nobody else's."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, String, cast
from sqlmodel import col, func, select

from service.articles import desk
from service.articles.body import images_of
from service.articles.models import Article, ArticleWrite
from service.database import Session
from service.errors import Conflict, Unprocessable
from service.images.claims import LONGEST_KEY, Pair, is_one_of
from service.images.resolve import Pictures


class ExternalIdTaken(Conflict):
    """Another article has this `source` and `external_id`; `id` says which."""

    title = "External id taken"


def images_in(write: ArticleWrite) -> list[UUID]:
    """The pictures that an article is to show."""
    return [*images_of(write.body), *([write.lead_image_id] if write.lead_image_id else [])]


def refuse_references(session: Session, write: ArticleWrite, article_id: UUID, pictures: Pictures) -> None:
    """Refuse pictures, captions and embeds that this store cannot show, each with its pointer."""
    errors = list(desk.reference_problems(write, article_id, pictures, session.database.settings.embed_hosts))
    if errors:
        raise Unprocessable(f"{errors[0].pointer} {errors[0].message}.", errors=errors)


def pair_of(write: ArticleWrite) -> Pair | None:
    """The integrator's own key of an article, if it is to have one."""
    return None if write.source is None or write.external_id is None else (write.source, write.external_id)


def has_one_of(pairs: Iterable[Pair]) -> ColumnElement[bool]:
    """Whether an article has one of the keys."""
    return is_one_of(col(Article.source), col(Article.external_id), pairs)


def claim_external_ids(session: Session, writes: Sequence[ArticleWrite]) -> dict[Pair, UUID]:
    """Whose the integrators' own keys of these articles are, of those that are anybody's."""
    pairs = sorted(pair for write in writes if (pair := pair_of(write)) is not None)
    if not pairs:
        return {}
    if not session.database.is_sqlite:
        # Of two that claim the same pair at once, the second waits here, and then sees the first.
        keys = func.unnest(cast([f"{source}\n{external_id}" for source, external_id in pairs], ARRAY(String))).column_valued("key")
        session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(keys, 0))))
    holders = select(Article.source, Article.external_id, Article.id).where(has_one_of(pairs))
    return {(source, external_id): id_ for source, external_id, id_ in session.execute(holders)}


def refuse_taken(write: ArticleWrite, article_id: UUID, holders: Mapping[Pair, UUID]) -> None:
    """Raises ExternalIdTaken when the key is another article's, and Unprocessable when it is too long to be one."""
    pair = pair_of(write)
    if pair is not None and len("".join(pair).encode()) > LONGEST_KEY:
        raise Unprocessable.at("/external_id", f"must not have more than {LONGEST_KEY} bytes together with source")
    holder = None if pair is None else holders.get(pair)
    if holder not in (None, article_id):
        raise ExternalIdTaken("Another article has this source and external_id.", id=str(holder))
