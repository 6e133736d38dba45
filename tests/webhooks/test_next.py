"""The recipe for Next.js in the documents drops what has changed from a cache by tags, and believes signed
messages only.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.commands import ROOT, copydesk, served
from tests.patience import PATIENCE

PAGE = ROOT / "docs" / "partners" / "webhooks.md"
PACKAGE = ROOT / "node_modules" / "standardwebhooks"
TAGS = """
export const cacheTag = (...tags) => console.log(JSON.stringify({ cached: tags }));
export const revalidateTag = (tag, how) => console.log(JSON.stringify({ dropped: tag, how }));
"""
SERVE = """
import http from "node:http";
import { createInterface } from "node:readline";
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const server = http.createServer(async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  const { POST } = await route;
  const said = await POST(new Request("http://front.example/", {
    method: "POST", headers: request.headers, body: Buffer.concat(parts),
  }));
  response.writeHead(said.status).end(await said.text());
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.env.NEWS_WEBHOOK_SECRET = (await lines.next()).value;
const route = import("./route.js");
const { read } = await import("./read.js");
for await (const path of lines) await read(path);
"""
pytestmark = pytest.mark.skipif(
    shutil.which("node") is None or not PACKAGE.exists(),
    reason="node and its package standardwebhooks are not installed here",
)


@contextmanager
def front_end(folder: Path, store: str) -> Iterator[subprocess.Popen[str]]:
    """Run the recipe: it says its port, is told the secret and then what to read, and says what its cache
    does.
    """
    found = re.findall(r"^```js\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    read, route = (text for text in found if "next/cache" in text)
    modules = folder / "node_modules"
    (modules / "next").mkdir(parents=True)
    for name in ("standardwebhooks", "@stablelib", "fast-sha256"):
        if (PACKAGE.parent / name).exists():
            (modules / name).symlink_to(PACKAGE.parent / name)
    (modules / "next" / "package.json").write_text('{"type": "module", "exports": {"./cache": "./cache.js"}}')
    (modules / "next" / "cache.js").write_text(TAGS)
    (folder / "package.json").write_text('{"type": "module"}')
    for name, text in (("read.js", read), ("route.js", route), ("serve.js", SERVE)):
        (folder / name).write_text(text)
    process = subprocess.Popen(
        ["node", "serve.js"],
        cwd=folder,
        env={"PATH": str(Path(shutil.which("node") or "").parent), "NEWS_URL": store},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.slow
def test_the_recipe_drops_what_has_changed_and_nothing_else(tmp_path: Path) -> None:
    assert copydesk(tmp_path, "migrate").returncode == 0
    token = copydesk(tmp_path, "token", "create", "--name", "desk", "--scope", "admin").stdout.strip()
    loopback = {"COPYDESK_OUTBOUND_ALLOW_LOOPBACK": "true", "COPYDESK_CACHE_KEYS": "surrogate-key"}
    with (
        served(tmp_path, "serve", **loopback) as (base, _),
        httpx.Client(base_url=base, headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE) as desk,
        front_end(tmp_path / "front", base) as front,
    ):
        assert front.stdin is not None and front.stdout is not None
        address = f"http://127.0.0.1:{int(front.stdout.readline())}/"
        made = [
            desk.post(
                "/v1/articles", json={"headline": "Tram", "section": section, "status": "published"}
            ).json()
            for section in ("City", "Sport")
        ]
        hook = desk.post("/v1/webhooks", json={"url": address, "kinds": ["article"]}).json()
        front.stdin.write(hook["secret"] + "\n")
        paths = [f"/v1/articles/{each['id']}" for each in made]
        paths += ["/v1/articles?section=City", "/v1/articles?section=Sport"]
        tags = []
        for path in paths:
            front.stdin.write(path + "\n")
            tags.append(set(json.loads(front.stdout.readline())["cached"]))
        forged = httpx.post(
            address,
            content=b'{"data":{"keys":["copydesk"]}}',
            headers={"webhook-id": "msg_1"},
            timeout=PATIENCE,
        )
        assert forged.status_code == 400
        edited = desk.patch(paths[0], json={"headline": "Trams"}, headers={"If-Match": "*"})
        assert edited.status_code == 200, edited.text
        dropped = {json.loads(front.stdout.readline())["dropped"] for _ in range(2)}
    assert [bool(each & dropped) for each in tags] == [True, False, True, False], (tags, dropped)
