"""Calling lrmd. I/O."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from hatools.ipc.client import Connection
from hatools.ipc.messages.lrm import (
    Accepted,
    CancelOperation,
    Execute,
    GetMetadata,
    ListResources,
    Metadata,
    OperationDone,
    RegisteredResource,
    RegisterResource,
    ResourceList,
    RunAlertAgent,
    SubscribeOperations,
    UnregisterResource,
)
from hatools.values.agentname import AgentName


class LrmClient:
    """A connection to the local executor, for daemons.

    ``on_done`` gets every result in order; ``connection.closed`` tells that lrmd went away.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    @classmethod
    async def connect(
        cls,
        socket_path: Path,
        *,
        name: str,
        on_done: Callable[[OperationDone], None] | None = None,
        deadline_s: float = 5.0,
    ) -> "LrmClient":
        """Connect and, with ``on_done``, subscribe to results.

        Raises:
            DisconnectedError: lrmd did not listen in time.
        """

        def on_event(message: Any) -> None:
            if on_done is not None and isinstance(message, OperationDone):
                on_done(message)

        client = cls(await Connection.open(socket_path, "lrmd", name=name, on_event=on_event, deadline_s=deadline_s))
        if on_done is not None:
            await client.connection.request(SubscribeOperations())
        return client

    async def register(self, resource: str, agent: AgentName) -> None:
        """Make a resource known; doing so again is harmless."""
        await self.connection.request(RegisterResource(resource, agent.standard, agent.provider, agent.type))

    async def unregister(self, resource: str) -> None:
        """Forget a resource and end its recurring operations."""
        await self.connection.request(UnregisterResource(resource))

    async def execute(self, request: Execute) -> int:
        """Have an operation run; return its call id. Its results come to ``on_done``."""
        answer: Accepted = await self.connection.request(request)
        return answer.call_id

    async def register_and_execute(self, agent: AgentName, request: Execute) -> int:
        """Make a resource known and have an operation of it run, in one go; return the call id."""
        known = RegisterResource(request.resource, agent.standard, agent.provider, agent.type)
        registered, accepted = self.connection.submit(known), self.connection.submit(request)
        try:
            await registered
        except BaseException:
            accepted.add_done_callback(lambda future: future.cancelled() or future.exception())
            raise
        answer: Accepted = await accepted
        return answer.call_id

    async def cancel(self, resource: str, operation: str, interval_ms: int) -> None:
        """End a recurring operation.

        Raises:
            NoSuchObjectError: there is none.
        """
        await self.connection.request(CancelOperation(resource, operation, interval_ms))

    async def run_alert(self, request: RunAlertAgent) -> None:
        """Have an alert's program called."""
        await self.connection.request(request)

    async def resources(self) -> tuple[RegisteredResource, ...]:
        """Return what is registered."""
        answer: ResourceList = await self.connection.request(ListResources())
        return answer.resources

    async def metadata(self, agent: AgentName, *, timeout_ms: int = 30_000) -> str:
        """Return an agent's metadata document."""
        answer: Metadata = await self.connection.request(
            GetMetadata(agent.standard, agent.provider, agent.type, timeout_ms), timeout_s=timeout_ms / 1000 + 5
        )
        return answer.xml.decode()

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()
