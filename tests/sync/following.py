"""What a partner does: follow the feed in a loop, by pages, by waiting, or by a stream, and keep a copy."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import uvicorn
from anyio.from_thread import BlockingPortal
from starlette.types import ASGIApp

from tests.patience import PATIENCE

Entry = dict[str, Any]


@contextmanager
def listening(app: ASGIApp, portal: BlockingPortal, port: int = 0) -> Iterator[str]:
    """Serve an app, whose lifespan is somebody else's, on a port of the loopback interface; its address."""
    listener = socket.create_server(("127.0.0.1", port))
    server = uvicorn.Server(
        uvicorn.Config(app, lifespan="off", log_level="critical", timeout_graceful_shutdown=1)
    )
    served = portal.start_task_soon(server.serve, [listener])
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        served.result(PATIENCE)
        listener.close()


def page(client: httpx.Client, address: str) -> dict[str, Any]:
    """One page of the feed."""
    response = client.get(address)
    assert response.status_code == 200, response.text
    return response.json()


def follow(client: httpx.Client, address: str = "/v1/changes?limit=200") -> tuple[list[Entry], str]:
    """Everything up to now, and where to go on."""
    found: list[Entry] = []
    while True:
        read = page(client, address)
        found += read["items"]
        address = read["next"]
        if read["caught_up"]:
            return found, address


def now_at(client: httpx.Client, query: str = "") -> str:
    """Where the feed goes on after all that is there."""
    return follow(client, f"/v1/changes?limit=200{query}")[1]


def events(response: httpx.Response) -> Iterator[tuple[str, Entry | None]]:
    """The (id, entry) of each event of a stream; the entry is None where only the id moves on."""
    id_, data = "", None
    for line in response.iter_lines():
        if line.startswith("id: "):
            id_ = line[4:]
        elif line.startswith("data: "):
            data = json.loads(line[6:])
        elif not line and id_:
            yield id_, data
            data = None
