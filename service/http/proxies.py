"""Tell from which address a request comes, looking behind the proxies that the settings trust,
nearest first.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import structlog
from starlette.requests import HTTPConnection

from service.settings import Settings

log = structlog.get_logger()
NETWORK = 7
"""Bytes of an IPv6 address that are counted as one caller, and of IPv4 all. Behind one IPv4 address a carrier
puts thousands of readers, and its next addresses have thousands more: a wider prefix would refuse a crowd. Of
IPv6, one customer has 256 networks or more to change between.
"""


def read_address(value: str) -> IPv4Address | IPv6Address | None:
    """Return an address, or None if the text is none. An IPv4 address in the form of IPv6 becomes IPv4."""
    try:
        address = ip_address(value.strip())
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def network_of(value: str) -> bytes:
    """Return the part of an address that is counted as one caller; empty if the text is no address."""
    address = read_address(value)
    if address is None:
        return b""
    return address.packed if isinstance(address, IPv4Address) else address.packed[:NETWORK]


class Proxies:
    """The proxies of one running service."""

    def __init__(self, settings: Settings) -> None:
        self._has_warned = False
        self._networks = [ip_network(proxy, strict=False) for proxy in settings.trusted_proxies]

    def trusts(self, value: str) -> bool:
        """Return whether an address is a trusted proxy's."""
        address = read_address(value)
        return address is not None and any(address in network for network in self._networks)

    def caller(self, request: HTTPConnection) -> str:
        """Return the address that a request comes from."""
        address = request.client.host if request.client is not None else ""
        forwarded = list(_parts(request.headers.getlist("x-forwarded-for")))
        if forwarded and not self._has_warned and not self.trusts(address):
            self._has_warned = True
            # Any client can pretend to be a proxy: its address, which may be a reader's, is not logged.
            log.warning(
                "a request was forwarded by an address that COPYDESK_TRUSTED_PROXIES does not name: all"
                " readers behind such a proxy share one limit"
            )
        while forwarded and self.trusts(address):
            address = forwarded.pop()
        return address


def _parts(lines: Iterable[str]) -> Iterable[str]:
    return (part for line in lines for part in line.split(","))
