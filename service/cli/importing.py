"""Run `copydesk import` on a folder that was exported, on files of many articles, and on news pages."""

import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import orjson
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, track

from service.backup.folder import Manifest, is_export
from service.backup.restore import check, restore
from service.bulk.files import FileImport, How, holds_items
from service.bulk.writing import Result, write_line
from service.database import Database
from service.errors import ServiceError
from service.http.callers import Caller
from service.images.intake import Intake
from service.images.storage import open_store
from service.imports.importer import bring_in
from service.imports.sources import FetchedFiles, expand, fetch_pictures, read_source
from service.newspages import NotAnArticle
from service.scopes import Scope

IMPORTER = Caller(name="copydesk import", scopes=frozenset({Scope.CONTENT_WRITE, Scope.CONTENT_PUBLISH}))
BULK = "/v1/articles/bulk"
"""The path in the problem of an item: a request to it would have met the same problem."""


@dataclass(frozen=True, slots=True)
class Sources:
    """The arguments of an import, sorted by kind."""

    folders: list[Path]
    files: list[Path]
    pages: list[str]


def tell_apart(sources: Sequence[str]) -> Sources:
    """Exported folders and files of many articles are told by what they are; all else is pages."""
    found = Sources([], [], [])
    for source in sources:
        is_address = source.startswith(("http://", "https://"))
        if not is_address and is_export(Path(source)):
            found.folders.append(Path(source))
        elif not is_address and holds_items(source):
            found.files.append(Path(source))
        else:
            found.pages.append(source)
    return found


def take_in(database: Database, folder: Path, screen: Console, *, as_json: bool) -> None:
    """Restore an exported folder into an empty store."""
    done = restore(database, open_store(database.settings), folder, screen)
    _tell_folder(folder, done.manifest, {"different": done.different}, as_json=as_json)
    if missing := len(done.manifest.missing):
        screen.print(
            f"[yellow]{missing} pictures have no file: the store that was exported had lost them.[/]"
        )
    if done.different:
        screen.print(
            f"[yellow]{done.different} public answers are not byte for byte what they were: this is another"
            " version, or it has another COPYDESK_LANGUAGE.[/]"
        )


def look_at(folder: Path, screen: Console, *, as_json: bool) -> None:
    """See whether an exported folder is whole."""
    _tell_folder(folder, check(folder, screen), {}, as_json=as_json)


def _tell_folder(folder: Path, manifest: Manifest, more: dict[str, int], *, as_json: bool) -> None:
    counted = ", ".join(f"{count} {name}" for name, count in manifest.counts.items())
    sys.stdout.write(
        orjson.dumps(manifest.counts | more).decode() + "\n" if as_json else f"{folder}: {counted}\n"
    )


def bring_files(
    database: Database, files: Sequence[Path], screen: Console, how: How, *, from_start: bool, as_json: bool
) -> int:
    """Import files of many articles; how many items were refused."""
    return sum(
        _bring_file(database, path, screen, how, from_start=from_start, as_json=as_json) for path in files
    )


def _bring_file(
    database: Database, path: Path, screen: Console, how: How, *, from_start: bool, as_json: bool
) -> int:
    bringing = FileImport(database, IMPORTER, path, how)
    if from_start:
        bringing.begin_anew()
    if place := bringing.place():
        screen.print(
            f"{escape(str(path))} goes on behind item {place.items}, where it stopped on"
            f" {place.at:%Y-%m-%d at %H:%M} UTC."
        )
    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn()
    with Progress(*columns, console=screen, transient=True) as progress:
        task = progress.add_task(f"Importing {escape(path.name)}", total=path.stat().st_size)
        tell = _print_results if as_json else partial(_print_refused, screen, path)
        done = bringing.run(partial(progress.advance, task), tell)
    if not as_json:
        before = f"{done.before} before, " if done.before else ""
        sys.stdout.write(
            f"{path}: {before}{done.made} made, {done.found} brought up to date, {done.refused} refused\n"
        )
    return done.refused


def _print_results(results: Sequence[Result]) -> None:
    sys.stdout.write("".join(write_line(result, BULK).decode() + "\n" for result in results))
    # What is committed is told, should this be killed next.
    sys.stdout.flush()


def _print_refused(screen: Console, path: Path, results: Sequence[Result]) -> None:
    for result in results:
        if result.problem is not None:
            name = " ".join(part for part in (result.source, result.external_id) if part)
            told = f"{path}, item {result.index + 1}{f' ({name})' if name else ''}"
            screen.print(f"[red]{escape(told)}[/]: {escape(result.problem.detail)}", soft_wrap=True)


def bring_pages(
    database: Database,
    sources: Sequence[str],
    screen: Console,
    *,
    publish: bool,
    fetch_images: bool,
    as_json: bool,
) -> int:
    """Import news pages, and print the id and slug of each; how many could not be."""
    pages = [page for source in sources for page in expand(source)]
    failed = 0
    with closing(Intake(database.settings)) as intake:
        for page in track(pages, "Importing", console=screen, transient=True, disable=len(pages) < 2):
            try:
                line = _bring_page(database, intake, page, publish=publish, fetch_images=fetch_images)
            except (NotAnArticle, ServiceError, ValidationError) as fault:
                failed += 1
                screen.print(f"[red]{escape(str(page))}[/]: {escape(str(fault))}", soft_wrap=True)
                continue
            sys.stdout.write(
                orjson.dumps(line).decode() + "\n" if as_json else f"{line['id']} {line['slug']}\n"
            )
    return failed


def _bring_page(
    database: Database, intake: Intake, source: str | Path, *, publish: bool, fetch_images: bool
) -> dict[str, str | bool | list[str]]:
    page = read_source(database.settings, source)
    files = fetch_pictures(intake, page) if fetch_images else FetchedFiles()
    with database.writing() as session:
        imported = bring_in(session, IMPORTER, page, files=files.kept, publish=publish)
    article = imported.article
    return {
        "source": str(source),
        "id": str(article.id),
        "slug": article.slug,
        "status": str(article.status),
        "created": imported.created,
        "unfetched": [each.url for each in files.unfetched],
    }
