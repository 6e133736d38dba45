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
    due = max(at, article.embargoed_until or at)
    if due > now():
        article.status, article.scheduled_for = Status.SCHEDULED, due
        return
    # When it was due, if that has come: the clock is a little late, an editor who publishes what is scheduled
    # is early.
    article.published_at = article.published_at or min(article.scheduled_for or at, at)
    article.first_published_at = article.first_published_at or article.published_at
    article.status, article.scheduled_for = Status.PUBLISHED, None


def ended_at(usable_until: datetime | None) -> datetime | None:
    """Return when an article with this end may no longer be shown, if that is over."""
    return usable_until if usable_until is not None and usable_until <= latest() else None


def make_draft(article: Article) -> None:
    """Take an article back to a draft."""
    article.status, article.scheduled_for, article.published_at = Status.DRAFT, None, None


def refuse_date_to_come(write: ArticleWrite) -> None:
    """Refuse to date a publication ahead: `…/publish` with `at` and embargoes do that."""
    if write.published_at is not None and write.published_at > now() + CLOCKS_DIFFER:
        raise Unprocessable.at(
            "/published_at", "must not be in the future: schedule with POST …/publish and `at`"
        )


def move(article: Article, caller: Caller, status: Status, embargo: datetime | None) -> str:
    """Bring an edited article into the status asked for; a new embargo in place of the former moves it too.
    One that is lifted shows nothing before somebody publishes.
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
    is_moved = article.embargoed_until is not None and article.embargoed_until != embargo
    if article.status == Status.SCHEDULED and is_moved:
        # What waited for the former embargo alone waits for the new one, however short that is.
        waited_for_it = embargo is not None and article.scheduled_for == embargo
        make_public(article, now() if waited_for_it else max(article.scheduled_for or now(), now()))
        return "edited" if article.scheduled_for is not None else "published"
    return "edited"


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
