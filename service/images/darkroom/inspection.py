"""Describe a picture that has come in: its kind, whether all of it can be decoded, a placeholder, and its own
metadata.
"""

import base64
from typing import BinaryIO

from PIL import Image
from thumbhash import rgba_to_thumb_hash

from service.images.darkroom import taken
from service.images.darkroom.decoding import decode, in_srgb, is_sideways, on_white, upright
from service.images.darkroom.jobs import EmbeddedCaption, Inspect, Inspected, Metadata
from service.images.darkroom.metadata import Embedded
from service.images.darkroom.opening import Opened, open_picture
from service.images.darkroom.refusing import DAMAGE, refusing

SMALL = 32
"""Pixels of the longer side from which the placeholder is made. More cost time and change nothing that can be
seen.
"""


def inspect(file: BinaryIO, job: Inspect) -> Inspected:
    """Decode the whole of a file, scaled down where its decoder can, and describe it. Raises Refusal."""
    with refusing():
        open_picture(file, job.max_pixels).pixels.verify()
        # A verified picture is used up: it must be opened again to be decoded.
        opened = open_picture(file, job.max_pixels)
        width, height = opened.size
        lying = decode(opened, 4 * SMALL, 4 * SMALL)
        metadata, captions = _read_metadata(opened, job.charset)
        lying.thumbnail((SMALL, SMALL))
        small = in_srgb(upright(lying, opened.orientation), opened.profile)
        when = metadata.get("date_taken")
        size = (height, width) if is_sideways(opened.orientation) else (width, height)
        return Inspected(
            opened.content_type,
            *size,
            _placeholder(small),
            _dominant_color(small),
            taken.moment(when if isinstance(when, str) else None),
            metadata,
            captions,
        )


def _read_metadata(opened: Opened, charset: str) -> tuple[Metadata, list[EmbeddedCaption]]:
    """Return the metadata of the file. Metadata that breaks its reader is no reason to refuse a
    good picture.
    """
    try:
        embedded = Embedded(opened, charset)
        metadata = embedded.metadata()
        return metadata, embedded.captions(metadata)
    except DAMAGE:
        return {}, []


def _placeholder(small: Image.Image) -> str:
    """Return the ThumbHash, in base64: some twenty-five bytes that a page draws as a blurred picture."""
    # On white: thumbhash 0.1.2 fails with every picture that is transparent anywhere.
    values = list(on_white(small).convert("RGBA").tobytes())
    return base64.b64encode(bytes(rgba_to_thumb_hash(small.width, small.height, values))).decode()


def _dominant_color(small: Image.Image) -> str:
    """Return the colour of the largest of eight groups, as CSS writes it."""
    grouped = on_white(small).quantize(8)
    _, index = max(grouped.getcolors() or [(1, 0)])
    palette = grouped.getpalette() or [0, 0, 0]
    assert isinstance(index, int)
    red, green, blue = palette[3 * index : 3 * index + 3]
    return f"#{red:02x}{green:02x}{blue:02x}"
