"""What we sign is taken by the `standardwebhooks` package of npm, unmodified: `npm install --no-save standardwebhooks`."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from service.tables import new_id, now
from service.webhooks import signing
from service.webhooks.sealing import new_secret, shown

ROOT = Path(__file__).parent.parent.parent
VERIFY = """
const { Webhook } = require("standardwebhooks");
const { secret, headers, body } = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(new Webhook(secret).verify(body, headers)));
"""


def node(program: str, **given: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["node", "-e", program], input=json.dumps(given), cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module", autouse=True)
def package() -> None:
    """Node and its package, or there is nothing to test."""
    if shutil.which("node") is None or node("require.resolve('standardwebhooks')").returncode != 0:
        pytest.skip("node and its package standardwebhooks are not installed here")


@pytest.mark.parametrize("holds", ["new", "old"])
def test_the_npm_package_takes_what_is_signed_with_two_secrets(holds: str) -> None:
    secrets = {"new": new_secret(), "old": new_secret()}
    body = '{"type":"article.put","data":{"headline":"Fähre über den Fluß"}}'
    headers = signing.headers(new_id(), now(), body.encode(), list(secrets.values()))
    verified = node(VERIFY, secret=shown(secrets[holds]), headers=headers, body=body)
    assert json.loads(verified.stdout) == json.loads(body), verified.stderr


def test_the_npm_package_refuses_what_was_changed_on_its_way() -> None:
    secret = new_secret()
    headers = signing.headers(new_id(), now(), b'{"a":1}', [secret])
    refused = node(VERIFY, secret=shown(secret), headers=headers, body='{"a":2}')
    assert refused.returncode != 0 and "No matching signature found" in refused.stderr
