"""Uploads over a real connection to a real server, cut off midway: nothing of them stays."""

import socket
import struct
from pathlib import Path

import httpx
import pytest

from tests.commands import copydesk, served
from tests.images.pictures import noise
from tests.patience import PATIENCE, wait_until

HEAD = (
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
)


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_an_upload_cut_off_midway_leaves_nothing_behind(tmp_path: Path, reset: bool):
    copydesk(tmp_path, "migrate")
    token = copydesk(
        tmp_path, "token", "create", "--name", "camera", "--scope", "content:read", "--scope", "content:write"
    ).stdout.strip()
    content, media = noise((1200, 1000)), tmp_path / "var" / "media"
    with served(tmp_path, "serve", TMPDIR=str(tmp_path)) as (base, _):
        desk = httpx.Client(
            base_url=base, headers={"Authorization": f"Bearer {token}"}, trust_env=False, timeout=PATIENCE
        )
        whole = desk.post("/v1/images", content=noise((30, 30)), headers={"Content-Type": "image/png"}).json()
        before = files(tmp_path)
        for kind, body in (("image/png", content), ("multipart/form-data; boundary=b", HEAD + content)):
            for chunked in (False, True):
                cut_off(
                    base,
                    token,
                    kind,
                    body,
                    chunked=chunked,
                    reset=reset,
                    seen=lambda kind=kind: kind[0] == "m" or drafts(media) != [],
                )
        wait_until(lambda: files(tmp_path) == before)
        assert [image["id"] for image in desk.get("/v1/images").json()["items"]] == [whole["id"]]
        again = desk.post("/v1/images", content=content, headers={"Content-Type": "image/png"})
        assert again.status_code == 201
        desk.close()


def cut_off(base: str, token: str, kind: str, body: bytes, *, chunked: bool, reset: bool, seen) -> None:
    """Send half of what was announced, wait until the server has begun to write it down, and hang up."""
    host, port = base.removeprefix("http://").split(":")
    length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(body)}"
    head = f"POST /v1/images HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nContent-Type: {kind}\r\n{length}\r\n\r\n"
    half = body[: len(body) // 2]
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(head.encode() + (b"%x\r\n" % len(body) + half if chunked else half))
        wait_until(seen, "the server never began to write")
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def drafts(media: Path) -> list[str]:
    return [path.name for path in (media / "incoming").glob("*")]


def files(folder: Path) -> list[str]:
    """Every file but the database's own, which grow and go as it pleases."""
    return sorted(
        str(path) for path in folder.rglob("*") if path.is_file() and "copydesk.db" not in path.name
    )
