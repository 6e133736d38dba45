"""`./run bench`: CPU per request of Copydesk as a ratio to a bare ASGI app with the same bytes, on the same server and core."""

import enum
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from service.auth import Scope
from service.database import Database
from service.settings import Settings
from service.tokens import TokenCreate, make_token
from tests.bench import report
from tests.bench.cores import Cores, Unfit, divide
from tests.bench.measure import Bench, Outcome, WrongCache
from tests.bench.phases import CACHES, HIT, MISS, POSTGRES_HIT, POSTGRES_MISS, groups, know
from tests.bench.served import Served, Unstarted, serving
from tests.bench.stores import KEPT, Stores, filled
from tests.bench.wrk import BadAnswers, Wrk, ensure_wrk
from tests.postgres import PostgresUnavailable

SECRET = "a secret of the benchmark, which guards nothing"
screen = Console(stderr=True, highlight=False)


class Server(enum.StrEnum):
    """Under which server both apps run; `serve` is what `copydesk serve` does."""

    SERVE = "serve"
    UVICORN = "uvicorn"
    GRANIAN = "granian"
    BOTH = "both"


def bench(
    server: Annotated[Server, typer.Option(help="the server under both apps; both: uvicorn, then granian")] = Server.SERVE,
    only: Annotated[str, typer.Option(help="groups, with commas between: 304,article,list,search,create,consent")] = "",
    quick: Annotated[bool, typer.Option(help="one short round")] = False,
    sqlite_only: Annotated[bool, typer.Option(help="leave PostgreSQL out")] = False,
    fresh: Annotated[bool, typer.Option(help="write the kept stores anew")] = False,
    json: Annotated[bool, typer.Option(help="print JSON, for scripts")] = False,
) -> None:
    """Measure the service against a bare ASGI app. The first run writes 10,000 articles, which takes minutes."""
    try:
        cores = divide()
        ensure_wrk()
        servers = [Server.UVICORN, Server.GRANIAN] if server is Server.BOTH else [server]
        with _progress() as progress, tempfile.TemporaryDirectory(dir=_kept_folder()) as folder:
            with filled(Path(folder), progress, with_postgres=not sqlite_only, fresh=fresh) as stores:
                cores.pin_load()
                found = [(one, _run(_bench(one, Path(folder), cores, progress, quick=quick), stores, only)) for one in servers]
    except (Unfit, Unstarted, BadAnswers, WrongCache, PostgresUnavailable) as fault:
        screen.print(f"[red]{fault}[/]", markup=True)
        raise SystemExit(1) from None
    notes = _notes(cores, quick=quick)
    if json:
        sys.stdout.write(orjson.dumps([report.as_json(one, outcomes, notes) for one, outcomes in found]).decode() + "\n")
        return
    for one, outcomes in found:
        report.show(Console(), f"Copydesk under {_name(one)}", outcomes, notes)
