"""The bare ASGI app: one answer, recorded from the service, from memory, without a look at the request. It is
the 1.00.
"""

import base64
import json
import os
from dataclasses import asdict, dataclass
from http.client import HTTPConnection
from pathlib import Path

from starlette.types import ASGIApp, Receive, Scope, Send

from tests.bench.wrk import MARK, BadAnswers, Plan

ANSWER = "BENCH_ANSWER"
"""The environment variable that names the file of the recorded answer."""
OF_THE_SERVER = frozenset({"date", "server", "connection", "transfer-encoding", "keep-alive"})


@dataclass(frozen=True, slots=True)
class Recorded:
    """An answer of the service, with the headers that it set itself."""

    method: str
    status: int
    headers: list[tuple[str, str]]
    body: str

    @property
    def size(self) -> int:
        """Bytes of the body."""
        return len(base64.b64decode(self.body))

    def keep(self, path: Path) -> None:
        """Write it where the bare app will find it."""
        path.write_text(json.dumps(asdict(self)))


def record(plan: Plan, port: int) -> Recorded:
    """Ask once for what a plan asks, and keep the answer whole."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    body = None if plan.body is None else plan.body.replace(MARK, f"recorded{port}").encode()
    connection.request(plan.method, plan.paths[0], body, dict(plan.headers))
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    if answer.status // 100 != 2 and answer.status != 304:
        raise BadAnswers(f"{plan.method} {plan.paths[0]}: {answer.status} {content[:400]!r}")
    headers = [
        (name.lower(), value) for name, value in answer.getheaders() if name.lower() not in OF_THE_SERVER
    ]
    return Recorded(plan.method, answer.status, headers, base64.b64encode(content).decode())


def app() -> ASGIApp:
    """The factory that a server calls."""
    recorded = Recorded(**json.loads(Path(os.environ[ANSWER]).read_text()))
    headers = [(name.encode(), value.encode("latin-1")) for name, value in recorded.headers]
    start = {"type": "http.response.start", "status": recorded.status, "headers": headers}
    rest = {"type": "http.response.body", "body": base64.b64decode(recorded.body)}

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        await send(start)
        await send(rest)

    async def answer_a_body(scope: Scope, receive: Receive, send: Send) -> None:
        while scope["type"] == "http" and (await receive()).get("more_body", False):
            pass
        await answer(scope, receive, send)

    return answer if recorded.method == "GET" else answer_a_body


async def _live(receive: Receive, send: Send) -> None:
    while True:
        event = (await receive())["type"]
        await send({"type": f"{event}.complete"})
        if event == "lifespan.shutdown":
            return
