"""Small clusters for scheduler tests."""

from hatools.cib.document import Document
from hatools.scheduler.schedule import Schedule, schedule
from hatools.values.iso8601 import Moment

NOW = 1_700_000_000
UUID = "11111111-2222-3333-4444-555555555555"
NO_PARAMETERS = "f2317cad3d54cec5d7d7aa7d0bf35cf8"
ONLY_A_TIMEOUT = "4811cef7f7f94e3a35a70be7916cb2fd"
FENCING = '<primitive id="fencing" class="stonith" type="fence_xvm"/>'


def primitive(name: str, meta: str = "", operations: str = "", extra: str = "") -> str:
    """Return a Dummy resource; ``meta`` is ``name=value`` words."""
    pairs = "".join(
        f'<nvpair id="{name}-m-{key}" name="{key}" value="{value}"/>'
        for key, _, value in (word.partition("=") for word in meta.split())
    )
    attributes = f'<meta_attributes id="{name}-m">{pairs}</meta_attributes>' if pairs else ""
    return (
        f'<primitive id="{name}" class="ocf" provider="pacemaker" type="Dummy">'
        f"{extra}{attributes}<operations>{operations}</operations></primitive>"
    )


def operation(
    name: str, node: str, task: str, rc: int = 0, *, interval: int = 0, call: int = 2, status: int = 0
) -> str:
    """Return one entry of an operation history."""
    key = f"{call}:1:0:{UUID}"
    digest = ONLY_A_TIMEOUT if interval else NO_PARAMETERS
    return (
        f'<lrm_rsc_op id="{name}_{task}_{interval}_{call}" operation_key="{name}_{task}_{interval}" operation="{task}" '
        f'crm_feature_set="3.16.1" transition-key="{key}" transition-magic="{status}:{rc};{key}" on_node="{node}" '
        f'call-id="{call}" rc-code="{rc}" op-status="{status}" interval="{interval}" '
        f'last-rc-change="{NOW - 100}" exec-time="1" queue-time="0" op-digest="{digest}"/>'
    )


def history(name: str, *operations: str) -> str:
    """Return what a node remembers of a Dummy resource."""
    return (
        f'<lrm_resource id="{name}" class="ocf" provider="pacemaker" type="Dummy">{"".join(operations)}</lrm_resource>'
    )


def running(name: str, node: str) -> str:
    return history(name, operation(name, node, "start"))


def state(number: int, *histories: str, online: bool = True, attributes: str = "") -> str:
    """Return the state of ``node<number>``; attributes are ``name=value`` words."""
    up = "online" if online else "offline"
    pairs = "".join(
        f'<nvpair id="status-{number}-{key}" name="{key}" value="{value}"/>'
        for key, _, value in (word.partition("=") for word in attributes.split())
    )
    transient = (
        f'<transient_attributes id="{number}"><instance_attributes id="status-{number}">{pairs}'
        "</instance_attributes></transient_attributes>"
    )
    return (
        f'<node_state id="{number}" uname="node{number}" in_ccm="{str(online).lower()}" crmd="{up}" '
        f'join="{"member" if online else "down"}" expected="{"member" if online else "down"}">{transient}'
        f'<lrm id="{number}"><lrm_resources>{"".join(histories)}</lrm_resources></lrm></node_state>'
    )


def cluster(
    resources: str,
    constraints: str = "",
    *,
    options: str = "stonith-enabled=false",
    states: tuple[str, ...] | None = None,
    nodes: str = "",
    quorum: bool = True,
    status: str = "",
) -> str:
    """Return a CIB of two nodes, both online with nothing running unless ``states`` says otherwise."""
    pairs = "".join(
        f'<nvpair id="option-{key}" name="{key}" value="{value}"/>'
        for key, _, value in (word.partition("=") for word in options.split())
    )
    names = nodes or '<node id="1" uname="node1"/><node id="2" uname="node2"/>'
    return (
        f'<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.9" epoch="1" num_updates="0" admin_epoch="0" '
        f'have-quorum="{int(quorum)}" dc-uuid="1"><configuration><crm_config><cluster_property_set id="options">{pairs}'
        f"</cluster_property_set></crm_config><nodes>{names}</nodes><resources>{resources}</resources>"
        f"<constraints>{constraints}</constraints></configuration>"
        f"<status>{''.join(states if states is not None else (state(1), state(2)))}{status}</status></cib>"
    )


def decide(text: str, now: int = NOW) -> Schedule:
    """Run the scheduler on a CIB."""
    return schedule(Document.parse(text.encode()), Moment.from_epoch(now))
