"""``crm_rule``: is a rule of the configuration in effect? I/O."""

import sys
import time
from enum import Enum
from xml.etree.ElementTree import Element

from hatools.cib.document import children, parse_xml
from hatools.cib.rules import RangeState, RuleInput, evaluate_date
from hatools.cli.cib_input import complain_about_xml
from hatools.cli.ending import Refused
from hatools.cli.options import CommandLine, Finished, Group, Option, Program, begin, program_name
from hatools.cli.output import Output, XmlOutput
from hatools.values.errors import HatoolsError, SyntaxProblem
from hatools.values.exitcode import ExitCode, exit_text
from hatools.values.iso8601 import Moment

PROGRAM = Program(
    name="crm_rule",
    summary="evaluate rules from the Pacemaker configuration",
    special="drX",
    groups=(
        Group(
            "modes",
            "Modes (mutually exclusive):",
            "Show modes of operation",
            (Option("check", "c", "Check whether a rule is in effect"),),
        ),
        Group(
            "data",
            "Data:",
            "Show data options",
            (Option("xml-text", "X", "Use argument for XML (or stdin if '-')", unnamed=True),),
        ),
        Group(
            "additional",
            "Additional Options:",
            "Show additional options",
            (
                Option("date", "d", "Whether the rule is in effect on a given date", unnamed=True),
                Option("rule", "r", "The ID of the rule to check (may be specified multiple times)", unnamed=True),
            ),
        ),
    ),
)


def main(argv: list[str]) -> int:
    """Run the command."""
    try:
        line, out = begin(PROGRAM, argv)
    except Finished as finished:
        return finished.code
    try:
        code = _run(line, out)
    except Refused as refused:
        out.error(f"{program_name()}: {refused}")
        code = refused.code
    return out.finish(code)


def _run(line: CommandLine, out: Output) -> int:
    if not line.has("check"):
        raise Refused(ExitCode.USAGE, "No mode operation given")
    rules = line.all("rule")
    if not rules:
        raise Refused(ExitCode.USAGE, "--check requires use of --rule=")
    now = _date(line.get("date"))
    root = _load(line.get("xml-text"), out, line.verbosity)
    if root is None:
        return ExitCode.NOINPUT
    code = int(ExitCode.OK)
    for identifier in rules:
        found = _check(root, identifier, now)
        status = _report(out, identifier, found)
        # A date specification that holds leaves an earlier rule's result standing; anything else replaces it.
        if found is not RuleState.SATISFIED:
            code = status
    return code


def _date(text: str | None) -> Moment:
    seconds = time.time()
    now = Moment.from_epoch(int(seconds), time.localtime(seconds).tm_gmtoff)
    if text is None:
        return now
    moment = Moment.parse(text, now, now.offset)
    if moment is None:
        raise Refused(ExitCode.DATAERR, f"Invalid date specified: '{text}'")
    return moment


def _load(text: str | None, out: Output, verbosity: int) -> Element | None:
    """Return the CIB to look into; None (after saying so) if the cluster's cannot be had."""
    if text is None:
        from hatools.ipc.clients.cib import open_cib

        try:
            with open_cib(name="crm_rule") as cib:
                return cib.document().root
        except HatoolsError:
            out.error(f"CIB query failed: {exit_text(ExitCode.NOINPUT)}")
            return None
    data = sys.stdin.buffer.read() if text == "-" else text.encode("utf-8", "surrogateescape")
    try:
        return parse_xml(data)
    except SyntaxProblem:
        complain_about_xml(data, None, verbosity)
        where = "from STDIN\n" if text == "-" else f"string: {text}\n"
        raise Refused(ExitCode.DATAERR, f"Couldn't parse input {where}") from None


class RuleState(Enum):
    """Whether a rule is in effect; ``SATISFIED`` is for specifications without beginning and end."""

    SATISFIED = "satisfies conditions"
    IN_EFFECT = "is still in effect"
    EXPIRED = "is expired"
    NOT_YET = "has not yet taken effect"


_CODES = {
    RuleState.SATISFIED: ExitCode.OK,
    RuleState.IN_EFFECT: ExitCode.OK,
    RuleState.EXPIRED: ExitCode.EXPIRED,
    RuleState.NOT_YET: ExitCode.NOT_YET_IN_EFFECT,
}

_Answer = RuleState | tuple[int, str]
"""A rule's state, or an exit status with the reason why it is not known."""


def _check(root: Element, identifier: str, now: Moment) -> _Answer:
    """Evaluate a rule's date expression."""
    has_constraints = root.find("configuration/constraints") is not None
    rules = [rule for rule in root.iter("rule") if rule.get("id") == identifier] if has_constraints else []
    if not rules:
        return int(ExitCode.NOSUCH), "Rule not found"
    if len(rules) > 1:
        return int(ExitCode.MULTIPLE), "Found more than one rule with matching ID"
    expressions = list(rules[0].iter("date_expression"))
    if len(expressions) != 1:
        count = "does not have a" if not expressions else "has more than one"
        return int(ExitCode.UNIMPLEMENT_FEATURE), f"Rule {count} date expression"
    expression = expressions[0]
    operation = expression.get("operation")
    is_specification = operation == "date_spec"
    if operation is None or is_specification:
        named = {name for spec in children(expression, "date_spec") for name in spec.attrib}
        if operation is None or "years" not in named or "moon" in named:
            text = "Rule must either not use date_spec, or use date_spec with years= but not moon="
            return int(ExitCode.UNIMPLEMENT_FEATURE), text
    match evaluate_date(expression, RuleInput(now=now)):
        case RangeState.WITHIN:
            return RuleState.SATISFIED if is_specification else RuleState.IN_EFFECT
        case RangeState.AFTER:
            return RuleState.EXPIRED
        case RangeState.BEFORE:
            return RuleState.NOT_YET
        case _:
            return int(ExitCode.INDETERMINATE), "Error parsing rule"


def _report(out: Output, identifier: str, found: _Answer) -> int:
    """Say what came of a rule; return its exit status."""
    code = found[0] if isinstance(found, tuple) else int(_CODES[found])
    if isinstance(out, XmlOutput):
        out.element("rule-check", {"rule-id": identifier, "rc": str(code)})
    if isinstance(found, tuple):
        out.error(f"Could not determine whether rule {identifier} is in effect: {found[1]}")
    else:
        out.info(f"Rule {identifier} {found.value}")
    return code
