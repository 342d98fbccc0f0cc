"""Calling stonithd. I/O."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from hatools.ipc.client import Connection
from hatools.ipc.messages.stonith import (
    ConfirmDown,
    DevicesChanged,
    Fence,
    FencingDone,
    FencingNotice,
    FencingRecord,
    History,
    QueryHistory,
    SubscribeFencing,
)


class StonithClient:
    """A connection to the local fencer, for daemons.

    ``connection.closed`` tells that stonithd went away; what was asked for has to be asked for again then.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    @classmethod
    async def connect(
        cls,
        socket_path: Path,
        *,
        name: str,
        on_notice: Callable[[FencingRecord], None] | None = None,
        on_devices: Callable[[DevicesChanged], None] | None = None,
        deadline_s: float = 5.0,
    ) -> "StonithClient":
        """Connect and, with a callback, subscribe to what happens in the whole cluster.

        Raises:
            DisconnectedError: stonithd did not listen in time.
        """

        def on_event(message: Any) -> None:
            if on_notice is not None and isinstance(message, FencingNotice):
                on_notice(message.record)
            elif on_devices is not None and isinstance(message, DevicesChanged):
                on_devices(message)

        client = cls(
            await Connection.open(socket_path, "stonithd", name=name, on_event=on_event, deadline_s=deadline_s)
        )
        if on_notice is not None or on_devices is not None:
            await client.connection.request(SubscribeFencing())
        return client

    async def fence(self, request: Fence) -> FencingDone:
        """Have a node fenced; returns when that is confirmed. stonithd keeps the time and always answers.

        Raises:
            NoSuchObjectError: no device can do it.
            DeadlineError: the time was up.
            HatoolsError: every way failed; the text says how.
            DisconnectedError: stonithd went away; whether it was done is not known.
        """
        answer: FencingDone = await self.connection.request(request, timeout_s=None)
        return answer

    async def confirm(self, target: str, *, client: str = "") -> FencingDone:
        """Say, for a person, that a node is safely down."""
        answer: FencingDone = await self.connection.request(ConfirmDown(target, client))
        return answer

    async def history(self, target: str = "*") -> tuple[FencingRecord, ...]:
        """Return what was fenced, newest first."""
        answer: History = await self.connection.request(QueryHistory(target))
        return answer.records

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()
