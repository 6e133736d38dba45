"""Answers that clients do not take cost a bounded amount of memory, and nobody who takes theirs is cut for
them.
"""

import asyncio
from collections.abc import Callable, Coroutine

from starlette.types import Message

from service.edge.outflow import DROP, FIRST, LAST, PIECE, Outflow
from tests.edge.asking import scope_of

PIECES = 4
SIZE = FIRST + 2 * PIECE + LAST
ROOM = 3 * SIZE
Work = Callable[["Crowd"], Coroutine[None, None, None]]


class Crowd:
    """Clients of one outflow, each of which takes as many pieces as it likes."""

    def __init__(self) -> None:
        self.now = 0.0
        self.outflow = Outflow(ROOM, lambda: self.now)
        self.cut: list[str] = []
        self.statuses: dict[str, int] = {}
        self.taken: dict[str, bytes] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self._more: dict[str, asyncio.Semaphore] = {}

    async def ask(self, name: str, body: bytes, pieces: int) -> None:
        """Have a large answer sent to a client that takes so many pieces for now."""
        self._more[name], self.taken[name] = asyncio.Semaphore(pieces), b""

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.statuses[name] = message["status"]
                return
            if self.statuses[name] == 200:
                await self._more[name].acquire()
            self.taken[name] += message["body"]

        def drop() -> None:
            self.cut.append(name)
            self.take(name, 1)

        async def answer() -> None:
            bounded = self.outflow.bounded(scope_of("GET", "/", extensions={DROP: {"drop": drop}}), send)
            await bounded({"type": "http.response.start", "status": 200, "headers": []})
            await bounded({"type": "http.response.body", "body": body})

        self.tasks[name] = asyncio.create_task(answer())
        await self.settle()

    def take(self, name: str, pieces: int) -> None:
        for _ in range(pieces):
            self._more[name].release()

    async def settle(self) -> None:
        """Let all go on until each waits for its client."""
        for _ in range(20):
            await asyncio.sleep(0)

    def under_way(self) -> list[str]:
        return [name for name, task in self.tasks.items() if not task.done()]


def in_a_crowd(work: Work) -> None:
    async def run() -> None:
        crowd = Crowd()
        await work(crowd)
        for name in crowd.under_way():
            crowd.take(name, 99)
        await asyncio.gather(*crowd.tasks.values())
        assert crowd.outflow.bytes == 0

    asyncio.run(run())


def bodies(count: int) -> list[bytes]:
    return [bytes([number]) * SIZE for number in range(count)]


def test_a_large_answer_goes_out_by_pieces_and_whole() -> None:
    async def work(crowd: Crowd) -> None:
        body = bytes(range(256)) * (SIZE // 256) + b"the end"
        await crowd.ask("slow", body, 2)
        assert len(crowd.taken["slow"]) == FIRST + PIECE
        crowd.take("slow", PIECES)
        await crowd.settle()
        assert crowd.taken["slow"] == body

    in_a_crowd(work)


def test_who_takes_nothing_is_cut_for_others_and_who_takes_a_little_is_not() -> None:
    async def work(crowd: Crowd) -> None:
        first, *others = bodies(6)
        await crowd.ask("takes", first, 1)
        for name, body in zip("abcde", others, strict=True):
            await crowd.ask(name, body, 0)
            crowd.now += 1
            crowd.take("takes", 1 if name != "e" else 0)
            await crowd.settle()
            assert crowd.outflow.bytes <= ROOM
        assert crowd.cut == ["a", "b"]
        assert len(crowd.taken["takes"]) == SIZE

    in_a_crowd(work)


def test_when_all_are_busy_another_is_told_to_come_again() -> None:
    async def work(crowd: Crowd) -> None:
        for name, body in zip("abcd", bodies(4), strict=True):
            await crowd.ask(name, body, 0)
        assert (crowd.cut, crowd.statuses["d"]) == ([], 503)
        assert crowd.under_way() == ["a", "b", "c"]

    in_a_crowd(work)


def test_one_answer_that_is_sent_to_many_counts_once() -> None:
    async def work(crowd: Crowd) -> None:
        (shared,) = bodies(1)
        for number in range(50):
            await crowd.ask(f"{number}", shared, 0)
        assert (crowd.outflow.bytes, crowd.cut) == (SIZE, [])
        assert set(crowd.statuses.values()) == {200}

    in_a_crowd(work)
