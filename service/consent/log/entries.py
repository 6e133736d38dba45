"""Freeze which members of an event are hashed into its leaf of the log: one list for each version of an
entry.

An event may get new members with every release, and its leaf can never be hashed again. So a list here never
changes: a new member makes a new version. An entry names its version as `v`; one without `v` is version 1.
"""

from collections.abc import Mapping

from pydantic import JsonValue
from pydantic.main import IncEx

from service.consent.log.merkle import leaf_hash
from service.consent.models import EventRead
from service.consent.signing import canonical

LogEntry = dict[str, JsonValue]
FIRST, CURRENT = 1, 2
"""The version without `v`, and the one that is sealed now. Know a new version one release before sealing it:
while two releases serve one store, the older exports what the newer has sealed.
"""
_MEMBERS_1: Mapping[str, IncEx | bool] = {
    **dict.fromkeys(
        (
            "event_id",
            "event_time",
            "client_event_time",
            "decided_at",
            "valid_until",
            "event_state",
            "action",
            "purposes",
            "notice_key",
            "notice_version",
            "notice_content_hash",
            "language",
            "ui_surface",
            "gpc",
            "country",
            "pseudonym",
            "previous_event_id",
        ),
        True,
    ),
    "purposes": {"__all__": {"purpose_key", "decision"}},
}
MEMBERS: dict[int, Mapping[str, IncEx | bool]] = {1: _MEMBERS_1, 2: {"v": True, **_MEMBERS_1}}
"""The members of each version, and the members inside them, as Pydantic's `include` names them."""


def entry_of(event: EventRead, version: int) -> LogEntry:
    """Return what of an event is hashed in a version."""
    entry: LogEntry = event.model_dump(mode="json", include=MEMBERS[version])
    return entry if version == FIRST else {**entry, "v": version}


def hash_of(entry: LogEntry) -> bytes:
    """Return the hash of an entry's leaf: of its canonical JSON (RFC 8785)."""
    return leaf_hash(canonical(entry))


def sealed_entry(event: EventRead, leaf: bytes) -> LogEntry:
    """Return the entry that a leaf's hash was made of.

    The hash itself tells the version: a column for it could be edited, and a release that does not know the
    column would leave it empty. Where no version has this hash, the event was edited after it was sealed:
    its entry is that of the current version, with which the leaf's hash does not agree.
    """
    versions = sorted(MEMBERS, reverse=True)
    entries = (entry_of(event, version) for version in versions)
    return next((one for one in entries if hash_of(one) == leaf), entry_of(event, CURRENT))


def version_of(entry: Mapping[str, JsonValue]) -> int | None:
    """Return the version that an entry names, or None where what it names cannot be one."""
    version = entry.get("v", FIRST)
    return version if isinstance(version, int) and not isinstance(version, bool) else None


def members_of(entry: Mapping[str, JsonValue]) -> frozenset[str]:
    """Return the members of the version that an entry names; none where that version is not known."""
    version = version_of(entry)
    return frozenset() if version is None else frozenset(MEMBERS.get(version, ()))
