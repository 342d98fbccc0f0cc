"""What commands call themselves: the Pacemaker they stand for, and the name they were started by. I/O."""

import os
import sys

VERSION = "2.1.5"
"""The version of Pacemaker whose interface the commands offer; other programs parse it."""

AUTHORS = "Andrew Beekhof and the Pacemaker project contributors"
FEATURES = "agent-manpages cibsecrets corosync-ge-2 generated-manpages lha monotonic nagios ncurses remote systemd"


def program_name() -> str:
    """Return the name the command was called by."""
    return os.path.basename(sys.argv[0]) or "hatools"
