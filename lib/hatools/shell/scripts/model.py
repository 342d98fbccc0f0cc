"""What a wizard is. Pure.

A wizard has steps, each with parameters; the parameters fill the templates of its actions. A step may hold another
wizard whole (``included``), whose actions then come in where an ``include`` action names the step.
"""

from typing import Any

from hatools.values.records import dataclass, field


@dataclass(frozen=True, slots=True)
class Template:
    """Text with ``{{references}}``; ``owner`` is the wizard whose values they mean."""

    text: str
    owner: str


Value = str | int | float | bool | Template


@dataclass(slots=True)
class Parameter:
    """A parameter: ``value`` is what it is without being given, None if nothing; ``values`` are those of an enum."""

    name: str
    short_text: str = ""
    long_text: str = ""
    required: bool = False
    unique: bool = False
    advanced: bool = False
    type: str = "string"
    example: str | None = None
    value: Value | None = None
    values: tuple[str, ...] = ()


@dataclass(slots=True)
class Step:
    """A group of parameters, or of steps; one without a name adds its parameters to the level above."""

    name: str = ""
    short_text: str = ""
    long_text: str = ""
    required: bool = True
    parameters: list[Parameter] = field(default_factory=list)
    steps: list["Step"] = field(default_factory=list)
    cib: str = ""
    """The definition that an included agent makes of the parameters, a template."""
    included: "Script | None" = None

    def parameter(self, name: str) -> Parameter | None:
        """Return a parameter by name."""
        return next((parameter for parameter in self.parameters if parameter.name == name), None)


@dataclass(frozen=True, slots=True)
class Action:
    """Something to do: ``kind`` (cib, crm, install, service, call, copy, collect ...), ``content`` and how.

    ``content`` is a string, or for services and packages a list. ``when`` is a condition, empty for always.
    ``nodes`` is all, local, names, or empty for what the kind does by itself.
    """

    kind: str
    content: Any
    short_text: str = ""
    long_text: str = ""
    when: str = ""
    nodes: str = ""
    to: str = ""
    sudo: bool = False
    template: bool = False
    force: bool = False


@dataclass(slots=True)
class Script:
    """A wizard; ``folder`` holds the files that its actions use, empty if there is none of its own."""

    name: str
    folder: str
    category: str
    short_text: str = ""
    long_text: str = ""
    steps: list[Step] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)


@dataclass(slots=True)
class ReadyAction:
    """An action with everything filled in; ``text`` shows it to a person."""

    kind: str
    content: Any
    text: str
    short_text: str
    long_text: str
    nodes: str = ""
    to: str = ""
    sudo: bool = False
    template: bool = False
    force: bool = False
