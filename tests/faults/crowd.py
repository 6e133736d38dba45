"""Many clients that write one article after the other beside a test."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import httpx


@contextmanager
def crowd(base: str, headers: Mapping[str, str], clients: int) -> Iterator[list[float]]:
    """Have so many clients write until the block ends. The list gets the seconds after which each refusal
    came.
    """
    ends, refused = Event(), list[float]()

    async def write(client: httpx.AsyncClient) -> None:
        while not ends.is_set():
            began = time.monotonic()
            answer = await client.post("/v1/articles", json={"headline": "Beside", "status": "published"})
            assert answer.status_code in (201, 503), answer.text
            if answer.status_code == 503:
                assert answer.headers["retry-after"]
                refused.append(time.monotonic() - began)
                await asyncio.sleep(1)

    async def main() -> None:
        limits = httpx.Limits(max_connections=clients)
        async with (
            httpx.AsyncClient(base_url=base, headers=headers, limits=limits, timeout=60) as client,
            asyncio.TaskGroup() as group,
        ):
            for _ in range(clients):
                group.create_task(write(client))

    with ThreadPoolExecutor(1) as beside:
        running = beside.submit(asyncio.run, main())
        try:
            yield refused
        finally:
            ends.set()
        running.result(timeout=120)
