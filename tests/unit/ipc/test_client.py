"""Connecting to a daemon that is not there."""

import asyncio
from pathlib import Path

import pytest

from hatools.ipc.client import Connection
from hatools.values.errors import DisconnectedError


@pytest.mark.parametrize("folder", ["no-such-folder", "a-folder-whose-name-is-too-long-for-a-socket-" * 4])
def test_a_socket_in_a_folder_that_does_not_exist_is_a_daemon_that_does_not_listen(folder: str) -> None:
    with pytest.raises(DisconnectedError, match="could not connect to cib"):
        asyncio.run(Connection.open(Path("/") / folder / "cib.sock", "cib", name="test"))
