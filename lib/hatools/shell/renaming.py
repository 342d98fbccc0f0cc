"""Giving the cluster another name. I/O: the channel, the CIB.

The ring takes a node whose configuration names another cluster for a stranger. So the name changes on all nodes at
once, while none of them runs: one that was restarted alone with the new name could not come back to the others.
"""

from typing import TYPE_CHECKING

from hatools.shell.commands import CommandError
from hatools.shell.corosync import get_values, with_value
from hatools.shell.members import Members
from hatools.shell.nodelist import distribute
from hatools.shell.running import wait_for_controller

if TYPE_CHECKING:
    from hatools.shell.levels.cluster import Cluster
    from hatools.shell.session import Session

_DC_S = 120.0


def rename(session: "Session", level: "Cluster", name: str) -> bool:
    """Rename the cluster; the nodes that run are stopped for it and started again."""
    if name in get_values("totem.cluster_name"):
        raise CommandError(f"Expected a different name: the cluster is called {name} already")
    members = Members()
    text = with_value("totem.cluster_name", name)
    running = _running(members)
    if running:
        listed = ", ".join(running)
        question = f"All nodes have to be restarted together ({listed}), so all resources stop for a moment. Go on?"
        if not session.console.ask(question):
            raise CommandError("not renamed: answer yes, or `crm -F cluster rename NAME`")
        if not level.everywhere(running, "stop", level.stop_here):
            level.everywhere(running, "start", level.start_here)
            raise CommandError("not renamed, because a node did not stop")
    try:
        distribute(session, text, members=members)
    finally:
        if running:
            level.everywhere(running, "start", level.start_here)
    if not running:
        session.console.info(f"the cluster is called {name} from its next start on")
        return True
    if not wait_for_controller(_DC_S):
        raise CommandError("renamed, but no DC was elected within two minutes: see `crm cluster health`")
    configuration = session.configuration
    return configuration.workspace.create(["property", f"cluster-name={name}"]) and configuration.commit()


def _running(members: Members) -> list[str]:
    """Return the nodes on which the cluster runs.

    Raises:
        CommandError: one cannot be reached.
    """
    outcomes = members.ask(members.all, lambda connection: connection.about())
    missing = [f"{outcome.member.name}: {outcome.problem}" for outcome in outcomes if outcome.problem]
    if missing:
        raise CommandError("nothing was changed, because these nodes cannot be reached:\n" + "\n".join(missing))
    return [outcome.member.name for outcome in outcomes if outcome.answer is not None and outcome.answer.cluster_runs]
