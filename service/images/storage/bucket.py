"""Pictures in a bucket of an S3 store: Amazon's, or any that speaks its protocol.

Endpoint, region, path style and credentials come from `COPYDESK_S3_…`, and what is not set there from the
standard variables (`AWS_ENDPOINT_URL`, `AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`,
`AWS_SESSION_TOKEN`, the variables of web identities and of containers) or from the machine's own role. Needed
are s3:GetObject, s3:PutObject and s3:ListBucket; `copydesk media check --remove` needs s3:DeleteObject too.
"""

import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urlsplit

from fastapi import Response
from fastapi.responses import StreamingResponse
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import S3Store
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from service.images.storage.breaker import Breaker
from service.images.storage.keys import LEFT_BEHIND_AFTER, Kept, clear_drafts, key_of, unavailable
from service.settings import Settings

if TYPE_CHECKING:
    from obstore.store import ClientConfig, S3Config

ANSWERS_WITHIN = timedelta(seconds=5)
"""The time in which the store has to answer a short question."""
SILENCE = timedelta(seconds=5)
"""The longest pause of a download."""
PATIENCE = timedelta(seconds=30)
"""The time in which the store has to take in one picture."""
CONNECTING = timedelta(seconds=3)
RETRIES_FOR = timedelta(seconds=2)
"""For how long what fails at once is tried again: what fails slowly is not."""
CHUNK = 1 << 18
"""Bytes that are passed on at a time: so many, for each download, are in memory."""
FRESH = timedelta(seconds=LEFT_BEHIND_AFTER / 2)
ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
# One range, as browsers ask for it. All others are answered with the whole, as RFC 9110, 14.2 allows.
RANGE = re.compile(r"bytes=(?:(?P<first>\d{1,18})-(?P<last>\d{0,18})|-(?P<suffix>\d{1,18}))")


Missing = type[OSError] | tuple[()]
Reached = AbstractContextManager[None]


class BucketStore:
    """A bucket, or the part of it under a prefix."""

    def __init__(self, settings: Settings) -> None:
        self._store = _connect(settings, {"timeout": ANSWERS_WITHIN, "connect_timeout": CONNECTING})
        self._uploads = _connect(settings, {"timeout": PATIENCE, "connect_timeout": CONNECTING})
        # A download lasts as long as its reader takes; only the store's own silence ends it.
        self._downloads = _connect(
            settings,
            {"timeout": timedelta(hours=1), "read_timeout": SILENCE, "connect_timeout": CONNECTING},
        )
        self._probe = _connect(settings, {"timeout": timedelta(seconds=2)}, retries=0)
        self._breaker = Breaker(slow=CONNECTING / timedelta(seconds=1) / 2)

    def prepare(self) -> None:
        """Clear this machine of uploads that nobody writes any more."""
        clear_drafts(self.incoming())

    def probe(self) -> None:
        """See whether the bucket is there and lets itself be read. One request, which lists nothing."""
        with _reached():
            self._probe.list_with_delimiter("probe")
        self._breaker.close()

    def incoming(self) -> Path:
        """Return the machine's folder for temporary files, which `TMPDIR` names."""
        return Path(tempfile.gettempdir())

    def keep(self, file: Path, digest: str, rendition: str | None = None) -> None:
        """Put the file there unless there is one. The store checks what arrives by the SHA-256 in the
        signature.
        """
        key = key_of(digest, rendition)
        # A store that hangs is found by a short question, not by a picture on its way.
        since = self.since(key)
        with self._reached():
            if since is None:
                with suppress(AlreadyExistsError):
                    self._uploads.put(key, file, mode="create")
            elif datetime.now(UTC) - since > FRESH:
                self._uploads.put(key, file, use_multipart=False)
        file.unlink()

    def has(self, digest: str, rendition: str | None = None) -> bool:
        """Return whether the object is there."""
        return self.since(key_of(digest, rendition)) is not None

    def open(self, digest: str, rendition: str | None = None) -> BinaryIO:
        """Download the object into a temporary file without a name."""
        with ExitStack() as unless_whole, self._reached(missing=FileNotFoundError):
            file: BinaryIO = unless_whole.enter_context(tempfile.TemporaryFile())
            file.writelines(self._downloads.get(key_of(digest, rendition)).stream(CHUNK))
            file.seek(0)
            unless_whole.pop_all()
        return file

    def response(
        self, digest: str, content_type: str, headers: Mapping[str, str], rendition: str | None = None
    ) -> Response:
        """Pass the object on as it arrives, or the range of it that is asked for."""
        shown = {**headers, "Content-Type": content_type}
        return ObjectResponse(self._downloads, self._reached, key_of(digest, rendition), shown)

    def listed(self) -> Iterator[Kept]:
        """Yield every object under the prefix."""
        with _reached():
            for page in self._store.list(chunk_size=1000):
                yield from (Kept(found["path"], found["size"], found["last_modified"]) for found in page)

    def since(self, key: str) -> datetime | None:
        """Return when the object was last written."""
        with self._reached():
            try:
                return self._store.head(key)["last_modified"]
            except FileNotFoundError:
                return None

    def remove(self, key: str) -> None:
        """Delete the object."""
        with _reached():
            self._store.delete(key)

    @contextmanager
    def _reached(self, missing: Missing = ()) -> Iterator[None]:
        with self._breaker.guarding(), _reached(missing):
            yield


class ObjectResponse(Response):
    """An object as it arrives from the store, or one range of it (RFC 9110, 14). The store is asked when the
    answer is sent.
    """

    def __init__(
        self, store: S3Store, reached: Callable[[], Reached], key: str, headers: Mapping[str, str]
    ) -> None:
        super().__init__(headers={**headers, "Accept-Ranges": "bytes"})
        self._store = store
        self._reached = reached
        self._key = key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._reached():
            answer = await self._answer(scope["method"], Headers(scope=scope))
        await answer(scope, receive, send)

    async def _answer(self, method: str, asked: Headers) -> Response:
        kept = {name: value for name, value in self.headers.items() if name != "content-length"}
        ranged = RANGE.fullmatch(asked.get("range", ""))
        if ranged is not None and asked.get("if-range", self.headers.get("etag")) != self.headers.get("etag"):
            ranged = None
        if ranged is None and method != "HEAD":
            whole = await self._store.get_async(self._key)
            return StreamingResponse(
                whole.stream(CHUNK), headers={**kept, "Content-Length": str(whole.meta["size"])}
            )
        size = (await self._store.head_async(self._key))["size"]
        if ranged is None:
            return Response(headers={**kept, "Content-Length": str(size)})
        start, stop = _bounds(ranged, size)
        if start >= stop:
            return Response(status_code=416, headers={"Content-Range": f"bytes */{size}"})
        kept |= {"Content-Range": f"bytes {start}-{stop - 1}/{size}", "Content-Length": str(stop - start)}
        if method == "HEAD":
            return Response(status_code=206, headers=kept)
        part = await self._store.get_async(self._key, options={"range": (start, stop)})
        return StreamingResponse(part.stream(CHUNK), status_code=206, headers=kept)


def _bounds(ranged: re.Match[str], size: int) -> tuple[int, int]:
    """First byte, and the one after the last; nothing in between for a range that cannot be."""
    if ranged["suffix"]:
        return max(0, size - int(ranged["suffix"])), size
    return int(ranged["first"]), min(size, int(ranged["last"]) + 1) if ranged["last"] else size


@contextmanager
def _reached(missing: Missing = ()) -> Iterator[None]:
    """Raise MediaUnavailable for a fault of the store, which is no fault of the request. `missing` is let
    through.
    """
    try:
        yield
    except missing:
        raise
    except (BaseError, OSError) as fault:
        raise unavailable(fault) from fault


def _connect(settings: Settings, waiting: "ClientConfig", *, retries: int = 2) -> S3Store:
    place = urlsplit(settings.media_url)
    endpoint = settings.s3_endpoint or next(
        (os.environ[name] for name in ENDPOINTS if os.environ.get(name)), None
    )
    # Plain http only to an endpoint that was named so; what is given here replaces what the environment says
    # of it.
    allow_http = (endpoint or "").startswith("http://")
    return S3Store(
        place.netloc,
        prefix=place.path.strip("/") or None,
        config=_config(settings, endpoint, place.netloc),
        client_options={**waiting, "allow_http": allow_http},
        retry_config={"max_retries": retries, "retry_timeout": RETRIES_FOR},
    )


def _config(settings: Settings, endpoint: str | None, bucket: str) -> "S3Config":
    # Not every store can delete many objects at once, and here they are removed one by one.
    config: S3Config = {
        "virtual_hosted_style_request": not settings.s3_path_style,
        "disable_bulk_delete": True,
    }
    if endpoint is not None:
        scheme, _, host = endpoint.rstrip("/").partition("://")
        config["endpoint"] = f"{scheme}://{host}" if settings.s3_path_style else f"{scheme}://{bucket}.{host}"
    if settings.s3_region is not None:
        config["region"] = settings.s3_region
    if settings.s3_access_key_id is not None and settings.s3_secret_access_key is not None:
        config["access_key_id"] = settings.s3_access_key_id
        config["secret_access_key"] = settings.s3_secret_access_key.get_secret_value()
    return config
