"""Edits and actions that arrive together share a transaction: it locks the feed's counter, and renders what
has changed, once for all of them.

Each is answered as if it had come alone. One that is refused spoils no other, because an edit is refused
before anything of it is written.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fastapi import Request, Response

from service.articles import desk, lifecycle, read
from service.articles.models import Article
from service.articles.remembering import together, write_edits_of
from service.database import Database, Session
from service.errors import NotFound, ServiceError
from service.group_commit import GroupCommit
from service.http import conditional, idempotency
from service.http.callers import Caller

Work = Callable[[Session, Article], Response]


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of one article that waits for its transaction. `work` makes it, and the answer.

    `status` is the one that it asks for, if any, as it was sent. With `trashed` an article in the trash is
    found too. With `needs_match` it is refused without `If-Match`.
    """

    request: Request
    caller: Caller
    key: str
    work: Work
    status: object = None
    trashed: bool = False
    needs_match: bool = False


class Editing:
    """The articles that one running service is about to change."""

    def __init__(self, database: Database) -> None:
        self._commits = GroupCommit[Edit, Response](database, _make)

    async def edit(self, edit: Edit) -> Response:
        """Change an article, and answer once that is committed. Raises what refuses it."""
        return await self._commits.run(edit)


def _make(session: Session, edits: Sequence[Edit]) -> list[Response | ServiceError]:
    refusals = idempotency.hold_all(session, [edit.request for edit in edits])
    ids = [desk.known(session, edit.key) for edit in edits]
    held = lifecycle.hold(session, {id_ for id_ in ids if id_ is not None})
    read.load_pictures(session, held.values())
    with together(session):
        return [
            _attempt(session, edit, held.get(id_) if id_ else None) if refusal is None else refusal
            for edit, id_, refusal in zip(edits, ids, refusals, strict=True)
        ]


def _attempt(session: Session, edit: Edit, article: Article | None) -> Response | ServiceError:
    if article is None:
        return NotFound(f"There is no article {edit.key!r}.")
    write_edits_of(session, article)
    try:
        return _edit(session, edit, article)
    except ServiceError as refusal:
        # Nothing of an edit is flushed before it is remembered: this takes back the members it had set.
        if article in session.dirty:
            session.expire(article)
        return refusal


def _edit(session: Session, edit: Edit, article: Article) -> Response:
    lifecycle.admit(edit.caller, article, edit.status, trashed=edit.trashed)
    check = conditional.require_match if edit.needs_match else conditional.respect_match
    check(edit.request, article.version)
    answer = edit.work(session, article)
    idempotency.keep(session, edit.request, answer)
    return answer
