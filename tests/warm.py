"""A process that has imported the service, and becomes a command of it each time it is asked to. Another has
imported the darkroom, and becomes one.

Starting Python and importing the service takes two seconds of CPU, a fork some milliseconds. Each command is
a process of its own all the same: it has its own arguments, environment, folder and output, it takes signals,
and it ends as Python ends. The asking sides are in `tests.commands` and `tests.darkrooms`.
"""

import gc
import json
import os
import random
import signal
import socket
import sys
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass

LONGEST_REQUEST = 1 << 20


@dataclass(frozen=True)
class Request:
    """A command to become. Its standard input, output and error, and a pipe for its end, come beside it."""

    words: tuple[str, ...]
    folder: str
    environment: dict[str, str]

    def send(self, connection: socket.socket, descriptors: list[int]) -> None:
        """Ask for the command."""
        socket.send_fds(connection, [json.dumps(asdict(self)).encode()], descriptors)


def main() -> None:
    """Wait for requests until the asking side has gone. Return in each process that is to become
    a command.
    """
    connection = socket.socket(fileno=int(sys.argv[1]))
    # The kernel reaps the processes between, which nobody waits for.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        asked, descriptors, _, _ = socket.recv_fds(connection, LONGEST_REQUEST, 4)
        if not asked:
            os._exit(0)
        if os.fork() == 0:
            _become(Request(**json.loads(asked)), descriptors, connection)
            return
        for descriptor in descriptors:
            os.close(descriptor)


def _become(request: Request, descriptors: list[int], connection: socket.socket) -> None:
    """Return in a process that is the command; another tells its id, waits for it and tells its end."""
    *streams, end = descriptors
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    connection.close()
    command = os.fork()
    if command:
        for stream in streams:
            os.close(stream)
        os.write(end, f"{command}\n".encode())
        _, status = os.waitpid(command, 0)
        os.write(end, f"{os.waitstatus_to_exitcode(status)}\n".encode())
        os._exit(0)
    os.close(end)
    for target, stream in enumerate(streams):
        os.dup2(stream, target)
        os.close(stream)
    os.chdir(request.folder)
    os.environ.clear()
    os.environ.update(request.environment)
    sys.argv = ["copydesk", *request.words]
    sys.modules["__main__"].__package__ = ""  # where click finds the name of the program
    random.seed()
    warnings.resetwarnings()
    warnings.simplefilter("default")


def _import_service() -> Callable[[], None]:
    from service import __main__, cli
    from service import main as app

    assert cli
    assert app
    return __main__.main


def _import_darkroom() -> Callable[[], None]:
    from service.images.darkroom import __main__, iim

    # What a darkroom rehearses is loaded here, but for what is looked up by the name of its charset.
    __main__._rehearse(iim._UTF8)
    return __main__.main


if __name__ == "__main__":
    run = _import_darkroom() if sys.argv[2:] == ["darkroom"] else _import_service()
    # What stays is neither searched for cycles nor, because it is then written to, copied for each process.
    gc.freeze()
    main()
    run()
