"""``crm_resource --force-start`` and the like: run an agent here, past the cluster. I/O."""

import os
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress

from hatools.agents.catalog import Catalog
from hatools.agents.environment import lab_environment
from hatools.agents.lsb import lsb_exit_status, script_action
from hatools.agents.ocf import exit_reason, ocf_variables
from hatools.cli.ending import Refused
from hatools.cli.output import XmlOutput
from hatools.cli.resource.answers import running_nodes
from hatools.cli.resource.context import Context
from hatools.scheduler.model.resource import Kind, Resource
from hatools.values.agentname import AgentName
from hatools.values.duration import format_readable_interval
from hatools.values.exitcode import ExitCode
from hatools.values.ocfresult import ocf_result_text
from hatools.values.records import dataclass
from hatools.values.result import ExecStatus, exec_status_text

_ACTIONS = {
    "force-start": "start",
    "force-stop": "stop",
    "force-promote": "promote",
    "force-demote": "demote",
    "force-check": "monitor",
    "validate": "validate-all",
}
_FEATURE_SET = "3.16.1"
_DEFAULT_TIMEOUT_MS = 20_000


@dataclass(frozen=True, slots=True)
class _Ending:
    """How the agent ended: OCF exit status, whether it ran at all, and what it printed."""

    code: int
    status: ExecStatus = ExecStatus.DONE
    reason: str = ""
    stdout: str = ""
    stderr: str = ""


def execute(context: Context) -> None:
    """Run an action of a resource's agent, or of an agent given on the command line.

    Raises:
        Refused: it cannot be run here, or did not succeed.
    """
    request = context.request
    if request.configured_here:
        agent = AgentName(request.standard or "", request.provider or "", request.agent or "")
        _run_and_tell(context, None, agent, dict(request.given_parameters), request.timeout_ms)
        return
    resource = _instance(context)
    from hatools.scheduler.unpack.operations import configured_timeout_ms
    from hatools.scheduler.unpack.parameters import parameters

    values = dict(parameters(context.plan, resource, None))
    values |= {f"CRM_meta_{name.replace('-', '_')}": value for name, value in resource.meta.items()}
    timeout_ms = request.timeout_ms
    if not timeout_ms:
        timeout_ms = configured_timeout_ms(context.plan, resource, _ACTIONS[request.operation or ""])
    parent = resource.parent
    anonymous = parent is not None and parent.is_anonymous_clone
    name = context.wanted_id if anonymous else resource.id
    agent = AgentName(resource.standard or "", resource.provider or "", resource.agent_type or "")
    _run_and_tell(context, name, agent, values, timeout_ms)


def _instance(context: Context) -> Resource:
    """Return the primitive to act on: the resource named, or the first instance of a clone.

    Raises:
        Refused: it is active already, or of a kind that cannot be run by hand.
    """
    resource, request, out = context.wanted, context.request, context.out
    action = request.operation or ""
    is_clone = resource.kind is Kind.CLONE
    is_risky = is_clone and action in ("force-start", "force-demote", "force-promote") and not request.force
    if is_risky and running_nodes(resource, context.wanted_id):
        out.error(f"It is not safe to {action} {resource.id} here: the cluster claims it is already active")
        out.error("Try setting target-role=Stopped first or specifying the force option")
        raise Refused(ExitCode.UNSAFE)
    if is_clone:
        resource = resource.children[0]
    if resource.kind is Kind.GROUP:
        out.error(f"Sorry, the {action} option doesn't support group resources")
        raise Refused(ExitCode.UNIMPLEMENT_FEATURE)
    if resource.kind is Kind.BUNDLE or resource.is_bundled:
        out.error(f"Sorry, the {action} option doesn't support bundled resources")
        raise Refused(ExitCode.UNIMPLEMENT_FEATURE)
    return resource


def _run_and_tell(
    context: Context, name: str | None, agent: AgentName, values: dict[str, str], timeout_ms: int
) -> None:
    request = context.request
    timeout_ms = timeout_ms or _DEFAULT_TIMEOUT_MS
    values |= {"CRM_meta_timeout": str(timeout_ms), "crm_feature_set": _FEATURE_SET}
    if request.check_level >= 0:
        values["OCF_CHECK_LEVEL"] = str(request.check_level)
    values |= request.overrides or {}
    ending = _run(name or "test", agent, _ACTIONS[request.operation or ""], values, timeout_ms, context.verbosity)
    _tell(context, name, agent, ending)
    if ending.code != ExitCode.OK:
        raise Refused(ending.code)


def _run(
    name: str, agent: AgentName, action: str, values: Mapping[str, str], timeout_ms: int, verbosity: int
) -> _Ending:
    catalog = Catalog.from_environment()
    if agent.standard == "service":
        agent = catalog.resolve_service(agent.type)
    if agent.standard not in ("ocf", "lsb"):
        reason = f"Manual execution of the {agent.standard or 'unspecified'} standard is unsupported"
        return _Ending(ExitCode.UNIMPLEMENT_FEATURE, ExecStatus.ERROR, reason)
    path = catalog.find(agent)
    if path is None:
        return _Ending(ExitCode.NOT_INSTALLED, ExecStatus.NOT_INSTALLED, "No such file or directory")
    environment = _environment(name, agent, values, catalog, verbosity)
    is_lsb = agent.standard == "lsb"
    ending = _call([str(path), script_action(action) if is_lsb else action], environment, timeout_ms)
    if is_lsb and ending.status is ExecStatus.DONE:
        return _Ending(lsb_exit_status(action, ending.code), ending.status, "", ending.stdout, ending.stderr)
    return ending


def _environment(
    name: str, agent: AgentName, values: Mapping[str, str], catalog: Catalog, verbosity: int
) -> dict[str, str]:
    environment = dict(os.environ)
    root = environment.get("HATOOLS_ROOT", "/")
    if root not in ("", "/"):
        environment |= lab_environment(root)
    environment["HA_debug"] = "1" if verbosity else "0"
    if verbosity > 1:
        environment["OCF_TRACE_RA"] = "1"
    if agent.standard == "ocf":
        environment |= ocf_variables(agent, name, values, ocf_root=str(catalog.ocf_root))
    return environment


def _call(words: list[str], environment: Mapping[str, str], timeout_ms: int) -> _Ending:
    """Run a program to its end; when its time is up, its whole process group is killed."""
    try:
        child = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            start_new_session=True,
        )
    except OSError as error:
        return _Ending(ExitCode.NOT_INSTALLED, ExecStatus.NOT_INSTALLED, error.strerror or "")
    try:
        output, errors = child.communicate(timeout=timeout_ms / 1000)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        output, errors = child.communicate()
        reason = f"Resource agent did not complete within {format_readable_interval(timeout_ms)}"
        return _Ending(ExitCode.ERROR, ExecStatus.TIMEOUT, reason, _text(output), _text(errors))
    stdout, stderr = _text(output), _text(errors)
    if child.returncode < 0:
        reason = f"Process interrupted by signal {-child.returncode}"
        return _Ending(ExitCode.ERROR, ExecStatus.ERROR, reason, stdout, stderr)
    return _Ending(child.returncode, ExecStatus.DONE, exit_reason(stderr), stdout, stderr)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _tell(context: Context, name: str | None, agent: AgentName, ending: _Ending) -> None:
    out, request = context.out, context.request
    action, overrides = request.operation or "", request.overrides or {}
    if isinstance(out, XmlOutput):
        attributes = {"action": action, "class": agent.standard, "type": agent.type}
        attributes |= {"rsc": name} if name is not None else {}
        attributes |= {"provider": agent.provider} if agent.provider else {}
        out.push("resource-agent-action", attributes)
        out.push("overrides")
        for key, value in overrides.items():
            out.element("override", {"name": key, "value": value, **({"rsc": name} if name is not None else {})})
        out.pop()
        status = {"code": str(int(ending.code)), "message": ocf_result_text(ending.code)}
        status |= {"execution_code": str(int(ending.status)), "execution_message": exec_status_text(ending.status)}
        status |= {"reason": ending.reason} if ending.reason else {}
        out.element("agent-status", status)
        if ending.stdout or ending.stderr:
            out.subprocess(ending.code, ending.stdout, ending.stderr)
        out.pop()
        return
    for key, value in overrides.items():
        whose = f" for '{name}'" if name is not None else ""
        out.info(f"Overriding the cluster configuration{whose} with '{key}' = '{value}'")
    whom = f" for {name}" if name is not None else ""
    what = f"Operation {action}{whom} ({agent})"
    if ending.status is ExecStatus.DONE:
        reason = f": {ending.reason}" if ending.reason else ""
        out.info(f"{what} returned {int(ending.code)} ({ocf_result_text(ending.code)}{reason})")
    else:
        reason = f": {ending.reason}" if ending.reason else ""
        out.info(f"{what} could not be executed ({exec_status_text(ending.status)}{reason})")
    out.subprocess(ending.code, ending.stdout, ending.stderr)
