"""Give every command its settings, its database, and the screen: standard error, so that standard output holds the
answer alone.
"""

from typing import Annotated

import typer
from rich.console import Console

from service.database import Database
from service.edge.logs import configure_logs
from service.published import rendering
from service.schema import require_migrated
from service.settings import Settings

screen = Console(stderr=True, highlight=False)
Json = Annotated[bool, typer.Option("--json", help="print JSON, for scripts")]


def read_settings() -> Settings:
    """Return the settings; logs go to standard error from here on."""
    settings = Settings()
    configure_logs(settings)
    return settings


def open_database(settings: Settings | None = None) -> Database:
    """Return the store's database. Raises Unmigrated and RenderedByNewer."""
    database = Database(settings or read_settings())
    require_migrated(database)
    rendering.require_no_newer(database)
    return database
