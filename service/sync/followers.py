"""Limit how many followers wait for changes at once, in all and from one network."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from fastapi import Request

from service.errors import Unavailable
from service.http.proxies import Proxies, network_of
from service.services import service
from service.settings import Settings
from service.sync import stream

RETRY_AFTER = {"Retry-After": "10"}


class TooManyFollowers(Unavailable):
    """As many streams and waiting requests are open as this service, or one network, may have. `Retry-After`
    says when to ask again; a request without `wait` is answered at once.
    """

    title = "Too many followers"


class Followers:
    """Count the followers that wait for changes in this process."""

    def __init__(self, settings: Settings) -> None:
        self._most = settings.followers
        self._most_per_network = settings.followers_per_address
        self._proxies = Proxies(settings)
        self._count = 0
        self._networks: Counter[bytes] = Counter()

    @contextmanager
    def one_more(self, request: Request) -> Iterator[None]:
        """Count one more for as long as the block lasts. Raises TooManyFollowers."""
        network = network_of(self._proxies.caller(request))
        if self._count >= self._most:
            raise TooManyFollowers("Too many follow the changes of this service.", headers=RETRY_AFTER)
        if self._networks[network] >= self._most_per_network:
            raise TooManyFollowers(
                f"One network may have {self._most_per_network} streams and waiting requests.",
                headers=RETRY_AFTER,
            )
        self._count += 1
        self._networks[network] += 1
        try:
            yield
        finally:
            self._count -= 1
            self._networks[network] -= 1
            if not self._networks[network]:
                del self._networks[network]


def is_streamed(request: Request) -> bool:
    """Return whether a request asks for a stream."""
    return request.url.path == stream.ADDRESS or request.headers.get("accept") == stream.MEDIA_TYPE


async def count_follower(request: Request) -> AsyncIterator[None]:
    """Count a request that streams or waits until its answer has been sent."""
    if is_streamed(request) or "wait" in request.query_params:
        with service(request, Followers).one_more(request):
            yield
    else:
        yield
