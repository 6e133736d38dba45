"""The stores under measurement, served side by side: SQLite and PostgreSQL, each with a large wire cache and
with a small one.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager

from service.rooms import open_database
from service.scopes import Scope
from service.settings import Settings
from service.tokens import TokenCreate, make_token
from tests.bench.measure import Bench
from tests.bench.phases import CACHES, HIT, MISS, POSTGRES_HIT, POSTGRES_MISS
from tests.bench.served import Served, serving
from tests.bench.stores import Stores

SECRET = "a secret of the benchmark, which guards nothing"


def addresses(stores: Stores) -> dict[str, str]:
    """The database of each store. On PostgreSQL both share one, as two workers would."""
    urls = {HIT: stores.sqlite("hit"), MISS: stores.sqlite("miss")}
    return (
        urls
        if stores.postgres is None
        else urls | {POSTGRES_HIT: stores.postgres, POSTGRES_MISS: stores.postgres}
    )


@contextmanager
def served_stores(bench: Bench, urls: Mapping[str, str]) -> Iterator[dict[str, Served]]:
    """Serve every store for as long as the block lasts. They stand idle but for the one that is asked."""
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(served_store(bench, url, CACHES[name])) for name, url in urls.items()
        }


def served_store(bench: Bench, url: str, cache_bytes: int = CACHES[HIT]) -> AbstractContextManager[Served]:
    """Serve one store for as long as the block lasts."""
    bench.folder.joinpath("media").mkdir(exist_ok=True)
    settings = {
        "COPYDESK_DATABASE_URL": url,
        "COPYDESK_CACHE_BYTES": str(cache_bytes),
        "COPYDESK_SECRET_KEY": SECRET,
        "COPYDESK_MEDIA_URL": f"file:{bench.folder / 'media'}",
        "COPYDESK_CONSENT_RATE_LIMIT": "1000000000",
        # Sizes of pictures are made by processes whose work would be counted.
        "COPYDESK_PICTURE_AHEAD": "false",
    }
    return serving(bench.server, settings, bench.folder, bench.cores, "/health/ready")


def make_writer(url: str, *, reads: bool = False) -> str:
    """A token that may write and publish articles in a store, and read those of the desk where `reads` says so."""
    database = open_database(Settings(_env_file=None, database_url=url, secret_key=SECRET))
    with database.writing() as session:
        scopes = [Scope.CONTENT_WRITE, Scope.CONTENT_PUBLISH, *([Scope.CONTENT_READ] if reads else [])]
        made = make_token(session, TokenCreate(name="bench", scopes=scopes))
    database.close()
    return made.token
