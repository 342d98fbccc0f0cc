"""``pacemakerd``: start, stop and ask for the node's daemons. I/O."""

import os
import signal
import sys
from pathlib import Path

from hatools.cli.options import FEATURES, CommandLine, Finished, Option, Program, begin
from hatools.cli.output import Output, XmlOutput
from hatools.runtime.directories import CLUSTER_USER, Directories, cluster_ids
from hatools.values.errors import ConfigError, DeadlineError, DisconnectedError, HatoolsError
from hatools.values.exitcode import ExitCode

_BUILD = "hatools"
_SHUTDOWN_LIMIT = 25 * 60.0
"""Seconds; above the longest drain of a node."""

PROGRAM = Program(
    "pacemakerd",
    "pacemakerd - primary Pacemaker daemon that launches and monitors all subsidiary Pacemaker daemons",
    options=(
        Option("features", "F", "Display full version and list of features Pacemaker was built with"),
        Option("foreground", "f", "Stay in the foreground and log to standard error instead of becoming a daemon"),
        Option("pid-file", "p", "Write the process id into this file too", "FILE"),
        Option("shutdown", "S", "Instruct Pacemaker to shutdown on this machine"),
        Option("standby", "s", "Start node in standby state"),
        Option("root", "", "Run the node that lives below this folder", "DIR", hidden=True),
        Option("channel", "", "Only receive what administrators of other nodes ask (see crm cluster run)", hidden=True),
    ),
    epilogue="Report bugs to users@clusterlabs.org\n",
)


def main(argv: list[str]) -> int:
    """Run the command; without an option, become the node's main daemon."""
    try:
        line, out = begin(PROGRAM, argv)
    except Finished as finished:
        return finished.code
    if line.has("root"):
        os.environ["HATOOLS_ROOT"] = line.get("root", "/") or "/"
    directories = Directories.from_environment()
    if line.has("features"):
        _show_features(out)
        return out.finish(ExitCode.OK)
    if line.has("shutdown"):
        return out.finish(_shut_down(directories, out))
    if line.has("standby"):
        os.environ["PCMK_node_start_state"] = "standby"
    try:
        if line.has("channel"):
            return run_channel(directories)
        return run_node(directories, line)
    except HatoolsError as error:
        out.error(f"pacemakerd: {error}")
        return int(error.exit_code)


def run_node(directories: Directories, line: CommandLine | None = None) -> int:
    """Become pacemakerd of a node, in the foreground unless the command line says otherwise.

    Raises:
        AlreadyExistsError: one runs already on this root.
    """
    from hatools.daemons.pacemakerd.daemon import InstanceLock, Supervisor
    from hatools.daemons.pacemakerd.image import fork_apart
    from hatools.runtime.environment_file import read_environment_file
    from hatools.runtime.kernel import name_process
    from hatools.runtime.logs import set_up_logging

    variables, warnings = read_environment_file(directories.defaults_file)
    for name, value in variables.items():
        os.environ.setdefault(name, value)
    _require_readable_code()
    directories.prepare()
    lock = InstanceLock(directories)
    lock.take()
    in_foreground = line is None or line.has("foreground")
    if not in_foreground:
        _become_daemon()
        lock.write()
    if line is not None and (pid_file := line.get("pid-file")):
        Path(pid_file).write_text(f"{os.getpid()}\n")
    if line is not None and in_foreground:
        os.environ["HATOOLS_LOG_STDERR"] = "1"
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # commands have the default; a daemon outlives its clients
    name_process("pacemakerd")
    set_up_logging("pacemakerd", directories.log_file, to_stderr="HATOOLS_LOG_STDERR" in os.environ)
    _say_warnings(warnings)
    fork_apart("channel", directories)
    try:
        return Supervisor(directories).run()
    finally:
        lock.release()


def run_channel(directories: Directories) -> int:
    """Be this node's channel to the others, in the foreground; end at once if there is one, or no cluster."""
    from hatools.daemons.pacemakerd.image import load
    from hatools.runtime.daemon import run_daemon
    from hatools.runtime.environment_file import read_environment_file

    for name, value in read_environment_file(directories.defaults_file)[0].items():
        os.environ.setdefault(name, value)
    directories.prepare()
    return run_daemon("channel", load("channel"), directories=directories)


def _require_readable_code() -> None:
    """Make sure that the daemons which give up root can still read Python and us.

    Raises:
        ConfigError: a folder on the way is closed to them; the message says what to do.
    """
    if os.geteuid() != 0 or cluster_ids() is None or os.environ.get("HATOOLS_KEEP_ROOT"):
        return
    python, ours = Path(os.__file__).parent, Path(__file__).resolve().parents[1]
    for name, needed, remedy in (
        ("Python", python, "install with one that everybody may read (`make install PYTHON=/usr/bin/python3`)"),
        ("hatools", ours, "install it (`make install`), or move the checkout to where everybody may read it"),
    ):
        for folder in (needed, *needed.parents):
            if not folder.stat().st_mode & 0o001:
                raise ConfigError(
                    f"the daemons that run as {CLUSTER_USER} cannot read {name} in {needed}, because other users may"
                    f" not enter {folder}: {remedy}; to try hatools out as it is, run `crm lab start`"
                )


def _say_warnings(warnings: list[str]) -> None:
    import logging

    for warning in warnings:
        logging.getLogger(__name__).warning("%s", warning)


def _become_daemon() -> None:
    """Leave the terminal: fork, new session, standard streams to /dev/null."""
    if os.fork():
        os._exit(0)
    os.setsid()
    os.chdir("/")
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    os.close(null)


def _show_features(out: Output) -> None:
    from hatools import COMPATIBLE_VERSION, CRM_FEATURE_SET

    if isinstance(out, XmlOutput):
        out.push("pacemakerd", {"version": COMPATIBLE_VERSION, "build": _BUILD, "feature_set": CRM_FEATURE_SET})
        out.push("features")
        for feature in FEATURES.split():
            out.element("feature", text=feature)
        out.pop()
        out.pop()
        return
    out.info(f"Pacemaker {COMPATIBLE_VERSION} (Build: {_BUILD})\n Supporting v{CRM_FEATURE_SET}: {FEATURES}")


def _shut_down(directories: Directories, out: Output) -> int:
    """Ask the running pacemakerd to stop and wait until it has."""
    from hatools.ipc.blocking import BlockingConnection
    from hatools.ipc.messages.pacemakerd import StopNode

    try:
        with BlockingConnection(directories.socket("pacemakerd"), "pacemakerd", name="pacemakerd") as connection:
            connection.request(StopNode())
            connection.next_event(_SHUTDOWN_LIMIT)
    except DisconnectedError as error:
        if "could not connect" in str(error):
            out.error(f"pacemakerd: {error}: nothing runs on this root, so there is nothing to shut down")
            return int(ExitCode.DISCONNECT)
        return int(ExitCode.OK)
    except DeadlineError as error:
        out.error(f"pacemakerd: {error}")
        return int(error.exit_code)
    out.error("pacemakerd: still stopping after 25 minutes; see its log")
    return int(ExitCode.TIMEOUT)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
