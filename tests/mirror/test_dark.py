"""Readers notice nothing when the origin dies, and a mirror that is killed loses nothing."""

import random
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from service import rooms
from service.tokens import TokenCreate, make_token
from tests.commands import Command, copydesk, free_port, served, wait_until_ready
from tests.effort import LONG
from tests.mirror.mirrors import everything
from tests.patience import PATIENCE, wait_until
from tests.reporting import Figure
from tests.serving import EDITOR, SECRET, settings_for

READERS = 8
SECONDS = 10 if LONG else 3
CHANGES = 50 * (60 if LONG else 5)
TOGETHER = 5
"""Changes of one request: a single writer has its turn ten times a second."""
KILLS = 10 if LONG else 3
CONFIG = """
defaults
  mode http
  timeout connect 500ms
  timeout client 10s
  timeout server 10s
  retries 3
  option redispatch
  retry-on all-retryable-errors
  option http-server-close
frontend front
  bind 127.0.0.1:{front}
  default_backend stores
backend stores
  server origin {origin} check inter 200ms observe layer4 error-limit 1 on-error mark-down
  server mirror {mirror} no-check backup
"""


def environment_of(folder: Path, name: str) -> dict[str, str]:
    """The settings of a store in a folder of its own."""
    (folder / name).mkdir()
    return {
        "COPYDESK_DATABASE_URL": f"sqlite:///{folder / name / 'copydesk.db'}",
        "COPYDESK_MEDIA_URL": f"file:{folder / name / 'media'}",
        "COPYDESK_SECRET_KEY": SECRET,
        "COPYDESK_PUBLIC_URL": "http://news.example",
        "COPYDESK_MIGRATE_ON_START": "true",
        "COPYDESK_LOG_LEVEL": "error",
    }


@contextmanager
def origin(folder: Path) -> Iterator[tuple[str, Command, httpx.Client]]:
    """Serve an origin; yield its address, its process, and an editor."""
    known = environment_of(folder, "origin")
    with served(folder, "serve", **known) as (address, process):
        database = rooms.open_database(settings_for(known["COPYDESK_DATABASE_URL"], folder))
        with database.writing() as session:
            create = TokenCreate.model_validate({"name": "editor", "scopes": list(EDITOR)})
            token = make_token(session, create).token
        database.close()
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=address, headers=headers, timeout=PATIENCE) as editor:
            yield address, process, editor


@contextmanager
def mirror(folder: Path, address: str, known: dict[str, str]) -> Iterator[tuple[str, Command]]:
    """Serve a mirror by the command."""
    port = free_port()
    with Command(folder, "follow", address, "--serve", "--port", str(port), **known) as process:
        wait_until_ready(port, process)
        yield f"http://127.0.0.1:{port}", process


@contextmanager
def proxy(folder: Path, first: str, second: str) -> Iterator[str]:
    """Run HAProxy, which asks the second store where the first does not answer."""
    if shutil.which("haproxy") is None:
        pytest.skip("haproxy is not installed")
    front, file = free_port(), folder / "haproxy.cfg"
    hosts = [address.removeprefix("http://") for address in (first, second)]
    file.write_text(CONFIG.format(front=front, origin=hosts[0], mirror=hosts[1]))
    with subprocess.Popen(["haproxy", "-f", str(file)], stderr=subprocess.DEVNULL) as process:
        try:
            yield f"http://127.0.0.1:{front}"
        finally:
            process.terminate()


def write(editor: httpx.Client, number: int) -> dict:
    """Publish an article."""
    article = {"headline": f"Ferry {number}", "status": "published", "section": "City"}
    return editor.post("/v1/articles", json=article).raise_for_status().json()


def item(number: int) -> dict[str, str]:
    """An article of a wire."""
    key = {"source": "wire", "external_id": str(number)}
    return {**key, "headline": f"Ferry {number}", "status": "published"}


def test_no_get_fails_when_the_origin_is_killed_behind_a_proxy(
    tmp_path: Path, record_property: Figure
) -> None:
    asked, failed, ends = [0], list[str](), threading.Event()

    def read(front: str, paths: list[str]) -> None:
        chance = random.Random()
        with httpx.Client(base_url=front, timeout=PATIENCE) as reader:
            while not ends.is_set():
                path = chance.choice(paths)
                try:
                    answer = _asked(reader, path)
                    status, text = str(answer.status_code), answer.text[:300]
                except httpx.HTTPError as error:
                    status, text = repr(error), ""
                asked[0] += 1
                if status != "200":
                    failed.append(f"{path}: {status} {text}")

    with origin(tmp_path) as (address, process, editor):
        paths = [f"/v1/articles/{write(editor, number)['id']}" for number in range(20)]
        paths += ["/v1/articles", "/v1/articles?q=ferry", "/feeds/rss.xml", "/", "/v1/changes"]
        known = environment_of(tmp_path, "mirror")
        with mirror(tmp_path, address, known) as (second, _), proxy(tmp_path, address, second) as front:
            with httpx.Client(base_url=front, timeout=PATIENCE) as client:
                wait_until(lambda: is_there(client), "the proxy never answered")
            readers = [threading.Thread(target=read, args=(front, paths)) for _ in range(READERS)]
            for each in readers:
                each.start()
            time.sleep(SECONDS / 3)
            process.send_signal(signal.SIGKILL)
            time.sleep(SECONDS)
            ends.set()
            for each in readers:
                each.join()
    record_property("GETs while the origin was killed", asked[0])
    record_property("GETs that failed", len(failed))
    assert failed == []
    assert asked[0] > 0


def _asked(reader: httpx.Client, path: str) -> httpx.Response:
    """Get an address. Ask once more where the answer broke off between its head and its body, or where the proxy
    itself had no server at this moment: its 503 is no problem of a store.
    """
    try:
        answer = reader.get(path)
    except httpx.RemoteProtocolError:
        return reader.get(path)
    is_of_proxy = answer.status_code == 503 and "problem" not in answer.headers["content-type"]
    return reader.get(path) if is_of_proxy else answer


def is_there(client: httpx.Client) -> bool:
    try:
        return client.get("/v1/articles").status_code == 200
    except httpx.HTTPError:
        return False


def test_a_mirror_follows_fifty_changes_a_second(tmp_path: Path, record_property: Figure) -> None:
    written, seen, ends = dict[str, float](), dict[str, float](), threading.Event()

    def watch(address: str) -> None:
        """Note when each article is at the mirror, by its stream."""
        with (
            httpx.Client(base_url=address, timeout=PATIENCE) as reader,
            reader.stream("GET", "/v1/changes/stream") as response,
        ):
            for line in response.iter_lines():
                at = time.monotonic()
                for id_ in (part[:36] for part in line.split('"kind":"article","id":"')[1:]):
                    seen.setdefault(id_, at)
                if ends.is_set():
                    return

    known = environment_of(tmp_path, "mirror")
    with origin(tmp_path) as (address, _, editor), mirror(tmp_path, address, known) as (second, _):
        watcher = threading.Thread(target=watch, args=(second,))
        watcher.start()
        begun = time.monotonic()
        for number in range(0, CHANGES, TOGETHER):
            time.sleep(max(0.0, begun + number / 50 - time.monotonic()))
            items = [item(number + place) for place in range(TOGETHER)]
            made = editor.post("/v1/articles/bulk", json=items).raise_for_status().json()["items"]
            written |= dict.fromkeys([each["id"] for each in made], time.monotonic())
        lasted = time.monotonic() - begun
        wait_until(lambda: written.keys() <= seen.keys(), "the mirror never had everything")
        ends.set()
        write(editor, CHANGES)
        watcher.join(30)
    late = sorted(seen[id_] - at for id_, at in written.items())
    record_property("changes a second", round(CHANGES / lasted, 1))
    record_property("seconds behind, median", round(late[len(late) // 2], 3))
    record_property("seconds behind, at most", round(late[-1], 3))


def test_a_mirror_that_is_killed_again_and_again_ends_as_its_origin(tmp_path: Path) -> None:
    known, chance = environment_of(tmp_path, "mirror"), random.Random(3)
    with origin(tmp_path) as (address, _, editor):
        numbers = iter(range(10_000))
        for _ in range(KILLS):
            with mirror(tmp_path, address, known) as (_, process):
                for _ in range(chance.randrange(5, 25)):
                    write(editor, next(numbers))
                process.send_signal(signal.SIGKILL)
        assert copydesk(tmp_path, "follow", address, **known).returncode == 0
        checked = copydesk(tmp_path, "follow", address, "--check", **known)
        assert checked.returncode == 0, checked.stderr
        with (
            mirror(tmp_path, address, known) as (second, _),
            httpx.Client(base_url=address, timeout=PATIENCE) as there,
            httpx.Client(base_url=second, timeout=PATIENCE) as here,
        ):
            assert everything(here) == everything(there)
