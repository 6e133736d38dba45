"""Look after the pictures' files."""

import sys
from functools import partial
from typing import Annotated

import typer
from rich.progress import track

from service.cli.common import Json, open_database, read_settings, screen

app = typer.Typer(no_args_is_help=True, help="Look after the pictures' files.")


@app.command("check")
def check_media(
    remove: Annotated[bool, typer.Option("--remove", help="remove orphans older than a day")] = False,
    as_json: Json = False,
) -> None:
    """Find rows whose file is gone, and files that no row names. Fails when there are rows of the
    first kind.
    """
    from service.images.storage import check, open_store

    settings = read_settings()
    database = open_database(settings)
    looking = partial(
        track, description="Looking through the media store", total=None, console=screen, transient=True
    )
    found = check.check(database, open_store(settings), remove=remove, watch=looking)
    if as_json:
        sys.stdout.write(found.model_dump_json() + "\n")
    else:
        sys.stdout.writelines(f"dangling {gone.image_id} {gone.digest}\n" for gone in found.dangling)
        sys.stdout.writelines(
            f"{'removed' if orphan.removed else 'orphan'} {orphan.key} {orphan.size}\n"
            for orphan in found.orphans
        )
        sys.stdout.writelines(f"foreign {key}\n" for key in found.foreign)
        removed = sum(orphan.removed for orphan in found.orphans)
        screen.print(
            f"{found.originals} originals, {found.renditions} renditions; {len(found.dangling)} rows without"
            f" their file, {len(found.orphans)} orphans, {removed} of them removed."
        )
    if found.dangling:
        raise typer.Exit(1)


@app.command("inspect")
def inspect_media() -> None:
    """Look again at pictures that came in under an older version. Fails when one cannot be
    decoded any more.
    """
    from service.images import inspecting

    seen = inspecting.look_again(open_database())
    sys.stdout.write(f"{seen.pictures} pictures, {seen.changed} changed, {len(seen.refused)} refused\n")
    if seen.refused:
        raise typer.Exit(1)
