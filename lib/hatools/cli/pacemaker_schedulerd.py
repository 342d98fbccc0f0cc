"""``pacemaker-schedulerd metadata``: the scheduler's cluster options. I/O."""

from hatools.cli.daemon_metadata import format_metadata, refuse_to_start
from hatools.cli.options import Finished, Program, begin
from hatools.values.exitcode import ExitCode
from hatools.values.options import DAEMON_OPTIONS

PROGRAM = Program(
    "pacemaker-schedulerd",
    "pacemaker-schedulerd - daemon for calculating a Pacemaker cluster's response to events",
    parameters="",
    epilogue="Report bugs to users@clusterlabs.org\n",
)


def main(argv: list[str]) -> int:
    """Print the options the scheduler reads."""
    try:
        line, out = begin(PROGRAM, argv)
    except Finished as finished:
        return finished.code
    if line.rest == ["metadata"]:
        print(
            format_metadata(
                "pacemaker-schedulerd",
                "Cluster options used by Pacemaker's scheduler",
                "Pacemaker scheduler options",
                DAEMON_OPTIONS["schedulerd"],
            ),
            end="",
        )
        return ExitCode.OK
    if line.rest:
        out.error("pacemaker-schedulerd: Unsupported extra command line parameters")
        return out.finish(ExitCode.USAGE)
    return refuse_to_start()
