"""The short way of the commands that are called in loops: what it says to the daemons, and what it leaves to others."""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hatools.cli.quick import QUICK
from hatools.ipc.brief import ask, greet
from hatools.ipc.messages.attrd import UpdateAttribute
from hatools.ipc.messages.cib import Change, Changed, CibOperation, Query, QueryResult
from hatools.ipc.messages.session import Done
from hatools.ipc.rights import AccessPolicy
from hatools.ipc.server import Client, Server
from hatools.values.errors import InvalidChangeError
from tests.support.lab import SOURCE

NODES = b'<nodes><node id="1" uname="node1"/><node id="2" uname="node-2.example"/></nodes>'
PAIR = '<cluster_property_set id="a"><nvpair id="b" name="c" value="\xe4&lt;"/></cluster_property_set>'


@pytest.fixture
def root() -> Iterator[Path]:
    """A root with a name that is short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="ha") as folder:
        Path(folder, "run/hatools").mkdir(parents=True)
        yield Path(folder)


class Daemons:
    """The attribute and the cib daemon, as far as one client sees them; they remember what they were told."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.heard: list[Any] = []

    async def answer(self, client: Client, message: Any) -> Any:
        self.heard.append(message)
        match message:
            case Query():
                return QueryResult(NODES, (0, 1, 0))
            case Change() if b"refuse" in message.xml:
                raise InvalidChangeError("no")
            case Change():
                return Changed((0, 2, 0))
        return Done()

    def meanwhile(self, work: Any) -> Any:
        """Return what some blocking work returns while the daemons run."""

        async def scenario() -> Any:
            policy = AccessPolicy(os.geteuid(), None, None)
            servers = [
                Server(name, self.root / f"run/hatools/{name}.sock", self.answer, policy=policy)
                for name in ("attrd", "cib")
            ]
            for server in servers:
                await server.open()
            result = await asyncio.to_thread(work)
            for server in servers:
                await server.close()
            return result

        return asyncio.run(scenario())

    def run(self, *words: str, **environ: str) -> int | None:
        """Return what the short way of a command returns."""
        return self.meanwhile(lambda: QUICK[words[0]](list(words[1:]), {"HATOOLS_ROOT": str(self.root), **environ}))


UPDATES = {
    "attrd_updater -n x -U 1": UpdateAttribute("x", "1"),
    "attrd_updater --name=x --update=": UpdateAttribute("x", ""),
    "attrd_updater -N other -p -q -n x -U -INFINITY": UpdateAttribute("x", "-INFINITY", node="other", private=True),
    "crm_attribute -N node1 -n bench -l reboot -v 5": UpdateAttribute("bench", "5", node="node1"),
    "crm_attribute --lifetime=reboot --node node-2.example --name a --update b": UpdateAttribute(
        "a", "b", node="node-2.example"
    ),
    "crm_attribute -p db -v 10 -N node1": UpdateAttribute("master-db", "10", node="node1"),
}


@pytest.mark.parametrize("words", UPDATES)
def test_an_update_reaches_the_daemon_whole(root: Path, words: str) -> None:
    daemons = Daemons(root)

    assert daemons.run(*words.split()) == 0
    assert daemons.heard[-1] == UPDATES[words]


def test_an_agent_need_not_name_its_node(root: Path) -> None:
    daemons = Daemons(root)

    assert daemons.run("crm_attribute", "-p", "db", "-v", "5", OCF_RESKEY_CRM_meta_on_node="node1") == 0
    assert daemons.heard[-1] == UpdateAttribute("master-db", "5", node="node1")


def test_values_of_any_characters_arrive_as_they_are(root: Path) -> None:
    daemons = Daemons(root)
    value = 'a "quoted" \\ back\nslash \t\x01 \xe4\u2713 \udcff'

    assert daemons.run("attrd_updater", "-n", "x", "-U", value) == 0
    assert daemons.heard == [UpdateAttribute("x", value)]


def test_a_change_of_the_configuration_carries_its_xml(root: Path) -> None:
    daemons = Daemons(root)

    assert daemons.run("cibadmin", "-M", "-c", "-o", "crm_config", "-X", PAIR) == 0
    assert daemons.heard == [
        Change(CibOperation.MODIFY, section="crm_config", xml=PAIR.encode(), allow_create=True),
    ]


LEFT_ALONE = [
    "attrd_updater -n x",
    "attrd_updater -n x -Q",
    "attrd_updater -n x -U 1 -d 5s",
    "attrd_updater -n x -U x++",
    "attrd_updater -n x -U 1 -U 2",
    "attrd_updater -nx -U 1",
    "attrd_updater -n x -U -V",
    "attrd_updater -n x -U",
    "attrd_updater -n x -U 1 -N localhost",
    "attrd_updater -n x -U 1 rest",
    "crm_attribute -n x -v 1 -l reboot",
    "crm_attribute -n x -v 1 -N node1",
    "crm_attribute -n x -v 1 -N node1 -l forever",
    "crm_attribute -n x -p y -v 1 -N node1",
    "crm_attribute -N node9 -n x -l reboot -v 1",
    "crm_attribute -N node1 -n x -l reboot -G",
    "cibadmin -M -X <a>text</a>",
    "cibadmin -M -X <!DOCTYPE/>",
    "cibadmin -M -X <cib/admin_epoch='admin_epoch++'/>",
    "cibadmin -M -X <refuse/>",
    "cibadmin -C -X <a/>",
    "cibadmin -M",
    "cibadmin -M -X <a/> -U tony",
]


@pytest.mark.parametrize("words", LEFT_ALONE)
def test_whatever_is_unusual_or_refused_is_left_to_the_command_itself(root: Path, words: str) -> None:
    daemons = Daemons(root)

    assert daemons.run(*words.split()) is None
    assert not any(isinstance(message, UpdateAttribute) for message in daemons.heard)


@pytest.mark.parametrize("variable", ["CIB_file", "CIB_shadow", "CIB_user"])
def test_another_cib_or_user_is_left_to_the_command_itself(root: Path, variable: str) -> None:
    daemons = Daemons(root)

    assert daemons.run("cibadmin", "-M", "-X", "<a/>", **{variable: "x"}) is None
    assert daemons.heard == []


def test_without_a_daemon_there_is_no_answer(root: Path) -> None:
    assert QUICK["attrd_updater"](["-n", "x", "-U", "1"], {"HATOOLS_ROOT": str(root)}) is None
    assert greet(str(root / ("long" * 40)), "test") is None
    assert ask(None, "session.Ping", {}, "session.Done") is None


def test_the_whole_process_imports_next_to_nothing(root: Path) -> None:
    daemons = Daemons(root)
    command = SOURCE / "bin" / "attrd_updater"
    environment = {"HATOOLS_ROOT": str(root)}
    probe = [sys.executable, "-IS", "-X", "importtime", str(command), "-n", "x", "-U", "1"]

    done = daemons.meanwhile(lambda: subprocess.run(probe, env=environment, capture_output=True, text=True, check=True))

    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if "import time:" in line}
    assert daemons.heard == [UpdateAttribute("x", "1")]
    assert "hatools.ipc.brief" in imported
    assert (
        imported & {"collections", "enum", "hatools.values.errors", "json", "re", "site", "socket", "typing"} == set()
    )
