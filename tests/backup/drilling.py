"""Out of one store, into another."""

from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from service.backup.export import write_export
from service.backup.restore import Restored, restore
from service.images.storage import open_store
from service.rooms import open_database
from service.settings import Settings
from tests.serving import Store

QUIET = Console(quiet=True)
New = Callable[[str], Settings]


def export(store: Store, folder: Path, *, everything: bool) -> Path:
    """Export a store; its folder."""
    done = write_export(store.database, open_store(store.settings), folder, QUIET, everything=everything)
    assert done.missing == []
    return folder


def take_in(settings: Settings, folder: Path) -> Restored:
    """Take a folder in."""
    database = open_database(settings)
    try:
        return restore(database, open_store(settings), folder, QUIET)
    finally:
        database.close()
