"""Remember, in memory alone, how many requests a network has sent, and which browser has just decided.

Nothing that is remembered leads back to anybody: every key is a hash with a salt that changes every day.
"""

import hashlib
import time
from datetime import date

from service.http.proxies import network_of
from service.sharing import KEY_SIZE, Table, shared_key
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
    """A salt that changes every day, the same in all processes that serve together."""

    def __init__(self) -> None:
        self._key = shared_key()
        self._salt = b""
        self._day = date.min

    def digest(self, value: bytes) -> bytes:
        """Return a hash under the key of today. After the day nobody can compute it again, or lead it back to
        its value.
        """
        today = now().date()
        if today != self._day:
            # What was noted under another salt is never found again, and makes room for newer rows.
            self._salt = hashlib.blake2b(today.isoformat().encode(), key=self._key, digest_size=16).digest()
            self._day = today
        return hashlib.blake2b(value, key=self._salt, digest_size=KEY_SIZE).digest()


class Limiter:
    """A token bucket for each network: `per_minute` at once, and filled again in a minute.

    Processes that serve together have one bucket for a network.
    """

    def __init__(self, name: str, per_minute: int) -> None:
        self.per_minute = per_minute
        self._buckets = Table(name, MOST_NETWORKS)
        self._let_in = Table(f"{name}-retries", MOST_RETRIES)
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
        bucket, at = self._salt.digest(caller), time.monotonic()
        retry = None if request is None else self._salt.digest(request)
        with self._buckets.held():
            cost = RETRY_COST if retry is not None and self._let_in.get(retry) else 1.0
            tokens, since = self._buckets.get(bucket) or (float(self.per_minute), at)
            tokens = min(self.per_minute, tokens + (at - since) * self.per_minute / 60)
            wait = max(0.0, (cost - tokens) * 60 / self.per_minute)
            self._buckets.put(bucket, tokens if wait else tokens - cost, at)
            if retry is not None and not wait:
                self._let_in.put(retry, 0.0, at)
        return wait


class Presses:
    """The browsers that decided without a cookie in the last seconds, at any of the processes that serve
    together.
    """

    def __init__(self) -> None:
        self._pressed = Table("presses", MOST_PRESSES)
        self._salt = _Salt()

    def note(self, browser: bytes) -> bool:
        """Note that a browser decides now, and return whether it has just done so before."""
        key, at = self._salt.digest(browser), time.monotonic()
        with self._pressed.held():
            before = self._pressed.get(key)
            self._pressed.put(key, 0.0, at)
        return before is not None and at - before[1] < PRESSED_AGAIN

    def forget(self, browser: bytes) -> None:
        """Forget a browser whose decision was not recorded."""
        with self._pressed.held():
            self._pressed.remove(self._salt.digest(browser))
