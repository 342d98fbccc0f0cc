"""What can come next in a statement of the configuration language. Pure but for the session's look-ups.

One function per kind of statement; all take the words behind the keyword, the last of them being typed.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from hatools.shell.completion.sources import Source, Sources, options_of, words
from hatools.shell.completion.suggestion import Suggestion

if TYPE_CHECKING:
    from hatools.values.options import OptionMeaning

_PRIMITIVE_SECTIONS = {
    "params": "parameters of the agent",
    "meta": "how the cluster treats the resource",
    "utilization": "what it needs of a node",
    "operations": "an id for the operations",
    "op": "an operation and its times",
    "op_params": "parameters of the operation before",
    "op_meta": "options of the operation before",
    "description=": "a text for people",
}
_EXPRESSIONS = ("defined", "not_defined", "date", "and", "or", "#uname", "#kind", "#id", "#site-name", "#cluster-name")
_COMPARISONS = ("eq", "ne", "lt", "gt", "lte", "gte")
_DATES = ("lt", "gt", "in", "spec")
_DATE_PARTS = ("hours=", "monthdays=", "weekdays=", "yearsdays=", "months=", "weeks=", "years=", "weekyears=", "moon=")
_RIGHTS = ("read", "write", "deny")
_ROLE_SHORTCUTS = ("meta:", "params:", "utilization:", "location:", "property:", "node:", "nodeattr:", "nodeutil:")
_CONTAINERS = ("docker", "podman", "rkt")
_BUNDLE_PARTS = {
    "network": ("ip-range-start=", "host-netmask=", "host-interface=", "control-port=", "port-mapping"),
    "port-mapping": ("id=", "port=", "internal-port=", "range="),
    "storage": ("storage-mapping",),
    "storage-mapping": ("id=", "target-dir=", "source-dir=", "source-dir-root=", "options="),
}
_CONTAINER_OPTIONS = ("image=", "replicas=", "replicas-per-host=", "promoted-max=", "run-command=", "options=")


def _some(*names: str) -> Iterator[Suggestion]:
    return map(Suggestion, names)


def _last_of(typed: Sequence[str], known: Iterable[str], otherwise: str = "") -> str:
    """Return the last complete word that is one of those known."""
    wanted = frozenset(known)
    return next((word for word in reversed(typed[:-1]) if word in wanted), otherwise)


def _meta_options(kind: str) -> "tuple[OptionMeaning, ...]":
    from hatools.values.resource_options import CLONE_META, GROUP_META, RESOURCE_META

    return (*{"clone": CLONE_META, "group": GROUP_META}.get(kind, ()), *RESOURCE_META)


# Resources


def primitive(sources: Sources, typed: Sequence[str]) -> Iterable[Suggestion]:
    if len(typed) < 2:
        return ()
    if len(typed) == 2:
        templates = (Suggestion(f"@{found.text}", "template") for found in sources.of("rsc_template"))
        return [*templates, *sources.agents(typed)]
    return _primitive_rest(sources, typed)


def _primitive_rest(sources: Sources, typed: Sequence[str]) -> Iterator[Suggestion]:
    section = _last_of(typed[1:], _PRIMITIVE_SECTIONS, "params")
    if section == "params":
        yield from sources.parameters(typed[1], _since(typed, "params"))
    elif section == "meta":
        yield from options_of(_meta_options("primitive"), _since(typed, "meta"))
    elif section == "op":
        yield from _operation(sources, typed)
    if "=" not in typed[-1]:
        yield from (Suggestion(name, meaning) for name, meaning in _PRIMITIVE_SECTIONS.items())


def _since(typed: Sequence[str], section: str) -> Sequence[str]:
    """Return the words from the last time that a section began."""
    places = [index for index, word in enumerate(typed[:-1]) if word == section]
    return typed[places[-1] :] if places else typed


def _operation(sources: Sources, typed: Sequence[str]) -> Iterator[Suggestion]:
    """Suggest the agent's operations with their advised timeouts, and what one of them can have."""
    from hatools.values.resource_options import OPERATION_OPTIONS

    metadata = sources.metadata(typed[1])
    actions = metadata.actions if metadata is not None else ()
    if typed[-2] == "op":
        for action in actions:
            if action.name not in ("meta-data", "validate-all"):
                yield Suggestion(action.name, _times(action.timeout, action.interval))
        return
    given = _since(typed, "op")
    known = {word.partition("=")[0] for word in given[:-1]}
    for action in actions:
        if action.name == given[1]:
            for key, value in action.attributes:
                if key in ("timeout", "interval", "role", "start-delay") and value and key not in known:
                    yield Suggestion(f"{key}={value}", "advised")
    yield from options_of([option for option in OPERATION_OPTIONS if option.name != "name"], given)


def _times(timeout: str, interval: str) -> str:
    parts = [f"timeout={timeout}" if timeout else "", f"interval={interval}" if interval not in ("", "0") else ""]
    return " ".join(part for part in parts if part)


def monitor(sources: Sources, typed: Sequence[str]) -> Iterable[Suggestion]:
    if len(typed) == 1:
        return sources.primitives(typed)
    item = sources.item(typed[0].partition(":")[0])
    metadata = sources.metadata_of(item) if len(typed) == 2 and item is not None else None
    return [
        Suggestion(f"{action.interval or '10s'}:{action.timeout}", "advised")
        for action in (metadata.actions if metadata is not None else ())
        if action.name == "monitor" and action.timeout
    ]


def group(sources: Sources, typed: Sequence[str]) -> Iterator[Suggestion]:
    if len(typed) == 1:
        return
    section = _last_of(typed, ("meta", "params"))
    if section == "meta":
        yield from options_of(_meta_options("group"), _since(typed, "meta"))
    elif not section:
        yield from (found for found in sources.free_primitives(typed) if found.text not in typed[:-1])
    yield from _some("meta", "params", "description=")


def clone(sources: Sources, typed: Sequence[str]) -> Iterator[Suggestion]:
    if len(typed) == 2:
        yield from sources.free_resources(typed)
    elif len(typed) > 2:
        yield from _some("meta", "params", "description=")
        if _last_of(typed, ("meta", "params"), "meta") == "meta":
            yield from options_of(_meta_options("clone"), _since(typed, "meta"))


def bundle(sources: Sources, typed: Sequence[str]) -> Iterable[Suggestion]:
    if len(typed) < 2:
        return ()
    if len(typed) == 2:
        return _some(*_CONTAINERS)
    part = _last_of(typed, (*_BUNDLE_PARTS, *_CONTAINERS, "primitive", "meta"))
    if part == "primitive" and typed[-2] == "primitive":
        return sources.free_primitives(typed)
    inner: Iterable[Suggestion] = ()
    if part in _BUNDLE_PARTS:
        inner = _some(*_BUNDLE_PARTS[part])
    elif part in _CONTAINERS:
        inner = _some(*_CONTAINER_OPTIONS)
    elif part == "meta":
        inner = options_of(_meta_options("bundle"), _since(typed, "meta"))
    return [*inner, *_some("network", "storage", "primitive", "meta")]


# Constraints


def location(sources: Sources, typed: Sequence[str]) -> Iterable[Suggestion]:
    if len(typed) < 2:
        return ()
    if len(typed) == 2:
        return [*sources.resources_and_tags(typed), *_some("{")]
    if typed[-2].endswith(":") and "rule" not in typed[:-2]:
        return sources.nodes(typed)
    if "rule" in typed[:-1]:
        return _rule(sources, typed)
    return _some("inf:", "-inf:", "100:", "rule", "role=", *_DISCOVERY)


_DISCOVERY = tuple(f"resource-discovery={value}" for value in ("always", "never", "exclusive"))


def _rule(sources: Sources, typed: Sequence[str]) -> Iterator[Suggestion]:
    before = typed[-2]
    if before == "rule":
        yield from _some("inf:", "-inf:", "100:", "$id=", "$role=")
    elif before == "date":
        yield from _some(*_DATES)
    elif before in ("defined", "not_defined"):
        yield from sources.node_attributes(typed)
    elif before in _COMPARISONS and typed[-3].endswith("#uname"):
        yield from sources.nodes(typed)
    elif "date" in typed[:-1] and before in ("in", "spec"):
        yield from _some("start=", "end=", *_DATE_PARTS)
    else:
        yield from _some(*_COMPARISONS, *_EXPRESSIONS)
        yield from sources.node_attributes(typed)


def colocation(sources: Sources, typed: Sequence[str]) -> Iterable[Suggestion]:
    if len(typed) == 2:
        return [Suggestion("inf:", "always together"), Suggestion("-inf:", "never together"), *_some("100:")]
    if len(typed) < 2:
        return ()
    return [*_with_ends(sources, typed, ("Started", "Promoted", "Unpromoted")), *_some("(", "[", "node-attribute=")]


def order(sources: Sources, typed: Sequence[str]) -> Iterable[Suggestion]:
    kinds = (
        Suggestion("Mandatory:", "only after the first"),
        Suggestion("Optional:", "if both change together"),
        Suggestion("Serialize:", "never at the same time"),
    )
    if len(typed) < 2:
        return ()
    found = _with_ends(sources, typed, ("start", "stop", "promote", "demote"))
    first = kinds if len(typed) == 2 else ()
    return [*first, *found, *_some("(", "[", *(("symmetrical=",) if len(typed) > 3 else ()))]


def _with_ends(sources: Sources, typed: Sequence[str], ends: Sequence[str]) -> Iterator[Suggestion]:
    """Suggest resources; behind the colon of one, its roles or actions."""
    name, colon, _ = typed[-1].partition(":")
    if colon:
        yield from (Suggestion(f"{name}:{end}") for end in ends)
    else:
        yield from (found for found in sources.resources_and_tags(typed) if found.text not in typed[:-1])


def rsc_ticket(sources: Sources, typed: Sequence[str]) -> Iterable[Suggestion]:
    if len(typed) == 2:
        return [Suggestion(f"{found.text}:", "ticket") for found in sources.tickets(typed)]
    if len(typed) < 2:
        return ()
    policies = (f"loss-policy={value}" for value in ("stop", "demote", "fence", "freeze"))
    return [*_with_ends(sources, typed, ("Started", "Promoted", "Unpromoted")), *_some(*policies)]


# Everything else


def node(sources: Sources, typed: Sequence[str]) -> Iterable[Suggestion]:
    if len(typed) == 1:
        return [*sources.nodes(typed), *_some("$id=")]
    section = _last_of(typed, ("attributes", "utilization"))
    known: Iterable[Suggestion] = ()
    if section:
        names = sources.node_attributes if section == "attributes" else sources.utilization_names
        standard = ("standby", "maintenance") if section == "attributes" else ("cpu", "memory")
        known = [Suggestion(f"{found.text}=") for found in (*names(typed), *_some(*standard))]
    return [*known, *_some("attributes", "utilization", "description=")]


def property_(sources: Sources, typed: Sequence[str]) -> Iterable[Suggestion]:
    from hatools.values.options import CLUSTER_OPTIONS

    return options_of(CLUSTER_OPTIONS.values(), typed)


def rsc_defaults(sources: Sources, typed: Sequence[str]) -> Iterable[Suggestion]:
    return options_of(_meta_options("primitive"), typed)


def op_defaults(sources: Sources, typed: Sequence[str]) -> Iterable[Suggestion]:
    from hatools.values.resource_options import OPERATION_OPTIONS

    return options_of((option for option in OPERATION_OPTIONS if option.name not in ("id", "name")), typed)


def fencing_topology(sources: Sources, typed: Sequence[str]) -> Iterator[Suggestion]:
    yield from (Suggestion(f"{found.text}:", "node") for found in sources.nodes(typed))
    before, comma, _ = typed[-1].rpartition(",")
    yield from (Suggestion(f"{before}{comma}{found.text}", found.meaning) for found in sources.fence_devices(typed))
    yield from _some("pattern:", "attr:")


def role(sources: Sources, typed: Sequence[str]) -> Iterable[Suggestion]:
    if len(typed) < 2:
        return ()
    if typed[-2] in _RIGHTS:
        name, colon, _ = typed[-1].partition(":")
        if colon and name in ("ref", "meta", "params", "utilization", "location"):
            return [Suggestion(f"{name}:{found.text}", found.meaning) for found in sources.objects(typed)]
        return _some(*_ROLE_SHORTCUTS, "status", "cib", "xpath:", "tag:", "ref:")
    return [*_some(*_RIGHTS), *(_some("attribute:") if len(typed) > 3 else ())]


def acl_target(sources: Sources, typed: Sequence[str]) -> Iterable[Suggestion]:
    return sources.roles(typed) if len(typed) > 1 else ()


def user(sources: Sources, typed: Sequence[str]) -> Iterable[Suggestion]:
    if len(typed) < 2:
        return ()
    return [*(Suggestion(f"role:{found.text}") for found in sources.roles(typed)), *_some(*_RIGHTS)]


def tag(sources: Sources, typed: Sequence[str]) -> Iterable[Suggestion]:
    if len(typed) == 1:
        return ()
    return [found for found in sources.objects(typed) if found.text not in typed[:-1]]


def alert(sources: Sources, typed: Sequence[str]) -> Iterable[Suggestion]:
    if len(typed) == 2:
        return sources.files(typed)
    if len(typed) < 2:
        return ()
    section = _last_of(typed, ("attributes", "meta", "select", "to"))
    if section == "meta":
        return _some("timeout=", "timestamp-format=", "to")
    if section == "select":
        return _some("nodes", "fencing", "resources", "attributes", "{", "to")
    return _some("attributes", "meta", "select", "to", "{", "}")


STATEMENTS: dict[str, Source] = {
    "primitive": primitive,
    "rsc_template": primitive,
    "monitor": monitor,
    "group": group,
    "clone": clone,
    "ms": clone,
    "bundle": bundle,
    "location": location,
    "colocation": colocation,
    "order": order,
    "rsc_ticket": rsc_ticket,
    "node": node,
    "property": property_,
    "rsc_defaults": rsc_defaults,
    "op_defaults": op_defaults,
    "fencing_topology": fencing_topology,
    "role": role,
    "acl_target": acl_target,
    "user": user,
    "tag": tag,
    "alert": alert,
    "xml": words("<primitive", "<group", "<clone", "<rsc_location", "<rsc_colocation", "<rsc_order"),
}
