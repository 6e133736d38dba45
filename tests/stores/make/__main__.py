"""Make the kept store of a version: `python -m tests.stores.make NAME COMMIT`.

The version's own service is driven over HTTP and by its command line, on SQLite and on PostgreSQL. What it
leaves is packed into `tests/stores/kept/NAME.tar.xz`.
"""

import argparse
import shutil
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import httpx

from tests import postgres
from tests.articles.newsroom import walk
from tests.serving import ORIGIN
from tests.stores import keeping
from tests.stores.make.newsroom import Newsroom
from tests.stores.make.partners import Partners, called
from tests.stores.make.readers import Readership
from tests.stores.make.version import Version, checked_out
from tests.stores.make.witness import Witness
from tests.stores.manifest import Manifest

SECRET = "the secret of a kept store, which keeps nothing secret"
SCOPES = {
    "staff": "content:read content:write content:publish consent:read consent:write webhooks:write admin",
    "partner": "content:read",
    "revoked": "content:read",
}
STATUSES = ("draft", "scheduled", "published", "withdrawn")


def main() -> None:
    """Make one kept store."""
    parser = argparse.ArgumentParser(prog="python -m tests.stores.make", description=__doc__)
    parser.add_argument("name", help="the version's number, or its revision of the schema")
    parser.add_argument("commit", help="the commit to check out")
    parser.add_argument("--checkout", type=Path, help="use this checkout, whose service is installed")
    asked = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="copydesk-store-")))
        version = (
            Version(asked.checkout.resolve())
            if asked.checkout
            else stack.enter_context(checked_out(asked.commit, folder))
        )
        made = folder / asked.name
        make(version, asked.name, made)
        archive = keeping.pack(made, asked.name)
        print(f"{archive}: {archive.stat().st_size} bytes")


def make(version: Version, name: str, folder: Path) -> None:
    """Make a version's stores in the folder, one on each database."""
    with postgres.own_server() as server:
        for database in keeping.DATABASES:
            place = folder / database
            place.mkdir(parents=True)
            url = (
                f"sqlite:///{place / keeping.FILE}"
                if database == "sqlite"
                else server.create_database("kept")
            )
            _make_one(version, name, place, url)
            if database == "postgresql":
                (place / keeping.DUMP).write_bytes(server.dump("kept"))


def _make_one(version: Version, name: str, folder: Path, url: str) -> None:
    known = {
        "COPYDESK_PUBLIC_URL": ORIGIN,
        "COPYDESK_SECRET_KEY": SECRET,
        "COPYDESK_SITE_NAME": "The Kept Store",
        "COPYDESK_CONSENT_COUNTRY_HEADER": "CF-IPCountry",
    }
    settings = known | {
        "COPYDESK_DATABASE_URL": url,
        "COPYDESK_MEDIA_URL": f"file:{folder / keeping.MEDIA}",
        "COPYDESK_OUTBOUND_ALLOW_LOOPBACK": "true",
        "COPYDESK_PICTURE_AHEAD": "false",
        "COPYDESK_LOG_LEVEL": "warning",
    }
    manifest = Manifest(
        name=name,
        commit=version.commit,
        revision=version.revision,
        made_at=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        settings=known,
        tokens={},
        pools={},
    )
    version.run(settings, folder, "migrate")
    for token, scopes in SCOPES.items():
        words = [word for scope in scopes.split() for word in ("--scope", scope)]
        manifest.tokens[token] = version.run(
            settings, folder, "token", "create", "--name", token, *words
        ).strip()
    with version.serving(settings, folder) as address:
        _live(address, manifest, folder)
    if version.knows("export"):
        more = ["--all", *(["--consent"] if version.knows("export", "--consent") else [])]
        version.run(settings, folder, "export", str(folder / keeping.EXPORTS / "published"))
        version.run(settings, folder, "export", str(folder / keeping.EXPORTS / "all"), *more)
    manifest.write(folder)
    shutil.rmtree(folder / keeping.MEDIA / "renditions", ignore_errors=True)


def _live(address: str, manifest: Manifest, folder: Path) -> None:
    """Let a store live through everything that its version knows."""
    with ExitStack() as stack:

        def client(token: str | None = None) -> httpx.Client:
            headers = {} if token is None else {"Authorization": f"Bearer {manifest.tokens[token]}"}
            return stack.enter_context(httpx.Client(base_url=address, headers=headers, timeout=30))

        reader, staff, partner = client(), client("staff"), client("partner")
        document = reader.get("/openapi.json").json()
        paths = set(document["paths"])
        hooks = stack.enter_context(called(staff, paths))
        partners = Partners(partner, staff)
        witness, newsroom = Witness(reader, staff, manifest), Newsroom(staff, document)
        for stage in newsroom.work():
            witness.look()
            if "/v1/changes" in paths:
                partners.look(stage)
            if stage == "rest" and hooks is not None:
                hooks.refuse()
        readership = Readership(address, staff, paths)
        readership.decide()
        readership.export(folder, "first")
        readership.prove(folder)
        _revoke(staff)
        manifest.followers = partners.stopped
        manifest.readers = readership.kept()
        manifest.log = readership.log
        manifest.hooks = hooks.stop() if hooks is not None else []
        ids = _ids(newsroom, staff)
        manifest.pools = _pools(ids, manifest, staff)
        witness.testify(ids)


def _revoke(staff: httpx.Client) -> None:
    tokens = walk(staff, "/v1/tokens?limit=200")
    revoked = next(token["id"] for token in tokens if token["name"] == "revoked")
    assert staff.delete(f"/v1/tokens/{revoked}").status_code == 204


def _ids(newsroom: Newsroom, staff: httpx.Client) -> dict[str, set[str]]:
    """Return the ids of all articles, images and captions that were ever made."""
    made = {"article_id": newsroom.articles, "image_id": newsroom.pictures, "caption_id": newsroom.captions}
    ids = {name: {item["id"] for item in items.values()} for name, items in made.items()}
    for name, address in (
        *(("article_id", f"/v1/articles?limit=200&status={status}") for status in STATUSES),
        ("image_id", "/v1/images?limit=200"),
        ("caption_id", "/v1/captions?limit=200"),
    ):
        ids[name].update(item["id"] for item in walk(staff, address))
    return ids


def _pools(ids: dict[str, set[str]], manifest: Manifest, staff: httpx.Client) -> dict[str, list[str]]:
    """Return values for the parameters of paths, by the name of the parameter."""
    pools = {name: sorted(found) for name, found in ids.items()}
    notices = list(walk(staff, "/v1/consent-notices?limit=200"))
    return pools | {
        "key": [*pools["article_id"], "ferry-is-back", "mayor-resigns"],
        "number": ["1", "2", "3", "4"],
        "notice_key": sorted({notice["notice_key"] for notice in notices}),
        "version": sorted({str(notice["version"]) for notice in notices}),
        "token_id": [token["id"] for token in walk(staff, "/v1/tokens?limit=200")],
        "webhook_id": [hook.id for hook in manifest.hooks],
        "delivery_id": [
            delivery["id"]
            for hook in manifest.hooks
            for delivery in walk(staff, f"/v1/webhooks/{hook.id}/deliveries?limit=200")
        ],
    }


if __name__ == "__main__":
    main()
