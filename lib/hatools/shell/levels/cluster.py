"""The cluster level: the daemons of this node, and the cluster as a whole."""

import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hatools.runtime.directories import Directories
from hatools.shell.commands import CommandError, Level, command
from hatools.shell.programs import capture

if TYPE_CHECKING:
    from hatools.shell.context import Context

_UNIT = "pacemaker.service"
_START_LIMIT_S = 60
_GIVE_UP_S = 5
_EXCUSED = "use configuration management or a shell of your own on the other nodes: there is no root ssh here"


class Cluster(Level):
    """Starts, stops and examines the cluster."""

    name = "cluster"

    def _local_only(self, args: Sequence[str]) -> None:
        """Refuse other nodes: each node is started and stopped where it is."""
        here = self.session.node_name if args else ""
        others = [arg for arg in args if arg not in ("--all", here)]
        if others or "--all" in args:
            raise CommandError(f"only this node can be started or stopped from here; {_EXCUSED}")

    @command()
    def do_start(self, context: "Context", *args: str) -> bool:
        self._local_only([arg for arg in args if arg != "--all"])
        if _is_running():
            self.console.info(f"The cluster stack already started on {_host()}")
            return True
        log = Directories.from_environment().log_file
        begin = log.stat().st_size if log.exists() else 0
        if _has_unit():
            if not _systemctl("start", _UNIT):
                raise CommandError(f"systemctl start {_UNIT} failed: see `systemctl status {_UNIT}`")
        else:
            _start_daemon()
        started = time.monotonic()
        while time.monotonic() < started + _START_LIMIT_S:
            if _is_running():
                self.console.info(f"The cluster stack started on {_host()}")
                return True
            problem = _error_since(log, begin)
            if problem and time.monotonic() > started + _GIVE_UP_S:
                raise CommandError(f"pacemakerd does not answer: {problem}")
            time.sleep(0.2)
        raise CommandError(f"pacemakerd did not answer within {_START_LIMIT_S} s: see {log}")

    @command()
    def do_stop(self, context: "Context", *args: str) -> bool:
        self._local_only([arg for arg in args if arg != "--all"])
        if not _is_running():
            self.console.info(f"The cluster stack already stopped on {_host()}")
            return True
        if _has_unit() and _systemctl("is-active", "--quiet", _UNIT):
            stopped = _systemctl("stop", _UNIT)
        else:
            stopped = capture("pacemakerd", ["--shutdown"]).status == 0
        if not stopped:
            raise CommandError(f"the node did not stop: see {Directories.from_environment().log_file}")
        self.console.info(f"The cluster stack stopped on {_host()}")
        return True

    @command()
    def do_restart(self, context: "Context", *args: str) -> bool:
        return self.do_stop(context, *args) and self.do_start(context, *args)

    @command()
    def do_enable(self, context: "Context", *args: str) -> bool:
        return self._enable("enable")

    @command()
    def do_disable(self, context: "Context", *args: str) -> bool:
        return self._enable("disable")

    def _enable(self, action: str) -> bool:
        if not _has_unit():
            raise CommandError(f"there is no systemd unit {_UNIT} on this node: `make install` puts it there")
        if not _systemctl(action, _UNIT):
            raise CommandError(f"systemctl {action} {_UNIT} failed")
        self.console.info(f"The cluster stack {action}d on {_host()}")
        return True

    @command()
    def do_status(self, context: "Context") -> bool:
        print("Services:")
        running = _is_running()
        print(f"pacemakerd       {'running' if running else 'not running'}")
        for text in (capture("corosync_cfgtool", ["-s"]), capture("corosync_quorumtool", ["-s"])) if running else ():
            print("\n" + (text.out or text.err).rstrip())
        return running

    @command()
    def do_health(self, context: "Context", *args: str) -> bool:
        """Gather findings from all that can be asked; the worst decides the exit status."""
        from hatools.shell.health import examine

        findings = examine(self.session)
        for finding in findings:
            (self.console.error if finding.is_error else self.console.warning)(finding.text)
        if not findings:
            self.console.info("Cluster is healthy")
        return not any(finding.is_error for finding in findings)

    @command()
    def do_wait_for_startup(self, context: "Context", timeout: str = "10") -> bool:
        if not timeout.isdigit():
            raise CommandError(f"wait_for_startup: argument must be a number of seconds, is '{timeout}'")
        deadline = time.monotonic() + int(timeout)
        while True:
            if capture("crm_mon", ["-b", "-D", "-1"]).status == 0:
                return True
            if time.monotonic() >= deadline:
                raise CommandError("Timed out waiting for cluster")
            time.sleep(0.5)

    @command()
    def do_init(self, context: "Context", *args: str) -> bool:
        from hatools.shell.bootstrap import init

        return init(self.session, args)

    @command()
    def do_add(self, context: "Context", *args: str) -> bool:
        from hatools.shell.bootstrap import invite

        return invite(self.session, args)

    @command()
    def do_join(self, context: "Context", *args: str) -> bool:
        from hatools.shell.bootstrap import join

        return join(self.session, args)

    @command()
    def do_rename(self, context: "Context", new_name: str) -> bool:
        from hatools.shell.corosync import edit_file

        edit_file("totem.cluster_name", new_name)
        workspace = self.session.configuration.workspace
        return workspace.create(["property", f"cluster-name={new_name}"]) and self.session.configuration.commit()

    @command("remove", "delete")
    def do_remove(self, context: "Context", *args: str) -> bool:
        names = [arg for arg in args if not arg.startswith("-")]
        if not names:
            raise CommandError("No existing IP/hostname specified: remove <node>...")
        from hatools.shell.corosync import remove_node
        from hatools.shell.levels.node import NodeLevel

        level = NodeLevel(self.session)
        succeeded = True
        for name in names:
            succeeded = level.do_delete(context, name) and remove_node(name) and succeeded
        return succeeded

    @command()
    def do_run(self, context: "Context", cmd: str, *nodes: str) -> bool:
        raise CommandError(_EXCUSED)

    @command()
    def do_copy(self, context: "Context", local_file: str, *nodes: str) -> bool:
        raise CommandError(_EXCUSED)

    @command()
    def do_diff(self, context: "Context", filename: str, *nodes: str) -> bool:
        raise CommandError(_EXCUSED)

    @command("geo_init", "geo-init")
    def do_geo_init(self, context: "Context", *args: str) -> bool:
        raise CommandError(
            "geo clusters are set up by hand: tickets with `site ticket`, constraints with `configure rsc_ticket`"
        )

    @command("geo_join", "geo-join")
    def do_geo_join(self, context: "Context", *args: str) -> bool:
        return self.do_geo_init(context, *args)

    @command("geo_init_arbitrator", "geo-init-arbitrator")
    def do_geo_init_arbitrator(self, context: "Context", *args: str) -> bool:
        return self.do_geo_init(context, *args)

    @command()
    def do_crash_test(self, context: "Context", *args: str) -> bool:
        raise CommandError("use `crm lab kill|pause|cut NODE` to try failures on a cluster that nobody needs")


def _host() -> str:
    import platform

    return os.environ.get("HATOOLS_NODE_NAME") or platform.node()


def _is_running() -> bool:
    """Say whether this node's daemons answer."""
    from hatools.ipc.blocking import BlockingConnection
    from hatools.values.errors import HatoolsError

    try:
        BlockingConnection(Directories.from_environment().socket("cib"), "cib", name="crm").close()
    except (HatoolsError, OSError):
        return False
    return True


def _has_unit() -> bool:
    """Say whether systemd runs here and has our unit; a lab's node is nobody's unit."""
    if not Directories.from_environment().is_system or shutil.which("systemctl") is None:
        return False
    return Path("/run/systemd/system").is_dir() and _systemctl("cat", _UNIT)


def _systemctl(*args: str) -> bool:
    done = subprocess.run(["systemctl", *args], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return done.returncode == 0


def _error_since(log: Path, begin: int) -> str:
    """Return the last error in a log behind an offset, empty if there is none."""
    try:
        with log.open("rb") as file:
            file.seek(begin)
            lines = file.read().decode("utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.partition(" error: ")[2] for line in reversed(lines) if " error: " in line), "")


def _start_daemon() -> None:
    """Start pacemakerd as a process of its own; in a lab the node's supervisor does."""
    from hatools.lab.supervisor import power_on
    from hatools.runtime.commands import commands_folder

    if power_on(Directories.from_environment()):
        return
    program = Path(commands_folder()) / "pacemakerd"
    if not program.is_file():
        raise CommandError("pacemakerd is not installed beside crm")
    done = subprocess.run([str(program)], stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        raise CommandError(f"pacemakerd ended with {done.returncode}")
