"""Ask the store that the operator names, over connections that stay open."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import httpx

from service import __version__
from service.outbound.connections import FetchFailed, SourceTooSlow, tls
from service.settings import Settings

MOST_BYTES = 256 * 1024 * 1024
"""Bytes of one answer: two hundred of the largest articles."""
CONNECT = 5.0


@dataclass(frozen=True, slots=True)
class Told:
    """An answer of the origin."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Origin:
    """A client of one store, whose address a setting names. It may be private, as the operator knows. Nothing
    is followed elsewhere: a token is shown to this address alone.
    """

    def __init__(self, settings: Settings) -> None:
        assert settings.mirror_of is not None
        self.address = settings.mirror_of
        self._deadline = settings.outbound_deadline
        headers = {"User-Agent": f"Copydesk/{__version__} mirror", "Accept-Encoding": "gzip"}
        if settings.mirror_token is not None:
            headers["Authorization"] = f"Bearer {settings.mirror_token.get_secret_value()}"
        self._client = httpx.AsyncClient(
            base_url=self.address,
            headers=headers,
            transport=httpx.AsyncHTTPTransport(verify=tls(), trust_env=False),
            follow_redirects=False,
            trust_env=False,
        )

    async def get(self, path: str, *, within: float | None = None, accept: str = "application/json") -> Told:
        """Get an answer, whatever its status, within some seconds or the deadline of all that goes out.
        Raises FetchFailed and SourceTooSlow.
        """
        seconds = self._deadline if within is None else within
        ends = time.monotonic() + seconds
        timeout = httpx.Timeout(seconds, connect=min(CONNECT, seconds))
        try:
            async with self._client.stream(
                "GET", path, timeout=timeout, headers={"Accept": accept}
            ) as response:
                body = bytearray()
                async for part in response.aiter_bytes():
                    body += part
                    if len(body) > MOST_BYTES or time.monotonic() > ends:
                        raise SourceTooSlow(f"{self.address} did not answer completely in time.")
                return Told(response.status_code, response.headers, bytes(body))
        except httpx.TimeoutException as error:
            raise SourceTooSlow(f"{self.address} did not answer in time.") from error
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise FetchFailed(f"{self.address} could not be reached: {error!r}") from error

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
