"""A folder that `copydesk export` of any version wrote is taken in by the version of today."""

from pathlib import Path

import pytest

from tests.databases import empty_database
from tests.serving import running
from tests.stores import keeping
from tests.stores.manifest import Answer, Manifest
from tests.stores.opening import Opened
from tests.stores.saying import losses

BEFORE_EXPORTS = ("0001", "0004")
TAKEN_IN = ("/v1/articles", "/v1/images", "/v1/captions", "/read/", "/feeds/", "/sitemaps/")


@pytest.mark.parametrize("name", [name for name in keeping.names() if name not in BEFORE_EXPORTS])
@pytest.mark.parametrize(
    ("export", "of", "into"), [("published", "postgresql", "sqlite"), ("all", "sqlite", "postgresql")]
)
def test_an_empty_store_takes_it_in_and_answers_the_same(
    name: str, export: str, of: str, into: str, tmp_path: Path, sqlite_template: Path
) -> None:
    folder = keeping.unpack(name, of, tmp_path)
    with empty_database(into, tmp_path, sqlite_template) as url:
        new = Opened(tmp_path, Manifest.read(folder), url)
        done = new.copydesk("import", str(folder / keeping.EXPORTS / export))
        assert done.exit_code == 0, done.output
        with running(new.settings) as store, store.client() as reader, store.client("content:read") as staff:
            assert losses(reader, of_content(new.manifest.public)) == []
            if export == "all":
                assert losses(staff, of_content(new.manifest.staff)) == []


def of_content(answers: dict[str, Answer]) -> dict[str, Answer]:
    """The answers about what an export holds; who was sent a copy is none of it."""
    return {
        address: answer
        for address, answer in answers.items()
        if address.startswith(TAKEN_IN) and not address.endswith("/recall")
    }
