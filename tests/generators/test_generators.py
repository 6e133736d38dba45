"""Linters find nothing in the OpenAPI document, and generators make clients of it that compile as
they are.
"""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from service.server import openapi
from tests.packages import STRICT, link_packages, run
from tests.serving import settings_for

HERE = Path(__file__).parent
Document = dict[str, Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the document, in which packages of npm are found."""
    made = tmp_path_factory.mktemp("generators")
    (made / "openapi.json").write_text(json.dumps(openapi(settings_for("sqlite:///unused", made))))
    link_packages(made)
    return made


@pytest.fixture(scope="module")
def document(folder: Path) -> Document:
    """The document as generators read it."""
    return json.loads((folder / "openapi.json").read_text())


def test_spectral_finds_nothing(folder: Path) -> None:
    (folder / ".spectral.yaml").write_text('extends: ["spectral:oas"]\n')
    found = run(folder, "spectral lint openapi.json --quiet --fail-severity hint --format json")
    assert json.loads(found or "[]") == []


def test_redocly_finds_nothing(folder: Path) -> None:
    found = json.loads(run(folder, "redocly lint openapi.json --extends recommended --format json"))
    assert found["problems"] == []


def test_a_front_end_is_written_with_openapi_typescript(folder: Path) -> None:
    run(folder, "openapi-typescript openapi.json --output schema.d.ts")
    shutil.copy(HERE / "reading.ts", folder)
    run(folder, f"tsc {STRICT} reading.ts")


def test_the_client_of_hey_api_compiles(folder: Path, document: Document) -> None:
    run(folder, "openapi-ts --input openapi.json --output hey")
    run(folder, f"tsc {STRICT} hey/index.ts")
    written = (folder / "hey" / "types.gen.ts").read_text()
    for name in document["components"]["schemas"]:
        assert re.search(rf"export type {name}\b", written), name


def test_the_client_of_orval_compiles(folder: Path) -> None:
    run(folder, "orval --client fetch --input openapi.json --output orval/client.ts")
    run(folder, f"tsc {STRICT} orval/client.ts")


def test_the_client_in_python_has_every_endpoint_and_model(folder: Path, document: Document) -> None:
    run(
        folder,
        "openapi-python-client generate --path openapi.json --output-path client --overwrite --meta none",
    )
    calls = {path.stem for path in (folder / "client" / "api").rglob("*.py")}
    for methods in document["paths"].values():
        for operation in methods.values():
            assert operation["operationId"] in calls
    models = (folder / "client" / "models" / "__init__.py").read_text()
    for name, schema in document["components"]["schemas"].items():
        if "properties" in schema or "enum" in schema:
            assert re.search(rf"\b{name}\b", models), name
    subprocess.run([sys.executable, "-m", "compileall", "-q", "client"], cwd=folder, check=True)


def test_models_in_python_have_the_names_of_the_document(folder: Path, document: Document) -> None:
    run(
        folder,
        "datamodel-codegen --input openapi.json --input-file-type openapi --output models.py"
        " --output-model-type pydantic_v2.BaseModel --formatters builtin",
    )
    made = set(re.findall(r"^class (\w+)\(", (folder / "models.py").read_text(), re.MULTILINE))
    assert {
        name for name, schema in document["components"]["schemas"].items() if "properties" in schema
    } <= made
    numbered = {name for name in made if name[-1].isdigit()}
    assert not numbered
