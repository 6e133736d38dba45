"""A real S3 server on loopback, and a way to it that can be cut."""

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from uuid import uuid4

import httpx

from service.settings import Settings
from tests.patience import PATIENCE

S3 = {"s3_region": "eu-north-1", "s3_access_key_id": "tests", "s3_secret_access_key": "of no worth"}


@cache
def server() -> int:
    """The port of an S3 server, started once in this process."""
    from moto.server import (
        ThreadedMotoServer,
    )  # in 1.5 seconds, which most runs of some tests need not wait for

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    made = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    made.start()
    return made.get_host_and_port()[1]


def bucket(port: int | None = None) -> dict[str, object]:
    """The settings of a new, empty bucket, reached by way of another port if one is given."""
    name = f"pictures-{uuid4().hex[:12]}"
    # The first bucket waits until the server has loaded what it serves.
    made = httpx.put(f"http://127.0.0.1:{server()}/{name}", trust_env=False, timeout=PATIENCE)
    assert made.status_code == 200
    return {
        "media_url": f"s3://{name}/news/desk",
        "s3_endpoint": f"http://127.0.0.1:{port or server()}",
        **S3,
    }


def objects(settings: Settings) -> str:
    """The listing of the whole bucket, as the server gives it."""
    name = settings.media_url.removeprefix("s3://").partition("/")[0]
    return httpx.get(
        f"http://127.0.0.1:{server()}/{name}", params={"list-type": "2"}, trust_env=False, timeout=PATIENCE
    ).text


class Gate:
    """A port that leads to the S3 server while it is open. Shut, it refuses connections; stuck, it takes them
    and says nothing.
    """

    def __init__(self) -> None:
        self.port = 0
        self._listening: socket.socket | None = None
        self._through: list[socket.socket] = []
        self._stuck = False
        self.came = 0
        """How many connections were taken."""
        self.open()

    def open(self) -> None:
        """Let everything through."""
        self._stuck = False
        if self._listening is None:
            self._listening = socket.create_server(("127.0.0.1", self.port))
            self.port = self._listening.getsockname()[1]
            threading.Thread(target=self._serve, args=(self._listening,), daemon=True).start()

    def shut(self) -> None:
        """Refuse connections, and break those that there are."""
        if self._listening is not None:
            self._listening.shutdown(socket.SHUT_RDWR)
            self._listening.close()
            self._listening = None
        self._break()

    def stick(self) -> None:
        """Take connections, and never answer."""
        self._stuck = True
        self._break()

    def _break(self) -> None:
        for connection in self._through:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        self._through.clear()

    def _serve(self, listening: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = listening.accept()
                self.came += 1
                self._through.append(near)
                if self._stuck:
                    continue
                far = socket.create_connection(("127.0.0.1", server()))
                self._through.append(far)
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=_pass_on, args=pair, daemon=True).start()


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while some := one.recv(65_536):
            other.sendall(some)
    with suppress(OSError):
        other.shutdown(socket.SHUT_WR)


@contextmanager
def gate() -> Iterator[Gate]:
    """A gate for as long as the block lasts."""
    made = Gate()
    try:
        yield made
    finally:
        made.shut()
