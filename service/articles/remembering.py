"""Record a change of articles: a version of each, the desk's indexes, and a note for publishing and for the
staff's feed.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

from service.articles import desk
from service.articles.models import Article, ArticleContent, ArticleVersion, Status
from service.database import Session, add_new, insert
from service.http.callers import Caller
from service.published import working
from service.published.models import Kind
from service.published.render import touch
from service.tables import now

_CONTENT = tuple(ArticleContent.model_fields)


@dataclass(slots=True)
class _Waiting:
    """Edits that are remembered and not written yet: versions, and what has changed in each article."""

    versions: list[dict[str, object]] = field(default_factory=list)
    edited: dict[UUID, tuple[Article, frozenset[str]]] = field(default_factory=dict)

    def write(self, session: Session) -> None:
        """Write them, with one statement for all in each table."""
        if not self.versions:
            return
        session.flush()  # the versions refer to their articles
        session.write(insert(session, ArticleVersion), self.versions)
        desk.index(session, list(self.edited.values()))
        self.versions, self.edited = [], {}


@contextmanager
def together(session: Session) -> Iterator[None]:
    """Delay the writes of history and indexes to the end of the block, or until the same article is edited
    again.
    """
    waiting = session.kept[_Waiting] = _Waiting()
    yield
    waiting.write(session)
    del session.kept[_Waiting]


def write_edits_of(session: Session, *articles: Article) -> None:
    """Write what waits, if an edit of one of these articles does."""
    waiting = session.kept.get(_Waiting)
    if isinstance(waiting, _Waiting) and any(article.id in waiting.edited for article in articles):
        waiting.write(session)


def remember(
    session: Session,
    articles: Sequence[Article],
    caller: Caller,
    action: str,
    *,
    was_public: bool = False,
    is_new: bool = False,
    changed: frozenset[str] = frozenset(),
) -> None:
    """Write a version of each, bring the desk's indexes up, and let the read model look at the articles.

    `changed` names the members of the content, or of the row, that are others than before.
    """
    if not articles:
        return
    write_edits_of(session, *articles)
    at = now()
    for article in articles:
        article.updated_at = at
        article.listed_at = article.published_at or article.scheduled_for or article.created_at
        article.version += 1
    versions = [_version(article, caller, action) for article in articles]
    known = session.kept.get(_Waiting)
    if is_new:
        add_new(session, articles)  # the versions and terms refer to them
        session.write(insert(session, ArticleVersion), versions)
        desk.index_new(session, articles)
    else:
        waiting = known if isinstance(known, _Waiting) else _Waiting()
        waiting.versions += versions
        waiting.edited.update((article.id, (article, changed)) for article in articles)
        if waiting is not known:
            waiting.write(session)
    session.gathered.written.update((article.id, article) for article in articles)
    public = [article.id for article in articles if was_public or article.status == Status.PUBLISHED]
    touch(session, Kind.ARTICLE, *public)
    working.note(session, Kind.ARTICLE, *(article.id for article in articles))


def _version(article: Article, caller: Caller, action: str) -> dict[str, object]:
    content = ArticleContent.model_construct(**{name: getattr(article, name) for name in _CONTENT})
    return {
        "article_id": article.id,
        "version": article.version,
        "at": article.updated_at,
        "actor_id": caller.id,
        "actor": caller.name,
        "action": action,
        "slug": article.slug,
        "status": article.status,
        "content": content,
    }
