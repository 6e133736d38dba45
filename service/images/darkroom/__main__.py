"""One darkroom: a process that takes a job as a line of JSON, does it within its memory, and answers with a
line of JSON.

It is started with the number of bytes that it may take, serves until its input ends, and is killed when a job
takes too long. Whoever makes it fail has made one process fail that holds no secret, no connection and no
other picture.
"""

import json
import os
import resource
import sys
from dataclasses import asdict
from typing import BinaryIO

from PIL import Image

from service.images.darkroom.inspection import inspect
from service.images.darkroom.jobs import (
    Develop,
    Developed,
    Inspect,
    Inspected,
    Print,
    Refusal,
    Refused,
    Rights,
)
from service.images.darkroom.printing import develop

READY = b"ready\n"
LARGEST_FILE = 1 << 28
"""Bytes that a process may write into one file."""
_OPEN_FILES = 32


def main() -> None:
    """Serve jobs until standard input ends."""
    # Nothing that a decoder prints may stand between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    Image.init()
    _limit(int(sys.argv[1]))
    # Said before the first job, whose time begins when somebody is there to do it.
    answers.write(READY)
    answers.flush()
    for line in sys.stdin.buffer:
        _answer(answers, line)


def _limit(memory: int) -> None:
    for kind, value in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, LARGEST_FILE),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (value, value))


def _answer(answers: BinaryIO, line: bytes) -> None:
    try:
        result = asdict(_do(json.loads(line)))
    except Refusal as refusal:
        result = {"refused": asdict(Refused(refusal.reason, refusal.detail))}
    except MemoryError:
        result = {
            "refused": asdict(Refused("memory", "The picture takes more memory than a picture is given."))
        }
    answers.write(json.dumps(result).encode() + b"\n")
    answers.flush()


def _do(job: dict[str, object]) -> Inspected | Developed:
    match job:
        case {"job": "inspect", "path": str(path), "max_pixels": int(most)}:
            return inspect(Inspect(path, most))
        case {
            "job": "develop",
            "path": str(path),
            "max_pixels": int(most),
            "prints": list(prints),
            "rights": dict(rights),
        }:
            return develop(Develop(path, most, [Print(**each) for each in prints], Rights(**rights)))
    raise ValueError(f"no such job: {job}")


if __name__ == "__main__":
    main()
