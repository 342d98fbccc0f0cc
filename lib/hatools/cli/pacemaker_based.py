"""``pacemaker-based metadata``: cluster Information Base manager options. I/O."""

from hatools.cli.daemon_metadata import answer, format_metadata
from hatools.cli.gnu_options import Entry, GnuProgram
from hatools.values.options import DAEMON_OPTIONS

PROGRAM = GnuProgram(
    "pacemaker-based",
    "daemon for managing the configuration of a Pacemaker cluster",
    "[options]",
    (
        Entry("help", "?", "\tThis text"),
        Entry("verbose", "V", "\tIncrease debug output"),
        Entry("stand-alone", "s", "\tAdvanced use only"),
        Entry("disk-writes", "w", "\tAdvanced use only"),
        Entry("cib-root", "r", "\tAdvanced use only", 1),
    ),
)


def main(argv: list[str]) -> int:
    """Print the options this daemon reads."""
    metadata = format_metadata(
        "pacemaker-based",
        "Cluster options used by Pacemaker's Cluster Information Base manager",
        "Cluster Information Base manager options",
        DAEMON_OPTIONS["based"],
    )
    return answer(PROGRAM, argv, metadata)
