"""The common parts of the pages that all readers share: sections, banner, and the caching by everybody.

Whether a reader still has to be asked about cookies is not in them. The banner is in every page, and a style
sheet of the reader's own (`consent_routes`) hides it from whoever has decided.
"""

from dataclasses import replace

from fastapi import Request, Response

from service.articles.public_lists import FEEDS
from service.consent.notices.defaults import DEFAULT_KEY
from service.consent.notices.lifecycle import NoticeRead
from service.consent.notices.routes import find_current
from service.database import Session
from service.formats.feeds.feed import path_of
from service.published import answers, documents, store
from service.published.models import Kind
from service.services import service
from service.settings import Settings
from service.web import page
from service.web.page import Around

MOST_SECTIONS = 12


def around(
    session: Session,
    settings: Settings,
    path: str,
    *,
    language: str | None = None,
    section: str | None = None,
    style: str = "",
    asks: bool = True,
) -> Around:
    """Return what stands around a page: the sections, the feeds of its section, and if it asks for a choice
    about cookies the banner for readers of a language.
    """
    return Around(
        path=path,
        sections=store.sections(session, MOST_SECTIONS),
        section=section,
        banner=find_notice(session, settings, language or settings.language) if asks else None,
        feeds=[
            (path_of(name, [section] if section else []), media_type) for name, media_type in FEEDS.items()
        ],
        style=style,
    )


def find_notice(session: Session, settings: Settings, language: str) -> NoticeRead | None:
    """Return the notice that readers of a language are shown; None where the publisher has
    retired every one.
    """
    row = find_current(session, DEFAULT_KEY, language, settings.language)
    return None if row is None else documents.read(NoticeRead, row.document)


def answer(
    request: Request, body: bytes, style: str = "", depends: tuple[str, ...] = (), *, status: int = 200
) -> Response:
    """Answer everybody with the same page, until an article that it shows or the notice changes."""
    settings = service(request, Settings)
    made = answers.made(body, page.MEDIA_TYPE, (*depends, answers.any_of(Kind.NOTICE)), settings)
    extra = [(name.lower().encode(), value.encode()) for name, value in page.headers(settings, style).items()]
    return answers.respond(request, replace(made, status=status, headers=[*made.headers, *extra]))
