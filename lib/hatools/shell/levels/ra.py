"""The ra level: which agents there are, and what they can do."""

from typing import TYPE_CHECKING

from hatools.parser import syntax
from hatools.shell.agents import catalog, complete_name, metadata
from hatools.shell.commands import ADMINISTRATOR, CommandError, Level, command
from hatools.shell.console import in_columns
from hatools.shell.semantics import agent_label
from hatools.values.records import replace

if TYPE_CHECKING:
    from hatools.agents.metadata import AgentMetadata, Parameter
    from hatools.shell.context import Context

_DAEMONS = {
    "crmd": "controld",
    "pengine": "schedulerd",
    "stonithd": "fenced",
    "cib": "based",
    "pacemaker-controld": "controld",
    "pacemaker-schedulerd": "schedulerd",
    "pacemaker-fenced": "fenced",
    "pacemaker-based": "based",
}


_DAEMON_TEXTS = {
    "schedulerd": ("Pacemaker scheduler options", "Cluster options used by Pacemaker's scheduler"),
    "controld": ("Pacemaker controller options", "Cluster options used by Pacemaker's controller"),
    "based": (
        "Cluster Information Base manager options",
        "Cluster options used by Pacemaker's Cluster Information Base manager",
    ),
    "fenced": (
        'Instance attributes available for all "stonith"-class resources',
        'Instance attributes available for all "stonith"-class resources and used by Pacemaker\'s fence daemon, '
        "formerly known as stonithd",
    ),
}
_FILLED_IN = ("action", "plug", "port")


class Agents(Level):
    """Lists and describes agents."""

    name = "ra"

    @command()
    def do_classes(self, context: "Context") -> None:
        for standard in sorted(catalog().standards()):
            if standard == "ocf":
                print(f"ocf / {' '.join(_ours_last(catalog().providers()))}")
            else:
                print(standard)

    @command(skill=ADMINISTRATOR)
    def do_providers(self, context: "Context", ra_type: str, ra_class: str = "ocf") -> None:
        if ra_class != "ocf":
            self.console.error(f"no providers for class {ra_class}")
            print()
            return
        print(" ".join(_ours_last(catalog().providers_of(ra_type))))

    @command(skill=ADMINISTRATOR)
    def do_list(self, context: "Context", class_: str, provider_: str | None = None) -> None:
        if class_ not in catalog().standards():
            raise CommandError(f"class {class_} does not exist")
        if provider_ and (class_ != "ocf" or provider_ not in catalog().providers()):
            raise CommandError(f"there is no provider {provider_} for class {class_}")
        if class_ == "ocf" and not provider_:
            # Our own agents are there for machines without any; `ra list ocf hatools` shows them.
            providers = _ours_last(catalog().providers())
            types = sorted({name for provider in providers for name in catalog().types("ocf", provider)})
        else:
            types = list(catalog().types(class_, provider_ or ""))
        for line in in_columns(types):
            print(line)

    @command("info", "meta", skill=ADMINISTRATOR)
    def do_info(self, context: "Context", *args: str) -> bool:
        if not args:
            raise CommandError("Expected [<class>:[<provider>:]]<type>")
        found: AgentMetadata | None
        if len(args) == 1 and args[0] in _DAEMONS:
            found, agent = _daemon_metadata(_DAEMONS[args[0]]), syntax.Agent(args[0], "", "")
        else:
            if len(args) > 1:  # the order of old: type, class, provider
                agent = syntax.Agent(args[1], args[2] if len(args) > 2 else "heartbeat", args[0])
            else:
                agent = self._agent(args[0])
            found = metadata(agent)
        if found is None:
            if not self.session.preferences.flag("core", "ignore_missing_metadata"):
                self.console.error(f"{agent_label(agent)}: got no meta-data, does this RA exist?")
            return False
        self.console.show(describe(found, agent))
        return True

    def _agent(self, text: str) -> syntax.Agent:
        from hatools.parser.pieces import AgentProblem

        try:
            return complete_name(text)
        except AgentProblem as problem:
            raise CommandError(str(problem)) from None

    @command(skill=ADMINISTRATOR)
    def do_validate(self, context: "Context", agentname: str, *params: str) -> bool:
        from hatools.shell.trials import can_validate, validate_agent

        agent = self._agent(agentname)
        if agent.standard != "ocf":
            raise CommandError("Only OCF agents are supported by this command")
        values = {}
        for param in params:
            name, equals, value = param.partition("=")
            if not equals:
                raise CommandError(f"Expected <name>=<value>, got '{param}'")
            values[name] = value
        if not can_validate(agent):
            return False
        return validate_agent(self.session, agent, values) == 0


def _ours_last(providers: tuple[str, ...]) -> list[str]:
    """Return the system's providers; ours only where there is no other."""
    return [provider for provider in providers if provider != "hatools"] or list(providers)


def _daemon_metadata(daemon: str) -> "AgentMetadata":
    """Return a daemon's options as if it were an agent."""
    from hatools.agents.metadata import AgentMetadata, Parameter
    from hatools.values.fencing_options import FENCING_PARAMETERS
    from hatools.values.options import DAEMON_OPTIONS

    options = FENCING_PARAMETERS if daemon == "fenced" else DAEMON_OPTIONS[daemon]
    parameters = tuple(
        Parameter(
            option.name, option.type, option.default, short_text=option.summary, long_text=option.long_description
        )
        for option in options
    )
    short, long = _DAEMON_TEXTS[daemon]
    return AgentMetadata(f"pacemaker-{daemon}", short_text=short, long_text=long, parameters=parameters)


def describe(found: "AgentMetadata", agent: syntax.Agent) -> str:
    """Return an agent's metadata for people."""
    label = f"{agent.standard}:None" if agent.standard in _DAEMONS else agent_label(agent)
    # Fence agents tell their title in a place where the original does not look.
    is_fence_agent = agent.standard == "stonith" and agent.type.startswith("fence_")
    short = "" if is_fence_agent else _short(found.short_text, agent.type, found.long_text, agent.type)
    parts = [f"{short} ({label})" if short else label]
    if found.long_text:
        parts.append(found.long_text)
    parameters = [*found.parameters, *(_fence_parameters() if agent.standard == "stonith" else ())]
    if parameters:
        if is_fence_agent:  # the fencer fills these in
            parameters = [replace(p, required=False) if p.name in _FILLED_IN else p for p in parameters]
        described = "\n".join(_describe_parameter(parameter, agent.type) for parameter in parameters)
        parts.append("Parameters (*: required, []: default):\n\n" + described.rstrip())
    actions = [action for action in found.actions if action.name not in ("meta-data", "validate-all")]
    if actions:
        lines = []
        for action in actions:
            attributes = " ".join(f"{name}={value}" for name, value in action.attributes if name != "name" and value)
            lines.append(f"    {action.name:<13} {attributes}")
        if is_fence_agent:  # what the cluster adds to them
            lines += [f"    {name:<13} timeout=20s" for name in ("stop", "start")]
        parts.append("Operations' defaults (advisory minimum):\n\n" + "\n".join(lines))
    return "\n\n".join(parts)


def _fence_parameters() -> "tuple[Parameter, ...]":
    return _daemon_metadata("fenced").parameters


def _short(short: str, name: str, long: str, type_: str) -> str:
    """Return a short description unless it says nothing new."""
    return short if short not in (name, long, type_) else ""


def _describe_parameter(parameter: "Parameter", type_: str) -> str:
    head = parameter.name + ("*" if parameter.required else "")
    if parameter.content_type and parameter.default:
        head += f" ({parameter.content_type}, [{parameter.default}])"
    elif parameter.content_type:
        head += f" ({parameter.content_type})"
    lines = [f"{head}: {_short(parameter.short_text, parameter.name, parameter.long_text, type_)}"]
    if parameter.long_text:
        lines.append("    " + parameter.long_text.replace("\n", "\n    ") + "\n")
    return "\n".join(lines)
