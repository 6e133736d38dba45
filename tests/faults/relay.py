"""A network between a service and its database that can be parted. What was sent meanwhile arrives
afterwards, as TCP has it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import anyio
from anyio.abc import SocketAttribute, SocketStream
from anyio.from_thread import BlockingPortal, start_blocking_portal


class Relay:
    """Carries bytes between whoever connects to `port` and a server on this machine."""

    def __init__(self, portal: BlockingPortal, server_port: int) -> None:
        self.port = 0
        self._portal = portal
        self._server_port = server_port
        self._whole = anyio.Event()

    async def run(self, *, task_status: anyio.abc.TaskStatus[None]) -> None:
        """Carry until cancelled."""
        self._whole.set()
        async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
            self.port = listener.extra(SocketAttribute.local_port)
            task_status.started()
            await listener.serve(self._connect)

    @contextmanager
    def parted(self) -> Iterator[None]:
        """Let nothing pass: connections stay open, and new ones are never answered."""
        self._whole = anyio.Event()
        try:
            yield
        finally:
            self._portal.call(self._whole.set)

    async def _connect(self, client: SocketStream) -> None:
        await self._whole.wait()
        async with (
            client,
            await anyio.connect_tcp("127.0.0.1", self._server_port) as server,
            anyio.create_task_group() as group,
        ):
            group.start_soon(self._carry, client, server)
            await self._carry(server, client)
            group.cancel_scope.cancel()

    async def _carry(self, source: SocketStream, sink: SocketStream) -> None:
        try:
            async for data in source:
                await self._whole.wait()
                await sink.send(data)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            pass
        finally:
            with anyio.CancelScope(shield=True):
                await sink.aclose()


@contextmanager
def relay(server_port: int) -> Iterator[Relay]:
    """A network to a server, for as long as the block lasts."""
    with start_blocking_portal() as portal:
        made = Relay(portal, server_port)
        carrying, _ = portal.start_task(made.run)
        try:
            yield made
        finally:
            carrying.cancel()
