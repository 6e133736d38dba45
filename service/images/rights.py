"""Judge whether a picture may be shown, by what it says itself.

The image's row tells: `opens_at` until the picture may be shown, `expired_at` once it may not be shown any
longer. Both are written with the rights, and by the clock (`clock.py`) when the time has come. Documents say
the rest (`published/withdrawn.py`). So what is rendered never depends on the time of rendering.
"""

from collections.abc import Collection, Mapping
from datetime import datetime

from service.errors import Unprocessable
from service.images.models import Channel, Image, ImageContent, Metadata
from service.published.models import Reason
from service.tables import latest

RIGHTS = ("usable_from", "usable_until", "usable_in")


def check(content: ImageContent) -> None:
    """Refuse a licence that ends before it begins. Raises Unprocessable."""
    begins, ends = content.usable_from, content.usable_until
    if begins is not None and ends is not None and ends <= begins:
        raise Unprocessable.at("/usable_until", "must be later than usable_from")


def settle(image: Image) -> None:
    """Write into an image what its rights mean now."""
    at = latest()
    image.opens_at = image.usable_from if _is_before(at, image.usable_from) else None
    has_ended = image.usable_until is not None and image.usable_until <= at
    image.expired_at = (image.expired_at or image.usable_until) if has_ended else None
    image.is_off_web = is_off_web(image.usable_in)


def take_from_file(image: Image, before: Metadata) -> None:
    """Take the times that a picture says of itself, where nobody has written others. `before` is what its
    file before said.
    """
    was, said = times_of(before), times_of(image.kept_metadata)
    told = {name: said[name] for name in said if is_of_file(image, name, was[name])}
    times = {name: told.get(name, getattr(image, name)) for name in said}
    begins, ends = times["usable_from"], times["usable_until"]
    if begins is None or ends is None or begins < ends:
        for name, time in told.items():
            take(image, name, time)
    settle(image)


def times_of(metadata: Metadata) -> dict[str, datetime | None]:
    """Return the times that a picture says of itself."""
    return {name: _embedded_time(metadata, name) for name in ("usable_from", "usable_until")}


def know_of_file(image: Image, said: Mapping[str, object]) -> None:
    """Note which members of an image hold what its file says, unless that is known: a version that did not
    note it took every member for the file's that equals what the file says.
    """
    if image.of_file is None:
        image.of_file = sorted(
            name for name, value in said.items() if value is not None and value == getattr(image, name)
        )


def is_of_file(image: Image, name: str, before: object) -> bool:
    """Return whether a member is empty, or holds what the file before said and nobody else has said."""
    held = getattr(image, name)
    # A version that notes nothing may have written another value since.
    return held is None or (held == before and name in (image.of_file or ()))


def take(image: Image, name: str, said: object) -> None:
    """Write into an image what its file says, or says no more."""
    setattr(image, name, said)
    others = [each for each in image.of_file or () if each != name]
    image.of_file = others if said is None else sorted([*others, name])


def _embedded_time(metadata: Metadata, name: str) -> datetime | None:
    text = metadata.get(name)
    return datetime.fromisoformat(text) if isinstance(text, str) else None


def pass_time(image: Image, at: datetime) -> None:
    """Write into an image what the time has brought."""
    if image.opens_at is not None and image.opens_at <= at:
        image.opens_at = None
    if image.expired_at is None and image.usable_until is not None and image.usable_until <= at:
        image.expired_at = image.usable_until


def is_off_web(channels: Collection[Channel] | None) -> bool:
    """Return whether a picture is not for readers."""
    return channels is not None and Channel.WEB not in channels


def hidden(image: Image) -> tuple[Reason, str | None] | None:
    """Return why readers do not see an image, as its removal tells; None for one that they may see."""
    if image.withdrawn_at is not None:
        return Reason.WITHDRAWN, image.withdrawn_for or ""
    if image.expired_at is not None or image.is_off_web:
        return Reason.EXPIRED, None
    return (Reason.UNPUBLISHED, None) if image.opens_at is not None else None


def _is_before(at: datetime, time: datetime | None) -> bool:
    return time is not None and at < time
