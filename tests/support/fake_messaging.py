"""A messaging daemon for one node without a network: every message comes straight back, safe at once. I/O: a socket."""

from pathlib import Path
from typing import Any

from hatools.ipc.messages import messaging as words
from hatools.ipc.rights import AccessPolicy
from hatools.ipc.server import Client, Server
from hatools.values.errors import NotSupportedError


class FakeMessaging:
    """Serves ``messaging.sock``; the view has one member and is quorate unless told otherwise."""

    def __init__(self, path: Path, owner: int, *, quorate: bool = True) -> None:
        self._server = Server("messaging", path, self._handle, policy=AccessPolicy(owner, None, None))
        self._quorate = quorate
        self._local = words.Member(1, "node1")
        self._sequence = 0
        self._rings = 0
        self.deaf = False
        """Take messages and deliver none."""

    async def open(self) -> None:
        await self._server.open()

    async def close(self) -> None:
        await self._server.close()

    def deliver(self, payload: bytes, sender: int = 1, group: str = "cib") -> None:
        """Deliver a message to every client, and report it safe."""
        self._sequence += 1
        self._server.broadcast(words.Delivered(group, sender, self._sequence, payload))
        self._server.broadcast(words.BecameSafe(group, self._sequence))

    async def _handle(self, client: Client, message: Any) -> Any:
        match message:
            case words.JoinGroup(group):
                self._server.start(self._introduce(client, group))
                return words.Joined(self._local, "test", "corosync")
            case words.Broadcast(group, payload):
                if not self.deaf:
                    self.deliver(payload, group=group)
                return words.Sent()
            case words.SendTo(group, _, payload):
                self._server.broadcast(words.Direct(group, 1, payload))
                return words.Sent()
            case _:
                raise NotSupportedError(type(message).__name__)

    async def _introduce(self, client: Client, group: str) -> None:
        self._rings += 1
        self._sequence = 0
        client.post(words.ViewChanged(f"1.{self._rings:x}", (self._local,), self._quorate, (1,), votes={"node1": 1}))
        client.post(words.GroupChanged(group, (1,), (1,)))
