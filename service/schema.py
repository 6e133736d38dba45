"""Know the schema that this code was written for, and refuse a store that has another."""

import enum
from functools import cache
from pathlib import Path

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from service.database import Database
from service.settings import Settings


class Unmigrated(RuntimeError):
    """The schema is not the one that this code was written for."""


def migrations(settings: Settings) -> Config:
    """Return where the Alembic chain is, and the store that it is for."""
    config = _chain_config()
    config.attributes["settings"] = settings
    return config


@cache
def chain() -> ScriptDirectory:
    """Return the Alembic chain of this code. Its files are read once."""
    return ScriptDirectory.from_config(_chain_config())


def _chain_config() -> Config:
    """Return where the chain is: beside the package in a checkout, inside it in a wheel."""
    here = Path(__file__).parent
    folder = next(place for place in (here / "alembic", here.parent / "alembic") if place.is_dir())
    config = Config()
    # A percent sign would begin an interpolation.
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    return config


class Schema(enum.StrEnum):
    """A store's schema, compared with the one that this code was written for."""

    CURRENT = "ok"
    MISSING = "missing: run `copydesk migrate`"
    BEHIND = "behind: run `copydesk migrate`"
    AHEAD = "ahead: a newer version has migrated the store; replace this process by that version"

    @property
    def can_serve(self) -> bool:
        """Return whether a process that serves already may go on: a migration leaves what the version before
        it needs.
        """
        return self in (Schema.CURRENT, Schema.AHEAD)


def schema_of(database: Database) -> tuple[Schema, str | None]:
    """Compare the store's schema with this code's; also return the store's revision."""
    with database.engine.connect() as connection:
        revision = MigrationContext.configure(connection).get_current_revision()
    return compare(revision)


def compare(revision: str | None) -> tuple[Schema, str | None]:
    """Compare a revision with the chain of this code."""
    if revision is None:
        return Schema.MISSING, revision
    if revision == chain().get_current_head():
        return Schema.CURRENT, revision
    known = {script.revision for script in chain().walk_revisions()}
    return (Schema.BEHIND if revision in known else Schema.AHEAD), revision


def require_migrated(database: Database) -> None:
    """Refuse to start on another schema, and name what mends it. Raises Unmigrated."""
    schema, revision = schema_of(database)
    if schema is Schema.AHEAD:
        raise Unmigrated(
            f"The store has the schema {revision} of a newer version of Copydesk. Start that version instead."
        )
    if schema is not Schema.CURRENT:
        stands = "no schema yet" if revision is None else f"the schema {revision} of an older version"
        raise Unmigrated(f"The store has {stands}. Run `copydesk migrate` first.")
