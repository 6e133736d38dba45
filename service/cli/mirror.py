"""Mirror another store."""

import os
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from service.cli.common import read_settings, screen

if TYPE_CHECKING:
    from service.settings import Settings

app = typer.Typer()


@app.command()
def follow(
    origin: Annotated[
        str, typer.Argument(help="address of the store to mirror, such as https://news.example")
    ],
    serve: Annotated[bool, typer.Option("--serve", help="go on following, and serve what is here")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="compare everything with the origin, and mend what differs")
    ] = False,
    token: Annotated[
        str | None,
        typer.Option(
            help="token for the origin; rather COPYDESK_MIRROR_TOKEN, which no list of processes shows"
        ),
    ] = None,
    pictures: Annotated[str | None, typer.Option(help="demand or ahead: when files are fetched")] = None,
    host: Annotated[str, typer.Option(help="the address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="the port to listen on")] = 8000,
) -> None:
    """Mirror a store: follow what it publishes into a store of its own, which must be empty at first.

    Without --serve it follows until everything is here, and ends. With --check it then compares all rows, and
    the exit status is 1 if any was wrong; `--serve` does so by itself every COPYDESK_MIRROR_CHECK_SECONDS.
    """
    from alembic import command

    from service import rooms, server
    from service.schema import migrations

    # The app reads the environment, in processes of its own when there are several.
    given = {
        "COPYDESK_MIRROR_OF": origin,
        "COPYDESK_MIRROR_TOKEN": token,
        "COPYDESK_MIRROR_PICTURES": pictures,
    }
    os.environ.update({name: value for name, value in given.items() if value is not None})
    settings = read_settings()
    if settings.migrate_on_start:
        command.upgrade(migrations(settings), "head")
    if serve:
        server.serve(settings, server.listen(host, port))
        return
    if check:
        _check(settings, origin)
        return
    import anyio

    from service.mirror.command import fill

    database = rooms.open_database(settings)
    known = anyio.run(fill, database)
    database.close()
    screen.print(f"[green]Everything is here up to number {known} of {escape(origin)}.[/]")


def _check(settings: "Settings", origin: str) -> None:
    import anyio

    from service import rooms
    from service.mirror.command import check

    database = rooms.open_database(settings)
    checked = anyio.run(check, database)
    database.close()
    said = f"{checked.rows} rows were compared with {escape(origin)} in {checked.requests} requests"
    if not checked.mended:
        screen.print(f"[green]{said}: all are equal.[/]")
        return
    screen.print(f"[yellow]{said}: {checked.mended} were wrong, and are mended.[/]")
    raise typer.Exit(1)
