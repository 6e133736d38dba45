"""Decide which addresses this service connects to: public ones only, whatever a URL or a name server says.

A URL that an editor hands in is a request that this service makes from within its own network (server-side
request forgery, CWE-918). Not recognised: a NAT64 prefix of an operator's own, because it looks public.
"""

import re
import socket
from ipaddress import ip_address, ip_network

import httpx

from service.errors import ServiceError

# Beside the ranges that `is_global` knows: protocol assignments, 6to4 relays, the agent of Azure's machines;
# of IPv6 all but 2000::/3 (so mapped, compatible, NAT64, local), and of that protocols (Teredo, ORCHID,
# benchmarks), documentation, 6to4 and the returned 6bone.
CLOSED_4 = ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32")
CLOSED_6 = "::/3 4000::/2 8000::/1 2001::/23 2001:db8::/32 2002::/16 3ffe::/16 3fff::/20".split()
CLOSED = tuple(ip_network(net) for net in (*CLOSED_4, *CLOSED_6))


def _ports(listed: str) -> frozenset[int]:
    return frozenset(int(port) for port in listed.split())


# News is served on 80, 443, or a port of an application above 1023. Closed are databases, caches, queues and
# remote control, which answer HTTP or take harm from a line of it, and the ports that browsers refuse (WHATWG
# Fetch, "bad port").
DATABASES = _ports(
    "1433 1521 3306 5432 5984 6379 7474 7687 8086 9042 9160 9200 9300 11211 26379 27017 28015 50000"
)
SERVICES = _ports(
    "1883 2181 2375 2376 2379 2380 3389 4222 5672 5900 5985 5986 6443 8500 9092 10250 10255 15672"
)
BAD_PORTS = _ports(
    "1719 1720 1723 2049 3659 4045 4190 5060 5061 6000 6566 6665 6666 6667 6668 6669 6679 6697 10080"
)
CLOSED_PORTS = frozenset(range(1024)) - {80, 443} | DATABASES | SERVICES | BAD_PORTS
HOST = re.compile(r"(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}|[0-9a-f:.]*:[0-9a-f:.]*")


class AddressRefused(ServiceError):
    """The address is not one that this service fetches: not http or https, with credentials, or not on the
    public internet.
    """

    status, title = 422, "This address is not fetched"


def is_website(address: str, *, allow_loopback: bool = False) -> bool:
    """Return whether this IP address may be connected to."""
    ip = ip_address(address)
    if ip.is_loopback:
        return allow_loopback
    return ip.is_global and not ip.is_multicast and not any(ip in net for net in CLOSED)


def resolve(host: str, port: int) -> list[str]:
    """Ask the system for all addresses of a host, which may itself be an address in any notation. Raises
    socket.gaierror.
    """
    return list(
        dict.fromkeys(
            str(found[4][0]) for found in socket.getaddrinfo(host.encode(), port, type=socket.SOCK_STREAM)
        )
    )


def refuse_closed_literal(place: httpx.URL, *, allow_loopback: bool) -> None:
    """Refuse a host that is a closed IP address itself, in any notation. No name is resolved. Raises
    AddressRefused.
    """
    try:
        found = socket.getaddrinfo(place.raw_host.decode("ascii"), None, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        return  # a name, which may be another's address when it is asked for
    if not all(is_website(str(address[4][0]), allow_loopback=allow_loopback) for address in found):
        raise AddressRefused(f"{place.host} is not on the public internet.")


def checked(url: str | httpx.URL, *, before: httpx.URL | None = None) -> httpx.URL:
    """Refuse URLs that are not fetched, before any name is resolved; `before` is what redirects here. Raises
    AddressRefused.
    """
    try:
        place = httpx.URL(url)
        # httpx decodes xn-- only when it is asked for the name.
        name, host = place.host, place.raw_host.decode("ascii").removesuffix(".")
    except (httpx.InvalidURL, UnicodeError) as error:
        raise AddressRefused(f"Not a URL: {error}") from error
    port = {"http": 80, "https": 443}.get(place.scheme, 0) if place.port is None else place.port
    if place.scheme not in {"http", "https"} or place.userinfo or not name or not HOST.fullmatch(host):
        raise AddressRefused(
            "Only http and https URLs of hosts on the public internet are fetched, and without credentials."
        )
    if port in CLOSED_PORTS or port > 65535:  # which the system would take modulo 65536: 65558 is 22
        raise AddressRefused(f"Nothing is fetched from port {port}.")
    if before is not None and (before.scheme, place.scheme) == ("https", "http"):
        raise AddressRefused(f"{before.host} redirects from https to http.")
    return place.copy_with(host=host)
