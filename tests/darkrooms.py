"""Darkrooms of the stores of a test process, forked from one that has loaded what they load.

Starting Python and importing what decodes pictures takes 0.3 s of CPU, which hundreds of tests would each
wait for. The forked process runs the whole of `service.images.darkroom`, in its sandbox and within its
limits. Tests of starting and ending a darkroom ask for the fixture `cold_darkrooms`.
"""

import os
import socket
import sys
from functools import cache
from pathlib import Path

from tests.commands import Forked, pipe, start_warm
from tests.warm import Request


class WarmDarkroom(Forked):
    """A darkroom that was forked, in place of the `subprocess.Popen` of one that was started."""

    def __init__(self, limits: list[str], jobs: socket.socket) -> None:
        self.stdout, answers = pipe()
        with answers, Path(os.devnull).open("wb") as nothing:
            streams = [jobs.fileno(), answers.fileno(), nothing.fileno()]
            super().__init__(_warm(), Request(tuple(limits), "/", {}), streams)
        self._open.push(self.stdout)


@cache
def _warm() -> socket.socket:
    return start_warm([sys.executable, "-s", "-m", "tests.warm"], "darkroom")
