"""Memory that processes which serve together share: a folder in memory, a key, and tables of small rows.

What they share must be as fast as memory, and leave nothing behind. Rows of a database would be neither: a
limit is asked about each decision of a reader, and nothing of a caller may be stored.
"""

import fcntl
import mmap
import os
import secrets
import shutil
import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that names the folder: prometheus-client keeps its files there, and looks for it when
imported.
"""
_KEY = "COPYDESK_TOGETHER_KEY"
"""The variable that hands the key from process to process. It is no setting."""
_IN_MEMORY = Path("/dev/shm")  # noqa: S108  # not a file of a known name: a folder is made in it
_PREFIX = "copydesk-together-"
KEY_SIZE = 12
_ROW = struct.Struct("12s4xdd")
_ROWS_IN_A_SET = 8
_SET = _ROW.size * _ROWS_IN_A_SET
_NOBODY = bytes(KEY_SIZE)
_MOST_TRIES = 1_000


@contextmanager
def together(workers: int) -> Iterator[None]:
    """Let the processes that are started in this block share what they count."""
    if workers == 1:
        yield
        return
    memory = _IN_MEMORY if os.access(_IN_MEMORY, os.W_OK) else Path(tempfile.gettempdir())
    _sweep(memory)
    with tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{os.getpid()}-", dir=memory) as folder:
        os.environ[FOLDER], os.environ[_KEY] = folder, secrets.token_hex(32)
        yield


def _sweep(memory: Path) -> None:
    """Remove what processes have left that were killed outright."""
    for left in memory.glob(f"{_PREFIX}*-*"):
        pid = left.name.removeprefix(_PREFIX).partition("-")[0]
        if pid.isdecimal() and not is_alive(int(pid)):
            shutil.rmtree(left, ignore_errors=True)  # It may be another user's.


def is_alive(pid: int) -> bool:
    """Return whether there is a process of this number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def folder() -> Path | None:
    """Return the folder that this process shares with others; None when it serves alone."""
    name = os.environ.get(FOLDER)
    return Path(name) if name else None


def shared_key() -> bytes:
    """Return 256 random bits that the processes share and that lie in no file."""
    return bytes.fromhex(os.environ.get(_KEY) or secrets.token_hex(32))


class Table:
    """Rows of a key of twelve random bytes and two numbers, of which the second is a time above zero.

    A row that is written where all rows of its set are taken replaces the oldest of these.
    """

    def __init__(self, name: str, rows: int) -> None:
        self._sets = -(-rows // _ROWS_IN_A_SET)
        self._file: int | None = None
        shared = folder()
        if shared is None:
            self._memory = mmap.mmap(-1, self._sets * _SET)
            return
        self._file = os.open(shared / f"{name}.table", os.O_RDWR | os.O_CREAT, 0o600)
        os.ftruncate(self._file, self._sets * _SET)
        self._memory = mmap.mmap(self._file, self._sets * _SET)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Lock the table against other processes. Wait for another process only for a moment, because it may
        hang.
        """
        is_held = self._file is not None and any(map(self._try_to_hold, range(_MOST_TRIES)))
        try:
            yield
        finally:
            if is_held and self._file is not None:
                fcntl.flock(self._file, fcntl.LOCK_UN)

    def _try_to_hold(self, _number: int) -> bool:
        assert self._file is not None
        with suppress(BlockingIOError):
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        return False

    def get(self, key: bytes) -> tuple[float, float] | None:
        """Return the numbers of a key."""
        place = self._place(key)
        if place is None:
            return None
        _, first, second = _ROW.unpack_from(self._memory, place)
        return first, second

    def put(self, key: bytes, first: float, second: float) -> None:
        """Write the numbers of a key."""
        place = self._place(key)
        _ROW.pack_into(self._memory, self._free(key) if place is None else place, key, first, second)

    def remove(self, key: bytes) -> None:
        """Forget a key."""
        place = self._place(key)
        if place is not None:
            _ROW.pack_into(self._memory, place, _NOBODY, 0.0, 0.0)

    def _start(self, key: bytes) -> int:
        """Return where the set of a key begins."""
        return int.from_bytes(key[:8]) % self._sets * _SET

    def _place(self, key: bytes) -> int | None:
        """Return where the row of a key is."""
        start = self._start(key)
        place = self._memory.find(key, start, start + _SET)
        return None if place < 0 else place

    def _free(self, key: bytes) -> int:
        """Return the place in a key's set that is empty, or else has the oldest row."""
        start = self._start(key)
        times = [at for _, _, at in _ROW.iter_unpack(self._memory[start : start + _SET])]
        return start + _ROW.size * times.index(min(times))
