"""Corosync's C libraries through ctypes: loading, calling, and what the return codes mean. I/O.

Every call is a round trip to the daemon over shared memory; it blocks for as long as the daemon does.
"""

import ctypes
from collections.abc import Callable
from enum import IntEnum

from hatools.values.errors import DisconnectedError, NotSupportedError, PermissionRefusedError, UnavailableError


class Status(IntEnum):
    """``cs_error_t``, as far as it is told apart."""

    OK = 1
    LIBRARY = 2
    TRY_AGAIN = 6
    INVALID_PARAM = 7
    BAD_HANDLE = 9
    ACCESS = 11
    NOT_EXIST = 12
    EXIST = 14
    TOO_BIG = 26


Handle = ctypes.c_uint64
DISPATCH_ONE_NONBLOCKING = 4
GONE = frozenset({Status.LIBRARY, Status.BAD_HANDLE})


class RingIdentity(ctypes.Structure):
    """``cpg_ring_id`` and ``quorum_ring_id``."""

    _fields_ = [("node", ctypes.c_uint32), ("sequence", ctypes.c_uint64)]


def load(name: str, **functions: tuple[object, ...]) -> ctypes.CDLL:
    """Load a library and say what its functions take; all of them return ``cs_error_t``.

    Raises:
        NotSupportedError: it is not installed.
    """
    try:
        library = ctypes.CDLL(name)
    except OSError as error:
        raise NotSupportedError(
            f"{name} cannot be loaded ({error}): install the corosync libraries, or choose another HATOOLS_MESSAGING"
        ) from None
    for function, arguments in functions.items():
        getattr(library, function).argtypes = list(arguments)
        getattr(library, function).restype = ctypes.c_int
    return library


def check(status: int, what: str) -> None:
    """Raise the error that a return code stands for.

    Raises:
        DisconnectedError: the daemon is gone or does not run.
        PermissionRefusedError: this user may not talk to it.
        UnavailableError: anything else, such as a daemon that is busy.
    """
    if status == Status.OK:
        return
    if status in GONE:
        raise DisconnectedError(f"corosync does not run ({what})")
    if status == Status.ACCESS:
        raise PermissionRefusedError(f"corosync refuses this user ({what}): see /etc/corosync/uidgid.d")
    try:
        word = Status(status).name
    except ValueError:
        word = "error"
    raise UnavailableError(f"{what}: {word} ({status})")


def attempt(call: Callable[[], int], what: str) -> bool:
    """Make a call; False if the daemon wants it to be repeated later."""
    status = call()
    if status == Status.TRY_AGAIN:
        return False
    check(status, what)
    return True


def drain(dispatch: Callable[[int], int], what: str, limit: int) -> None:
    """Have the library call back for what has arrived, ``limit`` times at most.

    Raises:
        DisconnectedError: the daemon is gone.
    """
    for _ in range(limit):
        if not attempt(lambda: dispatch(DISPATCH_ONE_NONBLOCKING), what):
            return
