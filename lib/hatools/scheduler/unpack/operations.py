"""How operations are configured: timeouts, what a failure leads to, what is required to run. Pure."""

from xml.etree.ElementTree import Element

from hatools.cib.document import children
from hatools.scheduler.model.action import Needs, OnFail
from hatools.scheduler.model.node import Node
from hatools.scheduler.model.resource import Resource
from hatools.scheduler.plan import Plan
from hatools.scheduler.unpack.nvpairs import unpack_set
from hatools.scheduler.unpack.parameters import parameters
from hatools.values.boolean import is_true, parse_boolean
from hatools.values.duration import parse_duration_ms, parse_interval_ms
from hatools.values.iso8601 import Moment
from hatools.values.records import dataclass
from hatools.values.role import Role, parse_role

DEFAULT_TIMEOUT_MS = 20000
_PROMOTED_WORDS = ("promoted", "master")


@dataclass(frozen=True, slots=True)
class OperationSettings:
    """What the configuration says about one operation; ``meta`` is what agents and crmd are told."""

    config: Element | None
    meta: dict[str, str]
    needs: Needs
    on_fail: OnFail
    fail_role: Role


def is_remote_connection_xml(xml: Element) -> bool:
    """Say whether a resource is a connection to a Pacemaker Remote node."""
    return (
        (xml.get("type") or "").lower() == "remote"
        and (xml.get("class") or "").lower() == "ocf"
        and (xml.get("provider") or "").lower() == "pacemaker"
    )


def is_disabled(operation: Element) -> bool:
    """Say whether an ``<op>`` is switched off."""
    return parse_boolean(operation.get("enabled")) is False


def find_operation(resource: Resource, key: str, *, include_disabled: bool = False) -> Element | None:
    """Find the ``<op>`` for an operation key; migrations and notifications also by their short names."""
    found = _match_key(resource, key, include_disabled)
    if found is None:
        if "migrate_to" in key or "migrate_from" in key:
            found = _match_key(resource, f"{resource.id}_migrate_0", include_disabled)
        elif "_notify_" in key:
            found = _match_key(resource, f"{resource.id}_notify_0", include_disabled)
    return found


def _match_key(resource: Resource, key: str, include_disabled: bool) -> Element | None:
    lowered = key.lower()
    for prefix in (resource.id, resource.history_id):
        if prefix is None or not lowered.startswith(prefix.lower() + "_"):
            continue
        wanted = lowered[len(prefix) + 1 :]
        for operation in resource.operations:
            name = (operation.get("name") or "").lower()
            if not wanted.startswith(name + "_") or (not include_disabled and is_disabled(operation)):
                continue
            if wanted == f"{name}_{parse_interval_ms(operation.get('interval'))}":
                return operation
    return None


def _shortest_monitor(resource: Resource) -> Element | None:
    """Return the recurring monitor with the shortest interval: probes share its timeout."""
    best: Element | None = None
    shortest = 0
    for operation in resource.operations:
        if is_disabled(operation) or (operation.get("name") or "").lower() != "monitor":
            continue
        interval = parse_interval_ms(operation.get("interval"))
        if interval and (best is None or interval < shortest):
            best, shortest = operation, interval
    return best


def operation_settings(
    plan: Plan, resource: Resource, key: str, task: str, interval_ms: int, node: Node | None
) -> OperationSettings:
    """Return the settings of an operation. They are kept, so copy ``meta`` before changing it."""
    cache: dict[tuple[object, ...], OperationSettings] = plan.scratch.setdefault("operation settings", {})
    fencing = resource.fence_device and task in ("start", "monitor")
    # Whatever else the settings depend on and may change while the status is unpacked:
    state = (resource.history_id, resource.managed, resource.container, resource.needs_fencing, resource.needs_quorum)
    identity = (resource, key, task, *state, node if fencing else None)
    found = cache.get(identity)
    if found is None:
        found = cache[identity] = _unpack_settings(plan, resource, key, task, interval_ms, node)
    return found


def _unpack_settings(
    plan: Plan, resource: Resource, key: str, task: str, interval_ms: int, node: Node | None
) -> OperationSettings:
    config = find_operation(resource, key, include_disabled=True)
    meta: dict[str, str] = {}
    agent = (resource.standard, resource.provider, resource.agent_type)
    is_probe = task == "monitor" and interval_ms == 0
    for defaults in plan.op_defaults:
        unpack_set(plan, defaults, "meta_attributes", meta, agent=agent, operation=(task, interval_ms))
    if is_probe:
        monitor = _shortest_monitor(resource)
        if monitor is not None and monitor.get("timeout") is not None:
            meta["timeout"] = monitor.get("timeout", "")
    if config is not None:
        unpack_set(plan, config, "meta_attributes", meta, agent=agent, operation=(task, interval_ms), overwrite=True)
        meta.update(config.attrib)
    meta.pop("id", None)
    if interval_ms > 0:
        meta["interval"] = str(interval_ms)
    else:
        meta.pop("interval", None)
    if (resource.standard or "").lower() == "stonith" and (task == "start" or is_probe):
        timeout = parameters(plan, resource, node).get("pcmk_monitor_timeout")
        if timeout is not None:
            meta["timeout"] = timeout
    meta["timeout"] = str(parse_timeout(meta.get("timeout")))
    on_fail, fail_role = _failure_reaction(plan, resource, key, task, interval_ms, meta, config)
    if fail_role is Role.UNKNOWN and config is not None and "role_after_failure" in meta:
        fail_role = parse_role(meta["role_after_failure"])
        plan.say(
            "warning",
            "Support for role_after_failure is deprecated and will be removed in a future release",
            processing=True,
            once="role_after_failure",
        )
    if fail_role is Role.UNKNOWN:
        fail_role = Role.UNPROMOTED if task == "promote" else Role.STARTED
    _settle_start_delay(plan, meta, config, interval_ms)
    return OperationSettings(config, meta, _needs(resource, task), on_fail, fail_role)


def parse_timeout(text: str | None) -> int:
    """Return a timeout in milliseconds; what is unreadable or negative means the default."""
    value = parse_duration_ms(text)
    return DEFAULT_TIMEOUT_MS if value is None or value < 0 else value


def _needs(resource: Resource, task: str) -> Needs:
    if task not in ("start", "promote"):
        return Needs.NOTHING
    if resource.needs_fencing:
        return Needs.FENCING
    return Needs.QUORUM if resource.needs_quorum else Needs.NOTHING


def _configured_on_fail(
    plan: Plan, resource: Resource, task: str, meta: dict[str, str], config: Element | None
) -> str | None:
    value = meta.get("on-fail")
    lowered = (value or "").lower()
    if task == "stop" and lowered in ("standby", "demote", "stop"):
        plan.config_error(
            f"Resetting 'on-fail' for {resource.id} stop action to default value "
            f"because '{value}' is not allowed for stop"
        )
        return None
    if task == "demote" and value is None:
        # A failed demote is treated as the promoted role's monitor would be.
        for operation in resource.operations:
            reaction = operation.get("on-fail")
            if (
                reaction
                and not is_disabled(operation)
                and (operation.get("name") or "").lower() == "monitor"
                and (operation.get("role") or "").lower() in _PROMOTED_WORDS
                and parse_interval_ms(operation.get("interval"))
                and reaction.lower() != "demote"
            ):
                return reaction
        return None
    if task == "lrm_delete":
        return "ignore"
    if lowered == "demote":
        name = ("" if config is None else config.get("name") or "").lower()
        role = ("" if config is None else config.get("role") or "").lower()
        interval = 0 if config is None else parse_interval_ms(config.get("interval"))
        if name != "promote" and (name != "monitor" or role not in _PROMOTED_WORDS or not interval):
            plan.config_error(
                f"Resetting 'on-fail' for {resource.id} {name} action to default value "
                "because 'demote' is not allowed for it"
            )
            return None
    return value


_REACTIONS = {
    "block": OnFail.BLOCK,
    "standby": OnFail.STANDBY,
    "ignore": OnFail.IGNORE,
    "nothing": OnFail.IGNORE,
    "migrate": OnFail.MIGRATE,
    "stop": OnFail.STOP,
    "restart": OnFail.RECOVER,
    "demote": OnFail.DEMOTE,
}


def _failure_reaction(
    plan: Plan,
    resource: Resource,
    key: str,
    task: str,
    interval_ms: int,
    meta: dict[str, str],
    config: Element | None,
) -> tuple[OnFail, Role]:
    """Settle what a failure leads to and the role that the resource falls to."""
    value = _configured_on_fail(plan, resource, task, meta, config)
    lowered = None if value is None else value.lower()
    reaction: OnFail | None = None
    role = Role.UNKNOWN
    if lowered == "fence":
        reaction = OnFail.FENCE
        if not plan.options.fencing_enabled:
            plan.config_error(
                f"Resetting 'on-fail' for operation '{key}' to 'stop' because 'fence' is not valid "
                "when fencing is disabled"
            )
            reaction, role = OnFail.STOP, Role.STOPPED
    elif lowered == "restart-container":
        reaction = OnFail.RESTART_CONTAINER if resource.container is not None else None
    elif lowered is not None:
        reaction = _REACTIONS.get(lowered)
        if reaction is OnFail.BLOCK:
            meta["on-fail"] = "block"
        elif reaction is OnFail.STOP:
            role = Role.STOPPED
        elif reaction is None:
            plan.config_error(f"Resource {resource.id}: Unknown failure type ({value})")
    if reaction is None and resource.container is not None:
        return OnFail.RESTART_CONTAINER, role
    is_connection_action = (
        task != "start" and not (task == "monitor" and interval_ms == 0) and is_remote_connection(plan, resource)
    )
    if (reaction is None or not resource.managed) and is_connection_action:
        if not resource.managed:
            return OnFail.STOP, Role.STOPPED
        return OnFail.RESET_REMOTE, Role.STOPPED if resource.reconnect_ms else role
    if reaction is None and task == "stop":
        return (OnFail.FENCE if plan.options.fencing_enabled else OnFail.BLOCK), role
    return (OnFail.RECOVER if reaction is None else reaction), role


def is_remote_connection(plan: Plan, resource: Resource) -> bool:
    """Say whether a resource connects to a Pacemaker Remote node that is no guest."""
    if not resource.is_remote_connection:
        return False
    node = plan.find_node(resource.id)
    return node is not None and node.is_remote


def _settle_start_delay(plan: Plan, meta: dict[str, str], config: Element | None, interval_ms: int) -> None:
    delay = meta.get("start-delay")
    if delay is not None:
        meta["start-delay"] = str(max(0, parse_duration_ms(delay) or 0))
        return
    text = meta.get("interval-origin")
    interval_s = interval_ms // 1000
    if text is None or not interval_s:
        return
    origin = Moment.parse(text, plan.now, plan.now.offset)
    if origin is None:
        name = "(missing ID)" if config is None else config.get("id") or "(missing ID)"
        plan.config_error(f"Ignoring 'interval-origin' for operation '{name}' because '{text}' is not valid")
        return
    elapsed = plan.now.epoch_seconds - origin.epoch_seconds
    # The remainder takes the sign of what it is taken of.
    remainder = abs(elapsed) % interval_s * (1 if elapsed >= 0 else -1)
    meta["start-delay"] = str(((interval_s if remainder > 0 else 0) - remainder) * 1000)


def node_attributes_of_operation(plan: Plan, config: Element | None, node: Node) -> dict[str, str]:
    """Return the ``instance_attributes`` of an ``<op>`` as they are on a node."""
    extra: dict[str, str] = {}
    if config is not None:
        unpack_set(plan, config, "instance_attributes", extra, node_attributes=node.attributes)
    return extra


def configured_timeout_ms(plan: Plan, resource: Resource, task: str) -> int:
    """Return the timeout that the configuration gives a task, whatever its interval."""
    for operation in resource.operations:
        if (operation.get("name") or "").lower() == task.lower():
            timeout = operation.get("timeout")
            break
    else:
        timeout = None
    if timeout is None:
        meta: dict[str, str] = {}
        for defaults in plan.op_defaults:
            unpack_set(plan, defaults, "meta_attributes", meta)
        timeout = meta.get("timeout")
    return parse_timeout(timeout)


def operation_elements(plan: Plan, xml: Element) -> list[Element]:
    """Return the ``<op>`` elements of a resource, ``operations`` with ``id-ref`` resolved."""
    from hatools.cib.nvpair import resolve
    from hatools.scheduler.unpack.nvpairs import finder

    container = next(children(xml, "operations"), None)
    if container is None:
        return []
    target = resolve(container, finder(plan))
    return [] if target is None else list(children(target, "op"))


def wants(meta: dict[str, str], name: str) -> bool:
    """Say whether a meta attribute is true."""
    return is_true(meta.get(name))
