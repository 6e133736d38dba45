"""Write down what has become of articles: a version of each, what editors find them by, and the note that the
read model and the staff's feed go by.
"""

from collections.abc import Sequence

from service.articles import desk
from service.articles.models import Article, ArticleContent, ArticleVersion, Status
from service.database import Session, insert
from service.http.callers import Caller
from service.images.resolve import Pictures
from service.published import working
from service.published.models import Kind
from service.published.render import touch
from service.tables import now

_CONTENT = tuple(ArticleContent.model_fields)


def remember(
    session: Session,
    articles: Sequence[Article],
    caller: Caller,
    action: str,
    *,
    was_public: bool = False,
    is_new: bool = False,
    changed: frozenset[str] = frozenset(),
    pictures: Pictures | None = None,
) -> None:
    """Write a version of each, bring the desk's indexes up, and let the read model look at the articles.

    `changed` names the members of the content, or of the row, that are others than before. `pictures` are all
    that the articles show, where they have been loaded.
    """
    if not articles:
        return
    at = now()
    for article in articles:
        article.updated_at = at
        article.listed_at = article.published_at or article.scheduled_for or article.created_at
        article.version += 1
    session.flush()  # the versions refer to their articles
    session.execute(
        insert(session, ArticleVersion), [_version(article, caller, action) for article in articles]
    )
    if is_new:
        desk.index_new(session, articles, pictures)
    else:
        desk.index(session, articles, changed, pictures)
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
