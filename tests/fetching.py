"""Fetch as the service does, from a website that tests serve on loopback."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.outbound.fetch import Fetched, Outbound
from tests.serving import settings_for
from tests.websites import Website, answer, website

PAGE = b"<!doctype html><p>Harbour open again."


@pytest.fixture
def site() -> Iterator[Website]:
    with website() as other:
        other.pages["/"] = answer(PAGE, "Content-Type: text/html; charset=utf-8")
        yield other


def outbound(*, loopback: bool = False, **settings: object) -> Outbound:
    known = {"outbound_deadline": 5, "outbound_max_bytes": 100_000, "outbound_allow_loopback": loopback}
    return Outbound(settings_for("sqlite:///unused", Path("unused"), **known | settings))


def fetch(url: str, accept: str = "*/*", **settings: object) -> Fetched:
    """Fetch from a website on loopback, as development allows."""
    return outbound(loopback=True, **settings).fetch(url, accept=accept)
