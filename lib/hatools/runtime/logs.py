"""Logging: one line form for every daemon, to pacemaker.log and the terminal. I/O.

Lines look as Pacemaker 2.1.5 writes them: ``Nov 23 06:33:41.123 HOST NAME[PID] (function) level: text``.
"""

import logging
import os
import socket
import sys
import time
from pathlib import Path

NOTICE = 25
"""Between INFO and WARNING: state changes that operators care about."""

logging.addLevelName(NOTICE, "notice")

_LEVELS = {logging.DEBUG: "debug", logging.INFO: "info", logging.WARNING: "warning", logging.ERROR: "error"}


class _LineFormat(logging.Formatter):
    def __init__(self, host: str, program: str) -> None:
        super().__init__()
        self._host = host
        self._program = program

    def format(self, record: logging.LogRecord) -> str:
        stamp = time.strftime("%b %d %H:%M:%S", time.localtime(record.created))
        level = _LEVELS.get(record.levelno, record.levelname.lower())
        text = record.getMessage()
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        return (
            f"{stamp}.{int(record.msecs):03d} {self._host} {self._program:<12}[{os.getpid()}] "
            f"({record.funcName}) \t{level}: {text}"
        )


def notice(logger: logging.Logger, text: str, *arguments: object) -> None:
    """Log a state change that operators care about."""
    logger.log(NOTICE, text, *arguments, stacklevel=2)


def close_logging() -> None:
    """Close what :func:`set_up_logging` opened, as a forked child must before it closes descriptors by number."""
    root = logging.getLogger()
    for handler in list(root.handlers):
        root.removeHandler(handler)
        if isinstance(handler, logging.StreamHandler) and handler.stream is not sys.stderr:
            handler.stream.close()


def reopen_logging() -> None:
    """Open this process's log file anew, after it was moved away."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler) and handler.stream is not sys.stderr:
            name = getattr(handler.stream, "name", "")
            path = _log_files.get(name) if isinstance(name, int) else None
            if path is not None:
                descriptor = _open_log(path)
                old = handler.setStream(os.fdopen(descriptor, "a", buffering=1, encoding="utf-8"))
                _log_files[descriptor] = path
                if old is not None:
                    old.close()


_log_files: dict[int, Path] = {}
"""Paths of open log files by their descriptors."""


def _open_log(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)


def set_up_logging(program: str, log_file: Path | None, *, to_stderr: bool = False, debug: bool = False) -> None:
    """Send this process's log to its file (0640) and, if asked, to standard error.

    A log file that cannot be opened is said on standard error and the process goes on without it.
    """
    close_logging()
    root = logging.getLogger()
    root.setLevel(logging.DEBUG if debug else logging.INFO)
    host = os.environ.get("HATOOLS_NODE_NAME") or socket.gethostname()
    form = _LineFormat(host, program)
    handlers: list[logging.Handler] = []
    if log_file is not None:
        try:
            descriptor = _open_log(log_file)
            _log_files[descriptor] = log_file
            handlers.append(logging.StreamHandler(os.fdopen(descriptor, "a", buffering=1, encoding="utf-8")))
        except OSError as error:
            print(f"{program}: warning: no log file {log_file}: {error.strerror}", file=sys.stderr)
    if to_stderr or not handlers:
        handlers.append(logging.StreamHandler(sys.stderr))
    for handler in handlers:
        handler.setFormatter(form)
        root.addHandler(handler)
