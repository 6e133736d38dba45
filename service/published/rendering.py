"""Number the ways in which documents are made, so that a row says by which one its document was made.

A rendering is the number in this code joined with the settings that enter documents, and with the number of
the way in which texts are cut into words. `serve` and `render` begin a new one when any of them has changed;
the rows of an older one stay good answers, and are rendered again in the background (`backlog.py`). Shapes
that read stored documents give every member added since a default.
"""

import orjson
from sqlalchemy import func
from sqlmodel import col, select

from service.database import Database, Session
from service.published.cutting import WORDS
from service.published.models import UNKNOWN_RENDERING, Published, PublishedSequence, Rendering

RENDERING = 6
"""Raise this number whenever the same content is to come out as another document."""
_LATEST = select(Rendering).order_by(col(Rendering.id).desc()).limit(1)
_NAMES = ("language", "media_base")
"""The settings that enter documents: the house's language decides which caption is shown, and what stands
before the addresses of pictures.
"""


class RenderedByNewer(RuntimeError):
    """A newer version of this code has rendered documents that this version may not be able to read."""


def begin(database: Database, *, go_back: bool = False) -> int:
    """Make this process's way of rendering the store's, and return its id.

    Raises RenderedByNewer, unless `go_back` allows to render anew what a newer version has rendered.
    """
    with database.writing() as session:
        if not database.is_sqlite:
            # Several processes start at once: the counter's lock lets one of them number a new rendering.
            session.exec(select(PublishedSequence.seq).with_for_update()).one()
        latest = session.exec(_LATEST).first()
        if not go_back:
            _refuse_newer(session, latest)
        if latest is None or not _is_ours(session, latest):
            latest = _new(session, UNKNOWN_RENDERING if latest is None else latest.id)
    database.rendering = latest.id
    return latest.id


def require_no_newer(database: Database) -> None:
    """Refuse a store that a newer version has rendered. Raises RenderedByNewer."""
    with database.reading() as session:
        _refuse_newer(session, session.exec(_LATEST).first())


def of_this_process(session: Session) -> int:
    """Return the id of the rendering that this process makes: an unknown one if the store's is another.

    It is asked for under the counter's lock, where the first rendering of a store is numbered too.
    """
    if session.database.rendering is None:
        latest = session.exec(_LATEST).first()
        if latest is None:
            latest = _new(session, UNKNOWN_RENDERING)
        session.database.rendering = latest.id if _is_ours(session, latest) else UNKNOWN_RENDERING
    return session.database.rendering


def with_words_of_today(session: Session) -> set[int]:
    """Return the ids of the renderings whose texts were cut as this version cuts them."""
    return set(session.exec(select(Rendering.id).where(Rendering.words == WORDS)))


def count_older(database: Database) -> int:
    """Count the public rows that this process would render again: all of them if its rendering is
    not begun.
    """
    live = select(func.count()).select_from(Published).where(col(Published.reason).is_(None))
    with database.reading() as session:
        known = database.rendering or _latest_if_ours(session)
        return session.exec(live if known is None else live.where(Published.rendering < known)).one()


def _latest_if_ours(session: Session) -> int | None:
    latest = session.exec(_LATEST).first()
    return latest.id if latest is not None and _is_ours(session, latest) else None


def _new(session: Session, known: int) -> Rendering:
    rendering = Rendering(id=known + 1, number=RENDERING, settings=_settings(session), words=WORDS)
    session.add(rendering)
    session.flush()
    return rendering


def _is_ours(session: Session, rendering: Rendering) -> bool:
    return (rendering.number, rendering.settings, rendering.words) == (RENDERING, _settings(session), WORDS)


def _settings(session: Session) -> str:
    settings = session.database.settings
    # One that is empty is as it was before there was such a setting.
    said = {name: str(getattr(settings, name)) for name in _NAMES}
    return orjson.dumps({name: value for name, value in said.items() if value}).decode()


def _refuse_newer(session: Session, latest: Rendering | None) -> None:
    newer = select(Rendering).where(col(Rendering.number) > RENDERING)
    for one in [one for one in [latest] if one is not None and one.number > RENDERING] or session.exec(newer):
        rows = select(Published.seq).where(Published.rendering == one.id, col(Published.reason).is_(None))
        if one is latest or session.exec(rows.limit(1)).first() is not None:
            raise RenderedByNewer(
                f"A newer version of Copydesk has rendered this store (rendering {one.number}; this version"
                f" knows {RENDERING}). Start that version, or render the store by this one:"
                " `copydesk render --back`."
            )
