"""libquorum and libvotequorum: membership and votes of a running Corosync. I/O."""

import ctypes
from collections.abc import Callable

from hatools.messaging.external.library import Handle, RingIdentity, check, drain, load
from hatools.messaging.views import RingId
from hatools.values.errors import ConfigError, NoSuchObjectError
from hatools.values.records import dataclass

_MODEL_V1 = 1
_NO_PROVIDER = 0
_CURRENT_AND_CHANGES = 3
_BATCH = 16
_DEVICE_NAME = 255

FLAGS = {
    1: "2Node",
    2: "Quorate",
    4: "WaitForAll",
    8: "LastManStanding",
    16: "AutoTieBreaker",
    32: "AllowDownscale",
    64: "Qdevice",
}
"""Bits of ``votequorum_info.flags`` in the words of corosync-quorumtool."""

_Nodes = ctypes.POINTER(ctypes.c_uint32)
_Quorum = ctypes.CFUNCTYPE(None, Handle, ctypes.c_uint32, RingIdentity, ctypes.c_uint32, _Nodes)
_NodeList = ctypes.CFUNCTYPE(
    None, Handle, RingIdentity, ctypes.c_uint32, _Nodes, ctypes.c_uint32, _Nodes, ctypes.c_uint32, _Nodes
)


class _Model(ctypes.Structure):
    """``quorum_model_v1_data_t``."""

    _fields_ = [("model", ctypes.c_int), ("quorum", _Quorum), ("nodes", _NodeList)]


class _Info(ctypes.Structure):
    """``votequorum_info``."""

    _fields_ = [
        (name, ctypes.c_uint)
        for name in (
            "node",
            "state",
            "votes",
            "expected",
            "highest_expected",
            "total",
            "quorum",
            "flags",
            "device_votes",
        )
    ] + [("device", ctypes.c_char * _DEVICE_NAME)]


@dataclass(frozen=True, slots=True)
class Standing:
    """Quorum as one node is counted in it."""

    node: int
    votes: int
    expected: int
    highest_expected: int
    total: int
    quorum: int
    flags: tuple[str, ...]
    device: str = ""
    """Name of the quorum device, if one is registered."""


class QuorumService:
    """Connections to both libraries.

    Args:
        on_change: gets ring, quorate and the nodes of the ring, from within :meth:`dispatch`.
    """

    def __init__(self, on_change: Callable[[RingId, bool, frozenset[int]], None]) -> None:
        handle_out = ctypes.POINTER(Handle)
        self._quorum = load(
            "libquorum.so.5",
            quorum_model_initialize=(
                *(handle_out, ctypes.c_int, ctypes.POINTER(_Model)),
                *(ctypes.POINTER(ctypes.c_uint32), ctypes.c_void_p),
            ),
            quorum_finalize=(Handle,),
            quorum_fd_get=(Handle, ctypes.POINTER(ctypes.c_int)),
            quorum_dispatch=(Handle, ctypes.c_int),
            quorum_trackstart=(Handle, ctypes.c_uint),
        )
        self._votes = load(
            "libvotequorum.so.8",
            votequorum_initialize=(handle_out, ctypes.c_void_p),
            votequorum_finalize=(Handle,),
            votequorum_getinfo=(Handle, ctypes.c_uint, ctypes.POINTER(_Info)),
            votequorum_setexpected=(Handle, ctypes.c_uint),
            votequorum_setvotes=(Handle, ctypes.c_uint, ctypes.c_uint),
            votequorum_qdevice_unregister=(Handle, ctypes.c_char_p),
        )
        self._on_change = on_change
        self._handle, self._votes_handle = Handle(), Handle()
        self._model = _Model(_MODEL_V1, _Quorum(self._changed), _NodeList(self._nodes_changed))
        self._is_open = False

    def open(self) -> None:
        """Connect and ask to be told of every change.

        Raises:
            ConfigError: corosync.conf names no quorum provider.
            UnavailableError: corosync does not run or is not ready.
        """
        kind = ctypes.c_uint32()
        handle, model = ctypes.byref(self._handle), ctypes.byref(self._model)
        check(
            self._quorum.quorum_model_initialize(handle, _MODEL_V1, model, ctypes.byref(kind), None),
            "quorum_model_initialize",
        )
        self._is_open = True
        if kind.value == _NO_PROVIDER:
            raise ConfigError(
                "corosync runs without a quorum provider: set 'provider: corosync_votequorum' in the section quorum of "
                "corosync.conf on every node"
            )
        check(self._votes.votequorum_initialize(ctypes.byref(self._votes_handle), None), "votequorum_initialize")
        check(self._quorum.quorum_trackstart(self._handle, _CURRENT_AND_CHANGES), "quorum_trackstart")

    @property
    def descriptor(self) -> int:
        """Return what to watch for reading; never read it."""
        found = ctypes.c_int()
        check(self._quorum.quorum_fd_get(self._handle, ctypes.byref(found)), "quorum_fd_get")
        return found.value

    def dispatch(self) -> None:
        """Hand over what has changed.

        Raises:
            DisconnectedError: corosync is gone.
        """
        drain(lambda how: int(self._quorum.quorum_dispatch(self._handle, how)), "quorum_dispatch", _BATCH)

    def standing(self, node: int = 0) -> Standing:
        """Return how a node is counted, our own if none is named."""
        info = _Info()
        check(self._votes.votequorum_getinfo(self._votes_handle, node, ctypes.byref(info)), "votequorum_getinfo")
        flags = tuple(word for bit, word in FLAGS.items() if info.flags & bit)
        counts = (info.votes, info.expected, info.highest_expected, info.total, info.quorum)
        return Standing(info.node, *counts, flags, info.device.decode(errors="replace"))

    def set_expected(self, votes: int) -> None:
        """Change the expected votes of the partition."""
        check(self._votes.votequorum_setexpected(self._votes_handle, votes), "votequorum_setexpected")

    def set_votes(self, node: int, votes: int) -> None:
        """Change the votes of one node."""
        check(self._votes.votequorum_setvotes(self._votes_handle, node, votes), "votequorum_setvotes")

    def unregister_device(self) -> None:
        """Do without the quorum device until Corosync's next start.

        Raises:
            NoSuchObjectError: there is none.
        """
        name = self.standing().device
        if not name:
            raise NoSuchObjectError("there is no quorum device")
        status = self._votes.votequorum_qdevice_unregister(self._votes_handle, name.encode())
        check(status, "votequorum_qdevice_unregister")

    def close(self) -> None:
        """Disconnect."""
        if self._is_open:
            self._is_open = False
            self._quorum.quorum_finalize(self._handle)
            if self._votes_handle:
                self._votes.votequorum_finalize(self._votes_handle)

    def _changed(self, _: int, quorate: int, ring: RingIdentity, count: int, nodes: object) -> None:
        if self._is_open:
            listed = frozenset(int(nodes[index]) for index in range(count))  # type: ignore[index]
            self._on_change(RingId(ring.sequence, ring.node), bool(quorate), listed)

    def _nodes_changed(self, *_: object) -> None:
        """The same nodes come with the quorum, right behind."""
