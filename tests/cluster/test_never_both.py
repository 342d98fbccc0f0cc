"""Beside a real heartbeat no style starts: two programs that do one job would make two memberships.

The same beside a real Corosync is in ``test_external``. Needs root and Debian's package heartbeat.
"""

import sys
from collections.abc import Iterator

import pytest

from tests.support.heartbeat import NETWORK, SOURCE, RealNode, Segment, ha_cf, segment

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def space() -> Iterator[Segment]:
    with segment("alpha", "beta") as made:
        yield made


@pytest.fixture(scope="module")
def heartbeat(space: Segment) -> RealNode:
    return space.start_real("alpha", ha_cf(["alpha", "beta"], f"ucast eth0 {NETWORK}.2", crm="off"))


@pytest.mark.parametrize("style", ["corosync", "heartbeat", "external"])
def test_a_node_with_a_running_heartbeat_is_refused_by_its_process(heartbeat: RealNode, style: str) -> None:
    variables = [f"PYTHONPATH={SOURCE}/lib", "HATOOLS_LOG_STDERR=1", f"HATOOLS_MESSAGING={style}"]

    status, said = heartbeat.on("env", *variables, sys.executable, "-m", "hatools.daemons.messaging")

    assert status == 100
    assert "heartbeat runs on this node as process" in said
    assert f"HATOOLS_MESSAGING is {style}" in said
