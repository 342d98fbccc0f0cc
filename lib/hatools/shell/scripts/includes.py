"""What a wizard includes: agents, whose parameters become a step, and other wizards. I/O: asks agents for metadata."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from hatools.shell.scripts.model import Action, Parameter, Script, Step
from hatools.values.boolean import parse_boolean
from hatools.values.records import replace

if TYPE_CHECKING:
    from hatools.agents.metadata import AgentMetadata

Load = Callable[[str], Script]
ReadParameter = Callable[[str, Mapping[str, Any], Parameter | None], Parameter]


def include(load: Load, script: Script, entry: dict[str, Any], read: ReadParameter) -> None:
    """Add what an ``include`` entry names to a wizard.

    Raises:
        ValueError: it names neither an agent nor a wizard, or overrides a parameter that is not there.
    """
    if "agent" in entry:
        _include_agent(script, entry, read)
    elif "script" in entry:
        _include_script(load, script, entry, read)
    else:
        raise ValueError(f"Unknown include type: {', '.join(entry)}")


def _include_agent(script: Script, entry: dict[str, Any], read: ReadParameter) -> None:
    from hatools.shell.agents import complete_name, metadata

    agent = complete_name(str(entry["agent"]))
    found = metadata(agent)
    if found is None:
        raise ValueError(f"No meta-data for agent: {entry['agent']}")
    name = str(entry["name"])
    step = next((step for step in script.steps if step.name == name), None)
    if step is None:
        step = Step(name)
        script.steps.append(step)
    step.long_text = str(entry.get("longdesc") or found.long_text)
    step.short_text = str(entry.get("shortdesc") or found.short_text).strip()
    required = entry.get("required", True)
    step.required = parse_boolean(required) is True if isinstance(required, str) else bool(required)
    _add_parameters(step, script.name, entry, found, read)
    base = _base_step(script, step)
    step.cib = _definition("" if base is not None else name, str(entry["agent"]), step, str(entry.get("ops") or ""))
    if base is not None:
        step.name = ""
        if base is not step:
            step.parameters = [*base.parameters, *step.parameters]
            script.steps.remove(base)
    script.actions = [
        replace(action, kind="cib", content=step.cib) if action.kind == "include" and action.content == name else action
        for action in script.actions
    ]
    script.actions = [_with_usual_text(action) for action in script.actions]


def _with_usual_text(action: Action) -> Action:
    """Give a definition that came from an agent the words that definitions have."""
    if action.kind == "cib" and not action.short_text:
        return replace(action, short_text="Configure cluster resources")
    return action


def _add_parameters(
    step: Step, owner: str, entry: Mapping[str, Any], found: "AgentMetadata", read: ReadParameter
) -> None:
    step.parameters.append(
        Parameter("id", "Identifier for the cluster resource", required=True, unique=True, type="resource")
    )
    for known in found.parameters:
        parameter = step.parameter(known.name)
        if parameter is None:
            parameter = Parameter(known.name)
            step.parameters.append(parameter)
        parameter.required, parameter.unique = known.required, known.unique
        parameter.short_text, parameter.long_text = known.short_text.strip(), known.long_text
        parameter.advanced = not known.required
        parameter.type, parameter.example = known.content_type or "string", known.default
    for override in entry.get("parameters") or ():
        present = step.parameter(str(override.get("name")))
        changed = read(owner, {"advanced": False, **override}, present)
        if changed.value is not None:
            changed.required = False
        if present is None:
            step.parameters.append(changed)


def _base_step(script: Script, step: Step) -> Step | None:
    """Return the step whose parameters this one's join, if an agent is what the wizard is about."""
    if step.name != script.name:
        return None
    base = next((other for other in script.steps if not other.name), None)
    if base is None:
        return step
    names = {parameter.name for parameter in step.parameters}
    return base if base.parameters and not any(parameter.name in names for parameter in base.parameters) else None


def _definition(scope: str, agent: str, step: Step, operations: str) -> str:
    """Return the template of a primitive with all of its parameters that have a value."""
    head = f"{scope}:" if scope else ""
    lines = [f"primitive {{{{{head}id}}}} {agent}"]
    for parameter in step.parameters:
        if parameter.name != "id":
            path = f"{head}{parameter.name}"
            lines.append(f'{{{{#{path}}}}}{parameter.name}="{{{{{path}}}}}"{{{{/{path}}}}}')
    lines += [line.strip() for line in operations.splitlines() if line.strip()]
    return "\n\t".join(lines)


def _include_script(load: Load, script: Script, entry: dict[str, Any], read: ReadParameter) -> None:
    included = load(str(entry["script"]))
    name = str(entry["name"])
    required = entry.get("required", True)
    step = Step(
        name,
        included.short_text,
        included.long_text,
        parse_boolean(required) is True if isinstance(required, str) else bool(required),
        steps=deepcopy(included.steps),
        included=included,
    )
    for override in entry.get("parameters") or ():
        if "step" in override and "name" not in override:
            inner = _find_step(name, step, str(override["step"]))
            for part in override["parameters"]:
                _override(script.name, name, inner, part, read)
        else:
            _override(script.name, name, _find_step(name, step, ""), override, read)
    script.steps.append(step)


def _find_step(where: str, step: Step, name: str) -> Step:
    for inner in step.steps:
        if inner.name == name:
            return inner
    if not name and len(step.steps) == 1:
        return step.steps[0]
    raise ValueError(f"Referenced step '{name}' not found in '{where}'" if name else f"Parameter '{where}' not found")


def _override(owner: str, where: str, step: Step, entry: Mapping[str, Any], read: ReadParameter) -> None:
    parameter = step.parameter(str(entry.get("name")))
    if parameter is None:
        raise ValueError(f"Referenced parameter '{entry.get('name')}' not found in '{where}'")
    read(owner, entry, parameter)
    if parameter.value is not None:
        parameter.required = False
