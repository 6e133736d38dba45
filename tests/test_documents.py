"""The documents stay short, lead somewhere, and name only commands, settings and modules that exist."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import typer.main

from service.cli.program import app
from service.settings import Settings
from tests.bench import page

ROOT = Path(__file__).parent.parent
DOCUMENTS = {
    str(path.relative_to(ROOT)): path for path in sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
}
LONGEST = {"README.md": 6_000, "ARCHITECTURE.md": 12_000}
LINK = re.compile(r"\]\(([^)\s]+)\)")
COMMAND = re.compile(r"(?:\./run|(?<![\w./-])copydesk) ([a-z]+)(?: ([a-z]+)\b(?![./]))?")
CODE = re.compile(r"^ *```.*?^ *```|`[^`\n]+`", re.DOTALL | re.MULTILINE)
COMMANDS = {
    name: set(getattr(command, "commands", ()))
    for name, command in typer.main.get_command(app).commands.items()
} | {name: set() for name in ("help", "setup", "check", "lock", "test", "bench")}
CALL = re.compile(r"(?:\./run|(?<![\w./-])copydesk) ([a-z]+)(?: ([a-z]+))?([^#|;&]*)")
OPTION = re.compile(r"(?<!\S)--[a-z-]+")


def options(command: Any) -> set[str]:
    """Return the options of a command, by all their names."""
    return {"--help", *(name for each in command.params for name in (*each.opts, *each.secondary_opts))}


OPTIONS: dict[str, dict[str, set[str]]] = {
    name: {
        "": options(command),
        **{second: options(inner) for second, inner in getattr(command, "commands", {}).items()},
    }
    for name, command in typer.main.get_command(app).commands.items()
}
SETTINGS = {f"COPYDESK_{name.upper()}" for name in Settings.model_fields}


def faults(found_in: Callable[[Path], Iterable[str]]) -> dict[str, list[str]]:
    """Return what is wrong, by document."""
    found = {name: sorted(found_in(path)) for name, path in DOCUMENTS.items()}
    return {name: wrong for name, wrong in found.items() if wrong}


def targets(document: Path) -> dict[str, Path]:
    """Return the files that a document links to, by how it writes them."""
    links = [link for link in LINK.findall(document.read_text()) if "://" not in link and link[0] != "#"]
    return {link: (document.parent / link.partition("#")[0]).resolve() for link in links}


def is_command(name: str, second: str) -> bool:
    return name in COMMANDS and (not COMMANDS[name] or second in {"", *COMMANDS[name]})


@pytest.mark.parametrize("name", LONGEST)
def test_a_first_page_is_short(name: str) -> None:
    assert len(DOCUMENTS[name].read_bytes()) <= LONGEST[name]


def test_every_link_leads_to_a_file() -> None:
    assert faults(lambda page: [link for link, file in targets(page).items() if not file.exists()]) == {}


def test_every_command_exists() -> None:
    def unknown(document: Path) -> Iterable[str]:
        code = "\n".join(CODE.findall(document.read_text()))
        return (f"{name} {second}" for name, second in COMMAND.findall(code) if not is_command(name, second))

    assert faults(unknown) == {}


def test_every_option_exists() -> None:
    """An option stands on the line of its command, in a block or between backticks."""

    def unknown(document: Path) -> Iterable[str]:
        lines = [line for code in CODE.findall(document.read_text()) for line in code.splitlines()]
        return (
            f"{name} {option}"
            for line in lines
            for name, second, rest in CALL.findall(line)
            if name in OPTIONS
            for option in set(OPTION.findall(rest)) - OPTIONS[name].get(second, OPTIONS[name][""])
        )

    assert faults(unknown) == {}


def test_every_setting_exists() -> None:
    named = re.compile(r"\bCOPYDESK_[A-Z0-9_]*[A-Z0-9]\b")
    assert faults(lambda page: set(named.findall(page.read_text())) - SETTINGS) == {}


def test_every_module_exists() -> None:
    """A module is named by its path, or by its name alone where its room is clear."""
    modules = {
        str(path.relative_to(ROOT)) for room in ("service", "tests") for path in ROOT.glob(f"{room}/**/*.py")
    }
    known = {
        module[at:] for module in modules for at in range(len(module)) if at == 0 or module[at - 1] == "/"
    }
    maps = ("ARCHITECTURE.md", "CONTRIBUTING.md", "docs/glossary.md")
    named = {name: re.findall(r"`([a-z_/0-9]+\.py)`", DOCUMENTS[name].read_text()) for name in maps}
    assert {name: found for name, all_ in named.items() if (found := sorted(set(all_) - known))} == {}


def test_the_readme_leads_to_every_document() -> None:
    found: set[Path] = set()
    waiting = [DOCUMENTS["README.md"]]
    while waiting:
        page = waiting.pop()
        if page.suffix == ".md" and page not in found:
            found.add(page)
            waiting += targets(page).values()
    assert [name for name, path in DOCUMENTS.items() if path not in found] == []


def test_the_page_of_the_benchmark_explains_every_line_of_it() -> None:
    bench = "".join(path.read_text() for path in (ROOT / "tests/bench").glob("*.py"))
    assert set(re.findall(r'\bPhase\(\s*"([^"]+)"', bench)) == page.OUTCOMES.keys()
    figures = re.findall(r'\bFigure\(\s*f?"([^"{]+)', bench)
    assert len(figures) >= 7
    unexplained = [name for name in figures if not any(name.startswith(known) for known in page.FIGURES)]
    assert unexplained == []
    assert [known for known in page.FIGURES if not any(name.startswith(known) for name in figures)] == []
