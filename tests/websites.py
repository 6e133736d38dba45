"""Other people's websites, on loopback: each path answers as a test says, byte for byte."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Answer = bytes | Callable[[socket.socket], None]


def answer(body: bytes = b"", *headers: str, status: str = "200 OK") -> bytes:
    """A whole HTTP answer."""
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join([*head, "", ""]).encode() + body


def redirect(to: str) -> bytes:
    """An answer that leads elsewhere."""
    return answer(b"", f"Location: {to}", status="302 Found")


class Website:
    """A server of scripted answers: `pages` by path; `requests` holds what was asked, heads and all."""

    def __init__(self, listening: socket.socket) -> None:
        self.port: int = listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.pages: dict[str, Answer] = {}
        self.requests: list[str] = []
        self._listening = listening

    def serve(self) -> None:
        """Answer until the listening socket is closed."""
        with suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        # The other side may hang up at any moment: that is what many of the tests are about.
        with connection, suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                head += connection.recv(65_536)
            self.requests.append(head.decode())
            page = self.pages.get(head.split(b" ")[1].decode(), answer(status="404 Not Found"))
            if isinstance(page, bytes):
                connection.sendall(page)
            else:
                page(connection)


@contextmanager
def website() -> Iterator[Website]:
    """A website for as long as the block lasts."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        site = Website(listening)
        thread = threading.Thread(target=site.serve, daemon=True)
        thread.start()
        try:
            yield site
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join(5)
