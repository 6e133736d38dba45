"""`./run bench`: CPU per request of Copydesk as a ratio to a bare ASGI app with the same bytes, on the same
server and core.
"""

import enum
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tests.bench import bulk, consents, figures, page, publishers, report, sizes, spread, starting, weight
from tests.bench.cores import Cores, Unfit, divide
from tests.bench.empty import Empty, empties
from tests.bench.figures import Figure
from tests.bench.measure import Bench, Outcome, WrongCache
from tests.bench.peers import contest
from tests.bench.phases import groups, know
from tests.bench.served import Unstarted
from tests.bench.stand import addresses, make_writer, served_stores
from tests.bench.stores import ARTICLES, KEPT, READERS, Stores, filled
from tests.bench.wrk import BadAnswers, Wrk, ensure_wrk
from tests.postgres import PostgresUnavailable

CONSENTING = {"consent-load": consents.load, "consent-current": consents.current}
Measure = Callable[[Bench, Sequence[Empty]], Iterator[Figure]]
MANY: Mapping[str, Measure] = {
    "bulk": bulk.ratios,
    "bulk-memory": bulk.memory,
    "publishers": publishers.together,
    "spread": spread.waits,
    "start": starting.ready,
    "weight": weight.bytes_and_work,
}
SIZES = "sizes"
"""The group whose stores have the sizes of `--size`."""
GROUPS = ("304", "article", "list", "search", "create", "consent", *CONSENTING, *MANY, SIZES)
screen = Console(stderr=True, highlight=False)
Fault = (Unfit, Unstarted, BadAnswers, WrongCache, PostgresUnavailable)


class Server(enum.StrEnum):
    """Under which server both apps run; `serve` is what `copydesk serve` does."""

    SERVE = "serve"
    UVICORN = "uvicorn"
    GRANIAN = "granian"
    BOTH = "both"


def main(
    server: Annotated[
        Server, typer.Option(help="the server under both apps; both: uvicorn, then granian")
    ] = Server.SERVE,
    only: Annotated[
        str,
        typer.Option(help=f"some groups: {','.join(GROUPS)}"),
    ] = "",
    size: Annotated[
        str, typer.Option(help="articles of the stores that the group `sizes` compares, such as 10k,100k,1m")
    ] = sizes.DEFAULT,
    peers: Annotated[
        bool,
        typer.Option("--peers", help="compare with other frameworks, which it installs, and nothing else"),
    ] = False,
    quick: Annotated[bool, typer.Option("--quick", help="one short round")] = False,
    sqlite_only: Annotated[bool, typer.Option("--sqlite-only", help="leave PostgreSQL out")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="write the kept stores anew")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON, for scripts")] = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="write docs/performance.md, with what this run has measured")
    ] = False,
) -> None:
    """Measure the service against a bare ASGI app. The first run writes 10,000 articles and a million
    decisions, which takes some minutes.
    """
    servers = [Server.UVICORN, Server.GRANIAN] if server is Server.BOTH else [server]
    wanted = {name.strip() for name in only.split(",") if name.strip()}
    found: dict[Server, list[Outcome]] = {}
    figured: list[Figure] = []
    machine = page.machine()
    try:
        many: Mapping[str, Measure] = {**MANY, SIZES: partial(sizes.costs, sizes=sizes.parse(size))}
    except ValueError as fault:
        raise typer.BadParameter(str(fault), param_hint="--size") from None
    try:
        cores = divide()
        ensure_wrk()
        with _folder() as folder, _progress() as progress:
            bench = partial(_bench, folder=folder, cores=cores, progress=progress, quick=quick)
            if peers:
                _compare_peers(bench(Server.SERVE), machine, as_json=as_json, markdown=markdown, fresh=fresh)
                return
            if not wanted or wanted - {*CONSENTING, *many}:
                with filled(folder, progress, ARTICLES, with_postgres=not sqlite_only, fresh=fresh) as stores:
                    cores.pin_load()
                    found = {one: _measure(bench(one), stores, wanted) for one in servers}
            cores.pin_load()
            figured = list(
                _figures(bench(Server.SERVE), wanted, many, with_postgres=not sqlite_only, fresh=fresh)
            )
    except Fault as fault:
        screen.print(str(fault), style="red", markup=False)
        raise SystemExit(1) from None
    if markdown:
        measured = [outcome for outcomes in found.values() for outcome in outcomes]
        page.PATH.write_text(page.write(measured, figured, machine=machine, rounds=_rounds(quick=quick)))
        return
    _tell(found, figured, _notes(cores), as_json=as_json)


@contextmanager
def _folder() -> Iterator[Path]:
    KEPT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="run-", dir=KEPT, ignore_cleanup_errors=True) as name:
        yield Path(name)


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=screen)


def _bench(server: Server, folder: Path, cores: Cores, progress: Progress, *, quick: bool) -> Bench:
    return Bench(server.value, folder, cores, Wrk(folder), _rounds(quick=quick), 2 if quick else 3, progress)


def _rounds(*, quick: bool) -> int:
    return 1 if quick else 5


def _compare_peers(bench: Bench, machine: str, *, as_json: bool, markdown: bool, fresh: bool) -> None:
    with filled(bench.folder, bench.progress, ARTICLES, with_postgres=False, fresh=fresh) as stores:
        bench.cores.pin_load()
        costs = contest.measure(bench, stores)
    if markdown:
        contest.write(page.PATH, costs, machine=machine)
    elif as_json:
        sys.stdout.write(orjson.dumps(contest.as_json(costs), option=orjson.OPT_INDENT_2).decode() + "\n")
    else:
        bench.progress.stop()
        contest.show(_console(), costs)


def _console() -> Console:
    return Console() if sys.stdout.isatty() else Console(width=170)


def _figures(
    bench: Bench, wanted: set[str], many: Mapping[str, Measure], *, with_postgres: bool, fresh: bool
) -> Iterator[Figure]:
    """Measure the groups that are no ratio to the bare app, which bring stores of their own."""
    consenting = [measure for name, measure in CONSENTING.items() if not wanted or name in wanted]
    beside = [compare for name, compare in many.items() if not wanted or name in wanted]
    if consenting:
        with filled(
            bench.folder, bench.progress, READERS, with_postgres=with_postgres, fresh=fresh
        ) as stores:
            for measure in consenting:
                yield from measure(bench, stores)
    if beside:
        stores_made = empties(bench.folder, with_postgres=with_postgres)
        for compare in beside:
            yield from compare(bench, stores_made)


def _measure(bench: Bench, stores: Stores, wanted: set[str]) -> list[Outcome]:
    urls, slugs = addresses(stores), stores.slugs()
    with served_stores(bench, urls) as served:
        known = {
            name: know(one, f"/v1/articles/{slugs[0]}", make_writer(urls[name]))
            for name, one in served.items()
        }
        chosen = [group for group in groups(known, slugs) if not wanted or group.name in wanted]
        return [outcome for group in chosen for outcome in bench.measure(group, served)]


def _notes(cores: Cores) -> list[str]:
    others = ",".join(map(str, sorted(cores.others)))
    return [
        f"Python {platform.python_version()}; one worker on core {cores.server}; wrk (16 connections read, 4 write) and PostgreSQL on {others};"
        f" load of the machine before: {os.getloadavg()[2]:.1f}.",
        "Ratio: CPU per request of a bare ASGI app with the same bytes and headers on the same server, over the service's; median of the rounds.",
        "Miss: 10,000 keys in turn with a cache of 1 MiB, from which each has been pushed out when it comes again. Hit: a cache of 512 MiB.",
        "CPU is that of the server's processes, not of PostgreSQL's. SQLite with synchronous=FULL, PostgreSQL with fsync.",
    ]


def _tell(
    found: Mapping[Server, list[Outcome]], figured: Sequence[Figure], notes: list[str], *, as_json: bool
) -> None:
    own_notes = [
        notes[0],
        *consents.NOTES,
        *bulk.NOTES,
        *publishers.NOTES,
        *spread.NOTES,
        *starting.NOTES,
        *weight.NOTES,
        *sizes.NOTES,
    ]
    if as_json:
        told = [report.as_json(server.value, outcomes, notes) for server, outcomes in found.items()]
        told += [figures.as_json(figured, own_notes)] if figured else []
        sys.stdout.write(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode() + "\n")
        return
    console = _console()
    for server, outcomes in found.items():
        title = (
            "Copydesk, as `copydesk serve` runs it" if server is Server.SERVE else f"Copydesk under {server}"
        )
        report.show(console, title, outcomes, notes)
    if figured:
        figures.show(console, figured, own_notes)


if __name__ == "__main__":
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(main)
    app()
