"""A receiver on loopback that believes nothing: what it takes has been verified by the `standardwebhooks`
package.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar

from standardwebhooks import Webhook


class Receiver(ThreadingHTTPServer):
    """Takes messages; `answer` says with which status and headers, `secret` by what they are verified."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}/hook"
        self.secret = ""
        self.answer: tuple[int, dict[str, str], bytes] = (204, {}, b"")
        self.taken: list[dict[str, Any]] = []
        self.ids: list[str] = []
        self.refused = 0
        self.signatures: list[str] = []

    def receive(self, headers: dict[str, str], body: bytes) -> None:
        """Verify a message, and keep it when it is answered with success."""
        self.signatures.append(headers["webhook-signature"])
        message = Webhook(self.secret).verify(body, headers)
        if self.answer[0] >= 300:
            self.refused += 1
            return
        self.taken.append(message)
        self.ids.append(headers["webhook-id"])


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.receive(dict(self.headers.items()), body)
        status, headers, said = self.server.answer
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


Kind = TypeVar("Kind", bound=Receiver)


@contextmanager
def receiver(kind: type[Kind] = Receiver) -> Iterator[Kind]:
    """A receiver for as long as the block lasts."""
    with kind() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
