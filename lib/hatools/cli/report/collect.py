"""What a report holds of one node. I/O: reads the node's files, runs commands, writes a folder.

Everything passes the masker on its way; keys and secrets are not collected at all.
"""

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from hatools.cli.report.masking import Masker
from hatools.cli.report.period import Period
from hatools.runtime.directories import Directories

_COMMAND_LIMIT_S = 60
_LOG_LIMIT = 64 << 20
_CONFIGURATION = ("etc/corosync/corosync.conf", "etc/default/pacemaker", "etc/ha.d/ha.cf", "etc/ha.d/haresources")


class Collector:
    """Fills a folder with what is known of the local node."""

    def __init__(self, directories: Directories, folder: Path, period: Period, masker: Masker) -> None:
        self.directories = directories
        self.folder = folder
        self.period = period
        self.masker = masker

    def run(self, logs: Iterable[Path], events: str, *, search_logs: bool) -> None:
        """Collect everything.

        Args:
            logs: further log files.
            events: regular expression of what goes into ``events.txt``.
            search_logs: also take the cluster's own logs.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._system()
        self._configuration()
        self._cluster()
        self._inputs()
        found = [*(self._own_logs() if search_logs else ()), *logs]
        self._logs(found, events)
        if search_logs and self.directories.is_system:
            self._journal()

    def run_for_history(self, events: str) -> None:
        """Collect only what tells of the past: logs, scheduler inputs and the CIB."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._inputs()
        self._logs(self._own_logs(), events)
        self._copy(self.directories.cib / "cib.xml", "cib.xml")

    def write(self, name: str, text: str) -> None:
        """Write a file of the report."""
        (self.folder / name).write_text(self.masker.mask(text), encoding="utf-8", errors="surrogateescape")

    def _system(self) -> None:
        release = Path("/etc/os-release")
        parts = [
            f"Platform: {platform.system()}",
            f"Kernel release: {platform.release()}",
            f"Architecture: {platform.machine()}",
            f"Python: {platform.python_version()}",
            f"Node: {platform.node()}",
            f"Root: {self.directories.root}",
            "",
            release.read_text(encoding="utf-8") if release.exists() else "",
            _output(["uptime"]),
            _output(["df", "-h", str(self.directories.state if self.directories.state.exists() else "/")]),
            _output(["ip", "address"]),
            _output([*_own("pacemakerd"), "--version"]),
        ]
        self.write("sysinfo.txt", "\n".join(parts))
        self.write("permissions.txt", self._permissions())

    def _permissions(self) -> str:
        lines = []
        for path in (self.directories.state, self.directories.cib, self.directories.pengine, self.directories.run):
            try:
                status = path.stat()
            except OSError as error:
                lines.append(f"{path}: {error.strerror}")
            else:
                lines.append(f"{path}: mode {status.st_mode & 0o7777:04o}, owner {status.st_uid}:{status.st_gid}")
        return "\n".join(lines) + "\n"

    def _configuration(self) -> None:
        for name in _CONFIGURATION:
            self._copy(self.directories.root / name, Path(name).name)

    def _copy(self, source: Path, name: str) -> None:
        try:
            text = source.read_text(encoding="utf-8", errors="surrogateescape")
        except OSError:
            return
        self.write(name, text)

    def _cluster(self) -> None:
        """Ask the running cluster, or take what it left on disk."""
        live = _output([*_own("cibadmin"), "-Q", "-l"], only_success=True)
        if live:
            self.write("RUNNING", "")
            self.write("cib.xml", live)
            self.write("crm_mon.txt", _output([*_own("crm_mon"), "-1", "-r", "-A", "-f"]))
            self.write("members.txt", _output([*_own("crm_node"), "-p"]))
            self.write("crm_verify.txt", _output([*_own("crm_verify"), "-L", "-V"]))
            self.write("cmap.txt", _output([*_own("corosync-cmapctl")]))
        else:
            self.write("STOPPED", "")
            self._copy(self.directories.cib / "cib.xml", "cib.xml")
            if (self.folder / "cib.xml").exists():
                command = [*_own("crm_verify"), "-V", "-x", str(self.folder / "cib.xml")]
                self.write("crm_verify.txt", _output(command))

    def _inputs(self) -> None:
        """Copy the scheduler's inputs of the period."""
        try:
            files = sorted(self.directories.pengine.iterdir())
        except OSError:
            return
        for file in files:
            if file.name.startswith("pe-") and self.period.holds(datetime.fromtimestamp(int(file.stat().st_mtime))):
                target = self.folder / "pengine"
                target.mkdir(exist_ok=True)
                shutil.copy2(file, target / file.name)

    def _own_logs(self) -> list[Path]:
        root = self.directories.root
        candidates = [self.directories.log_file, root / "var/log/cluster/corosync.log", root / "var/log/corosync.log"]
        return [path for path in candidates if path.exists()]

    def _logs(self, logs: Iterable[Path], events: str) -> None:
        wanted = re.compile(events)
        noted: list[str] = []
        for log in logs:
            try:
                with log.open(encoding="utf-8", errors="surrogateescape") as stream:
                    stream.seek(max(0, log.stat().st_size - _LOG_LIMIT))
                    lines = list(self.period.lines(stream))
            except OSError as error:
                noted.append(f"{log}: {error.strerror}\n")
                continue
            self.write(log.name, "".join(lines))
            noted.extend(line for line in lines if wanted.search(line))
        self.write("events.txt", "".join(noted))

    def _journal(self) -> None:
        form = "%Y-%m-%d %H:%M:%S"
        command = ["journalctl", "--no-pager", "-q", "-o", "short-iso"]
        command += ["--since", f"{self.period.start:{form}}", "--until", f"{self.period.end:{form}}"]
        text = _output(command, only_success=True)
        if text:
            self.write("journal.log", text)


def _own(command: str) -> list[str]:
    """Return how one of our own commands is called: the one beside this program, else from the path."""
    beside = Path(sys.argv[0]).resolve().parent / command
    return [str(beside) if beside.exists() else command]


def _output(command: list[str], *, only_success: bool = False) -> str:
    """Run a command and return what it prints; nothing if it is not there (or failed, with ``only_success``)."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if only_success else subprocess.STDOUT,
            timeout=_COMMAND_LIMIT_S,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    if only_success and done.returncode:
        return ""
    return done.stdout.decode("utf-8", "surrogateescape")
