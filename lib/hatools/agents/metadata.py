"""Agent metadata: the XML an agent prints about itself, as data. Pure.

One form serves OCF agents and fence agents. Real agents satisfy neither the RNG nor the DTD reliably, so nothing
is required but well-formed XML with the right root; what is missing has the value that Pacemaker assumes.
"""

from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from hatools.values.boolean import is_true
from hatools.values.errors import InputError
from hatools.values.records import dataclass

_SECRET_NAMES = frozenset({"password", "passwd", "user"})
"""Parameters that count as private in agents whose metadata marks none (Pacemaker's list)."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an agent. ``content_type`` is string, boolean, integer, second, select ...; ``default`` None if
    there is none; ``options`` are a select's values."""

    name: str
    content_type: str = "string"
    default: str | None = None
    required: bool = False
    unique: bool = False
    unique_group: str = ""
    reloadable: bool = False
    private: bool = False
    deprecated: bool = False
    obsoletes: str = ""
    short_text: str = ""
    long_text: str = ""
    getopt: str = ""
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Action:
    """One action an agent offers, with its advised times as written; ``attributes`` has everything it says."""

    name: str
    timeout: str = ""
    interval: str = ""
    depth: str = ""
    role: str = ""
    start_delay: str = ""
    automatic: bool = False
    """Fence agents' ``on``: a node has to be unfenced before it may run anything."""
    on_target: bool = False
    """Fence agents: the action has to run on the target itself."""
    attributes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class AgentMetadata:
    """What an agent says about itself."""

    name: str
    version: str = ""
    """Of the OCF standard (``1.0``, ``1.1``); empty if not given."""
    short_text: str = ""
    long_text: str = ""
    parameters: tuple[Parameter, ...] = ()
    actions: tuple[Action, ...] = ()

    def parameter(self, name: str) -> Parameter | None:
        """Return a parameter by name."""
        return next((parameter for parameter in self.parameters if parameter.name == name), None)

    def action(self, name: str) -> Action | None:
        """Return the first action of this name (monitor may be there several times)."""
        return next((action for action in self.actions if action.name == name), None)

    def supports(self, action: str) -> bool:
        """Say whether the agent declares this action."""
        return self.action(action) is not None

    @property
    def private_parameters(self) -> frozenset[str]:
        """Names of parameters that must not be shown: the marked ones, or by name if the agent marks none."""
        marked = frozenset(parameter.name for parameter in self.parameters if parameter.private)
        return marked or frozenset(p.name for p in self.parameters if p.name in _SECRET_NAMES)

    @property
    def restart_parameters(self) -> tuple[str, ...] | None:
        """Names of parameters whose change needs a restart; None if the agent cannot reload at all.

        With ``reload-agent`` (OCF 1.1) these are the ones not marked reloadable; with only the legacy ``reload``, the
        ones marked unique.
        """
        if self.supports("reload-agent"):
            return tuple(parameter.name for parameter in self.parameters if not parameter.reloadable)
        if self.supports("reload"):
            return tuple(parameter.name for parameter in self.parameters if parameter.unique)
        return None


def parse_metadata(text: str | bytes) -> AgentMetadata:
    """Read an agent's metadata.

    Raises:
        InputError: it is not well-formed or not an agent's metadata.
    """
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError) as error:
        raise InputError(f"the agent's metadata is not well-formed XML: {error}") from None
    if root.tag != "resource-agent":
        raise InputError(f"the agent's metadata begins with <{root.tag}>, expected <resource-agent>")
    return metadata_from_xml(root)


def metadata_from_xml(root: Element) -> AgentMetadata:
    """Read a ``<resource-agent>`` element."""
    return AgentMetadata(
        name=root.get("name", ""),
        version=_text(root.find("version")),
        short_text=_text(root.find("shortdesc")) or root.get("shortdesc", ""),
        long_text=_text(root.find("longdesc")),
        parameters=tuple(_parameter(element) for element in root.iterfind("parameters/parameter")),
        actions=tuple(_action(element) for element in root.iterfind("actions/action")),
    )


def _text(element: Element | None) -> str:
    return (element.text or "").strip() if element is not None else ""


def _parameter(element: Element) -> Parameter:
    content = element.find("content")
    getopt = element.find("getopt")
    return Parameter(
        name=element.get("name", ""),
        content_type=(content.get("type") or "string") if content is not None else "string",
        default=content.get("default") if content is not None else None,
        required=is_true(element.get("required")),
        unique=is_true(element.get("unique")),
        unique_group=element.get("unique-group", ""),
        reloadable=is_true(element.get("reloadable")),
        private=is_true(element.get("private")),
        deprecated=is_true(element.get("deprecated")) or element.find("deprecated") is not None,
        obsoletes=element.get("obsoletes", ""),
        short_text=_text(element.find("shortdesc")),
        long_text=_text(element.find("longdesc")),
        getopt=getopt.get("mixed", "") if getopt is not None else "",
        options=tuple(option.get("value", "") for option in content.iterfind("option")) if content is not None else (),
    )


def _action(element: Element) -> Action:
    return Action(
        name=element.get("name", ""),
        timeout=element.get("timeout", ""),
        interval=element.get("interval", ""),
        depth=element.get("depth", ""),
        role=element.get("role", ""),
        start_delay=element.get("start-delay", ""),
        automatic=is_true(element.get("automatic")),
        on_target=is_true(element.get("on_target")),
        attributes=tuple(element.attrib.items()),
    )
