"""The external style on scripted libraries: busy, gone, hanging, late, with strangers."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from hatools.daemons.messaging.external_style import GROUP, CallWatch, ExternalStyle, Libraries
from hatools.ipc.rights import AccessPolicy
from hatools.messaging.external.cfg import Control
from hatools.messaging.external.cmap import ConfigurationMap
from hatools.messaging.external.cpg import ProcessGroup
from hatools.messaging.external.events import Event, MembersChanged, Message, Process, RingChanged
from hatools.messaging.external.quorum import QuorumService, Standing
from hatools.messaging.views import CutOff, Datagram, Effect, Expelled, Keep, RingId, ViewInstalled
from hatools.runtime.daemon import Context
from hatools.runtime.directories import Directories
from hatools.values.errors import ConfigError, DisconnectedError

RING = RingId(8, 1)
KEYS = {
    "totem.cluster_name": "site",
    "totem.crypto_cipher": "aes256",
    "nodelist.node.0.nodeid": "1",
    "nodelist.node.0.name": "alpha",
    "nodelist.node.0.ring0_addr": "10.0.0.1",
    "runtime.config.totem.token": "3000",
}
ME = Process(1, os.getpid())


@dataclass
class Script:
    """A Corosync of one node that does what the test says; all five libraries in one."""

    absent: int = 0
    """Attempts to connect that fail."""
    busy: int = 0
    """Sends that have to be repeated."""
    gone: bool = False
    others: list[tuple[str, Process]] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)
    waiting: list[Event] = field(default_factory=list)
    refusals: int = 0
    node_id: int = 1
    votes: int = 1

    def __post_init__(self) -> None:
        self.descriptor, self._writer = os.pipe()
        self.on_event: Callable[[Event], None] = lambda event: None
        self.on_quorum: Callable[[RingId, bool, frozenset[int]], None] = lambda ring, quorate, nodes: None

    def libraries(self) -> Libraries:
        def group(on_event: Callable[[Event], None]) -> ProcessGroup:
            self.on_event = on_event
            return cast(ProcessGroup, self)

        def quorum(on_change: Callable[[RingId, bool, frozenset[int]], None]) -> QuorumService:
            self.on_quorum = on_change
            return cast(QuorumService, self)

        keys = cast(ConfigurationMap, self)
        return Libraries(keys, keys, cast(Control, self), group, quorum)

    def open(self) -> None:
        if self.absent:
            self.absent -= 1
            raise DisconnectedError("corosync does not run (test)")

    def close(self) -> None:
        self.closed = True

    def read(self, prefix: str = "") -> dict[str, str]:
        return {key: value for key, value in KEYS.items() if key.startswith(prefix)}

    def groups(self) -> list[tuple[str, Process]]:
        return self.others

    def join(self, group: str) -> bool:
        assert group == GROUP
        self.waiting += [MembersChanged((ME,), (), (ME,)), RingChanged(RING, frozenset({1}))]
        return True

    def send(self, data: bytes) -> bool:
        if self.gone:
            raise DisconnectedError("corosync does not run (cpg_mcast_joined)")
        if self.busy:
            self.busy -= 1
            return False
        self.sent.append(data)
        self.waiting.append(Message(ME, data))
        return True

    def dispatch(self) -> None:
        if self.gone:
            raise DisconnectedError("corosync does not run (cpg_dispatch)")
        waiting, self.waiting = self.waiting, []
        for event in waiting:
            self.on_event(event)
            if isinstance(event, RingChanged):
                self.on_quorum(event.ring, True, event.nodes)

    def standing(self) -> Standing:
        return Standing(1, self.votes, 1, 1, self.votes, 1, ("Quorate",))


class Host:
    """The daemon around the style: performs what is asked for, and writes it down."""

    def __init__(self, context: Context, style: ExternalStyle) -> None:
        self.context = context
        self.style = style
        self.effects: list[Effect] = []

    def received(self, datagram: bytes, source: str) -> None:
        raise AssertionError("this style takes no datagrams")

    def perform(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Datagram(targets, data):
                    self.style.send(targets, data)
                case Keep(name, value):
                    self.style.keep(name, value)
                case _:
                    self.effects.append(effect)

    def views(self) -> list[tuple[tuple[str, ...], bool]]:
        found = [effect.view for effect in self.effects if isinstance(effect, ViewInstalled)]
        return [(tuple(member.name for member in view.members), view.quorate) for view in found]


async def opened(folder: Path, script: Script) -> Host:
    context = Context("messaging", Directories(folder), AccessPolicy(os.geteuid(), None, None))
    style = ExternalStyle(context, script.libraries())
    host = Host(context, style)
    assert await style.open(host)
    host.perform(style.engine.start(0.0))
    return host


async def settled(host: Host, script: Script) -> None:
    async with asyncio.timeout(5):
        while not host.views() or script.waiting:
            host.style._readable(script.dispatch)
            await asyncio.sleep(0)


def run(folder: Path, script: Script, test: Callable[[Host], None]) -> Host:
    async def whole() -> Host:
        host = await opened(folder, script)
        await settled(host, script)
        test(host)
        host.style.close()
        return host

    return asyncio.run(whole())


def test_a_node_alone_gets_its_view_under_the_name_of_the_node_list(tmp_path: Path) -> None:
    host = run(tmp_path, Script(), lambda _: None)

    assert host.views() == [(("alpha",), True)]
    assert (host.style.local.id, host.style.cluster_name) == (1, "site")
    assert host.style.describe(0.0).encrypted


def test_a_corosync_that_starts_later_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hatools.daemons.messaging.external_style._CONNECT_INTERVAL_S", 0.001)
    script = Script(absent=3)

    assert run(tmp_path, script, lambda _: None).views() == [(("alpha",), True)]


def test_waiting_ends_when_the_daemon_is_told_to_stop(tmp_path: Path) -> None:
    async def whole() -> bool:
        context = Context("messaging", Directories(tmp_path), AccessPolicy(os.geteuid(), None, None))
        style = ExternalStyle(context, Script(absent=10**9).libraries())
        asyncio.get_running_loop().call_soon(context.stopping.set)
        return await style.open(Host(context, style))

    assert asyncio.run(whole()) is False


def test_what_corosync_does_not_take_is_sent_again_in_order(tmp_path: Path) -> None:
    script = Script()

    def flood(host: Host) -> None:
        script.busy = 2
        host.style.send((), b"first")
        host.style.send((), b"second")
        assert b"first" not in script.sent
        host.style._send_waiting()
        host.style._send_waiting()
        assert script.sent[-2:] == [b"first", b"second"]

    run(tmp_path, script, flood)


@pytest.mark.parametrize("how", ["send", "dispatch"])
def test_a_node_whose_corosync_is_gone_is_cut_off(tmp_path: Path, how: str) -> None:
    script = Script()

    def lose(host: Host) -> None:
        script.gone = True
        if how == "send":
            host.style.send((), b"x")
        else:
            host.style._readable(script.dispatch)
        assert isinstance(host.effects[-1], CutOff) and "corosync does not run" in host.effects[-1].reason

    run(tmp_path, script, lose)


def test_a_call_that_does_not_return_is_reported_and_quick_ones_are_not() -> None:
    looked: list[float] = []
    watch = CallWatch(looked.append)
    watch.start(0.05)
    with watch.watching():
        pass
    assert looked == []
    with watch.watching():
        deadline = 200
        while not looked and deadline:
            deadline -= 1
            asyncio.run(asyncio.sleep(0.01))
    assert looked


def test_pacemaker_on_the_same_corosync_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="process 5 on node 2, group cib"):
        run(tmp_path, Script(others=[("cib", Process(2, 5))]), lambda _: None)


def test_pacemaker_that_is_met_later_makes_a_lone_node_step_back(tmp_path: Path) -> None:
    script = Script()

    def meet(host: Host) -> None:
        script.others = [("crmd", Process(2, 5))]
        script.waiting = [RingChanged(RingId(12, 1), frozenset({1, 2}))]
        host.style._readable(script.dispatch)
        assert any(isinstance(effect, Expelled) and "Pacemaker" in effect.reason for effect in host.effects)

    run(tmp_path, script, meet)


def test_a_second_messaging_daemon_of_this_node_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hatools.daemons.messaging.external_style._CONNECT_INTERVAL_S", 0.001)
    monkeypatch.setattr("hatools.daemons.messaging.external_style._PREDECESSOR_LIMIT_S", 0.01)
    with pytest.raises(ConfigError, match="process 99"):
        run(tmp_path, Script(others=[(GROUP, Process(1, 99))]), lambda _: None)


def test_the_number_of_the_view_outlives_the_daemon(tmp_path: Path) -> None:
    first = run(tmp_path, Script(), lambda _: None).style.engine.view
    second = run(tmp_path, Script(), lambda _: None).style.engine.view

    assert first is not None and second is not None and second.ring_id > first.ring_id


def test_changed_votes_are_noticed(tmp_path: Path) -> None:
    script = Script()

    def change(host: Host) -> None:
        script.votes = 4
        host.style._look()
        host.style._readable(script.dispatch)
        view = host.style.engine.view
        assert view is not None and view.votes == (("alpha", 4),)

    run(tmp_path, script, change)
