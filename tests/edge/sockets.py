"""Clients that speak to a store over a socket as they like, and a server whose clock can be put forward."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from uvicorn.config import Config
from uvicorn.server import ServerState

from service.edge.connections import CONNECTIONS, Connection, Connections
from service.ending import Ending
from tests.patience import PATIENCE, wait_until
from tests.serving import Store


class Server:
    """A store that listens on a port of the loopback interface, with the connections of the real server."""

    def __init__(self, store: Store, port: int) -> None:
        self.connections = Connections(store.settings, Ending(0, lambda: None))
        self._store = store
        self._port = port

    def open(self, sent: bytes = b"") -> socket.socket:
        """Connect a client that takes little unread, and send something."""
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(PATIENCE)
        client.connect(("127.0.0.1", self._port))
        client.sendall(sent)
        return client

    def after(self, seconds: float) -> None:
        """Have all connections looked at as if so many seconds had gone by."""

        async def look() -> None:
            self.connections.look(asyncio.get_running_loop().time() + seconds)

        self._store.portal.call(look)

    def untaken(self) -> int:
        """Return the bytes that wait for their clients."""
        return self._store.portal.call(self.connections.untaken)

    def wait_for(self, connections: int) -> None:
        """Wait until so many connections are open."""
        wait_until(lambda: len(self.connections) == connections, "connections stay open, or never come")


@contextmanager
def served_on_a_socket(store: Store) -> Iterator[Server]:
    """Serve a running store for as long as the block lasts."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Server(store, listener.getsockname()[1])

        class Counted(Connection):
            def __init__(
                self,
                config: Config,
                server_state: ServerState,
                app_state: dict[str, Any],
                _loop: asyncio.AbstractEventLoop | None = None,
            ) -> None:
                super().__init__(config, server_state, {CONNECTIONS: server.connections}, _loop)

        config = Config(
            store.app, http=Counted, lifespan="off", log_level="critical", timeout_graceful_shutdown=1
        )
        running = uvicorn.Server(config)
        served = store.portal.start_task_soon(running.serve, [listener])
        try:
            yield server
        finally:
            running.should_exit = True
            served.result(PATIENCE)


def all_of(client: socket.socket) -> bytes:
    """Return everything up to the end of a connection, which the other side may break off."""
    received = b""
    try:
        while more := client.recv(65_536):
            received += more
    except ConnectionError:
        pass
    return received
