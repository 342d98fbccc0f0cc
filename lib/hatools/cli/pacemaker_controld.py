"""``pacemaker-controld metadata``: pacemaker controller options. I/O."""

from hatools.cli.daemon_metadata import answer, format_metadata
from hatools.cli.gnu_options import Entry, GnuProgram
from hatools.values.options import DAEMON_OPTIONS

PROGRAM = GnuProgram(
    "pacemaker-controld",
    "daemon for coordinating a Pacemaker cluster's response to events",
    "[options]",
    (
        Entry("help", "?", "\tThis text"),
        Entry("verbose", "V", "\tIncrease debug output"),
    ),
)


def main(argv: list[str]) -> int:
    """Print the options this daemon reads."""
    metadata = format_metadata(
        "pacemaker-controld",
        "Cluster options used by Pacemaker's controller",
        "Pacemaker controller options",
        DAEMON_OPTIONS["controld"],
    )
    return answer(PROGRAM, argv, metadata)
