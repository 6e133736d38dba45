"""Pictures and articles that the tests make themselves."""

import io
import itertools
from collections.abc import Iterator

import httpx
from PIL import ExifTags, Image
from starlette.types import Message

from service.images.storage import open_store
from tests.serving import Store

_colours = itertools.count(1)
TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "AVIF": "image/avif",
}


def picture(
    kind: str = "PNG", size: tuple[int, int] = (40, 30), colour: str = "teal", **saving: object
) -> bytes:
    """A picture of one colour."""
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, kind, **saving)
    return out.getvalue()


def sideways(size: tuple[int, int] = (40, 30)) -> bytes:
    """A JPEG as a camera on its side writes it."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    return picture("JPEG", size, exif=exif)


def noise(size: tuple[int, int]) -> bytes:
    """A PNG that does not compress."""
    out = io.BytesIO()
    Image.effect_noise(size, 100).save(out, "PNG")
    return out.getvalue()


def upload(
    client: httpx.Client, content: bytes | None = None, content_type: str = "image/png", **fields: str
) -> httpx.Response:
    """Send a picture alone as the body."""
    body = picture() if content is None else content
    return client.post("/v1/images", content=body, headers={"Content-Type": content_type}, params=fields)


def image_of(response: httpx.Response) -> dict:
    """What was read of an image, which must have been made or found."""
    assert response.status_code in (200, 201), response.text
    return response.json()


def make_image(client: httpx.Client, colour: str = "teal", **fields: str) -> dict:
    """An image with a file of its own colour."""
    return image_of(upload(client, picture(colour=colour), **fields))


def make_own_image(client: httpx.Client, **fields: str) -> dict:
    """An image whose picture no other test of a shared store has."""
    return make_image(client, f"#{next(_colours):06x}", **fields)


def href_of(image: dict, name: str = "original", ending: str = "jpg") -> str:
    """The address of one file of an image. All sizes, listed or not, have that of the first with their own
    name.
    """
    if name == "original":
        return image["renditions"][-1]["href"]
    first = image["renditions"][0]
    return first["href"].replace(f"/{first['name']}-", f"/{name}-").removesuffix("jpg") + ending


def opened(response: httpx.Response) -> Image.Image:
    """The picture that was sent, decoded."""
    assert response.status_code == 200, response.text
    decoded = Image.open(io.BytesIO(response.content))
    decoded.load()
    return decoded


def make_caption(
    client: httpx.Client, image: dict, text: str = "Boats in the harbour.", **fields: object
) -> dict:
    """A caption in English unless another language is asked for."""
    response = client.post(
        "/v1/captions", json={"image_id": image["id"], "language": "en", "text": text, **fields}
    )
    assert response.status_code == 201, response.text
    return response.json()


def make_article(client: httpx.Client, *images: dict, status: str = "published", **fields: object) -> dict:
    """An article that shows images."""
    body = [{"type": "image", "image_id": image["id"]} for image in images]
    response = client.post(
        "/v1/articles",
        json={"headline": "Harbour open again", "body": body, "status": status, "language": "en", **fields},
    )
    assert response.status_code == 201, response.text
    return response.json()


def change(client: httpx.Client, path: str, patch: dict) -> dict:
    """Patch whatever is there."""
    response = client.patch(path, json=patch, headers={"If-Match": "*"})
    assert response.status_code == 200, response.text
    return response.json()


def kept_files(store: Store) -> list[str]:
    """The digests of all originals in the media store, and the names of whatever else is there, half-written
    files too.
    """
    media = open_store(store.settings)
    drafts = [path.name for path in media.incoming().iterdir() if path.is_file()]
    return sorted([kept.key.removeprefix("originals/") for kept in media.listed()] + drafts)


def send_in_parts(
    store: Store, path: str, headers: dict[str, str], parts: Iterator[bytes], *, cut: bool = False
) -> int | None:
    """Send a POST part by part, and hang up before its end if asked to; the status of the answer, if one
    came.
    """
    status: int | None = None

    async def receive() -> Message:
        part = next(parts, None)
        if part is not None:
            return {"type": "http.request", "body": part, "more_body": True}
        return (
            {"type": "http.disconnect"} if cut else {"type": "http.request", "body": b"", "more_body": False}
        )

    async def send(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "scheme": "https",
        "server": ("copydesk.example", 443),
        "client": ("127.0.0.1", 1),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }
    store.portal.call(store.app, scope, receive, send)
    return status
