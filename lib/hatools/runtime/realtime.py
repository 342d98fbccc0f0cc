"""What a process that must not be late asks of the kernel: locked memory, real-time scheduling. I/O."""

import ctypes
import os

_MCL_CURRENT = 1
_MCL_FUTURE = 2
_MCL_ONFAULT = 4


def lock_memory() -> str:
    """Keep all pages that are in use in memory, from now on; return why not, empty if it worked."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT) != 0:
        return os.strerror(ctypes.get_errno())
    return ""


def schedule_round_robin() -> str:
    """Take the highest round-robin priority, as corosync does; return why not, empty if it worked."""
    try:
        highest = os.sched_get_priority_max(os.SCHED_RR)
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(highest))
    except OSError as error:
        return error.strerror or str(error)
    return ""
