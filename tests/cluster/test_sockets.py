"""Real UNIX sockets between a server and clients: rights, garbage, clients that stop reading, long paths."""

import asyncio
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from hatools.ipc import server as server_module
from hatools.ipc.blocking import BlockingConnection
from hatools.ipc.client import Connection
from hatools.ipc.messages.attrd import AttributeValue, AttributeValues, QueryAttribute
from hatools.ipc.messages.session import Ping
from hatools.ipc.rights import AccessPolicy, Credentials, Rights
from hatools.ipc.server import Client, Server
from hatools.values.errors import DisconnectedError, NoSuchObjectError, PermissionRefusedError

EVERYBODY = AccessPolicy(os.geteuid(), None, None)


async def answer(client: Client, message: Any) -> AttributeValues:
    if message.name == "missing":
        raise NoSuchObjectError("there is no attribute missing")
    return AttributeValues((AttributeValue(message.name, "here", "1"),))


async def serving(path: Path, policy: AccessPolicy = EVERYBODY) -> Server:
    server = Server("attrd", path, answer, policy=policy)
    await server.open()
    return server


def test_requests_are_answered_and_refusals_keep_their_class(tmp_path: Path) -> None:
    async def scenario() -> tuple[Any, str]:
        server = await serving(tmp_path / "attrd.sock")
        connection = await Connection.open(tmp_path / "attrd.sock", "attrd", name="test")
        value = await connection.request(QueryAttribute("a"))
        with pytest.raises(NoSuchObjectError) as refusal:
            await connection.request(QueryAttribute("missing"))
        connection.close()
        await server.close()
        return value, str(refusal.value)

    value, text = asyncio.run(scenario())
    assert value == AttributeValues((AttributeValue("a", "here", "1"),))
    assert text == "there is no attribute missing"


def test_a_socket_path_longer_than_the_kernel_allows_works(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 120) / "attrd.sock"
    path.parent.mkdir()

    async def scenario() -> Any:
        server = await serving(path)
        value = await asyncio.to_thread(ask_once, path)
        await server.close()
        return value

    assert asyncio.run(scenario()) == AttributeValues((AttributeValue("a", "here", "1"),))


def ask_once(path: Path) -> Any:
    with BlockingConnection(path, "attrd", name="test") as connection:
        return connection.request(QueryAttribute("a"))


def test_a_user_without_rights_is_told_so(tmp_path: Path) -> None:
    class NoRights(AccessPolicy):
        def rights(self, peer: Credentials) -> Rights:
            return Rights.NONE

    async def scenario() -> None:
        server = await serving(tmp_path / "attrd.sock", NoRights(-1, None, None))
        with pytest.raises(PermissionRefusedError, match="may not talk to attrd"):
            await asyncio.to_thread(ask_once, tmp_path / "attrd.sock")
        await server.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("garbage", [b"\xff\xff\xff\xff", b"\0\0\0\4junk", os.urandom(4096)])
def test_garbage_closes_that_connection_and_no_other(tmp_path: Path, garbage: bytes) -> None:
    async def scenario() -> Any:
        server = await serving(tmp_path / "attrd.sock")
        good = await Connection.open(tmp_path / "attrd.sock", "attrd", name="good")
        bad = socket.socket(socket.AF_UNIX)
        bad.connect(str(tmp_path / "attrd.sock"))
        bad.sendall(garbage)
        bad.shutdown(socket.SHUT_WR)
        await asyncio.to_thread(bad.recv, 1000)
        value = await good.request(QueryAttribute("a"))
        good.close()
        await server.close()
        return value

    assert asyncio.run(scenario()) == AttributeValues((AttributeValue("a", "here", "1"),))


def test_a_client_that_stops_reading_is_dropped_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "BACKLOG_LIMIT", 1_000_000)

    async def scenario() -> tuple[int, Any]:
        server = await serving(tmp_path / "attrd.sock")
        lazy = socket.socket(socket.AF_UNIX)
        lazy.connect(str(tmp_path / "attrd.sock"))
        events: list[Any] = []
        good = await Connection.open(tmp_path / "attrd.sock", "attrd", name="good", on_event=events.append)
        await good.request(Ping())
        big = AttributeValues((AttributeValue("a", "here", "x" * 10_000),))
        for _ in range(500):
            server.broadcast(big)
            await asyncio.sleep(0)
        await good.request(Ping())
        clients = len(server.clients)
        lazy.close()
        good.close()
        await server.close()
        return clients, len(events)

    assert asyncio.run(scenario()) == (1, 500)


def test_nobody_listening_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(DisconnectedError, match="could not connect to attrd: No such file or directory"):
        ask_once(tmp_path / "attrd.sock")
