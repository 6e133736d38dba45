"""Stub until the real one lands."""

from dataclasses import dataclass

from service.errors import Unavailable
from service.settings import Settings


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came."""

    url: str
    content_type: str
    charset: str | None
    body: bytes


class Outbound:
    """Stub."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def fetch(self, url: str, *, accept: str) -> Fetched:
        """Stub."""
        raise Unavailable("not yet")
