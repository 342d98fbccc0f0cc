"""OCF agents: their variables, their arguments and what their end means. Pure."""

from collections.abc import Mapping

from hatools.values.agentname import AgentName
from hatools.values.duration import format_readable_interval
from hatools.values.exitcode import ExitCode
from hatools.values.result import ExecStatus, OperationResult

OCF_ROOT = "/usr/lib/ocf"

EXIT_REASON_PREFIX = "ocf-exit-reason:"
"""A line on standard error that begins so says, in the agent's words, why it failed; the last one counts."""

_OCF_RESULTS = frozenset(range(10)) | {int(ExitCode.DEGRADED), int(ExitCode.DEGRADED_PROMOTED)}


def ocf_variables(
    agent: AgentName, resource: str, parameters: Mapping[str, str], *, ocf_root: str = OCF_ROOT
) -> dict[str, str]:
    """Return the ``OCF_*`` variables of one action.

    ``parameters`` are passed as they are, ``CRM_meta_*`` and ``crm_feature_set`` included; defaults from the metadata
    are the agent's own business.
    """
    result = {
        "OCF_RA_VERSION_MAJOR": "1",
        "OCF_RA_VERSION_MINOR": "1",
        "OCF_ROOT": ocf_root,
        "OCF_EXIT_REASON_PREFIX": EXIT_REASON_PREFIX,
        "OCF_RESOURCE_INSTANCE": resource,
        "OCF_RESOURCE_TYPE": agent.type,
        "OCF_OUTPUT_FORMAT": "text",
    }
    if agent.provider:
        result["OCF_RESOURCE_PROVIDER"] = agent.provider
    for name, value in parameters.items():
        if "=" in name or "\0" in name or "\0" in value:
            continue
        # The check level is the one operation attribute that agents read without the prefix.
        result[name if name == "OCF_CHECK_LEVEL" else f"OCF_RESKEY_{name}"] = value
    return result


def exit_reason(stderr: str) -> str:
    """Return the last reason an agent gave; empty if it gave none."""
    start = stderr.rfind(EXIT_REASON_PREFIX)
    if start < 0:
        return ""
    return stderr[start + len(EXIT_REASON_PREFIX) :].split("\n", 1)[0].strip()


def kept_output(stdout: str, stderr: str) -> str:
    """Return the output worth keeping: standard error if there is any, else standard output."""
    return stderr if stderr.strip() else stdout


def ocf_result(exit_status: int, stdout: str, stderr: str, *, exec_time_ms: int = 0) -> OperationResult:
    """Judge an agent that ran to its end; a status that OCF does not define counts as a plain error."""
    return OperationResult(
        ExecStatus.DONE,
        exit_status if exit_status in _OCF_RESULTS else int(ExitCode.ERROR),
        exit_reason(stderr),
        kept_output(stdout, stderr),
        exec_time_ms,
    )


def timed_out(
    what: str, timeout_ms: int, *, stdout: str = "", stderr: str = "", exec_time_ms: int = 0
) -> OperationResult:
    """Describe an action that was killed when its time was up. ``what`` is ``Resource agent`` or ``Fence agent``."""
    return OperationResult(
        ExecStatus.TIMEOUT,
        int(ExitCode.ERROR),
        f"{what} did not complete within {format_readable_interval(timeout_ms)}",
        kept_output(stdout, stderr),
        exec_time_ms,
    )


def ended_by_signal(number: int, *, stdout: str = "", stderr: str = "", exec_time_ms: int = 0) -> OperationResult:
    """Describe an agent that a signal ended."""
    return OperationResult(
        ExecStatus.ERROR,
        int(ExitCode.ERROR),
        f"Resource agent was killed by signal {number}",
        kept_output(stdout, stderr),
        exec_time_ms,
    )
