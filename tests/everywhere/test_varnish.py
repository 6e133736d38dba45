"""Varnish, with the file of the documents, keeps what is public and passes what is anybody's own."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest

from tests.commands import ROOT, copydesk, free_port, served
from tests.patience import PATIENCE, wait_until

VCL = ROOT / "docs" / "operations" / "varnish.vcl"
TOKEN = "a token of the operator"
ENVIRONMENT = {**os.environ, "COPYDESK_PURGE_TOKEN": TOKEN}
pytestmark = pytest.mark.skipif(shutil.which("varnishd") is None, reason="varnish is not installed")


@contextmanager
def varnish(
    folder: Path, origin: str, port: int | None = None, *, other: str | None = None
) -> Iterator[httpx.Client]:
    """Run Varnish in front of two instances, or of one that stands for both; yield a client of it."""
    text = VCL.read_text()
    for name, base in (("copydesk-one", origin), ("copydesk-two", other or origin)):
        known = f'.host = "{name}";\n    .port = "8000";'
        assert text.count(known) == 2
        text = text.replace(known, f'.host = "127.0.0.1";\n    .port = "{base.rpartition(":")[2]}";')
    (folder / "copydesk.vcl").write_text(text)
    port = port or free_port()
    words = [
        "-F",
        "-a",
        f"127.0.0.1:{port}",
        "-f",
        folder / "copydesk.vcl",
        "-n",
        folder / "varnish",
        "-s",
        "malloc,32m",
    ]
    # Its own user, and its namespaces, are for a machine that it shares with others.
    words += ["-j", "none"]
    with (
        (folder / "said").open("wb") as said,
        subprocess.Popen(
            ["varnishd", *map(str, words)],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            env=ENVIRONMENT,
        ) as process,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE) as client,
    ):
        try:
            wait_until(lambda: answers(client) or process.poll() is not None, "Varnish never answered")
            assert process.poll() is None, (folder / "said").read_text()
            yield client
        finally:
            process.terminate()


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/health/live").status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture
def desk(tmp_path: Path) -> dict[str, str]:
    """The header of an administrator of a new store."""
    assert copydesk(tmp_path, "migrate").returncode == 0
    made = copydesk(tmp_path, "token", "create", "--name", "desk", "--scope", "admin")
    return {"Authorization": f"Bearer {made.stdout.strip()}"}


def test_what_is_public_is_kept_and_what_is_anybodys_own_is_passed(
    tmp_path: Path, desk: dict[str, str]
) -> None:
    with (
        served(tmp_path, "serve", COPYDESK_PUBLIC_MAX_AGE="60") as (base, origin),
        varnish(tmp_path, base) as client,
    ):
        news = {"headline": "The lock gates are open", "status": "published"}
        article = client.post("/v1/articles", json=news, headers=desk).json()
        address = f"/v1/articles/{article['id']}"
        cookies = [{}, {}, {"Cookie": "of=another; page=1"}]
        kept = [client.get(address, headers=sent) for sent in cookies]
        assert [answer.headers["X-Cache"] for answer in kept] == ["miss", "hit", "hit"]
        assert len({answer.content for answer in kept}) == 1
        for _ in range(2):
            staff = client.get(address, headers=desk)
            assert (staff.headers["X-Cache"], staff.headers["Cache-Control"]) == ("miss", "private, no-store")

        notice = client.get("/v1/consent-notices/default/current").json()
        decision = {"notice_key": "default", "notice_version": notice["version"], "action": "reject_all"}
        mine = client.post("/v1/consents", json=decision, headers={"Origin": base})
        assert mine.status_code == 201, mine.text
        cookie = {"Cookie": mine.headers["Set-Cookie"].partition(";")[0]}
        decided = [client.get("/v1/consents/current", headers=sent).json() for sent in (cookie, {}, cookie)]
        assert [one["reconsent_required"] for one in decided] == [False, True, False]

        told = {"Surrogate-Key": "a .*"}
        assert client.request("BAN", "/", headers=told).status_code == 403
        known = {**told, "Authorization": f"Bearer {TOKEN}"}
        assert client.request("BAN", "/", headers=known).status_code == 400
        origin.kill()
        assert origin.wait() < 0
        wait_until(lambda: client.get("/v1/sections-of-nobody").status_code == 503, "Varnish goes on asking")
        assert client.get(address).content == kept[0].content


def test_what_has_changed_is_dropped_and_what_has_not_stays(tmp_path: Path, desk: dict[str, str]) -> None:
    port = free_port()
    settings = {
        "COPYDESK_CACHE_KEYS": "surrogate-key",
        "COPYDESK_PURGE_KIND": "varnish",
        "COPYDESK_PURGE_URL": f"http://127.0.0.1:{port}",
        "COPYDESK_PURGE_TOKEN": TOKEN,
        "COPYDESK_PURGE_AGAIN": "0.2",
    }
    with (
        served(tmp_path, "serve", **settings) as (base, _),
        varnish(tmp_path, base, port) as client,
    ):

        def make(section: str) -> str:
            news = {"headline": "The lock gates are open", "status": "published", "section": section}
            return client.post("/v1/articles", json=news, headers=desk).json()["id"]

        def state(address: str) -> str:
            return client.get(address).headers["X-Cache"]

        city, sport = make("City"), make("Sport")
        touched = [f"/v1/articles/{city}", "/v1/articles?section=City", "/v1/articles"]
        spared = [f"/v1/articles/{sport}", "/v1/articles?section=Sport", "/feeds/rss.xml?section=Sport"]
        figure = "copydesk_purge_behind 0.0"
        wait_until(lambda: figure in client.get("/metrics").text, "Varnish was never purged")
        wait_until(lambda: {state(each) for each in touched + spared} == {"hit"})
        assert not {"Surrogate-Key", "Age"} & set(client.get(touched[0]).headers)
        edited = client.patch(
            touched[0], json={"headline": "They are shut"}, headers=desk | {"If-Match": "*"}
        )
        assert edited.status_code == 200, edited.text
        wait_until(lambda: client.get(touched[0]).json()["headline"] == "They are shut")
        for address in touched:
            wait_until(lambda: "They are shut" in client.get(address).text)  # noqa: B023
        assert [state(each) for each in spared] == ["hit"] * 3


@contextmanager
def stub(answer: Callable[[str], int]) -> Iterator[str]:
    """Run an instance that answers a path with a status, or with nothing for 0; yield its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status = answer(self.path)
            if status:
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()
            self.close_connection = not status

        do_POST = do_GET  # noqa: N815  # `http.server` names them.

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("fault", [0, 503])
def test_what_one_instance_fails_to_read_the_other_one_answers(tmp_path: Path, fault: int) -> None:
    asked = list[str]()

    def fails(path: str) -> int:
        asked.append(path)
        return 200 if path.startswith("/health/") else fault

    with stub(fails) as bad, stub(lambda path: 200) as good, varnish(tmp_path, bad, other=good) as client:
        wait_until(lambda: asked.count("/health/ready") > 3)
        paths = [f"/v1/articles/{number}" for number in range(40)]
        assert {client.get(path).status_code for path in paths} == {200}
        wait_until(lambda: set(asked) & set(paths))
        answers = {client.post(f"/v1/articles?{number}").status_code for number in range(10)}
        assert answers == {200, 503}


def test_instances_that_are_too_busy_for_their_probes_are_asked_all_the_same(tmp_path: Path) -> None:
    def answer(path: str) -> int:
        return 503 if path == "/health/ready" else 200

    with stub(answer) as one, stub(answer) as two, varnish(tmp_path, one, other=two) as client:
        assert {client.get(f"/v1/articles/{number}").status_code for number in range(10)} == {200}
