"""Calculate how long an answer may be cached: never past the end of a right that it depends on."""

from collections.abc import MutableMapping
from datetime import datetime
from typing import Any

STALE_IF_ERROR = 86_400
"""Seconds for which caches may answer while this service cannot."""
UNTIL = "copydesk.until"
"""The place in an ASGI scope in which the wire cache finds until when an answer is good, in seconds since
1970 by the store's clock.
"""

AGAIN = "copydesk.again"
"""The place in an ASGI scope for the time from which an answer is made anew, because it could show something
new. It is still correct then. In seconds since 1970 by the store's clock.
"""


def make_again(scope: MutableMapping[str, Any], time: datetime) -> None:
    """Have the wire cache make the answer to a request anew from a time on. Caches in front may keep it as
    usual.
    """
    scope[AGAIN] = time.timestamp()


def keep_until(scope: MutableMapping[str, Any], time: datetime | None) -> None:
    """Let no cache keep the answer to a request beyond a time, even if nothing changes."""
    if time is not None:
        scope[UNTIL] = min(scope.get(UNTIL, time.timestamp()), time.timestamp())


def earliest(*times: datetime | None) -> datetime | None:
    """Return the earliest of some times; None stands for no time."""
    return min((time for time in times if time is not None), default=None)


def control(max_age: int, stale: int, left: float | None = None) -> str:
    """Return a public Cache-Control. No age in it is longer than the seconds that are left."""
    most = float("inf") if left is None else max(0.0, left)
    age = int(min(max_age, most))
    while_revalidating, if_error = (int(min(each, most - age)) for each in (stale, STALE_IF_ERROR))
    return f"public, max-age={age}, stale-while-revalidate={while_revalidating}, stale-if-error={if_error}"
