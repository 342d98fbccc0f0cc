"""corosync-qnetd: the arbiter that gives a vote to one partition of each cluster it knows. I/O.

It speaks the protocol of the original, so either side of a quorum device may be the original.
"""

import asyncio
import logging
import signal
import sys

from hatools.cli.corosync_getopt import parse
from hatools.values.errors import HatoolsError, UsageError
from hatools.values.records import dataclass

VERSION = "3.0.3"
"""The version of corosync-qdevice whose interface this is."""

USAGE = """\
usage: corosync-qnetd [-46dfhv] [-l listen_addr] [-p listen_port] [-s tls]
                      [-c client_cert_required] [-m max_clients] [-S option=value[,option2=value2,...]]
"""

_TLS = {"on": 1, "off": 0, "req": 2}


@dataclass(slots=True)
class _Wish:
    address: str | None = None
    port: int = 5403
    tls: int = 1
    wants_certificate: bool = True
    debug: bool = False


def main(argv: list[str]) -> int:
    """Run the arbiter until it is told to stop; return the exit status."""
    line = parse("corosync-qnetd", argv, "46dfhvc:l:m:p:S:s:")
    if line is None:
        print(USAGE, end="")
        return 1
    names = [name for name, _ in line[0]]
    if "-h" in names:
        print(USAGE, end="")
        return 0
    if "-v" in names:
        print(f"Corosync Qdevice Network Daemon, version '{VERSION}'")
        return 0
    try:
        wish = _wish(line[0])
        logging.basicConfig(
            level=logging.DEBUG if wish.debug else logging.INFO, format="%(asctime)s %(levelname)-7s %(message)s"
        )
        return asyncio.run(_serve(wish))
    except HatoolsError as error:
        print(f"corosync-qnetd: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"corosync-qnetd: cannot listen: {error.strerror}", file=sys.stderr)
        return 1


def _wish(options: list[tuple[str, str]]) -> _Wish:
    wish = _Wish()
    for name, value in options:
        match name:
            case "-4":
                wish.address = wish.address or "0.0.0.0"
            case "-6":
                wish.address = wish.address or "::"
            case "-l":
                wish.address = value
            case "-p":
                if not value.isdecimal() or int(value) > 65535:
                    raise UsageError("Option -p: port must be in range 0-65535")
                wish.port = int(value)
            case "-s":
                if value not in _TLS:
                    raise UsageError("Option -s: must be on, off or req")
                wish.tls = _TLS[value]
            case "-c":
                if value not in ("on", "off"):
                    raise UsageError("Option -c: must be on or off")
                wish.wants_certificate = value == "on"
            case "-d":
                wish.debug = True
    return wish


async def _serve(wish: _Wish) -> int:
    from hatools.messaging.qdevice.arbiter import Arbiter
    from hatools.messaging.qdevice.messages import Tls
    from hatools.messaging.qdevice.secure import arbiter_context
    from hatools.messaging.qdevice.server import ArbiterServer
    from hatools.runtime.directories import Directories

    folder = Directories.from_environment().root / "etc/corosync/qnetd"
    context = arbiter_context(folder, wants_certificate=wish.wants_certificate) if wish.tls else None
    server = ArbiterServer(Arbiter(Tls(wish.tls), wants_certificate=wish.wants_certificate), context)
    await server.open(wish.address, wish.port)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    logging.getLogger(__name__).info("listening on %s port %s", wish.address or "all addresses", wish.port)
    await stop.wait()
    server.close()
    return 0
