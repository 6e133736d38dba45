"""The notices that a store begins with, and the banners of imported pages: every one is kept in its own words
and judged by them.
"""

from uuid import UUID

from sqlmodel import select
from sqlmodel.sql.expression import SelectOfScalar

from service.consent.models import Actions, ConsentModel, ConsentNotice, NoticeContent, NoticeTexts, Purpose
from service.consent.notices import lifecycle as notices
from service.consent.notices.lifecycle import NoticeCreate
from service.database import Database, Session

DEFAULT_KEY = "default"
BROWSEWRAP_KEY = "browsewrap"

_PURPOSES = [
    Purpose(
        purpose_key="necessary",
        name="Necessary",
        required=True,
        lawful_basis="legitimate_interests",
        description="Showing you pages, keeping the service safe, and remembering what you choose here.",
        google_consent_types=["security_storage", "functionality_storage"],
    ),
    Purpose(
        purpose_key="preferences",
        name="Preferences",
        google_consent_types=["personalization_storage"],
        description="Remembering your region, your text size and what you like to read.",
    ),
    Purpose(
        purpose_key="analytics",
        name="Analytics",
        google_consent_types=["analytics_storage"],
        description="Counting which stories are read, so that we learn what serves our readers.",
    ),
    Purpose(
        purpose_key="marketing",
        name="Marketing",
        google_consent_types=["ad_storage", "ad_user_data", "ad_personalization"],
        description="Showing you advertising that fits your interests, here and elsewhere.",
    ),
]

HONEST = NoticeCreate(
    notice_key=DEFAULT_KEY,
    language="en",
    texts=NoticeTexts(
        title="Your choice about cookies",
        body=(
            "We store a little on your device so that this service works. With your permission we would also"
            " remember your preferences, measure what is read, and show advertising that fits you. You"
            " decide, and you can change your mind here whenever you like."
        ),
        actions=Actions(accept_all="Accept", reject_all="Reject", save="Choose"),
    ),
    purposes=_PURPOSES,
    jurisdiction="EU",
)
"""Accept, Reject and Choose on one layer; nothing optional without a yes."""

BROWSEWRAP = NoticeCreate(
    notice_key=BROWSEWRAP_KEY,
    consent_model=ConsentModel.NOTICE_ONLY,
    language="en",
    texts=NoticeTexts(
        title="Privacy and cookies on these pages",
        body=(
            "If you continue to read these pages you accept that we set cookies, and you agree to our updated"
            " Privacy Notice and Terms of Service. How cookies are handled can be changed in the settings of"
            " your browser."
        ),
        actions=Actions(acknowledge="Agreed"),
    ),
)
"""The kind of banner that informs and takes going on for a yes. It is shipped to show how such a one is
judged, and for nothing else.
"""


def provide(database: Database) -> None:
    """See to it that a store has a notice that readers can decide on: the honest one, unless its key has a
    notice already.
    """
    with database.reading() as session:
        known = session.exec(_with_key(DEFAULT_KEY)).first()
    # A start that finds one, as all but the first do, waits for nobody who writes.
    if known is None:
        with database.writing() as session:
            _ensure(session, HONEST)


def ensure_defaults(session: Session) -> None:
    """Publish the shipped notices, each under a key that has no notice yet. Run again, it changes nothing."""
    for content in (HONEST, BROWSEWRAP):
        _ensure(session, content)


def _ensure(session: Session, content: NoticeCreate) -> None:
    notices.take_turn(session, content.notice_key)
    if session.exec(_with_key(content.notice_key)).first() is None:
        notices.issue(session, content)


def _with_key(key: str) -> SelectOfScalar[UUID]:
    return select(ConsentNotice.id).where(ConsentNotice.notice_key == key).limit(1)


def is_for_banners(session: Session, key: str) -> bool:
    """Return whether a key has no notice but those that imports have kept: readers decide on the others."""
    others = select(ConsentNotice.id).where(
        ConsentNotice.notice_key == key, ConsentNotice.consent_model != ConsentModel.NOTICE_ONLY
    )
    return key not in (DEFAULT_KEY, BROWSEWRAP_KEY) and session.exec(others.limit(1)).first() is None


def record_banner(
    session: Session,
    *,
    key: str,
    title: str | None,
    body: str,
    accept_label: str | None,
    language: str,
    reject_label: str | None = None,
    settings_label: str | None = None,
    privacy_notice_url: str | None = None,
    terms_url: str | None = None,
) -> ConsentNotice:
    """Keep the words of a page's banner as a published notice, word for word, and return it.

    It is `notice_only`: nobody decided anything here when the page showed it. The same words again return the
    notice that is there; other words make its next version. Raises pydantic.ValidationError where the words
    or the key are not storable.
    """
    actions = {"acknowledge": accept_label, "reject_all": reject_label, "save": settings_label}
    content = NoticeContent.model_validate(
        {
            "notice_key": key,
            "consent_model": ConsentModel.NOTICE_ONLY,
            "language": language,
            "purposes": [],
            "texts": {"title": title, "body": body, "actions": actions},
            "privacy_notice_url": privacy_notice_url,
            "terms_url": terms_url,
        }
    )
    notices.take_turn(session, content.notice_key)
    known = notices.current(session, content.notice_key, content.language)
    if known is not None and known.content_hash == notices.content_hash(content):
        return known
    return notices.issue(session, content)
