"""Bring articles and pictures in and out."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from service.bulk.modes import Mode
from service.cli.common import Json, open_database, read_settings, screen

app = typer.Typer()


@app.command("import")
def import_content(
    sources: Annotated[
        list[str],
        typer.Argument(
            help=(
                "news pages: addresses, saved HTML, text dumps, folders of them; NDJSON of articles, packed"
                " with gzip or not;"
                " or one folder that `export` has written, into an empty store"
            ),
            metavar="FILE|DIR|URL…",
        ),
    ],
    publish: Annotated[
        bool, typer.Option("--publish", help="publish pages, and items that do not say their status")
    ] = False,
    fetch_images: Annotated[bool, typer.Option(help="of pages: fetch the pictures' files too")] = True,
    mode: Annotated[
        Mode,
        typer.Option(
            help=(
                "of NDJSON: create refuses what is there, update what is not; restore brings back what was"
                " taken away"
            )
        ),
    ] = Mode.UPSERT,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="of NDJSON: only say what would happen; of a folder: only check it"),
    ] = False,
    from_start: Annotated[
        bool, typer.Option("--from-start", help="of NDJSON: do not go on where it was interrupted")
    ] = False,
    as_json: Json = False,
) -> None:
    """Import news pages, or NDJSON of articles by your own keys, or restore what was exported. Fails when
    anything was refused.
    """
    from service.bulk.files import How
    from service.cli import importing as imports

    found = imports.tell_apart(sources)
    if found.folders and (len(sources) > 1 or publish):
        raise typer.BadParameter("a folder that was exported is taken in alone, and as it was.")
    if found.pages and dry_run:
        raise typer.BadParameter("--dry-run is for NDJSON and for folders that were exported.")
    if found.folders and dry_run:
        imports.look_at(found.folders[0], screen, as_json=as_json)
        return
    database = open_database()
    for folder in found.folders:
        imports.take_in(database, folder, screen, as_json=as_json)
    how = How(mode, dry_run, publish)
    refused = imports.bring_files(database, found.files, screen, how, from_start=from_start, as_json=as_json)
    refused += imports.bring_pages(
        database, found.pages, screen, publish=publish, fetch_images=fetch_images, as_json=as_json
    )
    if refused:
        raise typer.Exit(1)


@app.command("export")
def export_content(
    folder: Annotated[
        Path, typer.Argument(help="a folder that is new or empty", metavar="DIR", file_okay=False)
    ],
    everything: Annotated[
        bool,
        typer.Option(
            "--all",
            help="drafts, scheduled and withdrawn articles and every version too, as editors read them",
        ),
    ] = False,
    consent_log: Annotated[
        bool, typer.Option("--consent", help="the log of readers' consent too, sealed first")
    ] = False,
    as_json: Json = False,
) -> None:
    """Export articles, images and captions, one JSON document on each line, with the pictures' files: what is
    published, or all.
    """
    import orjson

    from service.backup.export import write_export
    from service.images.storage import open_store

    settings = read_settings()
    database = open_database(settings)
    export = write_export(
        database, open_store(settings), folder, screen, everything=everything, consent=consent_log
    )
    counted = ", ".join(f"{count} {name}" for name, count in export.counts.items())
    sys.stdout.write(orjson.dumps(export.counts).decode() + "\n" if as_json else f"{folder}: {counted}\n")
    if export.missing:
        screen.print(
            f"[red]The media store lacks {len(export.missing)} files that images name, such as"
            f" {export.missing[0]}.[/]"
        )
        raise typer.Exit(1)


@app.command("openapi")
def print_openapi() -> None:
    """Print the OpenAPI document."""
    import orjson

    from service import server

    sys.stdout.write(
        orjson.dumps(server.openapi(read_settings()), option=orjson.OPT_INDENT_2).decode() + "\n"
    )
