"""Look after readers' consent and its log."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.common import Json, open_database, read_settings, screen

if TYPE_CHECKING:
    from service.consent.audit.verify import Verdict

app = typer.Typer(no_args_is_help=True, help="Look after readers' consent and its log.")


@app.command("seal")
def seal_events() -> None:
    """Seal every event that the log does not hold yet. `serve` does so by itself, every second."""
    from service.consent.log import sealing
    from service.consent.signing import Signer

    settings = read_settings()
    sealed = sealing.seal(open_database(settings), Signer(settings.signing_key))
    screen.print(f"Sealed {sealed} events.")


@app.command("retain")
def retain_events() -> None:
    """Note decisions that ran out, and remove events past their period. `serve` does so by itself, every
    hour.
    """
    from service.consent.audit import retention
    from service.tables import now

    database, done = open_database(), dict.fromkeys(("noted", "removed"), 0)
    for name, work in (("noted", retention.note_expired), ("removed", retention.retain)):
        while some := work(database, now()):
            done[name] += some
    screen.print(f"Noted {done['noted']} decisions that ran out, removed {done['removed']} events.")


@app.command("verify")
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
    import orjson

    from service.consent.audit.verify import verify
    from service.consent.log.tree import TreeHead

    heads = [TreeHead.model_validate_json(path.read_bytes()) for path in tree_head or []]
    verdict = verify(export, public_key=public_key, kept_heads=heads)
    if as_json:
        sys.stdout.write(orjson.dumps(asdict(verdict)).decode() + "\n")
    else:
        _tell(verdict, known_key=public_key is not None)
    if not verdict.is_whole:
        raise typer.Exit(1)


def _tell(verdict: "Verdict", *, known_key: bool) -> None:
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
            f"The signatures are by {verdict.public_key}, which came with the export: compare it with that of"
            " /v1/consent-log/tree-head."
        )
    sys.stdout.writelines(f"{line}\n" for line in lines)
