"""One darkroom: a process that takes a job as a line of JSON with the open files that it is about, does it
within its memory, and answers with a line of JSON.

It is started with the number of bytes that it may take, says which walls of its sandbox the kernel lacks,
serves until its input ends, and is killed when a job takes too long. A file that takes it over has taken a
process that holds no secret, no connection and no other picture, and that can open nothing.
"""

import codecs
import io
import json
import os
import resource
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from typing import BinaryIO

from PIL import Image

from service.images.darkroom import sandbox
from service.images.darkroom.inspection import inspect
from service.images.darkroom.jobs import (
    LOCKED,
    Develop,
    Developed,
    Inspect,
    Inspected,
    Print,
    Refusal,
    Refused,
    Rights,
)
from service.images.darkroom.opening import memory
from service.images.darkroom.printing import develop

LARGEST_FILE = 1 << 28
"""Bytes that a process may write into one file."""
MOST_FILES = 200
"""Files that may come with one job. The kernel passes 253 at a time."""
_CHUNK = 1 << 16


def main() -> None:
    """Serve jobs until standard input, a socket, ends."""
    # Nothing that a decoder prints may stand between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    jobs = socket.socket(fileno=0)
    most_memory, charset, *words = sys.argv[1:]
    _limit(int(most_memory))
    _rehearse(charset)
    lacks = sandbox.lock() if LOCKED in words else []
    # The service waits for this line, so that the time of the first job begins when it can be done.
    _say(answers, lacks)
    for line, files in _received(jobs):
        with ExitStack() as stack:
            opened = [stack.enter_context(each) for each in files]
            _say(answers, _answer(line, opened))


def _limit(most_memory: int) -> None:
    for kind, value in (
        (resource.RLIMIT_AS, most_memory),
        (resource.RLIMIT_FSIZE, LARGEST_FILE),
        (resource.RLIMIT_NOFILE, MOST_FILES + 20),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (value, value))
    memory()


def _rehearse(charset: str) -> None:
    """Do one job of each kind, so that every module and table is loaded while files can still be opened."""
    codecs.lookup(charset)
    for format_ in ("JPEG", "PNG", "WEBP", "GIF", "AVIF"):
        source = io.BytesIO()
        Image.new("RGB", (2, 2)).save(source, format_, exif=Image.Exif())
        inspect(source, Inspect(4))
        prints = [Print(ending, 2, 2) for ending in ("jpg", "webp", "avif")]
        develop(source, [io.BytesIO() for _ in prints], Develop(4, prints, Rights(("-",), "-", "-", "-")))


def _received(jobs: socket.socket) -> Iterator[tuple[bytes, list[BinaryIO]]]:
    """Receive jobs one by one. Each is answered before the next is sent, so that no part of another follows
    it.
    """
    while True:
        job, descriptors, _, _ = socket.recv_fds(jobs, _CHUNK, MOST_FILES)
        line = bytearray(job)
        while line and not line.endswith(b"\n"):
            more, late, _, _ = socket.recv_fds(jobs, _CHUNK, MOST_FILES)
            line += more or b"\n"
            descriptors += late
        if not line:
            return
        # The first file is read, and the rest are written.
        yield bytes(line), [os.fdopen(each, "wb" if at else "rb") for at, each in enumerate(descriptors)]


def _say(answers: BinaryIO, said: object) -> None:
    answers.write(json.dumps(said).encode() + b"\n")
    answers.flush()


def _answer(line: bytes, files: Sequence[BinaryIO]) -> dict[str, object]:
    try:
        return asdict(_do(json.loads(line), files))
    except Refusal as refusal:
        refused = Refused(refusal.reason, refusal.detail)
    except MemoryError:
        refused = Refused("memory", "The picture takes more memory than a picture is given.")
    return {"refused": asdict(refused)}


def _do(job: dict[str, object], files: Sequence[BinaryIO]) -> Inspected | Developed:
    match job:
        case {"job": "inspect", "max_pixels": int(most), "charset": str(charset)}:
            return inspect(files[0], Inspect(most, charset))
        case {"job": "develop", "max_pixels": int(most), "prints": list(prints), "rights": dict(rights)}:
            wanted = Develop(most, [Print(**each) for each in prints], Rights(**rights))
            return develop(files[0], files[1:], wanted)
    raise ValueError(f"no such job: {job}")


if __name__ == "__main__":
    main()
