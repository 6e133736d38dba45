"""Judge whether a picture may be shown, by what it says itself.

The image's row tells: `opens_at` until the picture may be shown, `expired_at` once it may not be shown any
longer. Both are written with the rights, and by the clock (`clock.py`) when the time has come. Documents say
the rest (`published/withdrawn.py`). So what is rendered never depends on the time of rendering.
"""

from collections.abc import Collection
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
    known = {name: _embedded_time(image.kept_metadata, name) for name in ("usable_from", "usable_until")}
    times = {
        name: said if getattr(image, name) in (None, _embedded_time(before, name)) else getattr(image, name)
        for name, said in known.items()
    }
    begins, ends = times["usable_from"], times["usable_until"]
    if begins is None or ends is None or begins < ends:
        image.usable_from, image.usable_until = begins, ends
    settle(image)


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
