"""Draft and publish notices. A published notice never changes. What differs between two versions decides who
is asked again.

Versions are numbered within a key, in all its languages together. Within one language they follow each other:
publishing one retires the one before. Readers are served from the published table: `source` holds the key
there and `section` the status.
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from uuid import UUID

import orjson
from pydantic import Field, JsonValue, StrictBool, StrictInt
from sqlalchemy import func
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from service.consent.models import ConsentModel, ConsentNotice, NoticeContent, NoticeStatus, notice_id
from service.consent.notices.findings import EXPLANATIONS, Evidence, Finding, examine
from service.consent.notices.reconsent import reasons_to_ask_again
from service.database import Session
from service.errors import Conflict, FieldProblem, NotFound, Unprocessable
from service.http.patching import refuse_differing
from service.published.models import Kind
from service.published.outcomes import Rendered
from service.published.render import touch
from service.tables import Line, Many, Shape, TableReading, TableShape, Time, now

UNSEEN = frozenset({"notice_key", "validity_days", "requires_reconsent", "child_directed"})
"""Members that are no part of what a reader sees; everything else is hashed."""


class DraftExists(Conflict):
    """This notice has a draft in this language already: edit that one (`PUT …/versions/{n}`), or
    delete it.
    """

    title = "There is a draft already"


class NothingToPublish(Conflict):
    """The notice has no draft, or several, of which `version` must name one."""

    title = "Which draft to publish is not clear"


class AlreadyPublished(Conflict):
    """A published notice never changes: readers have decided on its words. Write a new version."""

    title = "Published notices never change"


class ReasonNeeded(Unprocessable):
    """Something is new, and readers are not to be asked again: `reason` must say why. It is kept for whoever
    audits this.
    """

    title = "Not asking again needs a reason"


class InvalidNotice(Unprocessable):
    """An `opt_in` notice with findings cannot be published: what readers decided on it would not be consent.

    `findings` names them, and `errors` explains each and says where it is.
    """

    title = "This notice cannot carry consent"


class NoticeCreate(NoticeContent, TableShape):
    """A new draft."""


class NoticeReplace(NoticeCreate):
    """A draft as it was read may be sent back: members that only the service sets are welcome while they are
    unchanged.
    """

    version: StrictInt | None = None
    status: NoticeStatus | None = None
    content_hash: str | None = None
    effective_at: Time | None = None
    reconsent_reasons: Many[str] | None = None
    reconsent_override: str | None = None
    valid_for_consent: StrictBool | None = None
    validity_findings: Many[str] | None = None
    validity_explanations: dict[str, str] | None = None


class Publication(Shape):
    """The draft to publish, where there are several, and the reason to ask readers again whatever has
    changed.
    """

    version: StrictInt | None = Field(default=None, examples=[2])
    requires_reconsent: StrictBool | None = None
    reason: Line | None = Field(
        default=None,
        examples=["The recipients changed their name."],
        description="why this is said otherwise than what changed says; kept with the notice",
    )


class NoticeRead(NoticeContent, TableReading):
    """A version of a notice, with what it is worth: `valid_for_consent`, and the findings that say why it is
    not.
    """

    version: int
    status: NoticeStatus
    content_hash: str
    effective_at: Time | None
    reconsent_reasons: list[str]
    reconsent_override: str | None = None
    valid_for_consent: bool
    validity_findings: list[str]
    validity_explanations: dict[str, str]


def read(notice: ConsentNotice) -> NoticeRead:
    """Shape a notice for an answer."""
    explained = {name: EXPLANATIONS[Finding(name)] for name in notice.validity_findings}
    return NoticeRead.model_validate(notice, update={"validity_explanations": explained})


def content_hash(notice: NoticeContent) -> str:
    """Return the SHA-256, in hex, of the canonical JSON (RFC 8785) of what a reader sees."""
    seen = notice.model_dump(mode="json", include=set(NoticeContent.model_fields) - UNSEEN)
    # Keys are ASCII and there are no numbers, so sorting by code point is all that RFC 8785 asks beside
    # compact UTF-8.
    return hashlib.sha256(orjson.dumps(seen, option=orjson.OPT_SORT_KEYS)).hexdigest()


def create(session: Session, content: NoticeContent) -> ConsentNotice:
    """Write a draft. Raises DraftExists."""
    notice = _write(session, content)
    try:
        session.flush()  # the database knows whether there is a draft already, and it must be heard here
    except IntegrityError as clash:
        raise DraftExists(f"{content.notice_key!r} has a draft in {content.language!r} already.") from clash
    return notice


def issue(session: Session, content: NoticeContent) -> ConsentNotice:
    """Write and publish at once, whatever the findings are: for words that somebody else has
    shown already.
    """
    notice = _write(session, content)
    release(session, notice)
    session.flush()  # so that the same words again in this transaction find it
    return notice


def _write(session: Session, content: NoticeContent) -> ConsentNotice:
    take_turn(session, content.notice_key)
    version = _next_version(session, content.notice_key)
    named = {"id": notice_id(content.notice_key, version), "version": version}
    notice = ConsentNotice.model_validate(content, update={**named, **_judged(content)})
    session.add(notice)
    return notice


def take_turn(session: Session, key: str) -> None:
    """Let one transaction at a time number the versions of a key. SQLite has one writer anyway."""
    if not session.database.is_sqlite:
        session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"notice {key}"))))


def _judged(content: NoticeContent) -> dict[str, object]:
    found = [evidence.finding.value for evidence in examine(content)]
    return {
        "content_hash": content_hash(content),
        "validity_findings": found,
        "valid_for_consent": not found and _asks(content),
    }


def _asks(content: NoticeContent) -> bool:
    return content.consent_model is ConsentModel.OPT_IN


def _next_version(session: Session, key: str) -> int:
    newest = session.exec(
        select(func.max(ConsentNotice.version)).where(ConsentNotice.notice_key == key)
    ).one()
    return (newest or 0) + 1


def find(session: Session, key: str, version: int, *, lock: bool = False) -> ConsentNotice:
    """Find one version, draft or not."""
    notice = session.get(
        ConsentNotice, notice_id(key, version), with_for_update=lock and not session.database.is_sqlite
    )
    if notice is None:
        raise NotFound(f"There is no version {version} of a notice {key!r}.")
    return notice


def replace(notice: ConsentNotice, content: NoticeReplace) -> None:
    """Replace a draft's content."""
    _need_draft(notice)
    _refuse_read_only(notice, content)
    wanted = NoticeCreate.model_validate(content.model_dump(include=set(NoticeContent.model_fields)))
    changed = {
        name: getattr(wanted, name)
        for name in NoticeContent.model_fields
        if getattr(wanted, name) != getattr(notice, name)
    }
    if not changed:
        return
    for name, value in {
        **changed,
        **_judged(wanted),
        "updated_at": now(),
        "revision": notice.revision + 1,
    }.items():
        setattr(notice, name, value)


def _refuse_read_only(notice: ConsentNotice, content: NoticeReplace) -> None:
    stored = read(notice).model_dump(mode="json")
    given = content.model_dump(mode="json", exclude_unset=True)
    members = (*(set(NoticeReplace.model_fields) - set(NoticeContent.model_fields)), "notice_key")
    wrong = sorted(name for name in members if name in given and given[name] != stored[name])
    refuse_differing(wrong)


def delete(session: Session, notice: ConsentNotice) -> None:
    """Throw a draft away."""
    _need_draft(notice)
    session.delete(notice)


def _need_draft(notice: ConsentNotice) -> None:
    if notice.status is not NoticeStatus.DRAFT:
        raise AlreadyPublished(
            f"Version {notice.version} of {notice.notice_key!r} has been published.",
            current_status=notice.status.value,
        )


def publish(session: Session, key: str, publication: Publication) -> ConsentNotice:
    """Publish a key's draft. Raises NotFound, NothingToPublish, InvalidNotice, ReasonNeeded."""
    take_turn(session, key)
    notice = _draft(session, key, publication.version)
    evidence = examine(notice)
    if evidence and _asks(notice):
        raise _invalid(evidence)
    if publication.requires_reconsent is not None:
        notice.requires_reconsent = publication.requires_reconsent
    release(session, notice, reason=publication.reason)
    return notice


def _draft(session: Session, key: str, version: int | None) -> ConsentNotice:
    notices = session.exec(select(ConsentNotice).where(ConsentNotice.notice_key == key)).all()
    if not notices:
        raise NotFound(f"There is no notice {key!r}.")
    drafts = [
        notice
        for notice in notices
        if notice.status is NoticeStatus.DRAFT and version in (None, notice.version)
    ]
    if len(drafts) != 1:
        known = [notice.version for notice in notices if notice.status is NoticeStatus.DRAFT]
        raise NothingToPublish(
            f"{key!r} has {'no such draft' if not drafts else 'several drafts: name one'}.",
            drafts=list[JsonValue](known),
        )
    return drafts[0]


def _invalid(evidence: Sequence[Evidence]) -> InvalidNotice:
    codes = [one.finding.value for one in evidence]
    errors = [FieldProblem(pointer=one.pointer, message=one.explained()) for one in evidence]
    return InvalidNotice(
        f"An opt_in notice cannot be published with: {', '.join(codes)}.",
        errors=errors,
        findings=list[JsonValue](codes),
    )


def release(session: Session, notice: ConsentNotice, *, reason: str | None = None) -> None:
    """Make a draft the current version of its key in its language, and retire the one before. Raises
    ReasonNeeded.
    """
    before = current(session, notice.notice_key, notice.language)
    if before is not None and before.version > notice.version:
        # A page's banner was published meanwhile. The later one must have the higher number.
        notice.version = _next_version(session, notice.notice_key)
        notice.id = notice_id(notice.notice_key, notice.version)
    new = [] if before is None else list(reasons_to_ask_again(before, notice))
    if notice.requires_reconsent is None:
        notice.requires_reconsent = bool(new)
    elif new and not notice.requires_reconsent and reason is None:
        message = f"there is something new: {', '.join(new)}"
        raise ReasonNeeded(
            "Say why readers are not asked again.", errors=[FieldProblem(pointer="/reason", message=message)]
        )
    notice.reconsent_reasons = (new or ["asked_for_by_publisher"]) if notice.requires_reconsent else []
    notice.reconsent_override = reason
    notice.status, notice.effective_at, notice.updated_at = NoticeStatus.PUBLISHED, now(), now()
    touch(session, Kind.NOTICE, notice.id)
    if before is not None:
        before.status = NoticeStatus.RETIRED
        touch(session, Kind.NOTICE, before.id)


def current(session: Session, key: str, language: str) -> ConsentNotice | None:
    """Return the version that holds now for a key in one language."""
    chosen = select(ConsentNotice).where(
        ConsentNotice.notice_key == key,
        ConsentNotice.language == language,
        ConsentNotice.status == NoticeStatus.PUBLISHED,
    )
    return session.exec(chosen.order_by(col(ConsentNotice.version).desc()).limit(1)).one_or_none()


def render(session: Session, ids: Collection[UUID]) -> Iterable[Rendered]:
    """Render the public documents of notices: every version that was ever published."""
    chosen = select(ConsentNotice).where(
        col(ConsentNotice.id).in_(ids), col(ConsentNotice.status) != NoticeStatus.DRAFT
    )
    for notice in session.exec(chosen.execution_options(populate_existing=True)):
        effective: datetime | None = notice.effective_at
        assert effective is not None
        yield Rendered(
            id=notice.id,
            version=notice.version,
            document=read(notice).model_dump_json().encode(),
            published_at=effective,
            updated_at=notice.updated_at,
            section=notice.status.value,
            language=notice.language,
            source=notice.notice_key,
        )
