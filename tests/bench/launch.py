"""Serves Copydesk or the bare app with one worker: `python -m tests.bench.launch serve|uvicorn|granian PORT`.

`serve` is what `copydesk serve` does, with whatever server that takes; the bare app is put in the place of the service's own.
Each server is imported where it is used: memory is measured too.
"""

import os
import sys

from tests.bench import bare

BARE = bare.ANSWER in os.environ
if BARE and sys.argv[1] == "serve":
    # Not below the guard: a server that starts its worker afresh imports this module again and must find the bare app too.
    import service.main

    service.main.app_from_environment = bare.app


def serve(port: int) -> None:
    """As `copydesk serve` does."""
    from service import server
    from service.settings import Settings

    server.serve(Settings(), "127.0.0.1", port)


def with_uvicorn(port: int) -> None:
    """uvicorn with its fastest parts."""
    import uvicorn

    uvicorn.run(
        _target(), factory=True, host="127.0.0.1", port=port, loop="uvloop", http="httptools", access_log=False, log_level="warning",
        server_header=False, proxy_headers=False, lifespan="on",
    )  # fmt: skip


def with_granian(port: int) -> None:
    """Granian: the protocol in Rust, the app in a worker process with uvloop."""
    from granian import Granian
    from granian.constants import Interfaces, Loops

    Granian(
        _target(), address="127.0.0.1", port=port, interface=Interfaces.ASGI, workers=1, loop=Loops.uvloop, factory=True,
        log_access=False, websockets=False,
    ).serve()  # fmt: skip


def _target() -> str:
    return "tests.bench.bare:app" if BARE else "service.main:app_from_environment"


if __name__ == "__main__":
    {"serve": serve, "uvicorn": with_uvicorn, "granian": with_granian}[sys.argv[1]](int(sys.argv[2]))
