"""The six failures, on real nodes (namespaces), with real agents and a client outside. Needs root and Debian's agents.

A web server behind an address (IPaddr2 and nginx in a group), a promotable clone and a ping clone run on three nodes
with fencing. A node is killed, cut off, put in standby, shut down, loses its web server, or is frozen; the DC is among
the victims. After each: the service answers again, nothing that was on a lost node started elsewhere before that node
was confirmed dead, and no resource was ever active twice.
"""

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cluster import outside_client
from tests.cluster.recording import intervals, overlaps, read_calls, read_deaths
from tests.support import requires
from tests.support.namespaces import (
    CLIENT_ADDRESS,
    SERVICE_ADDRESS,
    NamespaceCluster,
    namespace_cluster,
    uptime,
    wait_until,
)

ROUNDS = int(os.environ.get("HATOOLS_ROUNDS", "3"))
RECOVERY_LIMIT = 90.0
SEED = int(os.environ.get("HATOOLS_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 31)

NGINX_CONF = """\
pid /run/nginx.pid;
error_log /run/nginx-error.log;
events {{}}
http {{
    access_log off;
    server {{ listen 80; location / {{ default_type text/plain; return 200 "{node}\\n"; }} }}
}}
"""

CONFIGURATION = """\
property stonith-enabled=true
primitive fencing stonith:fence_lab params control="{control}" pcmk_host_list="{hosts}"
primitive address ocf:recorded:IPaddr2 params ip={address} cidr_netmask=24 nic=eth0 \\
    op monitor interval=1s timeout=20s op start interval=0s timeout=20s op stop interval=0s timeout=20s
primitive web ocf:recorded:nginx params configfile=/run/nginx.conf \\
    op monitor interval=1s timeout=20s op start interval=0s timeout=40s op stop interval=0s timeout=60s
group site address web meta resource-stickiness=100
primitive state ocf:recorded:Stateful \\
    op monitor interval=5s role=Promoted timeout=20s op monitor interval=6s role=Unpromoted timeout=20s
clone states state meta promotable=true
primitive reach ocf:recorded:ping params host_list={client} dampen=1s op monitor interval=5s timeout=20s
clone reaches reach
"""


@dataclass
class Site:
    """The cluster under test and the log of its outside client."""

    cluster: NamespaceCluster
    answers: Path

    def serving(self) -> str:
        """Return the node that answered last; waits for an answer."""
        began = uptime()
        wait_until(lambda: bool(outside_client.answers(self.answers, began)), RECOVERY_LIMIT)
        return outside_client.answers(self.answers, began)[-1][1]

    def settled(self) -> bool:
        """Say whether all nodes are online, the DC is idle and the service answers."""
        for node in self.cluster.nodes:
            try:
                text = self.cluster.on(node, "crm_mon", "-1", check=False, timeout=10)
            except (OSError, subprocess.TimeoutExpired, ValueError):
                return False
            online = f"Online: [ {' '.join(self.cluster.nodes)} ]"
            if online not in text or "Current DC: " not in text or "web\t" not in text:
                return False
        return self.is_idle()

    def dc(self) -> str:
        return self.cluster.on(self.cluster.nodes[0], "crmadmin", "-D", check=False).split()[-1]

    def is_idle(self) -> bool:
        words = self.cluster.on(self.cluster.nodes[0], "crmadmin", "-D", check=False).split()
        return bool(words) and "S_IDLE" in self.cluster.on(words[-1], "crmadmin", "-S", words[-1], check=False)

    def settle(self) -> None:
        wait_until(self.settled, RECOVERY_LIMIT, 0.2)


def write_web_configuration(node: str) -> None:
    Path("/run/nginx.conf").write_text(NGINX_CONF.format(node=node))


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    requires.root()
    requires.program("nginx", "nginx-light")
    requires.program("nsenter", "util-linux")
    requires.file("/usr/lib/ocf/resource.d/heartbeat/IPaddr2", "resource-agents")
    requires.file("/usr/lib/ocf/resource.d/pacemaker/Stateful", "pacemaker-resource-agents")
    print(f"\nseed {SEED}: HATOOLS_SEED={SEED} plays the same instants again")
    with namespace_cluster(3, prepare=write_web_configuration) as cluster:
        configuration = cluster.folder / "site.crm"
        configuration.write_text(
            CONFIGURATION.format(
                control=cluster.control, hosts=" ".join(cluster.nodes), address=SERVICE_ADDRESS, client=CLIENT_ADDRESS
            )
        )
        wait_until(lambda: "Online: [ node1 node2 node3 ]" in cluster.on("node1", "crm_mon", "-1", check=False), 60.0)
        cluster.on("node1", "crm", "configure", "load", "update", str(configuration))
        log = cluster.folder / "answers.log"
        log.touch()
        command = ["ip", "netns", "exec", cluster.client, sys.executable, outside_client.__file__]
        client = subprocess.Popen([*command, SERVICE_ADDRESS, "80", str(log)])
        try:
            running = Site(cluster, log)
            running.settle()
            yield running
        finally:
            client.kill()
            client.wait()


def kill(site: Site, victim: str) -> None:
    site.cluster.tell(victim, "kill")


def cut(site: Site, victim: str) -> None:
    site.cluster.set_link(victim, "down")


def standby(site: Site, victim: str) -> None:
    site.cluster.on(victim, "crm", "node", "standby", victim)


def shut_down(site: Site, victim: str) -> None:
    site.cluster.tell(victim, "stop")


def kill_web_server(site: Site, victim: str) -> None:
    site.cluster.on(victim, "sh", "-c", "for p in $(pgrep -x nginx); do kill -KILL $p; done", check=False)


def freeze(site: Site, victim: str) -> None:
    site.cluster.tell(victim, "pause")
    time.sleep(10.0)
    site.cluster.tell(victim, "resume")


def bring_back(site: Site, victim: str) -> None:
    site.cluster.tell(victim, "start")
    wait_until(lambda: "S_" in site.cluster.on(victim, "crmadmin", "-S", victim, check=False), 60.0, 0.2)
    site.cluster.on(victim, "crm", "node", "online", victim, check=False)


FAILURES = {
    "kill": kill,
    "cut": cut,
    "standby": standby,
    "shutdown": shut_down,
    "web-server": kill_web_server,
    "freeze": freeze,
}
LOST = ("kill", "cut", "freeze")
"""Failures after which the victim must be fenced before its resources start elsewhere."""


@pytest.mark.timeout(900 if ROUNDS <= 3 else 7200)
@pytest.mark.parametrize("failure", FAILURES)
def test_the_service_survives(site: Site, failure: str) -> None:
    chance = random.Random(f"{SEED}-{failure}")
    for turn in range(ROUNDS):
        site.settle()
        if turn % 2 == 1:
            move_to_dc(site)
        time.sleep(chance.uniform(0.0, 1.5))
        play(site, failure, f"{turn + 1}/{ROUNDS}")
    site.settle()


def move_to_dc(site: Site) -> None:
    """Make the DC the node that serves, so that it is the next victim."""
    site.cluster.on("node1", "crm_resource", "--move", "-r", "site", "-N", site.dc(), check=False)
    site.settle()
    site.cluster.on("node1", "crm_resource", "--clear", "-r", "site", check=False)
    site.settle()


def play(site: Site, failure: str, turn: str) -> None:
    """Let the serving node fail and check what the cluster did."""
    victim = site.serving()
    role = "the DC" if victim == site.dc() else "not the DC"
    began = uptime()
    FAILURES[failure](site, victim)
    wait_until(lambda: returned(site, failure, victim, began), RECOVERY_LIMIT, 0.05)
    gap = outside_client.longest_gap(site.answers, began, uptime())
    print(f"{failure} {turn} of {victim} ({role}): longest gap {gap:.2f} s")
    if failure in LOST:
        check_fenced_first(site, victim, began)
    check_never_twice(site)
    if failure in ("standby", "shutdown"):
        bring_back(site, victim)


def returned(site: Site, failure: str, victim: str, began: float) -> bool:
    """Say whether the service answers again, from another node where the victim cannot."""
    names = [name for time_, name in outside_client.answers(site.answers, began + 0.3)]
    if failure == "web-server":
        # The server must have been started again after the kill.
        calls = read_calls(site.cluster.log)
        started = any(call.resource == "web" and call.operation == "start" and call.time > began for call in calls)
        return started and bool(names)
    return any(name != victim for name in names)


def check_fenced_first(site: Site, victim: str, began: float) -> None:
    deaths = [time_ for time_ in read_deaths(site.cluster.control, victim) if time_ >= began - 0.011]
    starts = [
        call.time
        for call in read_calls(site.cluster.log)
        if call.time > began and call.node != victim and call.resource == "web" and call.operation == "start"
    ]
    assert deaths, f"{victim} was not fenced"
    assert min(starts) + 0.011 >= min(deaths), f"started elsewhere {min(deaths) - min(starts):.3f} s before the death"


def check_never_twice(site: Site) -> None:
    calls = read_calls(site.cluster.log)
    deaths = {node: read_deaths(site.cluster.control, node) for node in site.cluster.nodes}
    for resource in ("address", "web"):
        assert overlaps(intervals(calls, deaths, resource, "start", "stop")) == []
    assert overlaps(intervals(calls, deaths, "state", "promote", "demote")) == []
