"""The HTTP server that carries the app, and how it ends: SIGTERM lets requests under way finish."""

import errno
import gc
import os
import resource
import signal
import socket
from types import FrameType

import uvicorn
from pydantic import JsonValue
from uvicorn.supervisors import Multiprocess

from service.alone import serving_alone
from service.images.lab import require_sandbox
from service.main import create_api
from service.settings import Settings
from service.sharing import together

KEPT_ALIVE = 75
"""Seconds that a connection stays open without a request: longer than at a proxy in front, which would else
send a request while this end closes.
"""


class CannotListen(RuntimeError):
    """The address is another program's, or is none of this machine's."""


def listen(host: str, port: int) -> socket.socket:
    """Take the address that will be served; connections are refused until it is. Raises CannotListen."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as failure:
        listener.close()
        if failure.errno == errno.EADDRINUSE:
            raise CannotListen(
                f"Port {port} of {host} is taken by another program. Choose a free one with --port."
            ) from None
        raise CannotListen(f"Cannot listen on port {port} of {host}: {failure.strerror}.") from None
    # The processes that serve inherit it.
    listener.set_inheritable(True)
    return listener


def serve(settings: Settings, listener: socket.socket) -> None:
    """Serve until told to stop; being told with SIGTERM is a good end, exit status 0. What keeps it from
    serving is 1.
    """
    # uvicorn raises the signal again, once requests under way have been answered.
    signal.signal(signal.SIGTERM, _end_well)
    if settings.environment == "development" and "public_url" not in settings.model_fields_set:
        # The app reads the environment, in processes of its own when there are several.
        os.environ["COPYDESK_PUBLIC_URL"] = address_of(listener)
    require_sandbox(settings)
    _open_many_files()
    gc.enable()
    try:
        with serving_alone(settings), together(settings.workers):
            _run(settings, listener)
    except SystemExit as end:
        raise SystemExit(1 if end.code else 0) from None


def _run(settings: Settings, listener: socket.socket) -> None:
    config = uvicorn.Config(
        "service.main:app_from_environment",
        factory=True,
        loop="uvloop",
        http="service.edge.connections:Connection",
        ws="none",
        access_log=False,
        log_level="warning",
        timeout_keep_alive=KEPT_ALIVE,
        timeout_graceful_shutdown=settings.shutdown_grace,
        workers=settings.workers,
        server_header=False,
        proxy_headers=False,
        lifespan="on",
    )
    if settings.workers > 1:
        Workers(config, sockets=[listener]).run()
        return
    server = uvicorn.Server(config)
    server.run(sockets=[listener])
    if not server.started:
        raise SystemExit(1)


class Workers(Multiprocess):
    """Several serving processes, which share a socket."""

    def terminate_all(self) -> None:
        """Tell all to end. The socket is closed once the last of them closes it: this process would else go
        on taking connections that nobody answers.
        """
        super().terminate_all()
        for listener in self.sockets:
            listener.close()


def _open_many_files() -> None:
    """Take as many descriptors as the machine allows, because each connection is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def address_of(listener: socket.socket) -> str:
    """Return where a browser on this machine finds what listens here."""
    host, port = listener.getsockname()[:2]
    name = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104  # compared with, not bound to
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def _end_well(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def openapi(settings: Settings) -> dict[str, JsonValue]:
    """Return the OpenAPI document."""
    return create_api(settings).openapi()
