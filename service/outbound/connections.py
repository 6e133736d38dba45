"""Connect to checked addresses only, and never past a deadline.

Names are resolved here, all their addresses are checked, and the connection is made to a checked address, not
to the name, because a second look-up could answer otherwise.
"""

import socket
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import httpcore
import httpx

from service.errors import ServiceError
from service.outbound.addresses import AddressRefused, is_website, resolve

# getaddrinfo knows no deadline, so a resolver is waited for from outside; at most this many slow name servers
# are borne at once.
RESOLVERS = ThreadPoolExecutor(max_workers=16, thread_name_prefix="resolve")


class FetchFailed(ServiceError):
    """The other side could not be reached or understood, or answered with an error; `source_status` is then
    its HTTP status.
    """

    status, title = 502, "The other side failed"


class SourceTooSlow(FetchFailed):
    """The other side did not answer completely in time."""

    status, title = 504, "The other side took too long"


def left(ends: float) -> float:
    """Return seconds until a moment of the monotonic clock, always above zero. Raises SourceTooSlow when
    there are none.
    """
    if (seconds := ends - time.monotonic()) > 0:
        return seconds
    raise SourceTooSlow("The other side did not answer completely in time.")


class TimedStream(httpcore.NetworkStream):
    """A connection on which each wait ends at the deadline, so that a drip of single bytes does not prolong
    it.
    """

    def __init__(self, inner: httpcore.NetworkStream, ends: float) -> None:
        self._inner, self._ends = inner, ends

    def read(self, max_bytes: int, timeout: object = None) -> bytes:
        return self._inner.read(max_bytes, left(self._ends))

    def write(self, buffer: bytes, timeout: object = None) -> None:
        self._inner.write(buffer, left(self._ends))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: object = None
    ) -> "TimedStream":
        return TimedStream(self._inner.start_tls(ssl_context, server_hostname, left(self._ends)), self._ends)

    def get_extra_info(self, info: str) -> object:
        return self._inner.get_extra_info(info)


class PinnedBackend(httpcore.NetworkBackend):
    """Connects to checked addresses only. A host is refused altogether when one of its addresses is.
    `allow_all` is for an address that the operator names, who may mean a private one.
    """

    def __init__(self, ends: float, *, allow_loopback: bool, allow_all: bool = False) -> None:
        self._inner, self._ends = httpcore.SyncBackend(), ends
        self._allow_loopback, self._allow_all = allow_loopback, allow_all

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: object = None,
        local_address: object = None,
        socket_options: object = None,
    ) -> TimedStream:
        addresses = self._checked(host, port)[:4]
        failure: httpcore.ConnectError | httpcore.ConnectTimeout = httpcore.ConnectError("it has no address")
        for still, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
            try:
                return TimedStream(
                    self._inner.connect_tcp(address, port, left(self._ends) / still), self._ends
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    def _checked(self, host: str, port: int) -> list[str]:
        asked = RESOLVERS.submit(resolve, host, port)
        try:
            addresses = asked.result(left(self._ends))
        except TimeoutError as error:
            asked.cancel()
            raise SourceTooSlow(f"The name {host} was not resolved in time.") from error
        except socket.gaierror as error:
            raise FetchFailed(f"There is no host {host}.") from error
        if self._allow_all or all(
            is_website(address, allow_loopback=self._allow_loopback) for address in addresses
        ):
            return addresses
        raise AddressRefused(f"{host} is not on the public internet.")


@cache
def tls() -> ssl.SSLContext:
    """Return the certificate authorities that are believed: Mozilla's, whatever the environment names.
    Reading them takes time, so once.
    """
    return httpx.create_ssl_context(trust_env=False)


class PinnedTransport(httpx.HTTPTransport):
    """httpx takes no network backend as an argument, so its pool is replaced. A test fails when that no
    longer works.
    """

    def __init__(self, backend: PinnedBackend) -> None:
        super().__init__(verify=tls(), trust_env=False)
        self._pool = httpcore.ConnectionPool(ssl_context=tls(), network_backend=backend)
