"""The other daemons of the node, as the controller asks them: they may be restarting. I/O."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hatools.ipc.client import Connection
from hatools.values.errors import DeadlineError, DisconnectedError

_log = logging.getLogger(__name__)


class Colleagues:
    """Connections by daemon, made when they are first wanted.

    Args:
        socket: names a daemon's socket.
    """

    def __init__(self, socket: Callable[[str], Path]) -> None:
        self._socket = socket
        self._connections: dict[str, Connection] = {}

    async def ask(self, daemon: str, request: Any, *, timeout_s: float = 60.0) -> Any:
        """Ask a daemon; a lost connection means to ask again, until the time is up.

        Raises:
            DeadlineError: it did not answer in time.
            HatoolsError: it refused.
        """
        loop = asyncio.get_running_loop()
        give_up = loop.time() + timeout_s
        while True:
            remaining = give_up - loop.time()
            if remaining <= 0:
                raise DeadlineError(f"{daemon} did not answer within {timeout_s:g} s")
            connection = await self.connect(daemon, remaining)
            try:
                return await connection.request(request, timeout_s=remaining)
            except DisconnectedError:
                _log.warning("the connection to %s was lost: asking again", daemon)

    async def connect(self, daemon: str, deadline_s: float) -> Connection:
        """Return the connection to a daemon, waiting for it to be there at most so many seconds."""
        connection = self._connections.get(daemon)
        if connection is None or connection.closed.done():
            connection = await Connection.open(self._socket(daemon), daemon, name="crmd", deadline_s=deadline_s)
            self._connections[daemon] = connection
        return connection
