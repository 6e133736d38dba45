"""Take from this process whatever decoding does not need: files, sockets, other processes, privileges.

A darkroom is handed files that are open, so it needs no name of any file. Two walls of the kernel stand
around it: Landlock denies every path, and a seccomp filter denies every system call but those that use open
files and memory. Each of them alone keeps the files of the machine away.
"""

import ctypes
import errno
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import Final

import landlockpy
import seccompy
from seccompy import Action, ArgCmp, CmpOp

_CALLS: Final = (
    # Files that are open already.
    *("read", "write", "lseek", "close", "recvmsg"),
    # Memory. Both libraries' allocators and Python's take and return it.
    *("brk", "mmap", "munmap", "mprotect", "mremap", "madvise", "futex"),
    # The C library asks for these by itself.
    *("clock_gettime", "getrandom", "sched_yield", "sched_getaffinity", "rt_sigreturn", "rt_sigprocmask"),
    *("restart_syscall", "exit", "exit_group"),
)
_NEW_CODE: Final = ArgCmp(2, CmpOp.MASKED_EQ, 4, mask=4)
"""The third argument of `mmap` and `mprotect` has PROT_EXEC: no file and no memory becomes code."""
_PR_SET_DUMPABLE: Final = 4


def lock() -> list[str]:
    """Raise every wall that the kernel offers, for good. Return the names of those that it lacks."""
    hide()
    # Asking lets both libraries find the C library before Landlock hides it. Landlock comes first because the
    # filter denies the calls that Landlock takes.
    lacked, walls = lacking(), {"landlock": _deny_paths, "seccomp": _deny_calls}
    return [name for name, wall in walls.items() if name in lacked or not _succeeds(wall)]


@lru_cache(maxsize=1)
def lacking() -> tuple[str, ...]:
    """Return the names of the walls that this machine's kernel lacks. Nothing changes for this process."""
    offers = {"landlock": landlockpy.supported, "seccomp": seccompy.supported}
    return tuple(name for name, offered in offers.items() if not (_succeeds(offered) and offered()))


def hide() -> None:
    """Close this process's memory and environment to others of its user, and to core dumps."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def _succeeds(call: Callable[[], object]) -> bool:
    try:
        call()
    except OSError:
        # Both libraries raise this kind, for an old kernel and for a container that forbids the question.
        return False
    return True


def _deny_paths() -> None:
    # No rule follows, so that no path, port, abstract socket or foreign process is left.
    scopes = landlockpy.Scope.SIGNAL | landlockpy.Scope.ABSTRACT_UNIX_SOCKET
    with landlockpy.Ruleset(scoped=scopes) as ruleset:
        ruleset.restrict()


def _deny_calls() -> None:
    # A denied call fails with EPERM. Libraries ask for things that they can do without.
    allowed = seccompy.Filter(Action.ERRNO | errno.EPERM)
    for call in _CALLS:
        if call in ("mmap", "mprotect"):
            allowed.errno(call, errno.EPERM, args=[_NEW_CODE])
        allowed.allow(call)
    allowed.load()
