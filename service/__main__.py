"""Run `copydesk`, also as `python -m service`, so that a signal can end it at any moment, even while it
starts.
"""

import gc
import os
import signal
import sys
from types import FrameType

SERVING = ("serve", "demo")


def main() -> None:
    """Run the command line. Handle SIGTERM before anything else is imported.

    In a container the service is process 1, to which the kernel sends no signal that has no handler.
    """
    signal.signal(signal.SIGTERM, _end)
    # Databases, pictures and exports are for this user alone.
    os.umask(0o077)
    # Otherwise a fifth of the start goes into looking for garbage among modules that stay for good.
    gc.disable()
    from service.cli import program  # noqa: PLC0415  # takes a second, in which a container may be told to stop

    # `serve` imports far more, and enables the collector once that is done (`server.serve`).
    if not _serves():
        gc.enable()
    program.main()


def _end(_signal: int, _frame: FrameType | None) -> None:
    """End. A service that does not serve yet has nothing to finish, and ends well; any other command was cut
    short.
    """
    raise SystemExit(0 if _serves() else 128 + signal.SIGTERM)


def _serves() -> bool:
    return bool(sys.argv[1:2]) and sys.argv[1] in SERVING


if __name__ == "__main__":
    main()
