"""Log files and syslog in the form that Heartbeat's users know (``logfile``, ``debugfile``, ``logfacility``). I/O."""

import logging
import logging.handlers
from pathlib import Path

_log = logging.getLogger(__name__)
_FORMAT = "%(asctime)s {node} heartbeat: [%(process)d]: %(levelname)s: %(message)s"
_DATE = "%b %d %H:%M:%S"


def add_log_files(node: str, logfile: Path | None, debugfile: Path | None) -> None:
    """Log to these files, too; the first gets no debug messages."""
    for path, level in ((logfile, logging.INFO), (debugfile, logging.DEBUG)):
        if path is not None:
            _add(_file(path), level, node)


def add_syslog(node: str, facility: str) -> None:
    """Log to a facility of syslog, too, where there is a syslog."""
    if Path("/dev/log").exists():
        _add(logging.handlers.SysLogHandler("/dev/log", facility), logging.INFO, node)


def _file(path: Path) -> logging.Handler | None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return logging.handlers.WatchedFileHandler(path, encoding="utf-8")
    except OSError as error:
        _log.warning("%s cannot be written: %s", path, error.strerror)
        return None


def _add(handler: logging.Handler | None, level: int, node: str) -> None:
    if handler is not None:
        handler.setLevel(level)
        handler.setFormatter(logging.Formatter(_FORMAT.format(node=node), _DATE))
        logging.getLogger().addHandler(handler)
