"""The attribute daemon as commands see it. I/O."""

from typing import Self

from hatools.ipc.blocking import BlockingConnection
from hatools.ipc.messages.attrd import (
    AttributeValue,
    AttributeValues,
    ClearFailures,
    QueryAttribute,
    RefreshAttributes,
    RemovePeer,
    UpdateAttribute,
)
from hatools.runtime.directories import Directories


class BlockingAttributes:
    """A command's connection to the attribute daemon of this node."""

    def __init__(self, directories: Directories | None = None, *, name: str) -> None:
        """Connect.

        Raises:
            DisconnectedError: no attribute daemon answers here.
        """
        folders = directories or Directories.from_environment()
        self._connection = BlockingConnection(folders.socket("attrd"), "attrd", name=name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def update(
        self, name: str, value: str | None, *, node: str = "", set_name: str = "", pattern: bool = False
    ) -> None:
        """Set an attribute, or delete it (None); it is ordered among all updates of the cluster when this returns."""
        self.send(UpdateAttribute(name, value, node=node, set_name=set_name, pattern=pattern))

    def send(self, update: UpdateAttribute) -> None:
        """Have an update carried out; it is ordered among all updates of the cluster when this returns."""
        self._connection.request(update)

    def query(self, name: str, node: str = "") -> tuple[AttributeValue, ...]:
        """Return an attribute's values (empty name: of all), on one node or on all."""
        answer = self._connection.request(QueryAttribute(name, node))
        assert isinstance(answer, AttributeValues)
        return answer.values

    def refresh(self) -> None:
        """Have all values written to the CIB again."""
        self._connection.request(RefreshAttributes())

    def remove_peer(self, node: str) -> None:
        """Have a node's values forgotten."""
        self._connection.request(RemovePeer(node))

    def clear_failures(self, request: ClearFailures) -> None:
        """Have fail counts and last failures removed."""
        self._connection.request(request)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def open_attrd(directories: Directories | None = None, *, name: str = "command") -> BlockingAttributes:
    """Connect to the attribute daemon of this node.

    Raises:
        DisconnectedError: no attribute daemon answers here.
    """
    return BlockingAttributes(directories, name=name)
