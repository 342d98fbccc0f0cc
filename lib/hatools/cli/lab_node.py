"""The process image of lab nodes: one supervisor per node named, all forked from it. I/O.

Run as ``python -m hatools.cli.lab_node LAB NODE...`` by ``crm lab``; it is no command for people. The
daemons are imported once here, so that a node boots (and boots again after it was fenced) by a fork.
"""

import os
import shutil
import sys
from pathlib import Path

from hatools.cli import pacemakerd
from hatools.daemons.pacemakerd.image import freeze, load
from hatools.daemons.pacemakerd.supervision import STARTUP_ORDER
from hatools.lab.nodes import Lab, LabNode
from hatools.lab.supervisor import NodeSupervisor


def main(argv: list[str]) -> int:
    """Fork the supervisors and end."""
    lab = Lab.load(Path(argv[0]))
    nodes = [lab.node(name) for name in argv[1:]]
    for daemon in STARTUP_ORDER:
        load(daemon)
    freeze()
    for node in nodes:
        if os.fork() == 0:
            _supervise(lab, node)
    return 0


def _boot(lab: Lab, node: LabNode) -> int:
    """Become the node's pacemakerd; what a machine loses with its power (``/run``) is gone first."""
    shutil.rmtree(lab.root(node) / "run", ignore_errors=True)
    return pacemakerd.run_node(lab.directories(node))


def _supervise(lab: Lab, node: LabNode) -> None:
    status = 70
    try:
        os.setsid()
        console = os.open(lab.root(node) / "console.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.dup2(console, 1)
        os.dup2(console, 2)
        os.environ.update(lab.environment(node))
        NodeSupervisor(node.name, lab.control / f"{node.name}.sock", lambda: _boot(lab, node)).run()
        status = 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
