"""Read only what a contract gives: its conditions are part of every statement over the published table that a
session with a contract sends.

A room that reads published rows by the ORM needs to do nothing for it, and so cannot forget it. A statement
of SQLAlchemy's core over the table is refused, because the conditions cannot be added to it. SQL that is
written out as text is not seen here: `tests/test_architecture.py` lists the modules that have some.
"""

from dataclasses import replace
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    ClauseElement,
    ColumnElement,
    and_,
    event,
    exists,
    false,
    func,
    not_,
    null,
    or_,
    select,
    true,
)
from sqlalchemy.orm import ORMExecuteState, with_loader_criteria
from sqlalchemy.sql import visitors
from sqlmodel import col

from service.contracts import Contract, ContractKind, Facts, PictureRight
from service.database import Session
from service.http.pages import one_of
from service.published.filters import PAST_CONTRACT, Filter, live
from service.published.models import Kind, NameField, Published, PublishedFormer, PublishedTerm
from service.published.terms import SHOWS
from service.tables import ANY_LANGUAGE, is_in_range, latest

Row = type[Published]
"""The table of published rows, or an alias of it."""


EVERYTHING = Filter()


class Unlimited(RuntimeError):
    """A statement would read published rows past the contract of its session."""


def gives(contract: Contract, row: Row = Published) -> ColumnElement[bool]:
    """Return the condition that a live published row is what the contract gives, as `Contract.admits` judges.
    Notices of consent are no content: whoever reads may read them.
    """
    return or_(col(row.kind) == Kind.NOTICE, _gives_content(contract, row))


def _gives_content(contract: Contract, row: Row) -> ColumnElement[bool]:
    if contract.has_ended(latest()):
        return false()
    found = [*_of_kinds(contract, row), *column_conditions(contract, row)]
    if contract.tags:
        tagged = exists().where(
            col(PublishedTerm.field) == NameField.TAG.value,
            one_of(col(PublishedTerm.value), contract.tags),
            col(PublishedTerm.id) == col(row.id),
        )
        found.append(tagged.correlate_except(PublishedTerm))
    return and_(true(), *found)


def _of_kinds(contract: Contract, row: Any) -> list[ColumnElement[bool]]:
    """Return the condition on the kind of a row, published or former, if a contract leaves out any.

    It names what is left out: PostgreSQL takes a condition that names what is given for one that hardly any
    row meets, and reads and sorts all rows of a list.
    """
    others = [Kind(kind) for kind in ContractKind if kind not in contract.kinds]
    return [_unindexed(row.kind).not_in(others)] if others else []


def column_conditions(contract: Contract, row: Any) -> list[ColumnElement[bool]]:
    """Return the conditions on the columns of a row, published or former, but for its kind and tags."""
    found: list[ColumnElement[bool]] = []
    if contract.sections:
        found.append(one_of(_unindexed(row.section), contract.sections))
    if contract.languages:
        found.append(_in_ranges(_unindexed(row.language), contract.languages))
    if contract.sources:
        found.append(one_of(_unindexed(row.source), contract.sources))
    kind = _unindexed(row.kind)
    if contract.pictures is PictureRight.NONE:
        found.append(kind.not_in([Kind.IMAGE, Kind.CAPTION]))
    elif contract.pictures is PictureRight.OWN:
        bought = and_(kind == Kind.IMAGE, col(row.source).is_not(None))
        found.append(not_(or_(kind == Kind.CAPTION, bought)))
    return found


def gave(contract: Contract) -> ColumnElement[bool]:
    """Return the condition that what a row was before is what the contract gives."""
    found = [*_of_kinds(contract, PublishedFormer), *column_conditions(contract, PublishedFormer)]
    if contract.tags:
        # Not LIKE, because SQLite's LIKE makes no difference between capitals and small letters.
        had = [func.replace(col(PublishedFormer.tags), line(tag), "") for tag in contract.tags]
        found.append(or_(*(each != col(PublishedFormer.tags) for each in had)))
    return and_(true(), *found)


def line(tag: str) -> str:
    """Return a tag as the tags of a former state are written: each on a line of its own."""
    return f"\n{tag}\n"


def _in_ranges(language: ColumnElement[str], ranges: list[str]) -> ColumnElement[bool]:
    if ANY_LANGUAGE in ranges:
        return language.is_not(None)
    parts = [func.substr(language, 1, len(each) + 1) == f"{each}-" for each in ranges]
    return or_(one_of(language, ranges), *parts)


def _unindexed(column: Any) -> ColumnElement[Any]:
    # SQLite would else read all that an index has of a value, to find the few rows whose ids are known.
    return func.coalesce(col(column), null())


def gives_none(session: Session, kind: Kind, wanted: Filter = EVERYTHING) -> bool:
    """Return whether the session's contract gives nothing of a kind and filter, so that nothing need be
    looked for.
    """
    contract = session.contract
    if contract is None or kind is Kind.NOTICE:
        return False
    asked = ((wanted.section, contract.sections), (wanted.source, contract.sources))
    return (
        contract.has_ended(latest())
        or ContractKind(kind.value) not in contract.kinds
        or any(values and given and {*values}.isdisjoint(given) for values, given in asked)
        or (kind is not Kind.ARTICLE and _gives_no_pictures(contract, kind))
    )


def _gives_no_pictures(contract: Contract, kind: Kind) -> bool:
    """Return whether a contract gives no images by themselves, or no captions: they lack what it asks for."""
    if contract.sections or contract.tags or contract.pictures is PictureRight.NONE:
        return True
    if kind is Kind.IMAGE:
        return bool(contract.languages)
    return bool(contract.sources) or contract.pictures is not PictureRight.ALL


def of_given_pictures(session: Session, wanted: Filter) -> Filter | None:
    """Return a filter that asks for no picture which the session's contract leaves out of articles: a list of
    the articles that show it would tell where it is. Return None when the filter asks for such alone.
    """
    contract = session.contract
    if contract is None or contract.pictures is PictureRight.ALL or not wanted.image_id:
        return wanted
    if contract.pictures is PictureRight.NONE:
        return None
    is_asked_for = col(Published.kind) == Kind.IMAGE, col(Published.id).in_(wanted.image_id)
    own = select(col(Published.id)).where(*is_asked_for, col(Published.source).is_(None))
    found = session.execute(own, execution_options={PAST_CONTRACT: True}).scalars().all()
    return replace(wanted, image_id=tuple(found)) if found else None


def covers(session: Session, kind: Kind, wanted: Filter) -> bool:
    """Return whether the session's contract gives all that a filter leaves. Its languages are exact ones."""
    contract = session.contract
    if contract is None:
        return True
    if gives_none(session, kind) or (kind is Kind.IMAGE and contract.pictures is not PictureRight.ALL):
        return False
    asked = (
        (wanted.section, contract.sections),
        (wanted.tag, contract.tags),
        (wanted.source, contract.sources),
    )
    if any(given and not (values and {*values} <= {*given}) for values, given in asked):
        return False
    return not contract.languages or (
        bool(wanted.language) and all(is_in_range(each, contract.languages) for each in wanted.language)
    )


def narrow(session: Session, kind: Kind, wanted: Filter) -> Filter:
    """Return a filter that finds no less of what the session's contract gives, and reads less of the rest."""
    contract = session.contract
    if contract is None:
        return wanted
    if kind is Kind.IMAGE:
        return replace(wanted, source=wanted.source or tuple(contract.sources))
    if kind is Kind.CAPTION:
        return replace(wanted, language=wanted.language or tuple(contract.languages))
    return replace(
        wanted,
        section=wanted.section or tuple(contract.sections),
        tag=wanted.tag or tuple(contract.tags),
        source=wanted.source or tuple(contract.sources),
        language=wanted.language or tuple(contract.languages),
    )


def gives_files(session: Session, contract: Contract, image_id: UUID) -> bool:
    """Return whether a contract gives the files of a public picture: by itself, or in an article."""
    row = session.execute(
        select(col(Published.source)).where(col(Published.kind) == Kind.IMAGE, col(Published.id) == image_id)
    ).one_or_none()
    if row is None or contract.has_ended(latest()):
        return False
    if contract.admits(ContractKind.IMAGE, Facts(source=row.source)):
        return True
    shows = exists().where(
        col(PublishedTerm.field) == SHOWS,
        col(PublishedTerm.value) == str(image_id),
        col(PublishedTerm.id) == col(Published.id),
    )
    showing = select(col(Published.id)).where(*live(Kind.ARTICLE), gives(contract), shows).limit(1)
    return contract.gives_picture(row.source) and session.execute(showing).first() is not None


@event.listens_for(Session, "do_orm_execute")
def _hold_to_contract(state: ORMExecuteState) -> None:
    session = state.session
    if not isinstance(session, Session) or session.contract is None or not state.is_select:
        return
    if state.execution_options.get(PAST_CONTRACT):
        return
    if not state.is_orm_statement:
        table = Published.metadata.tables[str(Published.__tablename__)]
        if any(each is table for each in visitors.iterate(cast("ClauseElement", state.statement))):
            raise Unlimited(f"a contract cannot be held to in {state.statement}")
        return
    condition = gives(session.contract)
    state.statement = state.statement.options(
        with_loader_criteria(Published, condition, include_aliases=True)
    )
