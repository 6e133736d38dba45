"""Serve the store, bring its schema up to this version, and show a demo."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from service.cli.common import Json, open_database, program, read_settings, screen

if TYPE_CHECKING:
    from service.articles.indexing import Indexing
    from service.published.backlog import Backlog

app = typer.Typer()
Host = Annotated[str, typer.Option(help="the address to listen on")]
Port = Annotated[int, typer.Option(min=1, max=65535, help="the port to listen on")]


@app.command()
def serve(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Serve the API. Refuses a database whose schema is not this version's."""
    from service import server

    settings = read_settings()
    if settings.migrate_on_start:
        from alembic import command

        from service.schema import migrations

        command.upgrade(migrations(settings), "head")
    if settings.mirror_of is None:
        open_database(settings)
    server.serve(settings, server.listen(host, port))


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
    from alembic import command

    from service import rooms
    from service.published import rendering
    from service.schema import Schema, migrations, require_migrated, schema_of

    if lose_data and to is None:
        raise typer.BadParameter("--lose-data goes with --to: an upgrade loses nothing.")
    settings = read_settings()
    config = migrations(settings)
    if to is not None:
        config.attributes["lose_data"] = lose_data
        command.downgrade(config, to)
        screen.print(f"[green]The database has the schema of revision {escape(to)}.[/]")
        return
    database = rooms.open_database(settings)
    if schema_of(database)[0] is Schema.AHEAD:
        require_migrated(database)
    command.upgrade(config, "head")
    screen.print("[green]The database has this version's schema.[/]")
    if waiting := rendering.count_older(database):
        screen.print(
            f"{waiting} published documents await rendering by this version. `{program()} serve` renders them"
            f" in the background, `{program()} render` at once. Until then they are answered as they are."
        )
    database.close()


@app.command()
def purge() -> None:
    """Have the caches in front drop everything: after a change of settings that answers show, or of the
    cache.
    """
    from service.purging import places

    with open_database().writing() as session:
        if not places.drop_everything(session):
            screen.print("[yellow]No cache is purged: COPYDESK_PURGE_KIND was never set while serving.[/]")
            raise typer.Exit(1)
    screen.print("[green]The serving processes have the caches drop everything.[/]")


@app.command()
def render(
    back: Annotated[
        bool, typer.Option("--back", help="render anew even what a newer version of Copydesk has rendered")
    ] = False,
    as_json: Json = False,
) -> None:
    """Render every published document that an older version, or other settings, have rendered.

    `serve` does so by itself in the background, more slowly. Several may run at once; one that is interrupted
    is simply started again. Fails when a document could not be rendered.
    """
    import orjson

    from service import rooms
    from service.articles.indexing import Indexing
    from service.mirror.place import refuse_mirror
    from service.published import rendering
    from service.published.backlog import Backlog
    from service.schema import require_migrated

    database = rooms.open_database(read_settings())
    require_migrated(database)
    refuse_mirror(database)
    rendering.begin(database, go_back=back)
    done = _render_all(Backlog(database))
    _index_all(Indexing(database))
    counts = {"same": done.same, "changed": done.changed, "failed": len(done.failed)}
    if as_json:
        sys.stdout.write(orjson.dumps(counts).decode() + "\n")
    else:
        screen.print(
            f"{done.same} documents came out as they were, {done.changed} otherwise,"
            f" {len(done.failed)} could not be rendered."
        )
    database.close()
    if done.failed:
        raise typer.Exit(1)


def _render_all(backlog: "Backlog") -> "Backlog":
    """Render everything that awaits it, and show how far it is."""
    columns = (TextColumn("Rendering"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=screen, transient=True) as progress:
        bar = progress.add_task("", total=backlog.count())
        while work := backlog.next_of_changed_pictures():
            backlog.finish(work)
        while works := backlog.next_of_older_rendering():
            for work in works:
                backlog.finish(work)
            progress.update(bar, completed=backlog.same + backlog.changed)
    return backlog


def _index_all(indexing: "Indexing") -> None:
    """Cut the texts of all working articles anew that an older version has cut."""
    indexing.begin()
    while waiting := indexing.waiting():
        indexing.finish(waiting)


@app.command()
def demo(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Migrate, load sample news with pictures and captions, print a token, and serve. Each demo of a store
    has the same token.
    """
    from alembic import command

    from service import demo as samples
    from service import server
    from service.schema import migrations

    settings = read_settings()
    listener = server.listen(host, port)
    command.upgrade(migrations(settings), "head")
    database = open_database(settings)
    samples.fill(database, screen)
    samples.introduce(database, screen, server.address_of(listener))
    database.close()
    server.serve(settings, listener)
