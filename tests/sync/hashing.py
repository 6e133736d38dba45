"""Prove a copy equal as a partner does: hash it, and find the numbers that differ."""

import hashlib
import json
from typing import Any

import httpx

from tests.patience import wait_until
from tests.sync.following import follow

SPAN = 1_000
Copy = dict[str, tuple[int, str]]
"""The number and the line of each resource of a partner's copy."""


def line(entry: dict[str, Any]) -> str:
    """The line of an entry of the feed."""
    data = json.dumps(entry["data"], separators=(",", ":"), ensure_ascii=False).encode()
    etag = f"{entry['version']}-{hashlib.blake2b(data, digest_size=9).hexdigest()}"
    return f"{entry['seq']} {entry['kind']} {entry['id']} {entry['version']} {etag}\n"


def copied(client: httpx.Client) -> Copy:
    """A copy of all that is public, made by following the feed."""
    copy: Copy = {}
    for entry in follow(client)[0]:
        if entry["op"] == "put":
            copy[entry["id"]] = (entry["seq"], line(entry))
        else:
            copy.pop(entry["id"], None)
    return copy


def digest_of(copy: Copy, first: int, last: int) -> str:
    """The hash of a range of a copy."""
    if last - first < SPAN:
        return _sha256(said for seq, said in sorted(copy.values()) if first <= seq <= last)
    lines: dict[int, list[str]] = {}
    for seq, said in sorted(copy.values()):
        if first <= seq <= last:
            lines.setdefault((seq - 1) // SPAN, []).append(said)
    spans = range((first - 1) // SPAN, (last - 1) // SPAN + 1)
    return _sha256(f"{_sha256(lines.get(span, ()))}\n" for span in spans)


def _sha256(texts: Any) -> str:
    return hashlib.sha256("".join(texts).encode()).hexdigest()


def asked(client: httpx.Client, first: int, last: int | None) -> dict[str, Any]:
    """The store's hashes of a range, once it has them."""
    query = {"from": first} | ({"to": last} if last else {})
    response = client.get("/v1/changes/digest", params=query)
    if response.status_code == 503:
        assert response.json()["type"] == "/problems/not-hashed-yet"
        assert response.headers["retry-after"] == "1"
        wait_until(lambda: client.get("/v1/changes/digest", params=query).status_code == 200)
        response = client.get("/v1/changes/digest", params=query)
    assert response.status_code == 200, response.text
    told: dict[str, Any] = response.json()
    assert len(told["parts"]) <= 16
    return told


def differences(
    client: httpx.Client, copy: Copy, first: int = 1, last: int | None = None
) -> tuple[set[int], int]:
    """The numbers under which a copy differs from the store, and how many answers it took to find them."""
    found, answers = set(), 0
    ranges = [(first, last)]
    while ranges:
        told = asked(client, *ranges.pop())
        answers += 1
        for part in told["parts"]:
            if part["digest"] == digest_of(copy, part["first"], part["last"]):
                continue
            if part["first"] == part["last"]:
                found.add(part["first"])
            else:
                ranges.append((part["first"], part["last"]))
    return found, answers
