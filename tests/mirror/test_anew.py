"""A mirror serves without a break while its origin is another store, or while a process of its own is killed."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from service.settings import Settings
from tests.articles.newsroom import do, edit, published
from tests.backup.drilling import export, take_in
from tests.commands import Command, free_port, wait_until_ready
from tests.databases import KINDS, empty_database
from tests.mirror.mirrors import caught_up, everything, mirroring
from tests.mirror.test_check import compared
from tests.patience import PATIENCE, wait_until
from tests.serving import EDITOR, SECRET, Store, running, serving, settings_for
from tests.sync.following import listening


@contextmanager
def reading(reader: httpx.Client, *paths: str) -> Iterator[list[tuple[str, int]]]:
    """Read addresses again and again while the block lasts; yield those that were not answered with 200."""
    failed, over = list[tuple[str, int]](), threading.Event()

    def read() -> None:
        while not over.is_set():
            answers = [(path, reader.get(path).status_code) for path in paths]
            failed.extend(each for each in answers if each[1] != 200)

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield failed
    finally:
        over.set()
        thread.join()


def settings_in(folder: Path, url: str) -> Settings:
    """The settings of a store with files of its own."""
    folder.mkdir(exist_ok=True)
    return settings_for(url, folder)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_mirror_begins_anew_after_its_origin_was_restored_and_serves_meanwhile(
    kind: str, tmp_path: Path, sqlite_template: Path
) -> None:
    first, second, own = (tmp_path / name for name in ("first", "second", "mirror"))
    for folder in (first, second, own):
        folder.mkdir()
    with serving(kind, first, sqlite_template) as store, store.client(*EDITOR) as editor:
        kept = [published(editor, headline=f"Ferry {number}") for number in range(30)]
        gone = published(editor)
        do(editor, gone, "withdraw", reason="Wrong.")
        backup = export(store, tmp_path / "backup", everything=True)
        lost, edited = published(editor), edit(editor, kept[0], headline="Newer")
        revived = published(editor)
        with listening(store.app, store.portal) as address:
            mirrored = mirroring(kind, address, own, sqlite_template)
            mirror = mirrored.__enter__()
            caught_up(store, mirror)
    try:
        with empty_database(kind, second, sqlite_template) as url:
            settings = settings_in(second, url)
            assert take_in(settings, backup).different == 0
            _serves_meanwhile(mirror, settings, address, [f"/v1/articles/{each['id']}" for each in kept])
            with mirror.client() as reader:
                assert reader.get(f"/v1/articles/{kept[0]['id']}").json()["headline"] == "Ferry 0"
                assert edited["headline"] == "Newer"
                for article in (lost, revived):
                    assert reader.get(f"/v1/articles/{article['id']}").status_code == 404
                assert reader.get(f"/v1/articles/{gone['id']}").status_code == 410
    finally:
        mirrored.__exit__(None, None, None)


def _serves_meanwhile(mirror: Store, settings: Settings, address: str, paths: list[str]) -> None:
    """Let the restored store take the address, and read the mirror until it has everything of that store."""
    with running(settings) as store, store.client() as client, mirror.client() as reader:
        with store.client(*EDITOR) as editor, reading(reader, *paths) as failed:
            port = int(address.rpartition(":")[2])
            with listening(store.app, store.portal, port):
                wait_until(lambda: everything(reader) == everything(client))
                fresh = published(editor)
                wait_until(lambda: reader.get(f"/v1/articles/{fresh['id']}").status_code == 200)
                assert compared(mirror.settings).mended == 0
                for path in ("/v1/changes/digest", "/v1/changes/digest?gone=true", "/v1/articles?limit=100"):
                    wait_until(lambda: reader.get(path).content == client.get(path).content)  # noqa: B023
        assert failed == []


@pytest.mark.slow
def test_of_two_processes_of_a_mirror_one_may_be_killed(tmp_path: Path, sqlite_template: Path) -> None:
    own = tmp_path / "mirror"
    own.mkdir()
    with (
        serving("sqlite", tmp_path, sqlite_template) as store,
        store.client(*EDITOR) as editor,
        store.client() as client,
        listening(store.app, store.portal) as address,
        empty_database("postgresql", own, sqlite_template) as url,
    ):
        known = {
            "COPYDESK_DATABASE_URL": url,
            "COPYDESK_MEDIA_URL": f"file:{own / 'media'}",
            "COPYDESK_SECRET_KEY": SECRET,
            "COPYDESK_PUBLIC_URL": store.settings.public_url,
            "COPYDESK_LOG_LEVEL": "error",
        }
        articles = [published(editor) for _ in range(10)]
        with _process(own, address, known) as (one, victim), _process(own, address, known) as (two, _):
            with (
                httpx.Client(base_url=one, timeout=PATIENCE) as here,
                httpx.Client(base_url=two, timeout=PATIENCE) as there,
            ):
                _is_equal(client, editor, articles, here, there)
                victim.send_signal(signal.SIGKILL)
                victim.wait()
                _is_equal(client, editor, articles, there)
            with (
                _process(own, address, known) as (again, _),
                httpx.Client(base_url=again, timeout=PATIENCE) as here,
                httpx.Client(base_url=two, timeout=PATIENCE) as there,
            ):
                _is_equal(client, editor, articles, here, there)


@contextmanager
def _process(folder: Path, address: str, known: dict[str, str]) -> Iterator[tuple[str, Command]]:
    """Serve a mirror by a process of its own."""
    port = free_port()
    with Command(folder, "follow", address, "--serve", "--port", str(port), **known) as process:
        wait_until_ready(port, process)
        yield f"http://127.0.0.1:{port}", process


def _is_equal(
    client: httpx.Client, editor: httpx.Client, articles: list[dict], *readers: httpx.Client
) -> None:
    """Change what the origin has, and wait until readers of the mirror have the same answers."""
    articles[0] = edit(editor, articles[0], headline=f"Newer than {articles[0]['headline']}")
    do(editor, articles.pop(), "unpublish")
    articles.append(published(editor))
    paths = [f"/v1/articles/{each['id']}" for each in articles]
    paths += ["/v1/articles?limit=100", "/v1/changes/digest?gone=true"]
    for reader in readers:
        wait_until(lambda: everything(reader) == everything(client))  # noqa: B023
        for path in paths:
            wait_until(lambda: reader.get(path).content == client.get(path).content)  # noqa: B023
