"""How an operation ended: execution status, exit status and reason. Pure."""

from enum import IntEnum

from hatools.values.records import dataclass


class ExecStatus(IntEnum):
    """Pacemaker's ``pcmk_exec_status``: whether an action ran at all (history's ``op-status``)."""

    UNKNOWN = -2
    PENDING = -1
    DONE = 0
    CANCELLED = 1
    TIMEOUT = 2
    NOT_SUPPORTED = 3
    ERROR = 4
    ERROR_HARD = 5
    ERROR_FATAL = 6
    NOT_INSTALLED = 7
    NOT_CONNECTED = 8
    INVALID = 9
    NO_FENCE_DEVICE = 10
    NO_SECRETS = 11


_TEXTS = {
    ExecStatus.PENDING: "pending",
    ExecStatus.DONE: "complete",
    ExecStatus.CANCELLED: "Cancelled",
    ExecStatus.TIMEOUT: "Timed Out",
    ExecStatus.NOT_SUPPORTED: "NOT SUPPORTED",
    ExecStatus.ERROR: "Error",
    ExecStatus.ERROR_HARD: "Hard error",
    ExecStatus.ERROR_FATAL: "Fatal error",
    ExecStatus.NOT_INSTALLED: "Not installed",
    ExecStatus.NOT_CONNECTED: "Internal communication failure",
    ExecStatus.INVALID: "Cannot execute now",
    ExecStatus.NO_FENCE_DEVICE: "No fence device",
    ExecStatus.NO_SECRETS: "CIB secrets unavailable",
    ExecStatus.UNKNOWN: "UNKNOWN!",
}


def exec_status_text(status: int) -> str:
    """Return the words Pacemaker prints for an execution status."""
    try:
        return _TEXTS[ExecStatus(status)]
    except ValueError:
        return "UNKNOWN!"


@dataclass(frozen=True, slots=True)
class OperationResult:
    """What came of an operation.

    ``exit_status`` is an OCF result code; ``exec_time_ms`` and ``queue_time_ms`` are milliseconds.
    """

    exec_status: ExecStatus
    exit_status: int
    exit_reason: str = ""
    output: str = ""
    exec_time_ms: int = 0
    queue_time_ms: int = 0
