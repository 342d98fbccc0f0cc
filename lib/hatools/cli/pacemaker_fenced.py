"""``pacemaker-fenced metadata``: instance attributes available for all "stonith"-class resources. I/O."""

from hatools.cli.daemon_metadata import answer, format_metadata
from hatools.cli.gnu_options import Entry, GnuProgram
from hatools.values.fencing_options import FENCING_PARAMETERS

PROGRAM = GnuProgram(
    "pacemaker-fenced",
    "daemon for executing fencing devices in a Pacemaker cluster",
    "[options]",
    (
        Entry("stand-alone", "s", "\tDeprecated (will be removed in a future release)"),
        Entry("stand-alone-w-cpg", "c", "\tIntended for use in regression testing only"),
        Entry("logfile", "l", "", 1),
        Entry("verbose", "V"),
        Entry("version", "$"),
        Entry("help", "?"),
    ),
)


def main(argv: list[str]) -> int:
    """Print the options this daemon reads."""
    metadata = format_metadata(
        "pacemaker-fenced",
        'Instance attributes available for all "stonith"-class resources and used by Pacemaker\'s fence'
        " daemon, formerly known as stonithd",
        'Instance attributes available for all "stonith"-class resources',
        FENCING_PARAMETERS,
    )
    return answer(PROGRAM, argv, metadata)
