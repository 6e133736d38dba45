"""Fill or check a mirror once, for the command line."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from service.database import Database
from service.images.storage import open_store
from service.mirror import place as places
from service.mirror.checking import Checked, Checking
from service.mirror.following import Following
from service.outbound.origin import Origin
from service.published import rendering
from service.schema import require_migrated
from service.sync.cursors import place_in


@asynccontextmanager
async def following(database: Database) -> AsyncIterator[Following]:
    """Follow the origin that the settings name. Raises Unmigrated and NotAMirror."""
    settings = database.settings
    assert settings.mirror_of is not None
    require_migrated(database)
    rendering.begin(database)
    places.begin(database, settings.mirror_of)
    async with Origin(settings) as origin:
        yield Following(database, origin, open_store(settings))


async def check(database: Database) -> Checked:
    """Follow until everything is here, compare it with the origin, and mend it. Raises FetchFailed."""
    async with following(database) as mirror:
        await mirror.catch_up()
        return await Checking(database, mirror).check()


async def fill(database: Database) -> int:
    """Follow until the mirror has everything. Return the number that it has reached. Raises FetchFailed."""
    async with following(database) as mirror:
        place = await mirror.catch_up()
        return place_in(place.cursor or "").seq
