"""Each kept store is opened once for all tests that ask it something."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from service.published.backlog import Backlog
from tests.serving import running
from tests.stores import keeping
from tests.stores.opening import Past, opened


@pytest.fixture(
    scope="session",
    params=[(name, database) for name in keeping.names() for database in keeping.DATABASES],
    ids="-".join,
)
def past(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    """A kept store, migrated and served. Its documents stay as they were until `copydesk render` is run."""
    name, database = request.param
    with opened(name, database, tmp_path_factory.mktemp("past")) as store, ExitStack() as stack:
        store.migrate()
        # The job is made of the step when the store starts. Other tests need the step as it is.
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(Backlog, "step", _rest)
            served = stack.enter_context(running(store.settings))
        yield Past(store, served)


async def _rest(_backlog: Backlog) -> float:
    """Leave what awaits rendering to the command."""
    return 1.0
