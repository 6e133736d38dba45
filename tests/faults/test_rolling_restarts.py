"""Instances restart one after the other behind a proxy, and no request is lost. The proxies are started with
the files of the documents. `./run test` restarts one instance of one process; `--long` two of two workers,
six times each.
"""

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

import httpx
import pytest

from tests.commands import ROOT, Command, copydesk, environment, free_port, wait_until_ready
from tests.databases import empty_database
from tests.effort import LONG
from tests.patience import PATIENCE, wait_until
from tests.reporting import Figure

PROXIES = ("nginx", "haproxy")
DOCUMENTS = ROOT / "docs" / "operations"
WORKERS, CLIENTS, PAUSE = (2, 4, 0.01) if LONG else (1, 2, 0.1)
RESTARTS = (0, 1) * 6 if LONG else (0,)
"""The instances that restart, one after the other."""
DELAY = 2
"""Seconds that a proxy takes to notice what `/health/ready` says, as its file has it."""


def command(proxy: str, folder: Path, ports: tuple[int, ...]) -> list[str]:
    """Write a proxy's file with other ports, and return how it is started."""
    if shutil.which(proxy) is None:
        pytest.skip(f"{proxy} is not installed")
    name = "nginx.conf" if proxy == "nginx" else "haproxy.cfg"
    text = (DOCUMENTS / name).read_text()
    for known, port in zip(("127.0.0.1:8001", "127.0.0.1:8002", "8080"), ports, strict=True):
        assert known in text
        own = f"{port}" if known == "8080" else f"127.0.0.1:{port}"
        text = text.replace(known, own)
    (folder / name).write_text(text.replace(f"listen {ports[2]}", f"listen 127.0.0.1:{ports[2]}"))
    if proxy == "haproxy":
        return ["haproxy", "-f", str(folder / name)]
    here = f"daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;"
    return ["nginx", "-p", str(folder), "-c", str(folder / name), "-g", here]


@contextmanager
def process(*words: str, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program for as long as the block lasts."""
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
    with subprocess.Popen(words, env=environment(**settings), **quiet) as started:
        try:
            yield started
        finally:
            started.terminate()
            try:
                started.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                started.kill()


def instance(stack: ExitStack, folder: Path, port: int, url: str) -> Command:
    """Start an instance, and return it once it is ready."""
    settings = {
        "COPYDESK_DATABASE_URL": url,
        "COPYDESK_MEDIA_URL": f"file:{folder / 'media'}",
        "COPYDESK_SECRET_KEY": "one secret of all instances of this test",
        "COPYDESK_WORKERS": f"{WORKERS}",
        "COPYDESK_SHUTDOWN_DELAY": f"{DELAY}",
        "COPYDESK_TRUSTED_PROXIES": "127.0.0.1",
        "COPYDESK_LOG_LEVEL": "error",
    }
    started = stack.enter_context(Command(folder, "serve", "--port", f"{port}", **settings))
    wait_until_ready(port, started)
    return started


def finds_one(port: int) -> bool:
    """Tell whether a proxy listens and knows an instance that is ready."""
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health/ready", timeout=PATIENCE).status_code == 200
    except httpx.TransportError:
        return False


class Traffic:
    """Clients that read and write without a pause. `failed` is what did not go well."""

    def __init__(self, base: str, token: str) -> None:
        self.sent = 0
        self.failed: list[str] = []
        self._base = base
        self._token = token
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._go_on) for _ in range(CLIENTS)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(PATIENCE)

    def _go_on(self) -> None:
        bearer = {"Authorization": f"Bearer {self._token}"}
        with httpx.Client(base_url=self._base, timeout=PATIENCE) as client:
            while not self._stop.is_set():
                self._note(client, "GET", "/v1/articles")
                self._note(client, "GET", "/v1/changes")
                self._note(client, "POST", "/v1/articles", headers=bearer, json={"headline": "Low water"})
                time.sleep(PAUSE)

    def _note(self, client: httpx.Client, method: str, path: str, **more: object) -> None:
        self.sent += 1
        try:
            answer = client.request(method, path, **more)
        except httpx.HTTPError as error:
            self.failed.append(f"{method} {path}: {error!r}")
        else:
            if not answer.is_success:
                self.failed.append(f"{method} {path}: {answer.status_code} {answer.text[:200]}")


@pytest.mark.parametrize("proxy", PROXIES)
def test_a_proxy_takes_its_file(proxy: str, tmp_path: Path) -> None:
    words = command(proxy, tmp_path, (1, 2, free_port()))
    words.append("-t" if proxy == "nginx" else "-c")
    checked = subprocess.run(words, check=False, capture_output=True, text=True, timeout=PATIENCE)
    assert checked.returncode == 0, checked.stderr


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("proxy", PROXIES)
def test_no_request_is_lost_while_instances_restart(
    proxy: str, tmp_path: Path, sqlite_template: Path, record_property: Figure
) -> None:
    ports = (free_port(), free_port(), free_port())
    with empty_database("postgresql", tmp_path, sqlite_template) as url, ExitStack() as stack:
        scopes = ("--scope", "content:write", "--scope", "content:read")
        token = copydesk(
            tmp_path, "token", "create", "--name", "desk", *scopes, COPYDESK_DATABASE_URL=url
        ).stdout.strip()
        instances = [instance(stack, tmp_path, port, url) for port in ports[:2]]
        stack.enter_context(process(*command(proxy, tmp_path, ports)))
        wait_until(lambda: finds_one(ports[2]), "the proxy finds no instance")
        with Traffic(f"http://127.0.0.1:{ports[2]}", token) as traffic:
            for place in RESTARTS:
                instances[place].terminate()
                assert instances[place].wait(PATIENCE) == 0
                instances[place] = instance(stack, tmp_path, ports[place], url)
                time.sleep(DELAY)
        record_property(
            f"requests, failed, restarts behind {proxy}",
            f"{traffic.sent}, {len(traffic.failed)}, {len(RESTARTS)}",
        )
        assert traffic.failed == []
        assert traffic.sent > len(RESTARTS)


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_workers_end_with_the_process_that_has_started_them(tmp_path: Path, sqlite_template: Path) -> None:
    with empty_database("postgresql", tmp_path, sqlite_template) as url, ExitStack() as stack:
        parent = instance(stack, tmp_path, free_port(), url)
        children = [
            int(pid) for pid in Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()
        ]
        assert len(children) >= 2
        parent.kill()
        wait_until(lambda: not any(map(is_alive, children)), "workers live on")


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
