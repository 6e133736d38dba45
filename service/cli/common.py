"""Give every command its settings, its database, and the screen: standard error, so that standard output
holds the answer alone.

A command imports what it works with when it runs: `copydesk --help`, and a word that is misspelt, wait for
none of it.
"""

import os
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

if TYPE_CHECKING:
    from service.database import Database
    from service.settings import Settings

screen = Console(stderr=True, highlight=False)
Json = Annotated[bool, typer.Option("--json", help="print JSON, for scripts")]


def program() -> str:
    """Return what the user called: `copydesk`, or the script `./run` that says so."""
    return os.environ.get("COPYDESK_PROGRAM", "copydesk")


def read_settings() -> "Settings":
    """Return the settings; logs go to standard error from here on."""
    from service.edge.logs import configure_logs
    from service.settings import Settings

    settings = Settings()
    configure_logs(settings)
    return settings


def open_database(settings: "Settings | None" = None) -> "Database":
    """Return the store's database. Raises Unmigrated, RenderedByNewer and IsMirror."""
    from service import rooms
    from service.mirror.place import refuse_mirror
    from service.published import rendering
    from service.schema import require_migrated

    database = rooms.open_database(settings or read_settings())
    require_migrated(database)
    rendering.require_no_newer(database)
    refuse_mirror(database)
    return database
