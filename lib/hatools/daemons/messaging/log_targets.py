"""The logging section of corosync.conf, beside pacemaker.log, which every daemon writes. I/O.

Lines of the log file look as Corosync's. Our messages belong to the subsystems TOTEM (ring and views), QDEVICE
(quorum device), CFG (configuration and links) and MAIN (all else).
"""

import logging
import logging.handlers
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

from hatools.messaging.corosync.conf import Configuration, LogTarget
from hatools.runtime.logs import NOTICE

_SYSLOG_SOCKET = "/dev/log"
_LEVELS = {
    "emerg": logging.CRITICAL,
    "alert": logging.CRITICAL,
    "crit": logging.CRITICAL,
    "err": logging.ERROR,
    "warning": logging.WARNING,
    "notice": NOTICE,
    "info": logging.INFO,
    "debug": logging.DEBUG,
}
_WORDS = {logging.DEBUG: "debug", logging.INFO: "info", NOTICE: "notice", logging.WARNING: "warning"}
_SUBSYSTEMS = (
    ("hatools.messaging.qdevice", "QDEVICE"),
    ("hatools.daemons.messaging.corosync_style", "CFG"),
    ("hatools.daemons.messaging.link_watch", "CFG"),
    ("hatools.daemons.messaging", "TOTEM"),
)


def subsystem_of(logger: str) -> str:
    """Return the name of a logger's subsystem."""
    return next((name for prefix, name in _SUBSYSTEMS if logger.startswith(prefix)), "MAIN")


class _Format(logging.Formatter):
    """``Nov 23 10:44:14.123 [77] alpha corosync notice  [TOTEM ] text``."""

    def __init__(self, configuration: Configuration) -> None:
        super().__init__()
        self._stamp = configuration.settings.get("logging.timestamp", "hires")
        self._place = configuration.settings.get("logging.fileline", "no") in ("on", "yes", "1")
        self._function = configuration.settings.get("logging.function_name", "no") in ("on", "yes", "1")
        self._host = os.environ.get("HATOOLS_NODE_NAME") or socket.gethostname()

    def format(self, record: logging.LogRecord) -> str:
        word = _WORDS.get(record.levelno, "error")
        parts = [f"[{os.getpid()}] {self._host} corosync {word:<7} [{subsystem_of(record.name):<6}] "]
        if self._stamp != "off":
            stamp = time.strftime("%b %d %H:%M:%S", time.localtime(record.created))
            parts.insert(0, f"{stamp}.{int(record.msecs):03d} " if self._stamp == "hires" else f"{stamp} ")
        if self._place:
            parts.append(f"{record.filename}:{record.lineno} ")
        if self._function:
            parts.append(f"{record.funcName} ")
        return "".join(parts) + record.getMessage()


def _accepts(choose: Callable[[LogTarget], int], configuration: Configuration) -> Callable[[logging.LogRecord], bool]:
    """Return a filter: each subsystem has a least level of its own for a target; 0 is never reached."""
    levels = {name.upper(): choose(target) for name, target in configuration.subsystems}
    default = choose(configuration.logging)

    def accept(record: logging.LogRecord) -> bool:
        least = levels.get(subsystem_of(record.name), default)
        return least != 0 and record.levelno >= least

    return accept


def _file_level(target: LogTarget) -> int:
    if not target.to_logfile:
        return 0
    return logging.DEBUG if target.debug != "off" else _LEVELS[target.logfile_priority]


def _syslog_level(target: LogTarget) -> int:
    if not target.to_syslog:
        return 0
    return logging.DEBUG if target.debug != "off" else _LEVELS[target.syslog_priority]


class LogTargets:
    """What this process logs to because of corosync.conf.

    Args:
        root: below which log files are.
        with_syslog: whether this node may write to the machine's syslog (a lab's may not).
    """

    def __init__(self, root: Path, *, with_syslog: bool) -> None:
        self._root = root
        self._with_syslog = with_syslog
        self._configuration: Configuration | None = None
        self._handlers: list[logging.Handler] = []
        self._level = logging.getLogger().level

    def apply(self, configuration: Configuration) -> str:
        """Log as the configuration says from now on; return what cannot be done, empty if all can."""
        self.close()
        self._configuration = configuration
        problem = ""
        targets = (configuration.logging, *(target for _, target in configuration.subsystems))
        path = configuration.logging.logfile
        if path and any(target.to_logfile for target in targets):
            try:
                place = self._root / path.lstrip("/")
                place.parent.mkdir(parents=True, exist_ok=True)
                self._add(logging.FileHandler(place, encoding="utf-8"), _accepts(_file_level, configuration))
            except OSError as error:
                problem = f"the log file {path} cannot be opened: {error.strerror}"
        if self._with_syslog and any(target.to_syslog for target in targets) and os.path.exists(_SYSLOG_SOCKET):
            facility = logging.handlers.SysLogHandler.facility_names[configuration.logging.syslog_facility]
            handler = logging.handlers.SysLogHandler(_SYSLOG_SOCKET, facility)
            handler.ident = "corosync: "
            self._add(handler, _accepts(_syslog_level, configuration))
        if any(target.debug != "off" for target in targets):
            logging.getLogger().setLevel(logging.DEBUG)
        return problem

    def _add(self, handler: logging.Handler, accept: Callable[[logging.LogRecord], bool]) -> None:
        assert self._configuration is not None
        handler.setFormatter(_Format(self._configuration))
        handler.addFilter(accept)
        logging.getLogger().addHandler(handler)
        self._handlers.append(handler)

    def reopen(self) -> str:
        """Open the files anew, after they were moved away."""
        return self.apply(self._configuration) if self._configuration is not None else ""

    def close(self) -> None:
        """Log nowhere any more because of corosync.conf."""
        for handler in self._handlers:
            logging.getLogger().removeHandler(handler)
            handler.close()
        self._handlers.clear()
        logging.getLogger().setLevel(self._level)
