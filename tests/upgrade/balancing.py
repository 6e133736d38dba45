"""Spread requests over the processes that serve one store, as a load balancer does."""

import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx


class Balancer:
    """Sends each request to one of the processes in service, and counts what they answer.

    `faults` are answers of 500 and above, connections that broke, and what a client found to be wrong.
    """

    def __init__(self) -> None:
        self.faults: list[str] = []
        self._answers: Counter[str] = Counter()
        self._in_service: dict[str, httpx.Client] = {}
        self._under_way: Counter[str] = Counter()
        self._changed = threading.Condition()

    def take_in(self, name: str, client: httpx.Client) -> None:
        """Send requests to this process too, from now on."""
        with self._changed:
            self._in_service[name] = client

    def drain(self, name: str) -> None:
        """Send no more requests to a process; return when it has answered those under way."""
        with self._changed:
            del self._in_service[name]
            assert self._changed.wait_for(lambda: not self._under_way[name], timeout=60)

    def send(self, method: str, address: str, token: str | None = None, **request: Any) -> httpx.Response:
        """Send one request, and follow where it is sent on to. Any fault fails the client."""
        headers = request.pop("headers", {}) | ({"Authorization": f"Bearer {token}"} if token else {})
        for _ in range(20):
            response = self._send_once(method, address, headers, request)
            if response.status_code not in (307, 308):
                return response
            address = response.headers["location"]
        raise AssertionError(f"{method} {address} is sent on again and again")

    def _send_once(
        self, method: str, address: str, headers: dict[str, str], request: dict[str, Any]
    ) -> httpx.Response:
        with self._chosen() as (name, client):
            response = client.request(method, address, headers=headers, **request)
        with self._changed:
            self._answers[name] += 1
            self._changed.notify_all()
        if response.status_code >= 500:
            raise AssertionError(
                f"{name}: {method} {address} is {response.status_code} {response.text[:300]}"
            )
        return response

    @contextmanager
    def _chosen(self) -> Iterator[tuple[str, httpx.Client]]:
        with self._changed:
            name, client = random.choice(list(self._in_service.items()))
            self._under_way[name] += 1
        try:
            yield name, client
        finally:
            with self._changed:
                self._under_way[name] -= 1
                self._changed.notify_all()

    def fail(self, fault: str) -> None:
        """Take down what went wrong."""
        with self._changed:
            self.faults.append(fault)
            self._changed.notify_all()

    @property
    def answered(self) -> int:
        """Count the answers so far."""
        return self._answers.total()

    def wait_for_answers(self, each: int) -> None:
        """Wait until every process in service has given so many more answers, or something has gone wrong."""

        def done() -> bool:
            return bool(self.faults) or all(self._answers[name] >= until[name] for name in self._in_service)

        with self._changed:
            until = {name: self._answers[name] + each for name in self._in_service}
            assert self._changed.wait_for(done, timeout=120)
        assert self.faults == []
