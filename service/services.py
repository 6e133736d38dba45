"""Hold what one app is made of, each part by its type, so that an endpoint asks for a part and gets that
type.
"""

from typing import TypeVar, cast

from starlette.requests import HTTPConnection

Part = TypeVar("Part")


class Services:
    """The parts of one app. `main` adds every one of them before the first request."""

    def __init__(self) -> None:
        self._parts: dict[type, object] = {}

    def add(self, kind: type[Part], part: Part) -> Part:
        """Hold a part under its type, or under the protocol that it fulfils."""
        assert kind not in self._parts, kind
        self._parts[kind] = part
        return part

    def get(self, kind: type[Part]) -> Part:
        """Return the part of a type."""
        return cast("Part", self._parts[kind])


def service(request: HTTPConnection, kind: type[Part]) -> Part:
    """Return a part of the app that this request came to."""
    services: Services = request.app.state.services
    return services.get(kind)
