"""corosync-qnetd-certutil: certificates for the arbiter and for the clusters that it serves. I/O.

The original signs requests of nodes; here the arbiter's host makes a cluster's certificate with its key, one file
that goes to ``/etc/corosync/qdevice/net/cluster.pem`` of every node, together with ``ca.pem``.
"""

import sys
from pathlib import Path

from hatools.cli.corosync_getopt import parse
from hatools.values.errors import HatoolsError

USAGE = """\
usage: corosync-qnetd-certutil [-i] [-n cluster_name [-o file]] [-h]

 -i              Initialize QNetd CA and generate server certificate
 -n cluster_name Make the certificate of a cluster, with its key
 -o file         Write it there instead of cluster-NAME.pem
"""


def main(argv: list[str]) -> int:
    """Run the command; return its exit status."""
    from hatools.messaging.qdevice.keys import make_authority, make_client
    from hatools.runtime.directories import Directories

    line = parse("corosync-qnetd-certutil", argv, "ihn:o:")
    options = dict(line[0]) if line else {}
    if line is None or "-h" in options or not {"-i", "-n"} & options.keys():
        print(USAGE, end="")
        return 0 if "-h" in options else 1
    folder = Directories.from_environment().root / "etc/corosync/qnetd"
    try:
        if "-i" in options:
            make_authority(folder)
            print(f"Certificate of the authority: {folder / 'ca.pem'} (copy it to every node)")
        if "-n" in options:
            path = Path(options.get("-o", f"cluster-{options['-n']}.pem"))
            make_client(folder, options["-n"], path)
            print(f"Certificate of cluster {options['-n']} with its key: {path} (copy it to every node)")
    except HatoolsError as error:
        print(f"corosync-qnetd-certutil: {error}", file=sys.stderr)
        return 1
    return 0
