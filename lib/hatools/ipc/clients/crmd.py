"""The controller as commands see it. I/O."""

from hatools.ipc.blocking import BlockingConnection
from hatools.ipc.messages.crmd import (
    ControllerState,
    DescribeController,
    FailResource,
    ForgetNode,
    ListNodes,
    NodeList,
    RefreshResource,
    Reprobe,
    StartElection,
)
from hatools.runtime.directories import Directories


class BlockingController:
    """A command's connection to the controller of this node."""

    def __init__(self, directories: Directories | None = None, *, name: str, timeout_s: float = 30.0) -> None:
        """Connect.

        Raises:
            DisconnectedError: no controller answers here.
        """
        folders = directories or Directories.from_environment()
        self._timeout_s = timeout_s
        self._connection = BlockingConnection(folders.socket("crmd"), "controller", name=name)

    def describe(self, node: str = "") -> ControllerState:
        """Return how the controller of a node (empty: this one) stands.

        Raises:
            NoSuchObjectError: no controller runs there.
        """
        answer = self._connection.request(DescribeController(node), timeout_s=self._timeout_s)
        assert isinstance(answer, ControllerState)
        return answer

    def nodes(self) -> NodeList:
        """Return the nodes that are known, the local one and quorum."""
        answer = self._connection.request(ListNodes(), timeout_s=self._timeout_s)
        assert isinstance(answer, NodeList)
        return answer

    def refresh(self, resource: str, node: str) -> None:
        """Have a resource's history on a node forgotten, so that it is probed again."""
        self._connection.request(RefreshResource(resource, node), timeout_s=self._timeout_s)

    def fail(self, resource: str, node: str) -> None:
        """Have a resource treated as failed."""
        self._connection.request(FailResource(resource, node), timeout_s=self._timeout_s)

    def reprobe(self, node: str = "") -> None:
        """Have everything on a node (empty: on all) probed again."""
        self._connection.request(Reprobe(node), timeout_s=self._timeout_s)

    def elect(self) -> None:
        """Force an election."""
        self._connection.request(StartElection(), timeout_s=self._timeout_s)

    def forget(self, name: str) -> None:
        """Have a node that is gone dropped from the controllers' caches."""
        self._connection.request(ForgetNode(name), timeout_s=self._timeout_s)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def local_node(directories: Directories | None = None) -> str:
    """Return the name the cluster has for this node.

    Raises:
        DisconnectedError: no cluster runs here.
    """
    controller = BlockingController(directories, name="node-name")
    try:
        return controller.nodes().local
    finally:
        controller.close()
