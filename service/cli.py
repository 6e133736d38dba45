"""`copydesk`: serve the store, migrate it, make tokens, bring content in. Exit status 0, 1 when it failed, 2
for wrong use.
"""

import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated
from uuid import UUID

import anyio
import orjson
import typer
from alembic import command
from alembic.util import CommandError
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.progress import track
from rich.table import Table as Grid
from sqlmodel import col, select

from service import imports, server, tokens
from service.auth import Scope, Token
from service.backup.export import write_export
from service.consent import retention, sealing
from service.consent.log import TreeHead
from service.consent.signing import Signer
from service.consent.verify import Verdict, verify
from service.database import AlreadyServed, Database, Unmigrated, migrations, require_migrated
from service.errors import ServiceError
from service.faults import DATABASE_FAULTS, Fault, answer_to, fault_of
from service.formats.bulk.files import How
from service.formats.bulk.writing import Mode
from service.images import inspecting
from service.images.storage import check, open_store
from service.logs import configure_logs
from service.losing import WouldLose
from service.settings import Settings, UnsafeSetting
from service.tables import now
from service.webhooks import worker

app = typer.Typer(
    name="copydesk", no_args_is_help=True, pretty_exceptions_enable=False, help="A content store for news."
)
consent = typer.Typer(no_args_is_help=True, help="Look after readers' consent and its log.")
media = typer.Typer(no_args_is_help=True, help="Look after the pictures' files.")
token = typer.Typer(no_args_is_help=True, help="Make, list and revoke tokens.")
app.add_typer(token, name="token")
webhooks = typer.Typer(no_args_is_help=True, help="Send webhooks.")
app.add_typer(webhooks, name="webhooks")
app.add_typer(media, name="media")
app.add_typer(consent, name="consent")
screen = Console(stderr=True, highlight=False)
Json = Annotated[bool, typer.Option("--json", help="print JSON, for scripts")]
Host = Annotated[str, typer.Option(help="the address to listen on")]
Port = Annotated[int, typer.Option(min=1, max=65535, help="the port to listen on")]


@app.command()
def serve(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Serve the API. Refuses a database whose schema is not this version's."""
    settings = _settings()
    if settings.migrate_on_start:
        migrate()
    _check(settings)
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
    config = migrations(_settings())
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

    settings = _settings()
    command.upgrade(migrations(settings), "head")
    database = _check(settings)
    samples.load(database, screen)
    database.close()
    samples.introduce(settings, screen, host, port)
    server.serve(settings, host, port)


@app.command("import")
def import_content(
    sources: Annotated[
        list[str],
        typer.Argument(
            help="news pages: addresses, saved HTML, text dumps, folders of them; NDJSON of articles, packed with gzip or not;"
            " or one folder that `export` has written, into an empty store",
            metavar="FILE|DIR|URL…",
        ),
    ],
    publish: Annotated[
        bool, typer.Option("--publish", help="publish pages, and items that do not say their status")
    ] = False,
    fetch_images: Annotated[bool, typer.Option(help="of pages: fetch the pictures' files too")] = True,
    mode: Annotated[
        Mode, typer.Option(help="of NDJSON: create refuses what is there, update what is not")
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
    found = imports.tell_apart(sources)
    if found.folders and (len(sources) > 1 or publish):
        raise typer.BadParameter("a folder that was exported is taken in alone, and as it was.")
    if found.pages and dry_run:
        raise typer.BadParameter("--dry-run is for NDJSON and for folders that were exported.")
    if found.folders and dry_run:
        imports.look_at(found.folders[0], screen, as_json=as_json)
        return
    database = _database()
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
    settings = _settings()
    database = _check(settings)
    export = write_export(
        database, open_store(settings), folder, screen, everything=everything, consent=consent_log
    )
    counted = ", ".join(f"{count} {name}" for name, count in export.counts.items())
    sys.stdout.write(orjson.dumps(export.counts).decode() + "\n" if as_json else f"{folder}: {counted}\n")
    if export.missing:
        screen.print(
            f"[red]The media store lacks {len(export.missing)} files that images name, such as {export.missing[0]}.[/]"
        )
        raise typer.Exit(1)


@app.command("openapi")
def print_openapi() -> None:
    """Print the OpenAPI document."""
    sys.stdout.write(orjson.dumps(server.openapi(_settings()), option=orjson.OPT_INDENT_2).decode() + "\n")


@token.command("create")
def create_token(
    name: Annotated[str, typer.Option(help="what the token is for")],
    scope: Annotated[list[Scope], typer.Option(help="what it allows; may be given several times")],
    days: Annotated[int | None, typer.Option(min=1, help="after how many days it expires")] = None,
) -> None:
    """Make a token and print it, alone, on standard output. It is shown only this once."""
    with _database().writing() as session:
        made = tokens.make_token(
            session, tokens.TokenCreate(name=name, scopes=scope, expires_at=tokens.in_days(days))
        )
    sys.stdout.write(made.token + "\n")


@token.command("list")
def list_tokens(as_json: Json = False) -> None:
    """List tokens, newest first."""
    with _database().reading() as session:
        found = [
            tokens.TokenRead.model_validate(row)
            for row in session.exec(select(Token).order_by(col(Token.id).desc()))
        ]
    if as_json:
        sys.stdout.writelines(shape.model_dump_json() + "\n" for shape in found)
        return
    grid = Grid("id", "name", "scopes", "last used", "state")
    for shape in found:
        used = shape.last_used_at.strftime("%Y-%m-%d %H:%M") if shape.last_used_at else "never"
        grid.add_row(
            str(shape.id), shape.name, " ".join(shape.scopes), used, "revoked" if shape.revoked_at else "good"
        )
    Console().print(grid)


@token.command("revoke")
def revoke_token(token_id: Annotated[UUID, typer.Argument(help="the token's id, from `token list`")]) -> None:
    """Revoke a token; it is refused from the next request on."""
    with _database().writing() as session:
        tokens.revoke(session, token_id)
    screen.print("Revoked.")


@media.command("check")
def check_media(
    remove: Annotated[bool, typer.Option("--remove", help="remove orphans older than a day")] = False,
    as_json: Json = False,
) -> None:
    """Find rows whose file is gone, and files that no row names. Fails when there are rows of the first kind."""
    settings = _settings()
    database = _check(settings)
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
            f"{found.originals} originals, {found.renditions} renditions; {len(found.dangling)} rows without their file, "
            f"{len(found.orphans)} orphans, {removed} of them removed."
        )
    if found.dangling:
        raise typer.Exit(1)


@media.command("inspect")
def inspect_media() -> None:
    """Look again at pictures that came in under an older version. Fails when one cannot be decoded any more."""
    seen = inspecting.look_again(_check(_settings()))
    sys.stdout.write(f"{seen.pictures} pictures, {seen.changed} changed, {len(seen.refused)} refused\n")
    if seen.refused:
        raise typer.Exit(1)


@consent.command("seal")
def seal_events() -> None:
    """Seal every event that the log does not hold yet. `serve` does so by itself, every second."""
    settings = _settings()
    sealed = sealing.seal(_check(settings), Signer(settings.signing_key))
    screen.print(f"Sealed {sealed} events.")


@consent.command("retain")
def retain_events() -> None:
    """Note decisions that ran out, and remove events past their period. `serve` does so by itself, every
    hour.
    """
    database, done = _database(), dict.fromkeys(("noted", "removed"), 0)
    for name, work in (("noted", retention.note_expired), ("removed", retention.retain)):
        while some := work(database, now()):
            done[name] += some
    screen.print(f"Noted {done['noted']} decisions that ran out, removed {done['removed']} events.")


@consent.command("verify")
def verify_export(
    export: Annotated[
        Path, typer.Argument(help="an export, NDJSON or CSV", exists=True, dir_okay=False, readable=True)
    ],
    public_key: Annotated[
        str | None, typer.Option(help="the key that must have signed it, in base64, as `tree-head` tells it")
    ] = None,
    tree_head: Annotated[
        list[Path] | None,
        typer.Option(
            help="a kept answer of `tree-head`, from which the log must go on", exists=True, dir_okay=False
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check an export offline: finds rows that were edited, deleted, inserted or moved. Needs no database and
    no settings.
    """
    heads = [TreeHead.model_validate_json(path.read_bytes()) for path in tree_head or []]
    verdict = verify(export, public_key=public_key, kept_heads=heads)
    if as_json:
        sys.stdout.write(orjson.dumps(asdict(verdict)).decode() + "\n")
    else:
        _tell(verdict, known_key=public_key is not None)
    if not verdict.is_whole:
        raise typer.Exit(1)


def _tell(verdict: Verdict, *, known_key: bool) -> None:
    lines = [
        f"checked {what}" for what in ("each row against its leaf's hash and its place", *verdict.checked)
    ]
    lines += [f"FAULT {fault}" for fault in verdict.faults]
    if verdict.more_faults:
        lines.append(f"FAULT {verdict.more_faults} more")
    end = f"{verdict.rows} rows, {verdict.removed} of them removed by retention"
    lines.append(f"whole: {end}" if verdict.is_whole else f"not whole: {end}")
    if verdict.is_whole and not known_key:
        lines.append(
            f"The signatures are by {verdict.public_key}, which came with the export: compare it with that of /v1/consent-log/tree-head."
        )
    sys.stdout.writelines(f"{line}\n" for line in lines)


@webhooks.command("work")
def send_webhooks() -> None:
    """Send webhooks beside the serving processes, which leave them to this with
    COPYDESK_WEBHOOK_CONCURRENCY=0. Ends at SIGTERM.
    """
    settings = _settings()
    anyio.run(worker.work, _check(settings), settings.webhook_concurrency or 8)


def _settings() -> Settings:
    """The settings; what is logged from here on goes to standard error, which leaves standard output to the
    answer.
    """
    settings = Settings()
    configure_logs(settings)
    return settings


def _database() -> Database:
    return _check(_settings())


def _check(settings: Settings) -> Database:
    database = Database(settings)
    require_migrated(database)
    return database


def main() -> None:
    """Run the command line, turning expected faults into one sentence and exit status 1."""
    try:
        app()
    except ValidationError as fault:
        for error in fault.errors():
            place, said = ".".join(map(str, error["loc"])), error["msg"].removeprefix("Value error, ")
            name = f"COPYDESK_{place.upper()}" if fault.title == Settings.__name__ and place else place
            screen.print(f"[red]{escape(f'{name}: {said}' if name else said)}[/]")
        raise SystemExit(1) from None
    except (
        Unmigrated,
        AlreadyServed,
        UnsafeSetting,
        ServiceError,
        FileNotFoundError,
        WouldLose,
        CommandError,
    ) as fault:
        screen.print(f"[red]{escape(str(fault))}[/]")
        raise SystemExit(1) from None
    except DATABASE_FAULTS as fault:
        if fault_of(fault) is Fault.BUG:
            raise
        cause = getattr(fault, "orig", None) or fault
        screen.print(f"[red]{escape(f'{answer_to(fault).detail} {cause}')}[/]")
        raise SystemExit(1) from None
