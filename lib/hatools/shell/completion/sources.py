"""What there is to choose from: objects, nodes, agents, parameters, files. Pure but for the session's look-ups.

Every source takes the arguments typed so far, the last of them being typed, and yields suggestions; most do not
look at them.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from hatools.shell.completion.suggestion import Suggestion

if TYPE_CHECKING:
    from hatools.agents.metadata import AgentMetadata
    from hatools.shell.changeset.objects import CibObject
    from hatools.shell.session import Session
    from hatools.values.options import OptionMeaning

Source = Callable[["Sources", Sequence[str]], Iterable[Suggestion]]


def words(*names: str, **meanings: str) -> Source:
    """Return the source of a fixed choice; keywords also say what a word means."""
    fixed = [*map(Suggestion, names), *(Suggestion(name, meaning) for name, meaning in meanings.items())]
    return lambda sources, typed: fixed


def either(*parts: Source) -> Source:
    """Return a source of what several have."""
    return lambda sources, typed: (suggestion for part in parts for suggestion in part(sources, typed))


def options_of(meanings: "Iterable[OptionMeaning]", typed: Sequence[str]) -> Iterator[Suggestion]:
    """Suggest ``name=`` for the options not given yet, or the values of the one being typed."""
    name, equals, _ = typed[-1].partition("=")
    given = {word.partition("=")[0] for word in typed[:-1]}
    for option in meanings:
        if equals:
            if option.name == name:
                yield from values_of(option, f"{name}=")
        elif option.name not in given:
            default = f" [{option.default}]" if option.default is not None else ""
            yield Suggestion(f"{option.name}=", f"{option.summary}{default}")


def values_of(option: "OptionMeaning", before: str = "") -> Iterator[Suggestion]:
    """Suggest the values an option can have; the default is said to be it."""
    choices = option.choices or (("true", "false") if option.type == "boolean" else ())
    for choice in dict.fromkeys((*choices, *([option.default] if option.default else []))):
        yield Suggestion(f"{before}{choice}", "default" if choice == option.default else "")


class Sources:
    """Looks things up in one session."""

    def __init__(self, session: "Session") -> None:
        self.session = session

    # The configuration

    def items(self) -> "Sequence[CibObject]":
        """Return the objects of the configuration, those not committed included."""
        configuration = self.session.configuration
        return configuration.workspace.objects if configuration.load() else ()

    def item(self, name: str) -> "CibObject | None":
        """Return an object by id."""
        configuration = self.session.configuration
        return configuration.workspace.find_object(name) if configuration.load() else None

    def of(self, *kinds: str) -> Iterator[Suggestion]:
        """Suggest the objects of some kinds."""
        return (Suggestion(item.id or "", item.word) for item in self.items() if item.word in kinds)

    def objects(self, typed: Sequence[str]) -> Iterator[Suggestion]:
        return (Suggestion(item.id or "", _kind(item)) for item in self.items())

    def resources(self, typed: Sequence[str]) -> Iterator[Suggestion]:
        return (Suggestion(item.id or "", _kind(item)) for item in self.items() if item.is_resource)

    def resources_and_tags(self, typed: Sequence[str]) -> Iterator[Suggestion]:
        yield from self.resources(typed)
        yield from self.of("tag")

    def primitives(self, typed: Sequence[str]) -> Iterator[Suggestion]:
        return (Suggestion(item.id or "", _kind(item)) for item in self.items() if item.word == "primitive")

    def groups(self, typed: Sequence[str]) -> Iterator[Suggestion]:
        return self.of("group")

    def free_primitives(self, typed: Sequence[str]) -> Iterator[Suggestion]:
        return self._free("primitive")

    def free_resources(self, typed: Sequence[str]) -> Iterator[Suggestion]:
        return self._free("primitive", "group")

    def _free(self, *kinds: str) -> Iterator[Suggestion]:
        return (
            Suggestion(item.id or "", _kind(item)) for item in self.items() if item.word in kinds and not item.parent
        )

    def nodes(self, typed: Sequence[str]) -> Iterator[Suggestion]:
        return (Suggestion(item.node.get("uname") or "", "node") for item in self.items() if item.word == "node")

    def roles(self, typed: Sequence[str]) -> Iterator[Suggestion]:
        return self.of("role")

    def fence_devices(self, typed: Sequence[str]) -> Iterator[Suggestion]:
        return (Suggestion(item.id or "", _kind(item)) for item in self.items() if item.node.get("class") == "stonith")

    def tickets(self, typed: Sequence[str]) -> Iterator[Suggestion]:
        return (Suggestion(item.node.get("ticket") or "") for item in self.items() if item.word == "rsc_ticket")

    def selections(self, typed: Sequence[str]) -> Iterator[Suggestion]:
        """What ``show``, ``edit`` and ``save`` can be limited to."""
        yield Suggestion("xml", "as XML")
        yield Suggestion("changed", "what is not committed")
        yield from (Suggestion(f"type:{word}") for word in sorted({item.word for item in self.items()}))
        yield from (Suggestion(f"tag:{item.id}") for item in self.items() if item.word == "tag")
        if typed[-1].startswith("related:"):
            yield from (Suggestion(f"related:{item.id}") for item in self.items() if item.is_resource)
        else:
            yield Suggestion("related:", "a resource and what refers to it")
        yield Suggestion("obscure:", "hide the values of these parameters")
        yield from self.objects(typed)

    def attribute_paths(self, typed: Sequence[str]) -> Iterator[Suggestion]:
        """Paths ``id.name`` and ``id.op.name`` as ``set`` takes them."""
        from hatools.shell.changeset.operations import all_operations

        name, dot, _ = typed[-1].partition(".")
        item = self.item(name) if dot else None
        if item is None:
            yield from (Suggestion(f"{item.id}.", _kind(item)) for item in self.items())
            return
        for pair in item.node.iter("nvpair"):
            yield Suggestion(f"{name}.{pair.get('name')}", f"now {pair.get('value', '')}")
        for operation in all_operations(item.node):
            for key in ("interval", "timeout"):
                yield Suggestion(f"{name}.{operation.get('name')}.{key}", f"now {operation.get(key, 'not set')}")

    # Attributes and parameters

    def resource_parameters(self, typed: Sequence[str]) -> Iterator[Suggestion]:
        """Names of the parameters that the resource named first has or could have."""
        item = self.item(typed[0])
        if item is None:
            return
        for pair in item.node.iter("nvpair"):
            yield Suggestion(pair.get("name") or "", f"now {pair.get('value', '')}")
        metadata = self.metadata_of(item)
        for parameter in metadata.parameters if metadata is not None else ():
            yield Suggestion(parameter.name, parameter.short_text)

    def meta_names(self, typed: Sequence[str]) -> Iterator[Suggestion]:
        from hatools.values.resource_options import CLONE_META, RESOURCE_META

        return (Suggestion(option.name, option.summary) for option in (*RESOURCE_META, *CLONE_META))

    def meta_values(self, typed: Sequence[str]) -> Iterator[Suggestion]:
        from hatools.values.resource_options import CLONE_META, RESOURCE_META

        found = (option for option in (*RESOURCE_META, *CLONE_META) if option.name == typed[-2])
        return (suggestion for option in found for suggestion in values_of(option))

    def utilization_names(self, typed: Sequence[str]) -> Iterator[Suggestion]:
        return self._pair_names("utilization")

    def node_attributes(self, typed: Sequence[str]) -> Iterator[Suggestion]:
        return self._pair_names("instance_attributes", "node")

    def _pair_names(self, block: str, kind: str = "") -> Iterator[Suggestion]:
        for item in self.items():
            if not kind or item.word == kind:
                for element in item.node.iter(block):
                    yield from (Suggestion(pair.get("name") or "") for pair in element.iter("nvpair"))

    def operations(self, typed: Sequence[str]) -> Iterator[Suggestion]:
        """Actions of the agent of the resource named first."""
        item = self.item(typed[0])
        metadata = self.metadata_of(item) if item is not None else None
        for action in metadata.actions if metadata is not None else ():
            yield Suggestion(action.name, f"timeout={action.timeout}" if action.timeout else "")

    # Agents

    def agents(self, typed: Sequence[str]) -> Iterator[Suggestion]:
        """Agents' names with their short descriptions, cut where the next part begins."""
        from hatools.shell.agents import catalog
        from hatools.shell.lookups import short_text

        prefix = typed[-1]
        standard, colon, rest = prefix.partition(":")
        if not colon:
            yield from (Suggestion(f"{name}:", "class") for name in catalog().standards())
            for name in catalog().types("ocf"):
                if name.startswith(prefix):
                    yield Suggestion(name, short_text("ocf", "", name))
        elif standard == "ocf" and ":" not in rest:
            yield from (Suggestion(f"ocf:{provider}:", "provider") for provider in catalog().providers())
        elif standard == "ocf":
            provider, _, start = rest.partition(":")
            for name in catalog().types("ocf", provider):
                if name.startswith(start):
                    yield Suggestion(f"ocf:{provider}:{name}", short_text("ocf", provider, name))
        else:
            for name in catalog().types(standard):
                if name.startswith(rest):
                    yield Suggestion(f"{standard}:{name}", short_text(standard, "", name))

    def agent_types(self, typed: Sequence[str]) -> Iterator[Suggestion]:
        from hatools.shell.agents import catalog
        from hatools.shell.lookups import short_text

        return (Suggestion(name, short_text("ocf", "", name)) for name in catalog().types("ocf"))

    def standards(self, typed: Sequence[str]) -> Iterator[Suggestion]:
        from hatools.shell.agents import catalog

        return map(Suggestion, catalog().standards())

    def providers(self, typed: Sequence[str]) -> Iterator[Suggestion]:
        from hatools.shell.agents import catalog

        return map(Suggestion, catalog().providers())

    def metadata(self, name: str) -> "AgentMetadata | None":
        """Return the metadata of an agent, or of a template's when the name begins with ``@``."""
        from hatools.parser.pieces import AgentProblem
        from hatools.shell.agents import complete_name, metadata

        if name.startswith("@"):
            item = self.item(name[1:])
            return None if item is None else self.metadata_of(item)
        try:
            return metadata(complete_name(name))
        except AgentProblem:
            return None

    def metadata_of(self, item: "CibObject") -> "AgentMetadata | None":
        """Return the metadata of a resource's agent."""
        from hatools.parser import syntax
        from hatools.shell.agents import metadata

        node = self.session.configuration.workspace.merged(item.node)
        if node is None or not node.get("type"):
            return None
        return metadata(syntax.Agent(node.get("class", ""), node.get("provider", ""), node.get("type", "")))

    def agent_parameters(self, typed: Sequence[str]) -> Iterator[Suggestion]:
        """Parameters of the agent named first."""
        return self.parameters(typed[0], typed)

    def parameters(self, agent: str, typed: Sequence[str]) -> Iterator[Suggestion]:
        """Suggest ``name=`` with short description and default, or values of the parameter being typed."""
        metadata = self.metadata(agent)
        if metadata is None:
            return
        name, equals, _ = typed[-1].partition("=")
        given = {word.partition("=")[0] for word in typed[:-1]}
        for parameter in metadata.parameters:
            if equals:
                if parameter.name == name:
                    is_boolean = parameter.content_type == "boolean"
                    choices = parameter.options or (("true", "false") if is_boolean else ())
                    for choice in dict.fromkeys((*choices, *([parameter.default] if parameter.default else []))):
                        yield Suggestion(f"{name}={choice}", "default" if choice == parameter.default else "")
            elif parameter.name not in given:
                default = f" [{parameter.default}]" if parameter.default else ""
                required = "* " if parameter.required else ""
                yield Suggestion(f"{parameter.name}=", f"{required}{parameter.short_text}{default}")

    # Files and names outside the configuration

    def files(self, typed: Sequence[str]) -> Iterator[Suggestion]:
        return map(Suggestion, self.session.files_from(typed[-1]))

    def shadows(self, typed: Sequence[str]) -> Iterator[Suggestion]:
        from hatools.shell.levels.cib import shadow_names

        return (Suggestion(name, "shadow CIB") for name in shadow_names())

    def shadow_origins(self, typed: Sequence[str]) -> Iterator[Suggestion]:
        from hatools.shell.levels.cib import shadow_names

        return (Suggestion(f"shadow:{name}") for name in shadow_names())

    def scheduler_inputs(self, typed: Sequence[str]) -> Iterator[Suggestion]:
        from hatools.shell.lookups import scheduler_inputs

        return map(Suggestion, scheduler_inputs())

    def templates(self, typed: Sequence[str]) -> Iterator[Suggestion]:
        from hatools.shell.templating import template_names

        return (Suggestion(name, "template") for name in template_names())

    def template_configurations(self, typed: Sequence[str]) -> Iterator[Suggestion]:
        from hatools.shell.templating import config_names

        return map(Suggestion, config_names())

    def corosync_paths(self, typed: Sequence[str]) -> Iterator[Suggestion]:
        from hatools.shell.lookups import corosync_paths

        return map(Suggestion, corosync_paths())

    def settings(self, typed: Sequence[str]) -> Iterator[Suggestion]:
        return map(Suggestion, self.session.preferences.names())

    def setting_values(self, typed: Sequence[str]) -> Iterator[Suggestion]:
        return self.values_of_setting(typed[0])

    def values_of_setting(self, setting: str) -> Iterator[Suggestion]:
        """Suggest the values of a preference, ``section.name``."""
        from hatools.shell.preferences import PREFERENCES

        section, _, key = setting.partition(".")
        known = PREFERENCES.get(section, {}).get(key)
        return map(Suggestion, known.choices if known is not None else ())


def _kind(item: "CibObject") -> str:
    """Return what an object is, for a resource with its agent."""
    agent = item.node.get("type") if item.word in ("primitive", "rsc_template") else None
    return f"{item.word} {agent}" if agent else item.word
