"""Bring an article from one status into another, when it is edited or its time has come."""

from datetime import datetime, timedelta

from service.articles.models import Article, ArticleReplace, ArticleWrite, Status
from service.errors import Unprocessable
from service.http.callers import Caller
from service.scopes import Scope
from service.tables import latest, now

CLOCKS_DIFFER = timedelta(minutes=5)
"""A sender's clock may be ahead by this much: a date within it is taken as it is."""


def make_public(article: Article, at: datetime) -> None:
    """Publish an article at a time, or schedule it until then; an embargo holds it back."""
    due, current = max(at, article.embargoed_until or at), now()
    if due > current:
        article.status, article.scheduled_for = Status.SCHEDULED, due
        article.publish_at = at if at > current else None
        return
    # The time at which it was due, if that has passed, because the clock job is a little late. An editor who
    # publishes what is scheduled is early.
    article.published_at = article.published_at or min(article.scheduled_for or at, at)
    article.first_published_at = article.first_published_at or article.published_at
    article.status, article.scheduled_for, article.publish_at = Status.PUBLISHED, None, None


def ended_at(usable_until: datetime | None) -> datetime | None:
    """Return when an article with this end may no longer be shown, if that is over."""
    return usable_until if usable_until is not None and usable_until <= latest() else None


def make_draft(article: Article) -> None:
    """Take an article back to a draft."""
    article.status, article.scheduled_for, article.publish_at = Status.DRAFT, None, None
    article.published_at = None


def refuse_date_to_come(write: ArticleWrite) -> None:
    """Refuse to date a publication ahead: `…/publish` with `at` and embargoes do that."""
    if write.published_at is not None and write.published_at > now() + CLOCKS_DIFFER:
        raise Unprocessable.at(
            "/published_at", "must not be in the future: schedule with POST …/publish and `at`"
        )


def refuse_end_before_embargo(write: ArticleWrite, article: Article | None = None) -> None:
    """Refuse an end that comes before the embargo does: readers would never be shown the article. Times
    that are stored so stay welcome.
    """
    begins, ends = write.embargoed_until, write.usable_until
    if article is not None and (begins, ends) == (article.embargoed_until, article.usable_until):
        return
    if begins is not None and ends is not None and ends <= begins:
        raise Unprocessable.at("/usable_until", "must be later than embargoed_until")


def move(article: Article, caller: Caller, status: Status, embargo: datetime | None) -> str:
    """Bring an edited article into the status that the edit asks for, and move it to its new embargo. An
    article whose embargo is lifted is shown when somebody publishes it.
    """
    held_back = article.embargoed_until is not None and article.embargoed_until > now()
    if status == Status.DRAFT and article.status != Status.DRAFT:
        caller.need(Scope.CONTENT_PUBLISH)
        make_draft(article)
        return "unpublished"
    if status == Status.PUBLISHED and (article.status != Status.PUBLISHED or held_back):
        caller.need(Scope.CONTENT_PUBLISH)
        make_public(article, now())
        return str(article.status)
    if article.status == Status.SCHEDULED and article.embargoed_until != embargo:
        if article.embargoed_until is None:
            # A new embargo, shorter than the lifted one, does not bring it forward.
            article.publish_at = article.scheduled_for
            return "edited"
        make_public(article, max(_asked_for(article, embargo), now()))
        return "edited" if article.scheduled_for is not None else "published"
    return "edited"


def _asked_for(article: Article, embargo: datetime | None) -> datetime:
    """Return when a scheduled article was to be published, whatever its former embargo was."""
    if article.publish_at is not None:
        return article.publish_at
    # To be published at once: it waits for the former embargo alone. Rows that are older than `publish_at`
    # tell a time only if the embargo did not outlast it.
    if article.scheduled_for is None or article.scheduled_for == embargo:
        return now()
    return article.scheduled_for


def wanted_status(article: Article, write: ArticleReplace) -> Status:
    """Return the status that an edit asks for. Raises Unprocessable for one that an edit cannot
    bring about.
    """
    status = article.status if write.status is None else Status(write.status)
    if status != article.status and status not in (Status.DRAFT, Status.PUBLISHED):
        raise Unprocessable.at(
            "/status", f"cannot be set to {status}: that is what …/publish and …/withdraw are for"
        )
    return status
