"""libcpg: one process group of a running Corosync. I/O."""

import ctypes
from collections.abc import Callable

from hatools.messaging.external.events import Event, MembersChanged, Message, Process, Reason, RingChanged
from hatools.messaging.external.library import (
    Handle,
    RingIdentity,
    Status,
    attempt,
    check,
    drain,
    load,
)
from hatools.messaging.views import RingId

_MODEL_V1 = 1
_TELL_RING_AT_ONCE = 1
_AGREED = 2
_ALL_GROUPS = 3
_BATCH = 64
"""Callbacks before the event loop gets its turn."""


class _Name(ctypes.Structure):
    """``cpg_name``."""

    _fields_ = [("length", ctypes.c_uint32), ("value", ctypes.c_char * 128)]


class _Address(ctypes.Structure):
    """``cpg_address``."""

    _fields_ = [("node", ctypes.c_uint32), ("pid", ctypes.c_uint32), ("reason", ctypes.c_uint32)]


class _Vector(ctypes.Structure):
    """``iovec``."""

    _fields_ = [("base", ctypes.c_char_p), ("length", ctypes.c_size_t)]


class _Entry(ctypes.Structure):
    """``cpg_iteration_description_t``."""

    _fields_ = [("group", _Name), ("node", ctypes.c_uint32), ("pid", ctypes.c_uint32)]


_Addresses = ctypes.POINTER(_Address)
_Deliver = ctypes.CFUNCTYPE(
    None, Handle, ctypes.POINTER(_Name), ctypes.c_uint32, ctypes.c_uint32, ctypes.c_void_p, ctypes.c_size_t
)
_Changed = ctypes.CFUNCTYPE(
    None,
    Handle,
    ctypes.POINTER(_Name),
    *(_Addresses, ctypes.c_size_t),
    *(_Addresses, ctypes.c_size_t),
    *(_Addresses, ctypes.c_size_t),
)
_Ring = ctypes.CFUNCTYPE(None, Handle, RingIdentity, ctypes.c_uint32, ctypes.POINTER(ctypes.c_uint32))


class _Model(ctypes.Structure):
    """``cpg_model_v1_data_t``."""

    _fields_ = [
        ("model", ctypes.c_int),
        ("deliver", _Deliver),
        ("changed", _Changed),
        ("ring", _Ring),
        ("flags", ctypes.c_uint),
    ]


class ProcessGroup:
    """A connection to libcpg, and the one group it is in.

    Args:
        on_event: gets what happens, in order, from within :meth:`dispatch`.
    """

    def __init__(self, on_event: Callable[[Event], None]) -> None:
        handle_out = ctypes.POINTER(Handle)
        name = ctypes.POINTER(_Name)
        self._library = load(
            "libcpg.so.4",
            cpg_model_initialize=(handle_out, ctypes.c_int, ctypes.POINTER(_Model), ctypes.c_void_p),
            cpg_finalize=(Handle,),
            cpg_fd_get=(Handle, ctypes.POINTER(ctypes.c_int)),
            cpg_dispatch=(Handle, ctypes.c_int),
            cpg_join=(Handle, name),
            cpg_leave=(Handle, name),
            cpg_local_get=(Handle, ctypes.POINTER(ctypes.c_uint)),
            cpg_mcast_joined=(Handle, ctypes.c_int, ctypes.POINTER(_Vector), ctypes.c_uint),
            cpg_iteration_initialize=(Handle, ctypes.c_int, name, handle_out),
            cpg_iteration_next=(Handle, ctypes.POINTER(_Entry)),
            cpg_iteration_finalize=(Handle,),
        )
        self._on_event = on_event
        self._handle = Handle()
        # The library keeps pointers to these for as long as the handle lives.
        self._model = _Model(
            _MODEL_V1,
            _Deliver(self._delivered),
            _Changed(self._changed),
            _Ring(self._ring_formed),
            _TELL_RING_AT_ONCE,
        )
        self._name = _name("")
        self._is_open = False

    def open(self) -> None:
        """Connect.

        Raises:
            DisconnectedError: corosync does not run.
            UnavailableError: it is not ready yet, or refuses.
        """
        model = ctypes.byref(self._model)
        check(
            self._library.cpg_model_initialize(ctypes.byref(self._handle), _MODEL_V1, model, None),
            "cpg_model_initialize",
        )
        self._is_open = True

    @property
    def descriptor(self) -> int:
        """Return what to watch for reading; never read it."""
        found = ctypes.c_int()
        check(self._library.cpg_fd_get(self._handle, ctypes.byref(found)), "cpg_fd_get")
        return found.value

    @property
    def node_id(self) -> int:
        """Return the id of this node."""
        found = ctypes.c_uint()
        check(self._library.cpg_local_get(self._handle, ctypes.byref(found)), "cpg_local_get")
        return found.value

    def join(self, group: str) -> bool:
        """Join the group; False if it has to be tried again."""
        self._name = _name(group)
        return attempt(lambda: self._library.cpg_join(self._handle, ctypes.byref(self._name)), "cpg_join")

    def send(self, data: bytes) -> bool:
        """Send to the group; False if it has to be tried again: then nothing was sent.

        Raises:
            DisconnectedError: corosync is gone.
        """
        vector = _Vector(data, len(data))
        status = self._library.cpg_mcast_joined(self._handle, _AGREED, ctypes.byref(vector), 1)
        if status == Status.OK:
            return True
        return attempt(lambda: status, "cpg_mcast_joined")

    def dispatch(self) -> None:
        """Hand over what has arrived; the rest comes when the descriptor is looked at again.

        Raises:
            DisconnectedError: corosync is gone.
        """
        drain(lambda how: int(self._library.cpg_dispatch(self._handle, how)), "cpg_dispatch", _BATCH)

    def groups(self) -> list[tuple[str, Process]]:
        """Return all groups of the cluster with their members."""
        iteration, entry, found = Handle(), _Entry(), []
        check(
            self._library.cpg_iteration_initialize(self._handle, _ALL_GROUPS, None, ctypes.byref(iteration)),
            "cpg_iteration_initialize",
        )
        while self._library.cpg_iteration_next(iteration, ctypes.byref(entry)) == Status.OK:
            name = bytes(entry.group.value)[: entry.group.length].rstrip(b"\0").decode(errors="replace")
            found.append((name, Process(entry.node, entry.pid)))
        self._library.cpg_iteration_finalize(iteration)
        return found

    def close(self) -> None:
        """Leave the group and disconnect; callbacks that are on their way are not heard any more."""
        if self._is_open:
            self._is_open = False
            self._library.cpg_leave(self._handle, ctypes.byref(self._name))
            self._library.cpg_finalize(self._handle)

    def _delivered(self, _: int, __: object, node: int, pid: int, data: int, length: int) -> None:
        if self._is_open:
            self._on_event(Message(Process(node, pid), ctypes.string_at(data, length)))

    def _changed(self, _: int, __: object, *lists: object) -> None:
        members, left, joined = (_addresses(lists[index], lists[index + 1]) for index in (0, 2, 4))
        if self._is_open:
            gone = tuple((process, reason) for process, reason in left)
            self._on_event(
                MembersChanged(tuple(process for process, _ in members), gone, tuple(process for process, _ in joined))
            )

    def _ring_formed(self, _: int, ring: RingIdentity, count: int, nodes: object) -> None:
        if self._is_open:
            listed = frozenset(int(nodes[index]) for index in range(count))  # type: ignore[index]
            self._on_event(RingChanged(RingId(ring.sequence, ring.node), listed))


def _name(group: str) -> _Name:
    encoded = group.encode()
    return _Name(len(encoded), encoded)


def _addresses(pointer: object, count: object) -> list[tuple[Process, Reason]]:
    assert isinstance(count, int)
    found = []
    for index in range(count):
        address = pointer[index]  # type: ignore[index]
        reason = Reason(address.reason) if address.reason in Reason._value2member_map_ else Reason.UNDEFINED
        found.append((Process(address.node, address.pid), reason))
    return found
