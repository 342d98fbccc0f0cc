"""What the shell asks about agents: full names and metadata. I/O: looks into the agents' folders, runs agents."""

from functools import cache
from typing import TYPE_CHECKING

from hatools.parser import syntax

if TYPE_CHECKING:
    from hatools.agents.catalog import Catalog
    from hatools.agents.metadata import AgentMetadata


@cache
def catalog() -> "Catalog":
    """Return the agents of this machine."""
    from hatools.agents.catalog import Catalog

    return Catalog.from_environment()


def complete_name(text: str) -> syntax.Agent:
    """Complete ``[class:[provider:]]type``: without class it is ocf, without provider the usual one.

    Raises:
        AgentProblem: the name has too many parts, or no type.
    """
    parts = text.split(":")
    if len(parts) == 3:
        standard, provider, type_ = parts
    elif len(parts) > 3:
        standard = provider = type_ = ""
    else:
        standard, type_ = parts if len(parts) == 2 else ("ocf", parts[0])
        provider = usual_provider(type_) if standard == "ocf" else ""
    problem = ""
    if not type_:
        problem = f"bad resource type specification {text}"
    elif standard == "ocf" and not provider:
        problem = f"provider could not be determined for {text}"
    if problem:
        from hatools.parser.pieces import AgentProblem

        raise AgentProblem(problem)
    return syntax.Agent(standard, provider, type_)


@cache
def usual_provider(type_: str) -> str:
    """Return whose agent a bare type means: heartbeat's, else pacemaker's, else the first one's."""
    providers = catalog().providers_of(type_)
    if not providers or "heartbeat" in providers:
        return "heartbeat"
    return "pacemaker" if "pacemaker" in providers else providers[0]


@cache
def metadata(agent: syntax.Agent) -> "AgentMetadata | None":
    """Return an agent's metadata; None if there is no such agent or it does not answer."""
    from hatools.agents.metadata import parse_metadata
    from hatools.values.agentname import AgentName
    from hatools.values.errors import HatoolsError

    try:
        return parse_metadata(catalog().metadata(AgentName(agent.standard, agent.provider, agent.type)))
    except (HatoolsError, OSError):
        return None


def parameter_names(agent: syntax.Agent) -> frozenset[str] | None:
    """Return the names of an agent's parameters; None if they are not known."""
    found = metadata(agent)
    return None if found is None else frozenset(parameter.name for parameter in found.parameters)


def exists(agent: syntax.Agent) -> bool:
    """Say whether an agent is installed here."""
    from hatools.values.agentname import AgentName

    if agent.standard in ("systemd", "service"):
        return agent.type in catalog().types(agent.standard)
    return catalog().find(AgentName(agent.standard, agent.provider, agent.type)) is not None
