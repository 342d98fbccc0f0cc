"""libcfg: Corosync's own control: its node id, its wish to stop, its configuration. I/O."""

import ctypes

from hatools.messaging.external.library import Handle, check, drain, load

_NO = 0
_BATCH = 8
_Shutdown = ctypes.CFUNCTYPE(None, Handle, ctypes.c_int)


class _Callbacks(ctypes.Structure):
    """``corosync_cfg_callbacks_t``."""

    _fields_ = [("shutdown", _Shutdown)]


class Control:
    """A connection to libcfg that refuses an orderly stop of Corosync for as long as it is open.

    As Pacemaker does: whoever stops Corosync below a running cluster manager has the node fenced.
    """

    def __init__(self) -> None:
        self._library = load(
            "libcfg.so.7",
            corosync_cfg_initialize=(ctypes.POINTER(Handle), ctypes.POINTER(_Callbacks)),
            corosync_cfg_finalize=(Handle,),
            corosync_cfg_fd_get=(Handle, ctypes.POINTER(ctypes.c_int32)),
            corosync_cfg_dispatch=(Handle, ctypes.c_int),
            corosync_cfg_trackstart=(Handle, ctypes.c_uint8),
            corosync_cfg_replyto_shutdown=(Handle, ctypes.c_int),
            corosync_cfg_reload_config=(Handle,),
            corosync_cfg_reopen_log_files=(Handle,),
            corosync_cfg_kill_node=(Handle, ctypes.c_uint, ctypes.c_char_p),
        )
        self._handle = Handle()
        self._callbacks = _Callbacks(_Shutdown(self._asked_to_stop))
        self._is_open = False
        self.refusals = 0
        """How often a stop was refused."""

    def open(self) -> None:
        """Connect.

        Raises:
            UnavailableError: corosync does not run or is not ready.
        """
        status = self._library.corosync_cfg_initialize(ctypes.byref(self._handle), ctypes.byref(self._callbacks))
        check(status, "corosync_cfg_initialize")
        self._is_open = True
        check(self._library.corosync_cfg_trackstart(self._handle, 0), "corosync_cfg_trackstart")

    @property
    def descriptor(self) -> int:
        """Return what to watch for reading; never read it."""
        found = ctypes.c_int32()
        check(self._library.corosync_cfg_fd_get(self._handle, ctypes.byref(found)), "corosync_cfg_fd_get")
        return found.value

    def dispatch(self) -> None:
        """Answer what Corosync asks.

        Raises:
            DisconnectedError: corosync is gone.
        """
        drain(lambda how: int(self._library.corosync_cfg_dispatch(self._handle, how)), "corosync_cfg_dispatch", _BATCH)

    def reload(self) -> None:
        """Have Corosync read its file again, on all nodes."""
        check(self._library.corosync_cfg_reload_config(self._handle), "corosync_cfg_reload_config")

    def reopen_logs(self) -> None:
        """Have Corosync open its log files anew."""
        check(self._library.corosync_cfg_reopen_log_files(self._handle), "corosync_cfg_reopen_log_files")

    def throw_out(self, node: int, reason: str) -> None:
        """Have Corosync on a node end itself."""
        check(self._library.corosync_cfg_kill_node(self._handle, node, reason.encode()), "corosync_cfg_kill_node")

    def close(self) -> None:
        """Disconnect."""
        if self._is_open:
            self._is_open = False
            self._library.corosync_cfg_finalize(self._handle)

    def _asked_to_stop(self, _: int, __: int) -> None:
        if self._is_open:
            self.refusals += 1
            self._library.corosync_cfg_replyto_shutdown(self._handle, _NO)
