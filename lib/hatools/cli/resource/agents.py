"""``crm_resource``'s lists of agents, and their metadata. I/O."""

from hatools.agents.catalog import Catalog
from hatools.cli.ending import Refused
from hatools.cli.options import CommandLineError
from hatools.cli.output import XmlOutput
from hatools.cli.resource.context import Context
from hatools.cli.resource.request import Command
from hatools.values.agentname import AgentName
from hatools.values.errors import HatoolsError
from hatools.values.exitcode import ExitCode


def run(context: Context) -> None:
    """Carry out a command about agents."""
    catalog = Catalog.from_environment()
    spec = context.request.agent_spec or ""
    match context.request.command:
        case Command.LIST_STANDARDS:
            _list(context, "Standards", None, {}, list(catalog.standards()))
        case Command.LIST_PROVIDERS:
            _list(context, "Providers", "provider", {"standard": "ocf"}, list(catalog.providers()))
        case Command.LIST_ALTERNATIVES:
            providers = list(catalog.providers_of(spec))
            if not providers:
                raise Refused(ExitCode.NOSUCH, f"No OCF providers found for {spec}")
            _list(context, "Providers", "provider", {"for": spec}, providers)
        case Command.LIST_AGENTS:
            _list_agents(context, catalog, spec)
        case _:
            _show_metadata(context, catalog, spec)


def _list(context: Context, title: str, tag: str | None, attributes: dict[str, str], items: list[str]) -> None:
    """Show names; in XML as ``tag`` elements in one named after the title, or in a plain list."""
    out = context.out
    if isinstance(out, XmlOutput) and tag is not None:
        out.push(f"{tag}s", attributes)
        for item in items:
            out.element(tag, {}, item)
        out.pop()
        return
    out.begin_list(None, None, title.lower() if isinstance(out, XmlOutput) else title)
    for item in items:
        out.list_item(item)
    out.end_list()


def _list_agents(context: Context, catalog: Catalog, spec: str) -> None:
    standard, _, provider = spec.partition(":")
    if standard == "ocf" and not provider:
        found = [name for each in catalog.providers() for name in catalog.types("ocf", each)]
    else:
        found = list(catalog.types(standard, provider))
    if not found:
        where = f" and provider '{provider}'" if provider else ""
        raise Refused(ExitCode.ERROR, f"No agents found for standard '{standard}'{where}")
    attributes = {"standard": standard, **({"provider": provider} if provider else {})}
    _list(context, f"{provider or standard} agents", "agent", attributes, found)


def _show_metadata(context: Context, catalog: Catalog, spec: str) -> None:
    agent = _parse(spec)
    if agent is None:
        raise Refused(ExitCode.NOSUCH, f"'{spec}' is not a valid agent specification")
    try:
        text = catalog.metadata(agent)
    except HatoolsError:
        raise Refused(ExitCode.NOSUCH, f"Metadata query for {spec} failed: No such device or address") from None
    if agent.standard == "stonith":
        from hatools.agents.fence_metadata import complete_metadata
        from hatools.cli.output import format_result_xml

        text = format_result_xml(complete_metadata(text))
    context.out.xml("metadata", text)


def _parse(spec: str) -> AgentName | None:
    """Read an agent's name; one of a class that does not exist is well-formed, too."""
    parts = spec.split(":")
    if len(parts) < 2 or not all(parts):
        return None
    if parts[0] == "ocf":
        return AgentName(parts[0], parts[1], parts[2]) if len(parts) == 3 else None
    return AgentName(parts[0], "", ":".join(parts[1:]))


def require_agent(standard: str | None, provider: str | None, name: str | None) -> None:
    """Check that an agent exists.

    Raises:
        CommandLineError: it does not.
    """
    catalog = Catalog.from_environment()
    if standard == "stonith":
        if provider is not None:
            raise CommandLineError("stonith does not support providers")
        if catalog.find_fence_agent(name or "") is None:
            raise CommandLineError(f"{name or ''} is not a known stonith agent")
        return
    agent = AgentName(standard or "", provider or "", name or "")
    known = (
        agent.type in catalog.types(agent.standard)
        if agent.standard in ("systemd", "service")
        else catalog.find(agent) is not None and (agent.standard == "ocf" or not agent.provider)
    )
    if not known:
        raise CommandLineError(f"{standard or ''}:{provider or ''}:{name or ''} is not a known resource")
