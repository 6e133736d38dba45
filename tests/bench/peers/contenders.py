"""Copydesk and its peers: how each is started, and where it answers each question."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlencode

import orjson

from service.tables import write_time
from tests.bench import news
from tests.bench.cores import Unfit
from tests.bench.measure import Bench
from tests.bench.peers.fill import fill
from tests.bench.phases import HIT, MISS, WRITERS
from tests.bench.served import Served, serving_words
from tests.bench.stand import addresses, make_writer, served_stores
from tests.bench.stores import KEPT, Stores
from tests.bench.wrk import MARK, Plan

LOCK = Path(__file__).with_name("requirements.lock")
APPS = Path(__file__).with_name("apps")
ONE, LIST, COUNT, SEARCH, CREATE = (
    "article by slug",
    "list of 20",
    "list with count",
    "search, two words",
    "create",
)
QUESTIONS = (ONE, LIST, COUNT, SEARCH, CREATE)
FROM_MEMORY, COPYDESK = "Copydesk, from memory", "Copydesk"


@dataclass(frozen=True, slots=True)
class Contender:
    """A running server, and its plan for each question that it can be asked."""

    name: str
    served: Served
    plans: Mapping[str, Plan]

    def headlines(self, question: str) -> list[str]:
        """Ask a question once, and return the headlines of the answer."""
        answer = orjson.loads(self.served.get(self.plans[question].paths[0])[1])
        found = answer if isinstance(answer, list) else answer.get("items", answer.get("rows", [answer]))
        return [article["headline"] for article in found]


@contextmanager
def contenders(bench: Bench, stores: Stores) -> Iterator[list[Contender]]:
    """Serve all of them for as long as the block lasts. They stand idle but for the one that is asked."""
    program, path = _environment(), bench.folder / "articles.db"
    fill(stores.content.kept("db"), path)
    slugs, urls = stores.slugs(), addresses(stores)
    with ExitStack() as stack:
        own = stack.enter_context(served_stores(bench, {name: urls[name] for name in (HIT, MISS)}))
        token = make_writer(urls[MISS])
        found = [
            Contender(FROM_MEMORY, own[HIT], _asked_of_copydesk(slugs)),
            Contender(
                COPYDESK, own[MISS], {**_asked_of_copydesk(slugs), CREATE: _created("/v1/articles", token)}
            ),
        ]
        for name, words in _PEERS.items():
            settings = {"PEER_DATABASE": str(path), "PEER_URLS": words[0], "PYTHONPATH": str(APPS)}
            served = stack.enter_context(
                serving_words(
                    lambda port, words=words: [str(program), "-m", *_command(words[1:], port, path)],  # type: ignore[misc]
                    settings,
                    bench.folder,
                    bench.cores,
                    _READY.get(name, "/articles?limit=1"),
                )
            )
            plans = _asked_of_datasette(slugs) if name == DATASETTE else _asked_of_an_app(slugs)
            found.append(Contender(name, served, plans))
        yield found


DATASETTE = "Datasette"
_GUNICORN = (
    "--workers=1",
    "--worker-class=gthread",
    "--threads=16",
    "--keep-alive=60",
    "--log-level=warning",
)
_PEERS: Mapping[str, Sequence[str]] = {
    "FastAPI + SQLModel": (
        "",
        "uvicorn",
        "tutorial:app",
        "--port={port}",
        "--loop=uvloop",
        "--http=httptools",
        "--no-access-log",
        "--log-level=warning",
    ),
    "Django REST framework": ("drf", "gunicorn", "drf:application", "--bind=127.0.0.1:{port}", *_GUNICORN),
    "django-ninja": (
        "fast_ninja",
        "gunicorn",
        "fast_ninja:application",
        "--bind=127.0.0.1:{port}",
        *_GUNICORN,
    ),
    DATASETTE: ("", "datasette", "serve", "{path}", "--port={port}", "--setting", "suggest_facets", "off"),
}
"""The urls that Django is told, and the words of the command."""
_READY = {DATASETTE: "/-/versions.json"}


def _command(words: Sequence[str], port: int, path: Path) -> list[str]:
    return [word.format(port=port, path=path) for word in words]


def _environment() -> Path:
    """Return the interpreter of the peers' own virtual environment, made anew when the lock file is another."""
    mark = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]
    folder = KEPT / f"peers-{mark}"
    program = folder / "bin" / "python"
    if not (folder / "complete").exists():
        for former in KEPT.glob("peers-*"):
            shutil.rmtree(former)
        uv = str(Path(sys.executable).with_name("uv"))
        _run(uv, "venv", "--quiet", "--clear", f"--python={sys.executable}", str(folder))
        _run(
            uv,
            "pip",
            "sync",
            "--quiet",
            "--compile-bytecode",
            "--require-hashes",
            f"--python={program}",
            str(LOCK),
        )
        (folder / "complete").touch()
    return program


def _run(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unfit(f"the peers could not be installed:\n{done.stderr[-3000:]}")


def _asked_of_copydesk(slugs: Sequence[str]) -> dict[str, Plan]:
    def listed(moment: datetime, **more: str) -> str:
        return f"/v1/articles?{urlencode({'published_before': write_time(moment), **more})}"

    return {
        ONE: Plan([f"/v1/articles/{slug}" for slug in slugs]),
        **_lists(
            listed,
            lambda words: f"/v1/articles?{urlencode({'q': words, 'sort': '-published_at'})}",
            count="true",
        ),
    }


def _asked_of_an_app(slugs: Sequence[str]) -> dict[str, Plan]:
    def listed(moment: datetime, **more: str) -> str:
        return f"/articles?{urlencode({'published_before': write_time(moment), **more})}"

    return {
        ONE: Plan([f"/articles/{slug}" for slug in slugs]),
        **_lists(listed, lambda words: f"/articles?{urlencode({'q': words})}", count="true"),
        CREATE: _created("/articles", None),
    }


def _asked_of_datasette(slugs: Sequence[str]) -> dict[str, Plan]:
    nested = [("_json", name) for name in ("authors", "tags", "lead_image")]
    card = [*nested, ("_nocol", "body"), ("_nocol", "text"), ("status", "published"), ("_nofacet", "1")]
    newest = [*card, ("_sort_desc", "published_at"), ("_size", "20")]

    def listed(moment: datetime, **more: str) -> str:
        before = ("published_at__lt", f"{moment:%Y-%m-%d %H:%M:%S}.000000")
        shape = [("_shape", "objects")] if more else [("_shape", "array"), ("_nocount", "1")]
        return f"/articles/article.json?{urlencode([*newest, before, *shape])}"

    def searched(words: str) -> str:
        return f"/articles/article.json?{urlencode([*newest, ('_search', words), ('_shape', 'array'), ('_nocount', '1')])}"

    def one(slug: str) -> str:
        asked = [*nested, ("_json", "body"), ("_nocol", "text"), ("slug", slug), ("_shape", "array")]
        return f"/articles/article.json?{urlencode([*asked, ('_nocount', '1'), ('_nofacet', '1')])}"

    return {ONE: Plan([one(slug) for slug in slugs]), **_lists(listed, searched, count="true")}


def _lists(listed: Callable[..., str], searched: Callable[[str], str], **counted: str) -> dict[str, Plan]:
    moments = news.moments()
    return {
        LIST: Plan([listed(moment) for moment in moments]),
        COUNT: Plan([listed(moment, **counted) for moment in moments]),
        SEARCH: Plan([searched(words) for words in news.queries()]),
    }


def _created(path: str, token: str | None) -> Plan:
    """A draft of nine paragraphs, without pictures, which no peer looks up."""
    written = news.article(0, [], published=False).model_dump(mode="json", exclude_none=True)
    kept = {name: value for name, value in written.items() if name not in ("credit_line", "copyright_notice")}
    body = orjson.dumps({**kept, "headline": f"{MARK}: {kept['headline']}", "external_id": MARK}).decode()
    known = (("Content-Type", "application/json"),)
    headers = known if token is None else (*known, ("Authorization", f"Bearer {token}"))
    return Plan([path], "POST", body, headers, WRITERS)
