"""A name server of the tests' own, and the way to public addresses."""

import socket

from tests.websites import Website

PUBLIC = "93.184.215.14"


class Names:
    """A name server of the tests' own, and the way to public addresses, all of which lead to one website on
    loopback.
    """

    def __init__(self, site: Website) -> None:
        self.known: dict[str, list[list[str]]] = {}
        self.asked: list[str] = []
        self.connected: list[str] = []
        self._site = site
        self._ask, self._connect = socket.getaddrinfo, socket.create_connection

    def answer(self, host: str | bytes, port: int, *args: object, **options: object) -> list:
        name = host.decode() if isinstance(host, bytes) else host
        self.asked.append(name)
        answers = self.known.get(name)
        if answers is None:
            return self._ask(host, port, *args, **options)
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [found for address in addresses for found in self._ask(address, port, *args, **options)]

    def connect(self, place: tuple[str, int], *args: object, **options: object) -> socket.socket:
        self.connected.append(place[0])
        return self._connect(("127.0.0.1", self._site.port), *args, **options)
