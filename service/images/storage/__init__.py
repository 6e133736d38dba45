"""Stores of the bytes of pictures: under their own SHA-256, durably, written before the row that names them.

`file:` keeps them in a folder of this machine, `s3://` in a bucket; both hold the same keys:

    originals/<digest>            a picture as it came; <digest> is its SHA-256 in hex
    renditions/<digest>/<name>    what was made of that picture, by a name that says everything that went into
    it

What is under a key never changes: the same bytes are the same original, and a rendition that would look
different has another name. Bytes that no row names, because the transaction after them failed, do no harm and
serve the next upload of the same picture; `check` finds them.
"""

from service.images.storage.bucket import BucketStore
from service.images.storage.folder import FolderStore
from service.images.storage.keys import EXTENSIONS, MediaFull, MediaStore, MediaUnavailable, original_name
from service.settings import Settings

__all__ = [
    "EXTENSIONS",
    "BucketStore",
    "FolderStore",
    "MediaFull",
    "MediaStore",
    "MediaUnavailable",
    "open_store",
    "original_name",
]


def open_store(settings: Settings) -> MediaStore:
    """Return the store that the settings name. Nothing is asked of it yet."""
    return (
        BucketStore(settings)
        if settings.media_url.startswith("s3://")
        else FolderStore(settings.media_directory)
    )
