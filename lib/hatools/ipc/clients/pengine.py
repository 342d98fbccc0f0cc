"""The scheduler's daemon as commands see it. I/O."""

from hatools.ipc.blocking import BlockingConnection
from hatools.ipc.messages.pengine import ScheduleRequest, ScheduleResult
from hatools.runtime.directories import Directories


def schedule_by_daemon(cib: bytes, *, directories: Directories | None = None, name: str) -> ScheduleResult:
    """Have this node's scheduler compute a transition for a whole CIB.

    Raises:
        DisconnectedError: no scheduler answers here.
    """
    folders = directories or Directories.from_environment()
    connection = BlockingConnection(folders.socket("pengine"), "scheduler", name=name)
    try:
        answer = connection.request(ScheduleRequest(cib), timeout_s=300.0)
        assert isinstance(answer, ScheduleResult)
        return answer
    finally:
        connection.close()
