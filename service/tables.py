"""Base of every table and every shape of the API: one base class, one set of constraint names, one clock, one
kind of id.
"""

import enum
import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Any, ClassVar, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

import langcodes
import regex
import uuid_utils.compat
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    TypeAdapter,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import PydanticKnownError
from sqlalchemy import JSON, Enum, MetaData
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.orm.attributes import manager_of_class
from sqlalchemy.types import TypeDecorator
from sqlmodel import SQLModel

# NUL cannot be stored by PostgreSQL, nor half of a surrogate pair; the other control characters are never
# meant.
_UNCLEAN = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_SHOWS = regex.compile(r"[^\s\p{Default_Ignorable_Code_Point}\p{C}\u2800]")
"""Characters that a reader sees: no space, no control character, nothing that fonts leave out."""
_STORED = object()
"""The validation context of stored values: they are taken as they are, even if they would be refused today.
"""
_TIME = re.compile(r"\s*\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d")
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]*)")
_DECIMAL = re.compile(rf"{_WHOLE.pattern}(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
ANY_LANGUAGE = "*"
"""The language range that every language is in."""
NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Table(SQLModel):
    """The base of every table: own metadata with constraint names that Alembic can address, and validated
    assignment.
    """

    metadata: ClassVar[MetaData] = MetaData(naming_convention=NAMES)
    model_config = {"validate_assignment": True}


Row = TypeVar("Row", bound=Table)


class Shape(BaseModel):
    """The base of every request body: a member that it does not know is refused.

    Not a SQLModel: that would construct each of an article's blocks in Python, which costs more than all of
    its validation.
    """

    # A shape that is answered too, such as a block, is written out with every member.
    model_config = ConfigDict(extra="forbid", json_schema_serialization_defaults_required=True)


class TableShape(SQLModel):
    """The same for a request body that shares its members with a table."""

    model_config = {"extra": "forbid"}


class Reading(BaseModel):
    """The base of every answer; made from a table's row by its attributes.

    A default is for documents of before its member was added: an answer always has every member.
    """

    model_config = ConfigDict(from_attributes=True, json_schema_serialization_defaults_required=True)


class TableReading(SQLModel):
    """The same for an answer that shares its members with a table."""

    model_config = {"json_schema_serialization_defaults_required": True}


class ShownOnce:
    """Marks a member of an answer that holds a secret: an answer with one is never kept in clear."""


Secret = Annotated[str, ShownOnce()]


def new_id() -> UUID:
    """Make a UUIDv7 (RFC 9562): ids sort by the time they were made."""
    return uuid_utils.compat.uuid7()


class Clock:
    """The time by which this machine's clock is known to be ahead of the store's (`timekeeping.py`), and the
    latest time that it has shown when rights were asked for.
    """

    ahead = timedelta()
    latest = datetime.min.replace(tzinfo=UTC)


CLOCK = Clock()


def machine_time() -> datetime:
    """Return the time by the clock of this machine, in UTC."""
    return datetime.now(UTC)


def now() -> datetime:
    """Return the time by the store's clock, in UTC."""
    return machine_time() - CLOCK.ahead


def latest() -> datetime:
    """Return the latest time that the store's clock has shown: a right that has ended stays ended when the
    clock is set back.
    """
    CLOCK.latest = max(CLOCK.latest, now())
    return CLOCK.latest


def new_row(table: type[Row], values: Mapping[str, object]) -> Row:
    """Make a new row of all its values, which are validated already.

    They are put where SQLAlchemy keeps what it has loaded. Its constructor would validate each again, and
    note each as changed, which an INSERT of the whole row does not need. That takes as long as all other work
    for an article.
    """
    row = manager_of_class(table).new_instance()
    assert isinstance(row, table)
    assert values.keys() == table.model_fields.keys()
    # tests/articles/test_create.py fails if SQLAlchemy keeps them elsewhere one day.
    row.__dict__.update(values)
    return row


def text_enum(values: type[enum.StrEnum]) -> Enum:
    """Store an enum by its values, as text with a check."""
    return Enum(
        values,
        native_enum=False,
        length=32,
        create_constraint=True,
        name=values.__name__.lower(),
        values_callable=lambda kind: [member.value for member in kind],
    )


class Json(TypeDecorator[Any]):
    """A JSON column that holds values of one Pydantic type: validated when read, dumped when written."""

    impl = JSON
    cache_ok = True

    def __init__(self, type_: Any) -> None:
        super().__init__()
        self.adapter = TypeAdapter(type_)

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """JSONB on PostgreSQL, JSON as text on SQLite."""
        return dialect.type_descriptor(JSONB() if dialect.name == "postgresql" else JSON())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Turn the Pydantic values into plain JSON ones."""
        return None if value is None else self.adapter.dump_python(value, mode="json")

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Turn stored JSON into the Pydantic values."""
        return None if value is None else self.adapter.validate_python(value, context=_STORED)

    def coerce_compared_value(self, op: Any, value: Any) -> Any:
        """Compare as JSON does."""
        return self.impl_instance.coerce_compared_value(op, value)


def clean_text(value: str) -> str:
    """Refuse control characters and halves of surrogate pairs."""
    if bad := _UNCLEAN.search(value):
        raise ValueError(f"must not contain the control character U+{ord(bad[0]):04X}")
    return value


def composed(value: str) -> str:
    """Write each letter with its accents as one character (NFC), so that texts that look the same are the
    same.
    """
    return value if value.isascii() else unicodedata.normalize("NFC", value)


def _composed(value: object) -> object:
    return composed(value) if isinstance(value, str) else value


def _one_line(value: str) -> str:
    if "\n" in value or "\t" in value:
        raise ValueError("must be one line")
    return value


def _visible(value: str, info: ValidationInfo) -> str:
    if not value.isascii() and info.context is not _STORED and _SHOWS.search(value) is None:
        raise ValueError("must have a character that can be seen")
    return value


def _saying(value: str, info: ValidationInfo) -> str:
    if info.context is not _STORED and _SHOWS.search(value) is None:
        raise ValueError("must have a character that can be seen")
    return value


def unix_newlines(value: object) -> object:
    """Write line ends as Unix has them."""
    return value.replace("\r\n", "\n").replace("\r", "\n") if isinstance(value, str) else value


@lru_cache(maxsize=1_000)
def _language(value: str) -> str:
    # Cached, because a check takes a tenth of a millisecond, and a house writes in few languages.
    if "_" in value or not langcodes.tag_is_valid(value):
        raise ValueError("must be a BCP 47 language tag, such as en, pt-BR or zh-Hant")
    return langcodes.standardize_tag(value)


def _range(value: str) -> str:
    return value if value == ANY_LANGUAGE else _language(value)


def is_in_range(language: str | None, ranges: Iterable[str]) -> bool:
    """Return whether a language is in one of some ranges, by basic filtering (RFC 4647, 3.3.1)."""
    tag = f"{language or ''}-".lower()
    return any(wanted == ANY_LANGUAGE or tag.startswith(f"{wanted.lower()}-") for wanted in ranges)


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise ValueError("must be an http or https address without credentials")
    return value


def _written_out(value: object) -> object:
    # A number would be taken for seconds since 1970.
    if isinstance(value, datetime) or (isinstance(value, str) and _TIME.match(value)):
        return value
    raise ValueError("must be a time with its zone, such as 2030-05-01T06:00:00Z")


def _whole(value: object) -> object:
    if isinstance(value, str) and not _WHOLE.fullmatch(value):
        raise PydanticKnownError("int_parsing")
    return value


def _decimal(value: object) -> object:
    if isinstance(value, str) and not _DECIMAL.fullmatch(value):
        raise PydanticKnownError("float_parsing")
    return value


def _utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("is too far away") from None


def stored_time(value: datetime | str) -> datetime:
    """Return a time as a driver gives it: SQLite has none, and SQLAlchemy keeps it there as text, in UTC."""
    return datetime.fromisoformat(value).replace(tzinfo=UTC) if isinstance(value, str) else value


def write_time(value: datetime) -> str:
    """Write a time as RFC 3339 in UTC with `Z`, microseconds only where there are any."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


Text = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=20_000),
    BeforeValidator(_composed),
    BeforeValidator(unix_newlines),
    AfterValidator(clean_text),
]
"""Text of several lines, trimmed."""
Wording = Annotated[Text, AfterValidator(_saying)]
"""Text of several lines that says something. What was stored before that was asked for is taken as it is."""
NonEmptyText = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000),
    BeforeValidator(_composed),
    BeforeValidator(unix_newlines),
    AfterValidator(clean_text),
    AfterValidator(_visible),
]
"""Text of several lines that says something: why a resource was withdrawn, what was corrected."""
Line = Annotated[
    str,
    # Before the other validators here: behind one, Pydantic would trim what it has measured.
    StringConstraints(strip_whitespace=True, min_length=1, max_length=500),
    BeforeValidator(_composed),
    AfterValidator(clean_text),
    AfterValidator(_one_line),
    AfterValidator(_visible),
]
"""Text of one line, trimmed, not empty."""
Member = TypeVar("Member")
Many = Annotated[list[Member], Field(fail_fast=True)]
"""A list that stops at its first wrong member, because noting each of a hundred thousand blocks all threads.
"""
Time = Annotated[
    AwareDatetime,
    BeforeValidator(_written_out),
    AfterValidator(_utc),
    PlainSerializer(write_time, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]
"""A time with its zone; leaves as RFC 3339 UTC."""
WHOLE = BeforeValidator(_whole)
"""Marks a whole number in an address, which is written as in JSON: Pydantic would read ` 10`, `+10`, `1_0`
and `10.0` too. It stands after the bounds, which the document would not know otherwise.
"""
DECIMAL = BeforeValidator(_decimal)
"""The same for a number with decimals."""
Language = Annotated[str, StringConstraints(strip_whitespace=True, max_length=35), AfterValidator(_language)]
"""A BCP 47 language tag, in its canonical form."""
LanguageRange = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=35), AfterValidator(_range)
]
"""A basic language range of RFC 4647: a language tag, of which longer ones are parts, or `*`."""
WebAddress = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=2_000),
    AfterValidator(clean_text),
    AfterValidator(_one_line),
    AfterValidator(_web_address),
]
"""An http or https address."""
