"""Whether hosts answer, for changes that are made without a running cluster. I/O: asks the resolver."""

import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hatools.shell.session import Session


def drop_unreachable(session: "Session", names: list[str]) -> list[str]:
    """Return the hosts that can be reached, warning of the others.

    As in the original, the host behind one that is left out is not asked.
    """
    reachable: list[str] = []
    is_asked = True
    for name in names:
        if is_asked and not _resolves(name):
            session.console.warning(f'host "{name}" is unreachable: ping: {name}: Name or service not known')
            is_asked = False
            continue
        reachable.append(name)
        is_asked = True
    return reachable


def _resolves(name: str) -> bool:
    try:
        socket.getaddrinfo(name, None)
    except OSError:
        return False
    return True
