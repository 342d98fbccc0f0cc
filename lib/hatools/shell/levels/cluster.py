"""The cluster level: the daemons of this node, and the cluster as a whole."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hatools.runtime.directories import Directories
from hatools.shell.commands import ADMINISTRATOR, CommandError, Level, command
from hatools.shell.programs import capture

if TYPE_CHECKING:
    from hatools.shell.context import Context

_UNIT = "hatools.service"
_CHANNEL_UNIT = "hatools-channel.service"
_START_LIMIT_S = 60
_GIVE_UP_S = 5


class Cluster(Level):
    """Starts, stops and examines the cluster."""

    name = "cluster"

    def everywhere(self, args: Sequence[str], word: str, act: Callable[[], bool]) -> bool:
        """Do something on this node, or on those that are named, each by itself."""
        if "--all" in args and len(args) > 1:
            raise CommandError("Should either use --all or specific node(s)")
        unknown = [arg for arg in args if arg.startswith("-") and arg != "--all"]
        if unknown:
            raise CommandError(f"unknown option {unknown[0]}: expected [--all | <node>...]")
        if not args:
            return act()
        from hatools.shell.members import Members
        from hatools.shell.remote import run_on

        members = Members()
        chosen = list(members.all) if "--all" in args else members.chosen(args, default=())
        others = [member for member in chosen if not member.is_local]
        outcomes = run_on(self.session, members, others, ["crm", "cluster", word])
        succeeded = True
        for outcome in outcomes:
            name, run = outcome.member.name, outcome.answer
            if run is None:
                self.console.error(f"{name}: {outcome.problem}")
                succeeded = False
                continue
            if run.text:
                print(run.text)
            if run.status != 0:
                self.console.error(f"{name}: {run.complaint or f'exit status {run.status}'}")
                succeeded = False
        return (len(others) == len(chosen) or act()) and succeeded

    @command(skill=ADMINISTRATOR)
    def do_start(self, context: "Context", *args: str) -> bool:
        return self.everywhere(args, "start", self.start_here)

    def start_here(self) -> bool:
        if is_running():
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
            if is_running():
                self.console.info(f"The cluster stack started on {_host()}")
                return True
            problem = _error_since(log, begin)
            if problem and time.monotonic() > started + _GIVE_UP_S:
                raise CommandError(f"pacemakerd does not answer: {problem}")
            time.sleep(0.2)
        raise CommandError(f"pacemakerd did not answer within {_START_LIMIT_S} s: see {log}")

    @command(skill=ADMINISTRATOR)
    def do_stop(self, context: "Context", *args: str) -> bool:
        return self.everywhere(args, "stop", self.stop_here)

    def stop_here(self) -> bool:
        if not is_running():
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

    @command(skill=ADMINISTRATOR)
    def do_restart(self, context: "Context", *args: str) -> bool:
        return self.do_stop(context, *args) and self.do_start(context, *args)

    @command(skill=ADMINISTRATOR)
    def do_enable(self, context: "Context", *args: str) -> bool:
        return self.everywhere(args, "enable", lambda: self._enable("enable"))

    @command(skill=ADMINISTRATOR)
    def do_disable(self, context: "Context", *args: str) -> bool:
        return self.everywhere(args, "disable", lambda: self._enable("disable"))

    def _enable(self, action: str) -> bool:
        if not _has_unit():
            raise CommandError(f"there is no systemd unit {_UNIT} on this node: `make install` puts it there")
        # The channel is enabled with it, and stays when the cluster is disabled: how else would it be enabled again?
        units = (_UNIT, _CHANNEL_UNIT) if action == "enable" else (_UNIT,)
        if not _systemctl(action, *units):
            raise CommandError(f"systemctl {action} {' '.join(units)} failed")
        self.console.info(f"The cluster stack {action}d on {_host()}")
        return True

    @command()
    def do_status(self, context: "Context") -> bool:
        print("Services:")
        running = is_running()
        print(f"pacemakerd       {'running' if running else 'not running'}")
        for text in (capture("corosync_cfgtool", ["-s"]), capture("corosync_quorumtool", ["-s"])) if running else ():
            print("\n" + (text.out or text.err).rstrip())
        return running

    @command(skill=ADMINISTRATOR)
    def do_keygen(self, context: "Context", style: str, *options: str) -> bool:
        from hatools.shell.heartbeat import make_key

        if style != "heartbeat":
            raise CommandError(
                f"there is no keygen {style}: expected heartbeat (for corosync there is corosync-keygen)"
            )
        return make_key(self.console, options)

    @command()
    def do_health(self, context: "Context", *args: str) -> bool:
        """Gather findings from all that can be asked; the worst decides the exit status."""
        from hatools.shell.health import examine

        findings = examine(self.session)
        if self.session.output_format == "json":
            import json

            rows = [
                {"severity": "error" if finding.is_error else "warning", "text": finding.text} for finding in findings
            ]
            print(json.dumps(rows, indent=2, ensure_ascii=False))
            return not any(finding.is_error for finding in findings)
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

    @command(skill=ADMINISTRATOR)
    def do_add(self, context: "Context", *args: str) -> bool:
        from hatools.shell.joining import invite

        return invite(self.session, args)

    @command(skill=ADMINISTRATOR)
    def do_join(self, context: "Context", *args: str) -> bool:
        from hatools.shell.joining import join

        return join(self.session, args)

    @command(skill=ADMINISTRATOR)
    def do_rename(self, context: "Context", new_name: str) -> bool:
        from hatools.shell.renaming import rename

        return rename(self.session, self, new_name)

    @command("remove", "delete", skill=ADMINISTRATOR)
    def do_remove(self, context: "Context", *args: str) -> bool:
        from hatools.shell.leaving import remove

        return remove(self.session, context, args)

    @command(skill=ADMINISTRATOR)
    def do_run(self, context: "Context", cmd: str, *nodes: str) -> bool:
        from hatools.shell.members import Members
        from hatools.shell.remote import program_words, run_on, show_runs

        words, members = program_words(cmd), Members()
        return show_runs(self.session, run_on(self.session, members, members.chosen(nodes, default=members.all), words))

    @command(skill=ADMINISTRATOR)
    def do_copy(self, context: "Context", local_file: str, *nodes: str) -> bool:
        from hatools.shell.remote import copy_file

        return copy_file(self.session, local_file, nodes)

    @command(skill=ADMINISTRATOR)
    def do_diff(self, context: "Context", filename: str, *nodes: str) -> bool:
        from hatools.shell.remote import diff_file

        return diff_file(self.session, filename, nodes)

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


def is_running() -> bool:
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
