"""`copydesk import FILE.ndjson`"""

import gzip
import json
import signal
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.articles.newsroom import walk
from tests.commands import Command, copydesk
from tests.serving import SECRET, running, settings_for


@pytest.fixture
def store_of(database_url: str, tmp_path: Path) -> dict[str, str]:
    """The settings of an empty store, as a shell knows them."""
    return {
        "COPYDESK_DATABASE_URL": database_url,
        "COPYDESK_MEDIA_URL": f"file:{tmp_path / 'media'}",
        "COPYDESK_SECRET_KEY": SECRET,
    }


def item(number: int, **members: Any) -> bytes:
    words = {"source": "coast.example", "external_id": f"{number}", "headline": f"Buoy {number} adrift"}
    return orjson.dumps(words | members)


def results(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def articles(store_of: dict[str, str], folder: Path) -> list[dict[str, Any]]:
    """All that is in the store, by their keys."""
    with (
        running(settings_for(store_of["COPYDESK_DATABASE_URL"], folder)) as store,
        store.client("content:read") as editor,
    ):
        found = list(
            walk(editor, "/v1/articles?limit=200&view=staff&fields=external_id,version,headline,status")
        )
    return sorted(found, key=lambda each: int(each["external_id"]))


@pytest.mark.slow
def test_items_are_made_and_brought_up_to_date_and_what_is_refused_is_told(
    tmp_path: Path, store_of: dict[str, str]
) -> None:
    lines = [
        item(1),
        b"",
        item(2, status="published"),
        item(3, headline="[/red]", color="red"),
        b"{no json",
        item(4, status="draft"),
    ]
    (tmp_path / "wire.ndjson").write_bytes(b"\n".join(lines))
    done = copydesk(tmp_path, "import", "wire.ndjson", "--publish", **store_of)
    assert (done.returncode, done.stdout) == (1, "wire.ndjson: 3 made, 0 brought up to date, 2 refused\n")
    told = done.stderr.splitlines()
    assert [line for line in told if line.startswith("wire.ndjson, item 3 (coast.example 3): /color")]
    assert [line for line in told if line.startswith("wire.ndjson, item 4: The item is not JSON")]
    assert [each["status"] for each in articles(store_of, tmp_path)] == ["published", "published", "draft"]
    (tmp_path / "wire.ndjson.gz").write_bytes(gzip.compress(item(1) + b"\n" + item(5)))
    again = copydesk(tmp_path, "import", "wire.ndjson.gz", "--json", **store_of)
    assert again.returncode == 0, again.stderr
    assert [(each["index"], each["status"], each["external_id"]) for each in results(again.stdout)] == [
        (0, 200, "1"),
        (1, 201, "5"),
    ]


@pytest.mark.slow
def test_modes_and_a_dry_run_do_what_they_do_over_the_api(tmp_path: Path, store_of: dict[str, str]) -> None:
    (tmp_path / "wire.ndjson").write_bytes(item(1))
    (tmp_path / "more.jsonl").write_bytes(item(1) + b"\n" + item(2))
    assert copydesk(tmp_path, "import", "wire.ndjson", **store_of).returncode == 0
    dry = copydesk(tmp_path, "import", "more.jsonl", "--dry-run", "--json", **store_of)
    assert [(each["status"], each["id"] is None) for each in results(dry.stdout)] == [
        (200, False),
        (201, True),
    ]
    created = copydesk(tmp_path, "import", "more.jsonl", "--mode", "create", "--json", **store_of)
    assert created.returncode == 1
    assert [each["status"] for each in results(created.stdout)] == [409, 201]
    assert results(created.stdout)[0]["problem"]["type"] == "/problems/external-id-taken"


def killed_after(results_wanted: int, folder: Path, *words: str, **settings: str) -> str:
    """Kill the command when it has printed so many lines; all that it had printed."""
    with Command(folder, *words, is_read=True, **settings) as command:
        said = "".join(command.readline() for _ in range(results_wanted))
        command.kill()
        assert command.wait() == -signal.SIGKILL
        return said + command.output()


@pytest.mark.slow
def test_an_import_that_is_killed_goes_on_where_it_was_and_the_end_is_the_same(
    tmp_path: Path, store_of: dict[str, str]
) -> None:
    count = 1_500
    lines = [b"{no json" if number == 7 else item(number) for number in range(count)]
    (tmp_path / "wire.ndjson").write_bytes(b"\n".join(lines))
    first = results(killed_after(260, tmp_path, "import", "wire.ndjson", "--json", **store_of))
    (tmp_path / "wire.ndjson").rename(tmp_path / "moved.ndjson")
    again = copydesk(tmp_path, "import", "moved.ndjson", "--json", **store_of)
    rest = results(again.stdout)
    assert f"goes on behind item {rest[0]['index']}" in again.stderr
    # What was printed was committed; what was committed last may not have been printed any more.
    assert len(first) <= rest[0]["index"] <= len(first) + 250
    assert [each["index"] for each in rest] == list(range(rest[0]["index"], count))
    assert {each["status"] for each in rest} == {201}
    assert again.returncode == 1, "an item was refused, before it was killed"
    kept = articles(store_of, tmp_path)
    assert [(int(each["external_id"]), each["version"]) for each in kept] == [
        (number, 1) for number in range(count) if number != 7
    ]
    last = copydesk(tmp_path, "import", "moved.ndjson", "--json", **store_of)
    assert [each["status"] for each in results(last.stdout)].count(200) == count - 1


@pytest.mark.slow
def test_from_the_start_is_from_the_start(tmp_path: Path, store_of: dict[str, str]) -> None:
    (tmp_path / "wire.ndjson").write_bytes(b"\n".join(item(number) for number in range(1_000)))
    killed_after(260, tmp_path, "import", "wire.ndjson", "--json", **store_of)
    again = copydesk(tmp_path, "import", "wire.ndjson", "--json", "--from-start", **store_of)
    assert again.returncode == 0, again.stderr
    assert [each["index"] for each in results(again.stdout)] == list(range(1_000))
    assert {each["version"] for each in articles(store_of, tmp_path)} == {1}
