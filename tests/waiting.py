"""Wait for what is bound to happen, with a deadline that a busy machine keeps too."""

import time
from collections.abc import Callable


def soon(holds: Callable[[], bool], seconds: float = 30) -> bool:
    """Whether something holds before the time is over."""
    ends = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > ends:
            return False
        time.sleep(0.05)
    return True
