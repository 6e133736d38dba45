"""Ask one question for all keys that requests ask for within one turn of the event loop.

A statement to another process costs the one that asks it several times what its rows cost. Thousands of
readers who ask at once for what is not in memory are therefore answered with one statement for a few of them.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from functools import partial
from typing import Generic, TypeVar

from service.faults import DATABASE_FAULTS, Fault, fault_of

Question = TypeVar("Question", bound=Hashable)
Key = TypeVar("Key")
Found = TypeVar("Found")
_Places = list[tuple[Key, asyncio.Future[Found]]]


class Together(Generic[Question, Key, Found]):
    """The keys of each question that wait for the next turn. `ask` returns what it has found for every key
    that it was given.
    """

    def __init__(self, ask: Callable[[Question, Sequence[Key]], Awaitable[Mapping[Key, Found]]]) -> None:
        self._ask = ask
        self._waiting: dict[Question, _Places[Key, Found]] = {}
        self._asking: set[asyncio.Task[Mapping[Key, Found]]] = set()

    async def find(self, question: Question, key: Key) -> Found:
        """Return what a question finds for a key. Raises what asking raises."""
        places = self._waiting.get(question)
        if places is None:
            places = self._waiting[question] = []
            self._begin(question, places)
        place: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
        places.append((key, place))
        return await place

    def _begin(self, question: Question, places: _Places[Key, Found]) -> None:
        # In a task of its own, so that no request that ends early takes the answer from the others.
        asking = asyncio.create_task(self._read(question, places))
        self._asking.add(asking)
        asking.add_done_callback(partial(self._hand_out, question, places))

    async def _read(self, question: Question, places: _Places[Key, Found]) -> Mapping[Key, Found]:
        if self._waiting.get(question) is places:
            del self._waiting[question]
        return await self._ask(question, [key for key, _ in places])

    def _hand_out(
        self, question: Question, places: _Places[Key, Found], asking: asyncio.Task[Mapping[Key, Found]]
    ) -> None:
        self._asking.discard(asking)
        fault = asyncio.CancelledError() if asking.cancelled() else asking.exception()
        if fault is not None and len(places) > 1 and _may_be_one_keys(fault):
            # The fault of one key is not the answer to the others.
            for each in places:
                self._begin(question, [each])
            return
        for key, place in places:
            if place.done():
                continue
            if asking.cancelled():
                place.cancel()
            elif fault is not None:
                place.set_exception(fault)
            else:
                place.set_result(asking.result()[key])


def _may_be_one_keys(fault: BaseException) -> bool:
    if isinstance(fault, DATABASE_FAULTS):
        return fault_of(fault) in (Fault.VALUE, Fault.BUG)
    return isinstance(fault, Exception)
