"""One request tries a store that has hung, and the others are refused until it knows."""

import pytest

from service.images.storage import MediaUnavailable
from service.images.storage.breaker import HOLDS, Breaker


class Hanging:
    """A store that takes two seconds to fail, or fails at once, behind a breaker."""

    def __init__(self) -> None:
        self.at = 0.0
        self.tries = 0
        self.breaker = Breaker(slow=1.0, clock=lambda: self.at)

    def ask(self, takes: float = 2.0, *, meanwhile: int = 0) -> None:
        with self.breaker.guarding():
            self.tries += 1
            for _ in range(meanwhile):
                with pytest.raises(MediaUnavailable):
                    self.ask()
            self.at += takes
            raise MediaUnavailable


def test_who_comes_after_a_slow_failure_is_refused_and_one_tries_after_a_pause() -> None:
    store = Hanging()
    for takes, tries in ((0.0, 1), (0.0, 2), (2.0, 3), (2.0, 3)):
        with pytest.raises(MediaUnavailable):
            store.ask(takes)
        assert store.tries == tries
    for tries in (4, 5):
        store.at += HOLDS
        with pytest.raises(MediaUnavailable):
            store.ask(meanwhile=5)
        assert store.tries == tries
    store.at += HOLDS
    with store.breaker.guarding():
        pass
    with pytest.raises(MediaUnavailable):
        store.ask()
    assert store.tries == 6
