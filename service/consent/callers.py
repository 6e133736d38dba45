"""Remember callers for as long as it matters, in memory alone: how much a network sends, and which browser has
just decided.

Nothing that is remembered leads back to anybody: every key is a hash with a salt that changes every day.
"""

import hashlib
import secrets
import time
from collections import OrderedDict
from datetime import date

from service.proxies import network_of
from service.tables import now

MOST_NETWORKS = 100_000
MOST_RETRIES = 20_000
RETRY_COST = 0.1
"""A retry of a decision that was let in already costs a tenth: a client that lost its answer must not be
turned away.
"""
MOST_PRESSES = 20_000
PRESSED_AGAIN = 5.0
"""Seconds in which a second press of a button is taken for the same reader's: the answer to the first, with
the cookie, was on its way. The longer they are, the more readers behind one address are taken for one.
"""


class _Salt:
    """A salt that changes every day."""

    def __init__(self) -> None:
        self._salt, self._day = b"", date.min

    def changes(self) -> bool:
        """Change the salt if it is of an earlier day, and return whether it was."""
        today = now().date()
        if today == self._day:
            return False
        self._salt, self._day = secrets.token_bytes(16), today
        return True

    def digest(self, value: bytes) -> bytes:
        return hashlib.blake2b(value, key=self._salt, digest_size=12).digest()


class Limiter:
    """A token bucket for each network: `per_minute` at once, and filled again in a minute."""

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self._buckets: OrderedDict[bytes, tuple[float, float]] = OrderedDict()
        self._let_in: OrderedDict[bytes, None] = OrderedDict()
        self._salt = _Salt()

    def charge(self, address: str, request: bytes | None = None) -> float:
        """Take a request from its network's bucket. Return 0, or the seconds until there is room for it.

        `request` is the same for every retry of one request, and None where a retry cannot be told from
        another request.
        """
        return self._charge(network_of(address), request)

    def charge_reader(self, secret: str) -> float:
        """Take a request from the bucket of one reader's own."""
        return self._charge(b"reader " + secret.encode(), None)

    def _charge(self, caller: bytes, request: bytes | None) -> float:
        if self._salt.changes():
            self._buckets.clear()
            self._let_in.clear()
        bucket, at = self._salt.digest(caller), time.monotonic()
        retry = None if request is None else self._salt.digest(request)
        cost = RETRY_COST if retry in self._let_in else 1.0
        tokens, since = self._buckets.pop(bucket, (float(self.per_minute), at))
        tokens = min(self.per_minute, tokens + (at - since) * self.per_minute / 60)
        wait = max(0.0, (cost - tokens) * 60 / self.per_minute)
        self._buckets[bucket] = (tokens if wait else tokens - cost, at)
        if retry is not None and not wait:
            self._let_in[retry] = None
        self._forget_oldest()
        return wait

    def _forget_oldest(self) -> None:
        if len(self._buckets) > MOST_NETWORKS:
            self._buckets.popitem(last=False)
        if len(self._let_in) > MOST_RETRIES:
            self._let_in.popitem(last=False)


class Presses:
    """The browsers that decided without a cookie in the last seconds."""

    def __init__(self) -> None:
        self._pressed: OrderedDict[bytes, float] = OrderedDict()
        self._salt = _Salt()

    def note(self, browser: bytes) -> bool:
        """Note that a browser decides now, and return whether it has just done so before."""
        if self._salt.changes():
            self._pressed.clear()
        key, at = self._salt.digest(browser), time.monotonic()
        before = self._pressed.pop(key, None)
        self._pressed[key] = at
        if len(self._pressed) > MOST_PRESSES:
            self._pressed.popitem(last=False)
        return before is not None and at - before < PRESSED_AGAIN

    def forget(self, browser: bytes) -> None:
        """Forget a browser whose decision was not recorded."""
        self._pressed.pop(self._salt.digest(browser), None)
