"""Serve the banner Klaro (npm, 0.7.22) without changes to it: its configuration, and the decisions that it
sends.

Its privacy manager is a notice's key, and each purpose of the notice is one of its services. The
configuration's `id`, which Klaro sends back, names the version, so that a decision is kept about the very
words that were shown.
"""

from typing import Annotated, Literal

import langcodes
import orjson
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field, JsonValue

from service.consent.decisions.deciding import Decision
from service.consent.decisions.door import GuardedRoute
from service.consent.decisions.impressions import Impression
from service.consent.decisions.routes import LedgerDep, count_shown, decide, known_by
from service.consent.models import Action, Choice, Key, Purpose, PurposeDecision
from service.consent.notices.lifecycle import NoticeRead
from service.consent.notices.routes import find_current
from service.database import DatabaseDep, Session, SessionDep
from service.errors import NotFound
from service.published import answers, documents, store
from service.published.filters import Filter
from service.published.models import Kind
from service.services import service
from service.settings import Settings

router = APIRouter(prefix="/v1/privacy-managers", tags=["consent clients"], route_class=GuardedRoute)
SURFACE = "klaro"
COOKIE = "klaro"
_VERSIONS = 200


class KlaroConsents(BaseModel):
    """A reader's choices by the names of services. `type` says by which button; `show` is that the notice was
    shown.
    """

    consents: Annotated[dict[Key, bool], Field(max_length=50)] = {}
    type: str = Field("script", max_length=40, examples=["accept", "decline", "save", "show"])
    config: str | None = Field(None, max_length=200, examples=["default/1"])


class KlaroSubmission(BaseModel):
    """The body that Klaro sends. The page's address and the program's name are left unread."""

    consent_data: KlaroConsents


class NoSuchManager(NotFound):
    """There is no published notice with this key, so nothing that Klaro could show."""

    title = "No such privacy manager"


@router.get("/{notice_key}/config.json", response_model=dict[str, JsonValue])
def get_klaro_config(
    request: Request,
    notice_key: Key,
    session: SessionDep,
    name: Annotated[
        str, Query(max_length=35, description="`default`, or the language wanted, from `data-klaro-config`")
    ] = "default",
    testing: Annotated[Literal["true"] | None, Query(description="Klaro's own")] = None,
) -> Response:
    """Read a notice as Klaro's configuration, in the language that `name` gives, or else the house's."""
    notice = _current(request, session, notice_key, name if langcodes.tag_is_valid(name) else None)
    body = orjson.dumps({"name": name, **config_of(notice, cookie=_cookie(session, notice))})
    answer = answers.made(
        body, "application/json", (answers.any_of(Kind.NOTICE),), service(request, Settings)
    )
    return answers.respond(request, answer)


def _current(request: Request, session: Session, key: str, language: str | None) -> NoticeRead:
    row = find_current(session, key, language, service(request, Settings).language)
    if row is None:
        raise NoSuchManager(f"There is no published notice {key!r}.")
    return documents.read(NoticeRead, row.document)


def _cookie(session: Session, notice: NoticeRead) -> str:
    """Return the name of Klaro's own cookie. Another one makes it ask again, which it does by itself for new
    purposes only.
    """
    versions = store.page(
        session,
        Kind.NOTICE,
        Filter(source=(notice.notice_key,), language=(notice.language,)),
        "-published_at",
        None,
        _VERSIONS,
    )
    found = [documents.read(NoticeRead, document) for document in versions.documents]
    # Notices of `en-GB` are found for `en` too, and have decisions of their own.
    known = [one for one in found if one.language == notice.language]
    asked_anew = max((one.version for one in known if one.requires_reconsent), default=None)
    return COOKIE if asked_anew is None else f"{COOKIE}-{asked_anew}"


def config_of(notice: NoticeRead, *, cookie: str) -> dict[str, JsonValue]:
    """Return a notice in Klaro's terms."""
    language = langcodes.get(notice.language).language or notice.language
    return {
        "version": 1,
        "id": f"{notice.notice_key}/{notice.version}",
        "status": "active",
        "lang": language,
        "fallbackLang": "en",
        "storageName": cookie,
        "cookieExpiresAfterDays": notice.validity_days,
        "default": False,
        "htmlTexts": False,
        "acceptAll": True,
        "hideDeclineAll": notice.texts.actions.reject_all is None,
        "showNoticeTitle": notice.texts.title is not None,
        "services": [_service(purpose) for purpose in notice.purposes],
        "translations": {language: _texts(notice)},
    }


def _service(purpose: Purpose) -> JsonValue:
    return {
        "name": purpose.purpose_key,
        "title": purpose.name,
        "description": purpose.description,
        "purposes": [purpose.purpose_key],
        "required": purpose.required,
        "default": purpose.required or purpose.pregranted,
    }


def _texts(notice: NoticeRead) -> JsonValue:
    texts, actions = notice.texts, notice.texts.actions
    shown: dict[str, JsonValue] = {
        "ok": actions.accept_all or actions.acknowledge,
        "acceptAll": actions.accept_all,
        "decline": actions.reject_all,
        "privacyPolicyUrl": notice.privacy_notice_url,
    }
    return {
        **{name: label for name, label in shown.items() if label is not None},
        "consentNotice": {"description": texts.body, **_given(title=texts.title, learnMore=actions.save)},
        "consentModal": {"description": texts.body, **_given(title=texts.title)},
        "purposes": {
            one.purpose_key: {"title": one.name, "description": one.description} for one in notice.purposes
        },
    }


def _given(**labels: str | None) -> dict[str, JsonValue]:
    return {name: label for name, label in labels.items() if label is not None}


@router.post("/{notice_key}/submit", response_model=dict[str, JsonValue])
async def record_klaro_consents(
    request: Request, notice_key: Key, submission: KlaroSubmission, ledger: LedgerDep, database: DatabaseDep
) -> Response:
    """Take what Klaro sends: a decision is recorded, a shown notice counted. The answer is `{}`, which Klaro
    wants.
    """
    said = submission.consent_data
    version = _version(said.config, notice_key)
    if version is None:
        with database.reading() as session:
            version = _current(request, session, notice_key, None).version
    if said.type == "show":
        shown = Impression(notice_key=notice_key, notice_version=version, ui_surface=SURFACE)
        await count_shown(request, ledger, shown)
        return Response(b"{}", 200, media_type="application/json")
    outcome = await decide(request, ledger, _decision(notice_key, version, said))
    return Response(b"{}", 200, known_by(request, outcome), "application/json")


def _version(config: str | None, key: str) -> int | None:
    """Return the version in the configuration's id; None where the page uses a configuration of its own."""
    prefix, _, version = (config or "").rpartition("/")
    return (
        int(version)
        if prefix == key and version.isascii() and version.isdigit() and 0 < int(version) < 2**31
        else None
    )


def _decision(key: str, version: int, said: KlaroConsents) -> Decision:
    """Return the decision in our terms. A button's name counts only when what was sent with it
    says the same.
    """
    choices = {name: Choice.GRANTED if granted else Choice.DENIED for name, granted in said.consents.items()}
    action = (
        Action.ACCEPT_ALL
        if said.type == "accept"
        else Action.REJECT_ALL
        if said.type == "decline"
        else Action.SAVE
    )
    if action is Action.ACCEPT_ALL and Choice.DENIED in choices.values():
        action = Action.SAVE
    purposes = [PurposeDecision(purpose_key=name, decision=choice) for name, choice in choices.items()]
    return Decision.model_validate(
        {
            "notice_key": key,
            "notice_version": version,
            "action": action,
            "purposes": purposes,
            "ui_surface": SURFACE,
        }
    )
