"""The headers that keep a browser from doing more with an answer than it is for."""

from service.settings import Settings

Headers = list[tuple[bytes, bytes]]
_DEFAULT = {
    b"x-content-type-options": b"nosniff",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"referrer-policy": b"no-referrer",
}
"""For what is no page: data, feeds, files, refusals. A page says itself what it needs."""


class Safety:
    """The headers of safety that every answer of one service carries."""

    def __init__(self, settings: Settings) -> None:
        self._added = dict(_DEFAULT)
        if settings.hsts_seconds:
            self._added[b"strict-transport-security"] = b"max-age=%d" % settings.hsts_seconds

    def completed(self, headers: Headers) -> Headers:
        """Return headers with those of these that they lack."""
        known = {name.lower() for name, _ in headers}
        return headers + [pair for pair in self._added.items() if pair[0] not in known]
