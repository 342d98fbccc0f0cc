"""Where messaging logs in the heartbeat style, besides the log of all daemons: ``logfile``, ``debugfile``. I/O."""

import logging
import logging.handlers
from pathlib import Path

from hatools.messaging.heartbeat.ha_cf import HaConfiguration
from hatools.values.boolean import is_true

_log = logging.getLogger(__name__)
_FORMAT = "%(asctime)s {node} heartbeat: [%(process)d]: %(levelname)s: %(message)s"
_DATE = "%b %d %H:%M:%S"


def log_as_ha_cf_says(configuration: HaConfiguration, root: Path, node: str) -> None:
    """Add the files and the syslog facility that ha.cf names; with ``use_logd`` the original ignores the files, too."""
    if configuration.debug:
        logging.getLogger().setLevel(logging.DEBUG)
    if is_true(configuration.settings.get("use_logd")):
        return
    targets = [(configuration.logfile, logging.INFO), (configuration.debugfile, logging.DEBUG)]
    for name, level in targets:
        if name:
            _add(_file(root / name.lstrip("/")), level, node)
    facility = configuration.settings.get("logfacility", "none").lower()
    if facility != "none" and Path("/dev/log").exists() and root == Path("/"):
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
