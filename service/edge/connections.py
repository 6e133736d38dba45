"""Bound what one connection takes, and how many one network has open: uvicorn's HTTP protocol, with an end to
everything.

A head is short and comes soon, a body does not stall, and a client that takes nothing of its answer is cut.
"""

import asyncio
import resource
import socket
from collections import Counter
from typing import Any

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from service.edge.logs import new_request_id
from service.edge.outflow import DROP
from service.ending import Ending
from service.errors import PROBLEM, BadRequest, HeadTooLarge, ServiceError, TooSlow, Unavailable
from service.http.proxies import Proxies, network_of
from service.settings import Settings

LARGEST_HEAD = 32_768
MOST_PIPELINED = 16
"""Requests that one connection may send ahead of their answers. Each costs two kilobytes."""
UNSENT = 65_536
"""Bytes of an answer that the kernel takes beyond what it can send."""
HEAD_WITHIN, STALLS_FOR, LINGERS_FOR = 10.0, 30.0, 2.0
"""Seconds: until a head is there; without a byte of a body, or taken of an answer; for a client to read why
it was refused.
"""
ENDS_WITHIN = 0.5
"""Seconds for which an idle connection stays open after the server has been told to stop."""
LOOK_EVERY = 1.0
SPARE_FILES = 200
"""Descriptors that connections leave to the database, to files and to other hosts."""
CONNECTIONS = "copydesk.connections"
"""The place in the state of a lifespan in which the server's connections find their `Connections`."""


class TooManyConnections(Unavailable):
    """This service has as many connections open as it can, or as one network may have. `Retry-After` says
    when to try again.
    """

    title = "Too many connections"


class Connections:
    """The open connections of one process.

    A timer for each would cost more than a look at all of them together, once a second.
    """

    def __init__(self, settings: Settings, ending: Ending) -> None:
        self.ending = ending
        self._most = min(settings.connections, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - SPARE_FILES)
        self._most_per_network = settings.connections_per_address
        self._proxies = Proxies(settings)
        self._open: dict[Connection, bytes] = {}
        self._networks: Counter[bytes] = Counter()

    def __len__(self) -> int:
        return len(self._open)

    def come(self, connection: "Connection", address: str) -> ServiceError | None:
        """Note a new connection, and return why it is refused."""
        network = network_of(address)
        is_one_too_many = self._networks[network] >= self._most_per_network and not self._proxies.trusts(
            address
        )
        self._open[connection] = network
        self._networks[network] += 1
        if is_one_too_many:
            return TooManyConnections(
                f"One network may have {self._most_per_network} connections.", headers={"Retry-After": "10"}
            )
        if len(self._open) > self._most:
            return TooManyConnections(
                "All connections of this service are taken.", headers={"Retry-After": "10"}
            )
        return None

    def go(self, connection: "Connection") -> None:
        """Forget a connection that has ended."""
        network = self._open.pop(connection)
        self._networks[network] -= 1
        if not self._networks[network]:
            del self._networks[network]

    def untaken(self) -> int:
        """Return how many bytes of answers wait in this process for their clients."""
        return sum(connection.transport.get_write_buffer_size() for connection in self._open)

    async def step(self) -> float:
        """Look at all connections; return the seconds until the next look."""
        self.look(asyncio.get_running_loop().time())
        return LOOK_EVERY

    def look(self, now: float) -> None:
        """End the connections that take too long, at a time of the event loop's clock."""
        for connection in list(self._open):
            connection.look(now)


class Connection(HttpToolsProtocol):
    """One connection of a client."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._all: Connections = app_state[CONNECTIONS]
        self._reads_head = True
        self._head_size = self._fed = self._untaken = 0
        self._framing = 0
        """Bytes that came since something of a body did: lengths of chunks, what they are said to extend,
        trailers.
        """
        self._head_since: float | None = self.loop.time()
        self._heard_at = self._taken_at = self.loop.time()
        self._refused_at: float | None = None
        self._ends_at: float | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(transport)
        # Each write that the kernel does not take in whole makes its sender wait.
        transport.set_write_buffer_limits(high=0)
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):
            transport.get_extra_info("socket").setsockopt(
                socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT
            )
        refused = self._all.come(self, self.client[0] if self.client is not None else "")
        if refused is not None:
            self._refuse(refused)

    def connection_lost(self, exc: Exception | None) -> None:
        self._all.go(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._reads_head and self._head_since is None:
            self._head_since = self.loop.time()
        self._heard_at = self.loop.time()
        while self._refused_at is None and self._reads_head and len(data) > LARGEST_HEAD - self._head_size:
            part, data = data[: LARGEST_HEAD - self._head_size], data[LARGEST_HEAD - self._head_size :]
            self._feed(part)
            if self._reads_head and self._head_size >= LARGEST_HEAD:
                self._refuse(HeadTooLarge(f"The head of a request has at most {LARGEST_HEAD} bytes."))
        if self._refused_at is None:
            self._feed(data)

    def _feed(self, data: bytes) -> None:
        self._fed = len(data)
        self._framing += len(data)
        super().data_received(data)
        self._head_size += len(data)
        if self._refused_at is None and not self._reads_head and self._framing > LARGEST_HEAD:
            self._refuse(HeadTooLarge(f"A body has at most {LARGEST_HEAD} bytes in its trailers."))

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {DROP: {"drop": self.transport.abort}}

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._reads_head:
            super().on_header(name, value)
        # A trailer is left out: a header that comes once its request is under way must not be one of it.

    def on_body(self, body: bytes) -> None:
        self._framing = 0
        super().on_body(body)

    def on_headers_complete(self) -> None:
        if len(self.pipeline) >= MOST_PIPELINED:
            raise httptools.HttpParserError("too many requests ahead of their answers")
        self._refuse_ambiguous()
        self._reads_head, self._head_since, self._framing = False, None, 0
        super().on_headers_complete()
        if self._all.ending.is_told:
            # So that a proxy sends nothing more on this connection by the time that it closes.
            self.cycle.keep_alive = False

    def _refuse_ambiguous(self) -> None:
        """Refuse what a proxy in front may read in another way: RFC 9112, 3.2 and 6.1."""
        codings = [value.lower() for name, value in self.headers if name == b"transfer-encoding"]
        is_old = self.parser.get_http_version() != "1.1"
        if codings and (is_old or codings != [b"chunked"]):
            raise httptools.HttpParserError("a body whose length programs read differently")
        if not is_old and all(name != b"host" for name, _ in self.headers):
            raise httptools.HttpParserError("no Host")

    def on_message_complete(self) -> None:
        super().on_message_complete()
        # The rest of these bytes belongs to the next head, and is not counted.
        self._reads_head, self._head_size = True, -self._fed

    def shutdown(self) -> None:
        """Close once what is under way has been answered, a request that a proxy has just sent among it."""
        if self.cycle is None or self.cycle.response_complete:
            self._ends_at = self.loop.time() + ENDS_WITHIN
        else:
            super().shutdown()

    def send_400_response(self, msg: str) -> None:
        self._refuse(BadRequest(msg))

    def look(self, now: float) -> None:
        """End what takes too long."""
        untaken = self.transport.get_write_buffer_size()
        if not untaken or untaken < self._untaken:
            self._taken_at = now
        self._untaken = untaken
        if self._refused_at is not None:
            if now - self._refused_at > LINGERS_FOR:
                self.transport.abort()
        elif now - self._taken_at > STALLS_FOR:
            self.transport.abort()
        elif self._ends_at is not None and now > self._ends_at:
            super().shutdown()
        elif self.flow.read_paused:
            # The client does not take its answer, so this end reads nothing: that is not the body's delay.
            self._heard_at = now
        elif self._reads_head:
            if self._head_since is not None and now - self._head_since > HEAD_WITHIN:
                self._refuse(TooSlow("The head of a request must be there within 10 seconds."))
        elif now - self._heard_at > STALLS_FOR and self.cycle.more_body:
            self._refuse(TooSlow("Nothing of the body has come for 30 seconds."))

    def _refuse(self, error: ServiceError) -> None:
        """Answer in place of the app, and end. What else comes is read, because a close with unread bytes
        would have the client lose the answer.
        """
        self._refused_at = self.loop.time()
        self._unset_keepalive_if_required()
        if self.transport.is_closing():
            return
        is_answering = self.cycle is not None and not self.cycle.response_complete
        if is_answering and (self.cycle.response_started or self._reads_head):
            self.transport.abort()
            return
        if is_answering:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.write(_written(error))
        self.transport.write_eof()


def _written(error: ServiceError) -> bytes:
    """Write a refusal out as a whole answer."""
    body = error.problem("")
    headers = {
        "Content-Type": PROBLEM,
        "Content-Length": str(len(body)),
        "Cache-Control": "no-store",
        "Connection": "close",
        "X-Request-ID": new_request_id().decode(),
        **error.headers,
    }
    lines = "".join(f"{name.lower()}: {value}\r\n" for name, value in headers.items())
    return STATUS_LINE[error.status] + lines.encode() + b"\r\n" + body
