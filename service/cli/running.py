"""Serve the store, bring its schema up to this version, and show a demo."""

from typing import Annotated

import typer
from alembic import command
from rich.markup import escape

from service import server
from service.cli.common import open_database, read_settings, screen
from service.database import migrations

app = typer.Typer()
Host = Annotated[str, typer.Option(help="the address to listen on")]
Port = Annotated[int, typer.Option(min=1, max=65535, help="the port to listen on")]


@app.command()
def serve(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Serve the API. Refuses a database whose schema is not this version's."""
    settings = read_settings()
    if settings.migrate_on_start:
        command.upgrade(migrations(settings), "head")
    open_database(settings)
    server.serve(settings, host, port)


@app.command()
def migrate(
    to: Annotated[
        str | None,
        typer.Option(
            help="go down to the revision of an older version, which then serves", metavar="REVISION"
        ),
    ] = None,
    lose_data: Annotated[
        bool, typer.Option("--lose-data", help="with --to: let go of what the older schema cannot hold")
    ] = False,
) -> None:
    """Bring the database's schema to this version."""
    if lose_data and to is None:
        raise typer.BadParameter("--lose-data goes with --to: an upgrade loses nothing.")
    config = migrations(read_settings())
    if to is None:
        command.upgrade(config, "head")
        screen.print("[green]The database has this version's schema.[/]")
        return
    config.attributes["lose_data"] = lose_data
    command.downgrade(config, to)
    screen.print(f"[green]The database has the schema of revision {escape(to)}.[/]")


@app.command()
def demo(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Migrate, load sample news with pictures and captions, print a token, and serve."""
    from service import demo as samples  # noqa: PLC0415  # drawing the samples needs Pillow, which no other command waits for

    settings = read_settings()
    command.upgrade(migrations(settings), "head")
    database = open_database(settings)
    samples.load(database, screen)
    database.close()
    samples.introduce(settings, screen, host, port)
    server.serve(settings, host, port)
