"""The command line, as a shell sees it."""

import json
import re
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.commands import ROOT, Command, copydesk, environment, free_port, served
from tests.formats.dump import DUMP
from tests.patience import PATIENCE, wait_until
from tests.webhooks.receiver import receiver


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty working folder, as on a new machine."""
    return tmp_path


def test_webhooks_are_sent_by_a_process_of_their_own(folder: Path) -> None:
    settings = {"COPYDESK_WEBHOOK_CONCURRENCY": "0", "COPYDESK_OUTBOUND_ALLOW_LOOPBACK": "true"}
    copydesk(folder, "migrate")
    scopes = [
        word
        for scope in ("content:write", "content:publish", "webhooks:write")
        for word in ("--scope", scope)
    ]
    token = copydesk(folder, "token", "create", "--name", "all", *scopes).stdout.strip()
    with receiver() as partner, served(folder, "serve", **settings) as (base, _):
        keeper = httpx.Client(base_url=base, headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE)
        partner.secret = keeper.post("/v1/webhooks", json={"url": partner.url}).json()["secret"]
        article = keeper.post(
            "/v1/articles", json={"headline": "The lock gates are open", "status": "published"}
        ).json()
        time.sleep(1)
        assert partner.taken == []
        with Command(folder, "webhooks", "work", **settings) as worker:
            wait_until(lambda: partner.taken)
            worker.terminate()
            assert worker.wait() == 0, worker.error()
        assert [told["data"]["id"] for told in partner.taken] == [article["id"]]
        keeper.close()


def test_followers_are_let_go_at_once_when_the_service_ends(folder: Path) -> None:
    copydesk(folder, "migrate")
    with (
        served(folder, "serve") as (base, process),
        httpx.Client(base_url=base, timeout=PATIENCE) as reader,
        ThreadPoolExecutor() as pool,
    ):
        waiting = pool.submit(reader.get, "/v1/changes?wait=30")
        streaming = pool.submit(reader.get, "/v1/changes", headers={"Accept": "text/event-stream"})
        time.sleep(1)
        assert not waiting.done() and not streaming.done()
        told = time.monotonic()
        process.terminate()
        assert process.wait() == 0
        assert time.monotonic() - told < 20
        assert waiting.result().json()["caught_up"] is True
        assert streaming.result().text.startswith("retry: 2000")


def test_serve_refuses_an_unmigrated_database_and_names_the_command_that_mends_it(folder: Path) -> None:
    refused = copydesk(folder, "serve")
    assert refused.returncode == 1
    assert "copydesk migrate" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_token_is_printed_alone_listed_without_its_secret_and_revoked(folder: Path) -> None:
    assert copydesk(folder, "migrate").returncode == 0
    made = copydesk(
        folder,
        "token",
        "create",
        "--name",
        "wire desk",
        "--scope",
        "content:read",
        "--scope",
        "content:write",
    )
    assert re.fullmatch(r"cd_[A-Za-z0-9_-]{43}\n", made.stdout)
    listed = json.loads(copydesk(folder, "token", "list", "--json").stdout)
    assert (listed["name"], listed["scopes"]) == ("wire desk", ["content:read", "content:write"])
    assert made.stdout.strip() not in json.dumps(listed)
    assert copydesk(folder, "token", "revoke", listed["id"]).returncode == 0
    assert "revoked" in copydesk(folder, "token", "list").stdout


def test_wrong_use_ends_with_status_2(folder: Path) -> None:
    assert copydesk(folder, "token", "create", "--name", "x", "--scope", "everything").returncode == 2
    for days in ("0", "999999999"):
        far = copydesk(folder, "token", "create", "--name", "x", "--scope", "admin", "--days", days)
        assert (far.returncode, "Traceback" in far.stderr) == (2, False)
    assert copydesk(folder, "no-such-command").returncode == 2


def test_import_prints_id_and_slug_of_each_page_and_fails_where_there_is_none(folder: Path) -> None:
    copydesk(folder, "migrate")
    (folder / "pages").mkdir()
    (folder / "pages" / "ferry.txt").write_text(DUMP)
    first = copydesk(folder, "import", "pages", "--publish")
    assert first.returncode == 0, first.stderr
    assert re.fullmatch(r"[0-9a-f-]{36} ferry-service-to-the-outer-islands-doubled\n", first.stdout)
    again = json.loads(copydesk(folder, "import", "pages/ferry.txt", "--json").stdout)
    assert (again["created"], again["status"]) == (False, "published")
    (folder / "pages" / "nothing.txt").write_text("")
    some = copydesk(folder, "import", "pages")
    assert some.returncode == 1
    assert len(some.stdout.splitlines()) == 1
    assert "nothing.txt" in some.stderr
    assert "discarding" not in some.stderr
    missing = copydesk(folder, "import", "no-such-page.txt")
    assert (missing.returncode, "Traceback" in missing.stderr) == (1, False)


def test_export_writes_a_folder_once(folder: Path) -> None:
    copydesk(folder, "migrate")
    (folder / "page.txt").write_text(DUMP)
    assert copydesk(folder, "import", "page.txt", "--publish").returncode == 0
    done = copydesk(folder, "export", "out", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"images": 2, "captions": 2, "articles": 1, "slugs": 1, "changes": 5}
    again = copydesk(folder, "export", "out")
    assert (again.returncode, again.stdout) == (1, "")
    assert "not empty" in again.stderr
    impossible = copydesk(folder, "export", "page.txt/out")
    assert (impossible.returncode, impossible.stderr.strip()) == (1, "page.txt/out/media: Not a directory.")


def test_a_folder_is_checked_and_taken_in_by_an_empty_store_alone(folder: Path) -> None:
    copydesk(folder, "migrate")
    (folder / "page.txt").write_text(DUMP)
    assert copydesk(folder, "import", "page.txt", "--publish").returncode == 0
    assert copydesk(folder, "export", "out", "--all", "--consent").returncode == 0
    assert copydesk(folder, "consent", "verify", "out/consent.ndjson").returncode == 0
    other = {"COPYDESK_DATABASE_URL": "sqlite:///other.db", "COPYDESK_MEDIA_URL": "file:other"}
    copydesk(folder, "migrate", **other)
    checked = copydesk(folder, "import", "out", "--dry-run", **other)
    assert (checked.returncode, checked.stdout[:16]) == (0, "out: 2 images, 2")
    done = copydesk(folder, "import", "out", "--json", **other)
    assert done.returncode == 0, done.stderr
    assert (json.loads(done.stdout)["articles"], json.loads(done.stdout)["different"]) == (1, 0)
    again = copydesk(folder, "import", "out", **other)
    assert (again.returncode, "not empty" in again.stderr, "Traceback" in again.stderr) == (1, True, False)
    for wrong in (("out", "page.txt"), ("out", "--publish"), ("page.txt", "--dry-run")):
        assert copydesk(folder, "import", *wrong, **other).returncode == 2
    (folder / "out" / "manifest.json").unlink()
    unfinished = copydesk(folder, "import", "out", **other)
    assert (unfinished.returncode, "never finished" in unfinished.stderr) == (1, True)


def test_production_refuses_to_start_without_a_secret(folder: Path) -> None:
    refused = copydesk(
        folder, "serve", COPYDESK_ENVIRONMENT="production", COPYDESK_PUBLIC_URL="https://news.example"
    )
    assert refused.returncode == 1
    assert "COPYDESK_SECRET_KEY" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_openapi_prints_the_document(folder: Path) -> None:
    document = json.loads(copydesk(folder, "openapi").stdout)
    assert document["openapi"].startswith("3.1")
    assert "/v1/articles" in document["paths"]


def test_the_demo_serves_articles_with_pictures_and_captions_and_sigterm_ends_it_well(folder: Path) -> None:
    with served(folder, "demo") as (base, process):
        articles = httpx.get(f"{base}/v1/articles", params={"language": "en"}, timeout=PATIENCE).json()[
            "items"
        ]
        assert len(articles) >= 2
        lead = articles[0]["lead_image"]
        assert lead["caption"]["alt_text"]
        picture = httpx.get(base + lead["renditions"][0]["href"], timeout=PATIENCE)
        assert (picture.status_code, picture.headers["content-type"]) == (200, "image/jpeg")
        assert {
            notice["notice_key"]
            for notice in httpx.get(f"{base}/v1/consent-notices", timeout=PATIENCE).json()["items"]
        } >= {"default"}
        shows_all_there_is(base, process.output().strip())
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 0
        assert re.fullmatch(r"cd_[A-Za-z0-9_-]{43}\n", process.output())


def shows_all_there_is(base: str, token: str) -> None:
    with (
        httpx.Client(base_url=base, timeout=PATIENCE) as reader,
        httpx.Client(base_url=base, timeout=PATIENCE) as staff,
    ):
        staff.headers["Authorization"] = f"Bearer {token}"
        articles = reader.get("/v1/articles", params={"limit": 50}).json()["items"]
        assert {article["language"] for article in articles} == {"en-GB", "fr", "zh-Hans"}
        assert len({article["section"] for article in articles}) >= 8
        assert [bool(article["corrections"]) for article in articles].count(True) == 1
        withdrawn = staff.get("/v1/articles", params={"status": "withdrawn"}).json()["items"]
        assert [reader.get(f"/read/{article['slug']}").status_code for article in withdrawn] == [410]
        notices = reader.get("/v1/consent-notices", params={"notice_key": "default"}).json()["items"]
        assert {notice["language"] for notice in notices} == {"en", "fr", "zh-Hans"}
        report = staff.get("/v1/consent-reports/rates", params={"by": "day"}).json()["items"]
        assert len(report) >= 29 and all(cell["acceptance_rate"] for cell in report)
        (hook,) = staff.get("/v1/webhooks").json()["items"]
        log = staff.get(f"/v1/webhooks/{hook['id']}/deliveries").json()["items"]
        assert [delivery["status"] for delivery in reversed(log)] == ["delivered"] * (len(log) - 1) + [
            "pending"
        ]
        assert {"article.put", "article.remove"} <= {delivery["type"] for delivery in log}


def test_the_demo_prints_the_same_token_again_while_it_is_good(folder: Path) -> None:
    printed, shown = [], []
    for _ in range(2):
        with served(folder, "demo") as (base, process):
            shown.append(httpx.get(f"{base}/v1/changes?limit=200", timeout=PATIENCE).json()["items"])
            process.terminate()
            assert process.wait() == 0
            printed.append(process.output().strip())
    assert printed[0] == printed[1]
    assert shown[0] == shown[1]
    assert len(copydesk(folder, "token", "list").stdout.splitlines()) == 1
    assert copydesk(folder, "token", "revoke", copydesk(folder, "token", "list").stdout[:36]).returncode == 0
    with served(folder, "demo") as (base, process):
        token = process.output().strip()
        assert token != printed[0]
        headers = {"Authorization": f"Bearer {token}"}
        assert httpx.get(f"{base}/v1/tokens", headers=headers, timeout=PATIENCE).status_code == 200


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_a_taken_port_is_a_sentence_and_costs_no_token(folder: Path, command: str) -> None:
    copydesk(folder, "migrate")
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        refused = copydesk(folder, command, "--port", str(port))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert f"Port {port} of 127.0.0.1 is taken" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert copydesk(folder, "token", "list").stdout == ""


def test_a_token_is_revoked_by_the_beginning_of_its_id(folder: Path) -> None:
    copydesk(folder, "migrate")
    for name in ("one", "two"):
        assert copydesk(folder, "token", "create", "--name", name, "--scope", "admin").returncode == 0
    two, one = (line.split("\t") for line in copydesk(folder, "token", "list").stdout.splitlines())
    assert (one[1], two[1], one[4]) == ("one", "two", "good")
    same = next(
        place for place, (mine, yours) in enumerate(zip(one[0], two[0], strict=True)) if mine != yours
    )
    both = copydesk(folder, "token", "revoke", one[0][:same])
    assert (both.returncode, "several tokens" in both.stderr) == (1, True)
    assert copydesk(folder, "token", "revoke", one[0][: same + 1]).returncode == 0
    states = [line.split("\t")[4] for line in copydesk(folder, "token", "list").stdout.splitlines()]
    assert states == ["good", "revoked"]
    for wrong in ("x", "ffff", ""):
        unknown = copydesk(folder, "token", "revoke", wrong)
        assert (unknown.returncode, "Traceback" in unknown.stderr) == (1, False)


def test_a_message_names_commands_as_the_user_calls_them(folder: Path) -> None:
    assert "`copydesk migrate`" in copydesk(folder, "token", "list").stderr
    assert "`./run migrate`" in copydesk(folder, "token", "list", COPYDESK_PROGRAM="./run").stderr
    assert "Usage: ./run token" in copydesk(folder, "token", "--help", COPYDESK_PROGRAM="./run").stdout


def test_a_file_that_is_not_there_is_a_sentence(folder: Path) -> None:
    copydesk(folder, "migrate")
    refused = copydesk(folder, "import", "nothing-here.ndjson")
    assert refused.returncode == 1
    assert "nothing-here.ndjson" in refused.stderr
    assert "Errno" not in refused.stderr


@pytest.mark.parametrize("word", ["text", "console"])
def test_logs_are_lines_for_people_when_asked(folder: Path, word: str) -> None:
    copydesk(folder, "migrate")
    with served(folder, "serve", COPYDESK_LOG_FORMAT=word) as (base, process):
        assert httpx.get(f"{base}/v1/articles?q=ferry", timeout=PATIENCE).status_code == 200
        wait_until(lambda: "/v1/articles" in process.error())
        assert not process.error().lstrip().startswith("{")


def test_the_command_line_waits_for_nothing_that_a_command_alone_needs() -> None:
    seen = "import sys, service.cli.program; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", seen], capture_output=True, text=True, check=True, cwd=ROOT)
    assert {"fastapi", "sqlalchemy", "pydantic", "alembic", "httpx"} & set(done.stdout.split()) == set()


def test_an_import_beside_a_running_service_is_seen_at_once(folder: Path) -> None:
    copydesk(folder, "migrate")
    (folder / "ferry.txt").write_text(DUMP)
    with served(folder, "serve") as (base, _):
        assert httpx.get(f"{base}/v1/articles", timeout=PATIENCE).json()["items"] == []
        slug = copydesk(folder, "import", "ferry.txt", "--publish").stdout.split()[1]
        assert [
            item["slug"] for item in httpx.get(f"{base}/v1/articles", timeout=PATIENCE).json()["items"]
        ] == [slug]


def test_an_import_tells_webhooks(folder: Path) -> None:
    settings = {"COPYDESK_OUTBOUND_ALLOW_LOOPBACK": "true"}
    copydesk(folder, "migrate")
    (folder / "ferry.txt").write_text(DUMP)
    token = copydesk(folder, "token", "create", "--name", "all", "--scope", "webhooks:write").stdout.strip()
    with receiver() as partner, served(folder, "serve", **settings) as (base, _):
        keeper = {"Authorization": f"Bearer {token}"}
        asked = httpx.post(
            f"{base}/v1/webhooks",
            json={"url": partner.url, "kinds": ["article"]},
            headers=keeper,
            timeout=PATIENCE,
        )
        partner.secret = asked.json()["secret"]
        # A process of its own, which has imported nothing yet: a warm one has imported all rooms.
        command = [sys.executable, "-m", "service", "import", "ferry.txt", "--publish"]
        subprocess.run(
            command,
            cwd=folder,
            env=environment(),
            check=True,
            capture_output=True,
        )
        wait_until(lambda: partner.taken)
        assert [told["type"] for told in partner.taken] == ["article.put"]


def test_a_page_that_the_service_itself_could_show_may_record_consent_on_whatever_port_it_is_served(
    folder: Path,
) -> None:
    copydesk(folder, "migrate")
    decision = {"notice_key": "default", "notice_version": 1, "action": "reject_all"}
    with served(folder, "serve") as (base, _):
        for origin in (base, base.replace("127.0.0.1", "localhost")):
            assert (
                httpx.post(
                    f"{base}/v1/consents", json=decision, headers={"Origin": origin}, timeout=PATIENCE
                ).status_code
                == 201
            )
        assert (
            httpx.post(
                f"{base}/v1/consents",
                json=decision,
                headers={"Origin": "http://127.0.0.1:1"},
                timeout=PATIENCE,
            ).status_code
            == 403
        )


def test_a_second_process_does_not_serve_the_same_sqlite_file(folder: Path) -> None:
    copydesk(folder, "migrate")
    with served(folder, "serve") as (base, process):
        second = copydesk(folder, "serve", "--port", str(free_port()))
        assert second.returncode == 1
        assert "more than one needs PostgreSQL" in " ".join(second.stderr.split())
        assert httpx.get(f"{base}/health/live", timeout=PATIENCE).status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 0
    with served(folder, "serve") as (base, _):
        assert httpx.get(f"{base}/health/ready", timeout=PATIENCE).status_code == 200


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("COPYDESK_LOG_LEVEL", "loud"),
        ("COPYDESK_DATABASE_URL", "mysql://x"),
        ("COPYDESK_PUBLIC_MAX_AGE", "-1"),
    ],
)
def test_a_setting_that_cannot_be_is_named_as_it_is_written(folder: Path, setting: str, value: str) -> None:
    refused = copydesk(folder, "serve", **{setting: value})
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith(f"{setting}: ")
    assert "pydantic" not in refused.stderr
