"""Run `copydesk` in a process that is forked from a warm one: the `./run` of pasted commands.

Starting Python and importing the service takes two seconds of CPU. This file starts without either: it hands
its own streams, folder and environment to the warm process, passes signals on, and ends as the command does.
It is run by its path, with the number of the descriptor to ask as its first word.
"""

import json
import os
import signal
import socket
import sys
from pathlib import Path
from types import FrameType


def main() -> int:
    """Have the command run, and return its exit status."""
    ended, end = os.pipe()
    request = {"words": sys.argv[2:], "folder": str(Path.cwd()), "environment": dict(os.environ)}
    with socket.socket(fileno=os.dup(int(sys.argv[1]))) as warm:
        socket.send_fds(warm, [json.dumps(request).encode()], [0, 1, 2, end])
    os.close(end)
    with os.fdopen(ended) as told:
        command = int(told.readline())

        def pass_on(number: int, _frame: FrameType | None) -> None:
            os.kill(command, number)

        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, pass_on)
        status = int(told.readline())
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main())
