"""What we sign is taken by the `standardwebhooks` package of npm, unmodified: `npm install --no-save
standardwebhooks`.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from service.tables import new_id, now
from service.webhooks import signing
from service.webhooks.secret import new_secret, shown
from tests.articles.newsroom import do, published

ROOT = Path(__file__).parent.parent.parent
VERIFY = """
const { Webhook } = require("standardwebhooks");
const { secret, headers, body } = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(new Webhook(secret).verify(body, headers)));
"""
RECEIVE = """
const { Webhook } = require("standardwebhooks");
const lines = require("readline").createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const server = require("http").createServer(async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  secret = await secret;
  try {
    console.log(JSON.stringify(new Webhook(secret).verify(Buffer.concat(parts), request.headers)));
    response.writeHead(204).end();
  } catch (fault) {
    response.writeHead(400).end(fault.message);
  }
});
let secret = lines.next().then(({ value }) => value);
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
"""


@contextmanager
def partner_in_node() -> Iterator[subprocess.Popen[str]]:
    """A receiver in Node: says its port, is told the secret, and then says what it has verified."""
    process = subprocess.Popen(
        ["node", "-e", RECEIVE], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def node(program: str, **given: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["node", "-e", program],
        input=json.dumps(given),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


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


def test_a_receiver_with_the_npm_package_takes_what_is_told(
    editor: httpx.Client, keeper: httpx.Client
) -> None:
    with partner_in_node() as process:
        assert process.stdin is not None and process.stdout is not None
        url = f"http://127.0.0.1:{int(process.stdout.readline())}/hook"
        hook = keeper.post("/v1/webhooks", json={"url": url}).json()
        process.stdin.write(hook["secret"] + "\n")
        article = published(editor, headline="Fähre über den Fluß")
        keeper.post(
            f"/v1/webhooks/{hook['id']}/secret"
        ).raise_for_status()  # the one that the receiver has is good for a day more
        put = json.loads(process.stdout.readline())
        do(editor, article, "withdraw", reason="It named the wrong person.")
        removed = json.loads(process.stdout.readline())
        keeper.delete(f"/v1/webhooks/{hook['id']}", headers={"If-Match": "*"}).raise_for_status()
    assert (put["type"], put["data"]["data"]["headline"]) == ("article.put", article["headline"])
    assert (removed["type"], removed["data"]["reason"]) == ("article.remove", "withdrawn")
