"""The OpenAPI document is kept: schemathesis makes requests from it and finds no answer that it does not
allow.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands import environment, served
from tests.effort import LONG

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,response_headers_conformance"


# An address in an example is fetched, and its host is nowhere: that is the other side's failure, and no fault
# of the service.
CONFIG = '[checks.not_a_server_error]\nexpected-statuses = ["2xx", "3xx", "4xx", "502"]\n'


@pytest.mark.timeout(900)
@pytest.mark.parametrize("who", ["editor", "reader"])
def test_no_request_made_from_the_document_gets_an_answer_that_it_does_not_allow(
    tmp_path: Path, who: str
) -> None:
    with served(tmp_path, "demo", COPYDESK_CONSENT_RATE_LIMIT="1000000", COPYDESK_LOG_LEVEL="error") as (
        base,
        process,
    ):
        token = process.output().strip()
        command = [
            str(Path(sys.executable).parent / "schemathesis"),
            "run",
            f"{base}/openapi.json",
            "--checks",
            CHECKS,
            "--continue-on-failure",
            # Its answer has no end.
            "--exclude-path",
            "/v1/changes/stream",
            "--phases",
            # Of what covers each parameter a reader is mostly told 401, which takes as long as an answer.
            "examples,coverage,fuzzing" if LONG or who == "editor" else "examples,fuzzing",
            "--max-examples",
            "100" if LONG else "4",
            "--seed",
            "7",
            "--no-color",
            *(["--header", f"Authorization: Bearer {token}"] if who == "editor" else []),
        ]
        (tmp_path / "schemathesis.toml").write_text(CONFIG)
        # Its database of earlier failures would make runs differ.
        hooks = {"SCHEMATHESIS_HOOKS": "tests.serializers", "PYTHONPATH": str(Path(__file__).parents[1])}
        found = subprocess.run(
            command,
            cwd=tmp_path,
            env=environment() | hooks,
            capture_output=True,
            text=True,
            timeout=1200,
            check=False,
        )
    assert found.returncode == 0, found.stdout[-6000:]
