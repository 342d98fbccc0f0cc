"""The controller's effects in the words of the daemons that carry them out. Pure."""

from collections.abc import Mapping

from hatools.daemons.crmd.effects import FenceNode, RunAlert, RunOperation
from hatools.ipc.messages.lrm import Execute, RunAlertAgent
from hatools.ipc.messages.stonith import Fence


def execute_request(run: RunOperation) -> Execute:
    """Return what lrmd is asked for an operation."""
    return Execute(
        resource=run.resource.name,
        operation=run.operation,
        interval_ms=run.interval_ms,
        timeout_ms=run.timeout_ms,
        start_delay_ms=run.start_delay_ms,
        parameters=run.parameters,
        tag=run.key,
    )


def fence_request(fence: FenceNode) -> Fence:
    """Return what stonithd is asked for a fencing."""
    return Fence(fence.target, fence.action, fence.timeout_ms, delay_ms=fence.delay_ms, tag=fence.key)


def alert_request(alert: RunAlert, moment: Mapping[str, str]) -> RunAlertAgent:
    """Return what lrmd is asked for an alert that is raised at a moment."""
    environment = dict(alert.environment)
    for name, value in moment.items():
        environment[f"CRM_alert_{name}"] = environment[f"CRM_notify_{name}"] = value
    return RunAlertAgent(alert.id, alert.path, environment, alert.timeout_ms)
