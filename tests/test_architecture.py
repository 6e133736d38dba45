"""What imports cannot say, held here."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from inspect import isasyncgenfunction, iscoroutinefunction, isfunction
from itertools import pairwise
from pathlib import Path

import pytest
from fastapi.dependencies.models import Dependant

from service import main, rooms
from service.formats.feeds.routes import read_feed
from service.http.routing import Route
from service.published.forms import Form
from service.published.models import Kind
from service.tables import Table

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "service").rglob("*.py"))
TAKERS_OF_ALL = {
    "service/background.py",  # which begins a loop again
    "service/cli/program.py",  # which raises what it has no sentence for
}
READERS = [
    "edge/cache.py",
    "published/store.py",
    "published/reader.py",
    "published/answers.py",
    "published/feed.py",
    "published/waiting.py",
    "sync/cursors.py",
    "published/watch.py",
    "published/words.py",
]
WORKING = {name for name in rooms.tables().tables if not name.startswith("published")} | {"article_text"}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def nodes(path: Path) -> list[ast.AST]:
    return [*ast.walk(tree(path))]


def short(path: Path) -> str:
    return str(path.relative_to(ROOT))


VAGUE = {"utils", "helpers", "service", "repository", "constants", "exceptions", "schemas"}


@pytest.mark.slow
def test_every_module_opens_with_its_promise_and_stays_one_room() -> None:
    assert [short(path) for path in MODULES if not ast.get_docstring(tree(path))] == []
    assert [short(path) for path in MODULES if len(path.read_text().splitlines()) > 400] == []
    assert [short(path) for path in MODULES if path.stem in VAGUE] == []
    length = {
        (short(path), node.name): (node.end_lineno or 0) - node.lineno
        for path in MODULES
        for node in nodes(path)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert [name for name, lines in length.items() if lines > 60] == []


RIDDLE = re.compile(r"(What|Whether|Where|How|Who|Whose|Why|When|Which|Those)\b")


def documented(path: Path) -> Iterator[str]:
    """The docstrings of a module: its own, those of classes and functions, and those under names."""
    for node in nodes(path):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield ast.get_docstring(node) or ""
            for before, after in pairwise(node.body):
                match before, after:
                    case (ast.Assign() | ast.AnnAssign(), ast.Expr(ast.Constant(str(text)))):
                        yield text


@pytest.mark.slow
def test_no_docstring_opens_with_a_question() -> None:
    said = [(short(path), text) for path in MODULES for text in documented(path)]
    assert [(path, text) for path, text in said if RIDDLE.match(text)] == []


def test_nothing_is_swallowed_and_no_layer_is_slow() -> None:
    for path in MODULES:
        assert "BaseHTTPMiddleware" not in path.read_text().replace("`BaseHTTPMiddleware`", ""), path
        caught = [
            handler.type for node in nodes(path) if isinstance(node, ast.Try) for handler in node.handlers
        ]
        names = {
            name.id
            for kind in caught
            if kind is not None
            for name in ast.walk(kind)
            if isinstance(name, ast.Name)
        }
        assert None not in caught, path
        # A job beside the requests outlives every fault of its own: there, and nowhere else, all of them are
        # caught.
        assert "Exception" not in names or short(path) in TAKERS_OF_ALL, path


def test_no_transaction_is_nested_because_its_end_would_publish_and_its_undoing_forget() -> None:
    assert [short(path) for path in MODULES if "begin_nested" in path.read_text()] == []


def test_only_the_database_commits() -> None:
    committing = {
        short(path)
        for path in MODULES
        for node in nodes(path)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit"
    }
    assert committing == {"service/database.py"}


@pytest.mark.parametrize("name", READERS)
def test_what_readers_ask_knows_no_working_table(name: str) -> None:
    module = tree(ROOT / "service" / name)
    imported = {node.module for node in ast.walk(module) if isinstance(node, ast.ImportFrom)}
    assert not [room for room in imported if room and re.match(r"service\.(articles|images|consent)", room)]
    strings = [
        node.value
        for node in ast.walk(module)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    asked = {table for text in strings for table in re.findall(r"\b(?:FROM|JOIN|INTO|UPDATE)\s+(\w+)", text)}
    assert asked & WORKING == set()


def test_every_table_is_named_once() -> None:
    named = [str(table.__tablename__) for table in rooms.TABLES]
    assert sorted(named) == sorted(Table.metadata.tables)


def test_every_kind_has_a_renderer_and_every_form_a_writer() -> None:
    assert {*rooms.PUBLISHING.renderers} == {*Kind}
    assert {Form.JSON, *rooms.FORMS.writers} == {*Form}


def test_no_module_is_imported_for_its_side_effect() -> None:
    assert [short(path) for path in MODULES if "F401" in path.read_text()] == []


def test_no_endpoint_is_without_the_shared_way_in() -> None:
    routers = [router for router in main.ROUTERS if router.prefix.startswith("/v1")]
    assert all(isinstance(route, Route) for router in routers for route in router.routes)


def _needed(dependant: Dependant) -> Iterator[Dependant]:
    for one in dependant.dependencies:
        yield one
        yield from _needed(one)


def test_what_every_request_needs_takes_no_thread() -> None:
    # A dependency that is no coroutine is called in another thread: a visit costs more than looking something
    # up.
    routes = [route for router in main.ROUTERS for route in router.routes if isinstance(route, Route)]
    called = [one.call for route in routes for one in _needed(route.dependant)]
    slow = {
        call.__qualname__
        for call in called
        if isfunction(call) and not iscoroutinefunction(call) and not isasyncgenfunction(call)
    }
    assert slow == {read_feed.__qualname__}


def test_the_migrations_do_not_shadow_the_library() -> None:
    assert not (ROOT / "alembic" / "__init__.py").exists()


PAST_CONTRACTS = {
    "service/published/reader.py": "the wire cache, which answers no request with a token",
    "service/published/feed.py": "the feed of followers without a contract",
    "service/published/narrowed.py": "the feed of followers without a contract",
    "service/published/mirrored.py": "mirrors, which no token with a contract may follow as",
    "service/published/ahead.py": "numbers of the rows that a writer compares, which no answer shows",
    "service/published/backlog.py": "a job, which asks when the next right of a picture ends",
    "service/purging/purger.py": "numbers of what caches have not dropped, for the metrics",
}
"""Modules that send SQL of their own over the published table, to which no session adds a contract."""
SESSIONS_OF_ANSWERS = {
    "service/articles/embargoed.py": "judges working articles by the contract itself",
    "service/images/media.py": "asks entitled.gives_files",
    "service/web/missing.py": "gives the session the contract of the request",
    "service/published/contracted.py": "the feed under a contract, which is its own condition",
    "service/sync/staff_feed.py": "needs content:read, which no token with a contract has",
    "service/sync/spans.py": "a job; what is kept is asked for by sessions without a contract alone",
    "service/articles/previews.py": "an address that is a secret of its own",
    "service/web/report_routes.py": "needs consent:read",
    "service/web/follower_routes.py": "needs admin",
    "service/recall/followers.py": "needs admin, and a job",
    "service/webhooks/routes.py": "webhooks of the caller",
}
"""Modules of endpoints that open a session by themselves, to which the entrance gives no contract."""
ENDPOINTS = ("articles", "formats", "images", "published", "recall", "sync", "web", "webhooks")
JOBS = re.compile(
    r"/(clock|inspecting|check|ahead|rendering|backlog|counting|epochs|indexing|notices|contracts|delivery)\.py$"
)


def test_who_reads_published_rows_past_contracts_is_known() -> None:
    past = {short(path) for path in MODULES if re.search(r"\b(FROM|JOIN) published\b(?!_)", path.read_text())}
    assert past == PAST_CONTRACTS.keys()
    opened = {
        short(path)
        for path in MODULES
        if re.search(r"\.(reading|snapshot)\(\)", path.read_text())
        and path.relative_to(ROOT / "service").parts[0] in ENDPOINTS
        and not JOBS.search(short(path))
    }
    assert opened == SESSIONS_OF_ANSWERS.keys()


def test_a_contract_is_held_to_in_statements_of_the_session_alone() -> None:
    taken = {
        short(path)
        for path in MODULES
        if re.search(r"\bsession\.contract = ", path.read_text()) and path.name != "entitled.py"
    }
    assert taken == {"service/database.py", "service/web/missing.py"}
