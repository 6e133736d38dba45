"""Read a page beside the service. A large one is read in a process of its own, because one search through a
long text keeps all threads of a process waiting, and a strange page may take minutes.
"""

import json
import os
import pickle
import subprocess
import sys

from service.errors import Unavailable, Unprocessable
from service.newspages import NotAnArticle, Page
from service.newspages.received import Received, read

LARGE = 65_536
"""Bytes from which on a page is read apart: to start a process takes as long as to read some pages."""
SECONDS, MEMORY = 10, 1 << 30
"""The seconds of the processor and the bytes of memory that a page may take."""


class TooHardToRead(Unprocessable):
    """Reading the page takes more memory or time than this service gives to a page."""

    title = "The page takes too much to read"


def read_apart(received: Received) -> Page:
    """Read a page. Raises NotAnArticle, TooHardToRead, and Unavailable when no process could be started."""
    if len(received.content) < LARGE:
        return read(received)
    said = {"is_text": received.is_text, "url": received.url, "charset": received.charset}
    # The service's environment holds secrets, which nobody needs in order to read a page.
    environment = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        ended = subprocess.run(  # noqa: S603  # this interpreter, and a module of ours
            [sys.executable, "-S", "-s", "-m", "service.newspages", str(MEMORY), str(SECONDS)],
            input=json.dumps(said).encode() + b"\n" + received.content,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd="/",
            timeout=2 * SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _too_hard() from None
    except OSError as fault:
        raise Unavailable("No process could be started.", headers={"Retry-After": "10"}) from fault
    if ended.returncode != 0:
        raise _too_hard()
    answer = pickle.loads(ended.stdout)  # noqa: S301  # written by our own process, from dataclasses
    if isinstance(answer, NotAnArticle):
        raise answer
    assert isinstance(answer, Page)
    return answer


def _too_hard() -> TooHardToRead:
    return TooHardToRead(f"Reading the page takes more than {SECONDS} seconds or {MEMORY >> 20} MB.")
