"""``crm_attribute``: query and set cluster options and node attributes. I/O.

Attributes that last until reboot belong to attrd while a cluster runs; everything else, and everything in a CIB file
or shadow, is changed in the CIB.
"""

import os
import re
from collections.abc import Iterator

from hatools.cib.attributes import (
    CLUSTER_OPTIONS,
    NODES,
    STATUS,
    TICKETS,
    Place,
    delete_edit,
    find_node,
    pairs_in,
    set_edit,
)
from hatools.cib.document import Element
from hatools.cli.nodename import local_node_name, node_name_from_agent
from hatools.cli.options import CommandLine, Finished, Group, Option, Program, begin
from hatools.cli.output import Output, TextOutput, XmlOutput
from hatools.ipc.clients.cib import CibConnection, cib_file_path, error_text, open_cib, query_or_none
from hatools.values.errors import DisconnectedError, HatoolsError, NoSuchObjectError, SchemaError
from hatools.values.exitcode import ExitCode
from hatools.values.records import dataclass, replace

_SELECTION = Group(
    "selections",
    "Selecting attributes:",
    "Show selecting options",
    (
        Option(
            "id",
            "i",
            "(Advanced) Operate on instance of specified attribute with this\nXML ID",
            "XML_ID",
            also=("attr-id",),
        ),
        Option(
            "name",
            "n",
            "Operate on attribute or option with this name.  For queries, this\n"
            "is optional, in which case all matching attributes will be\n"
            "returned.",
            "NAME",
            also=("attr-name",),
        ),
        Option(
            "pattern",
            "P",
            "Operate on all attributes matching this pattern\n(with -G, or with -v/-D and -l reboot)",
            "PATTERN",
        ),
        Option(
            "promotion",
            "p",
            "Operate on node attribute used as promotion score for specified\n"
            "resource, or resource given in OCF_RESOURCE_INSTANCE environment\n"
            "variable if none is specified; this also defaults -l/--lifetime\n"
            "to reboot (normally invoked from an OCF resource agent)",
            "RESOURCE",
            optional=True,
        ),
        Option(
            "set-name",
            "s",
            "(Advanced) Operate on instance of specified attribute that is\nwithin set with this XML ID",
            "NAME",
        ),
    ),
)

_COMMANDS = Group(
    "command",
    "Commands:",
    "Show command options",
    (
        Option("delete", "D", "Delete the attribute/option"),
        Option(
            "query",
            "G",
            "Query the current value of the attribute/option.\nSee also: -n, -P",
            also=("get-value",),
        ),
        Option("update", "v", "Update the value of the attribute/option", "VALUE", also=("attr-value",)),
        # With an argument, as in 2.1.5, where nothing is done with it.
        Option("delete-attr", argument="VALUE", hidden=True),
    ),
)

_ADDITIONAL = Group(
    "additional",
    "Additional options:",
    "Show additional options",
    (
        Option(
            "default",
            "d",
            "(Advanced) Default value to display if none is found in configuration",
            "VALUE",
        ),
        Option(
            "lifetime",
            "l",
            "Lifetime of the node attribute.\nValid values: reboot, forever",
            "LIFETIME",
        ),
        Option(
            "node",
            "N",
            "Set a node attribute for named node (instead of a cluster option).\nSee also: -l",
            "NODE",
        ),
        Option(
            "type",
            "t",
            "Which part of the configuration to update/delete/query the option in.\n"
            "Valid values: crm_config, rsc_defaults, op_defaults, tickets",
            "SECTION",
        ),
        Option("utilization", "z", "Set an utilization attribute for the node."),
        Option("uname", "U", argument="NODE", hidden=True),
        Option("inhibit-policy-engine", "!", hidden=True),
        Option("get-quiet", "Q", hidden=True),
    ),
)

PROGRAM = Program(
    "crm_attribute",
    "crm_attribute - query and update Pacemaker cluster options and node attributes",
    (_SELECTION, _COMMANDS, _ADDITIONAL),
    (Option("quiet", "q", "Print only the value on stdout"),),
    epilogue="""Examples:

Add new node attribute called 'location' with the value of 'office' for host 'myhost':

	crm_attribute --node myhost --name location --update office

Query the value of the 'location' node attribute for host 'myhost':

	crm_attribute --node myhost --name location --query

Change the value of the 'location' node attribute for host 'myhost':

	crm_attribute --node myhost --name location --update backoffice

Delete the 'location' node attribute for host 'myhost':

	crm_attribute --node myhost --name location --delete

Query the value of the 'cluster-delay' cluster option:

	crm_attribute --type crm_config --name cluster-delay --query

Query value of the 'cluster-delay' cluster option and print only the value:

	crm_attribute --type crm_config --name cluster-delay --query --quiet

""",
    special="NPUdilnpstv",
    indent=31,
)


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be done: ``command`` is query, update or delete."""

    command: str
    section: str | None
    name: str | None
    pattern: str | None
    value: str | None
    default: str | None
    node: str | None
    set_tag: str
    set_id: str
    pair_id: str | None


class _Multiple(HatoolsError):
    """Several attributes match where one has to be chosen."""

    exit_code = ExitCode.MULTIPLE


def main(argv: list[str]) -> int:
    """Carry out one command."""
    try:
        line, out = begin(PROGRAM, argv)
    except Finished as finished:
        return finished.code
    out.quiet = line.has("quiet") or line.has("get-quiet")
    name = PROGRAM.name
    if line.has("promotion") and _promotion_name(line) is None and not line.has("name"):
        out.error(f"{name}: -p/--promotion must be called from an OCF resource agent or with a resource ID specified")
        return out.finish(ExitCode.USAGE)
    request = _request_from(line)
    try:
        connection = open_cib(name=name)
    except HatoolsError as error:
        out.error(f"{name}: Could not connect to the CIB: {error_text(error)}")
        return out.finish(error.exit_code)
    try:
        with connection as cib:
            problem = _run(request, cib, out)
    except _Multiple:
        out.error(f"{name}: Please choose from one of the matches below and supply the 'id' with --attr-id")
        return out.finish(ExitCode.MULTIPLE)
    except SchemaError as error:
        # The original translates the code twice and so has no words for it.
        out.error(f"{name}: Error performing operation: Unknown error 1016")
        return out.finish(error.exit_code)
    except HatoolsError as error:
        out.error(f"{name}: Error performing operation: {error_text(error)}")
        return out.finish(error.exit_code)
    if problem is not None:
        out.error(problem[1])
        return out.finish(problem[0])
    return out.finish(ExitCode.OK)


def _promotion_name(line: CommandLine) -> str | None:
    resource = line.get("promotion") or os.environ.get("OCF_RESOURCE_INSTANCE")
    return f"master-{resource}" if resource else None


def _request_from(line: CommandLine) -> Request:
    """Fold the options, the last of a kind deciding."""
    command, section, name, value, set_tag = "query", None, None, None, ""
    for event, given in line.events:
        match event:
            case "query":
                command = "query"
            case "delete" | "delete-attr":
                command = "delete"
            case "update":
                command, value = "update", given
            case "type" | "lifetime":
                section = given
            case "utilization":
                section, set_tag = NODES, "utilization"
            case "name":
                name = given
            case "promotion":
                name = _promotion_name(line) or name
    if section is None:
        if line.has("promotion"):
            section = STATUS
        elif line.get("node") is not None or line.get("uname") is not None:
            section = NODES
        else:
            section = CLUSTER_OPTIONS
    elif set_tag:
        section = NODES
    section = {"reboot": STATUS, "forever": NODES}.get(section.lower(), section)
    return Request(
        command,
        section,
        name,
        line.get("pattern"),
        value,
        line.get("default"),
        line.get("node") if line.has("node") else line.get("uname"),
        set_tag,
        line.get("set-name") or "",
        line.get("id"),
    )


def _run(request: Request, cib: CibConnection, out: Output) -> tuple[int, str] | None:
    """Carry the request out; return exit status and text of a mistake in it."""
    name = PROGRAM.name
    section = request.section or CLUSTER_OPTIONS
    place = Place(section, "", request.set_tag, request.set_id, request.pair_id or "", request.name or "")
    node_name = ""
    if section.lower() not in (CLUSTER_OPTIONS, TICKETS):
        try:
            node_name = _node_name(request.node)
        except DisconnectedError:
            out.error("error: Could not connect to controller: Connection refused")
            return ExitCode.DISCONNECT, f"{name}: Error performing operation: Connection refused"
        try:
            node = find_node(node_name, lambda section: query_or_none(cib, section))
        except NoSuchObjectError as error:
            return error.exit_code, f"{name}: Could not map name={node_name} to a UUID"
        place = replace(place, node=node.id, is_remote=node.is_remote)
    if request.command == "delete" and request.name is None and request.pattern is None:
        return ExitCode.USAGE, f"{name}: Error: must specify attribute name or pattern to delete"
    if request.pattern is not None and request.command != "query" and section != STATUS:
        return (
            ExitCode.USAGE,
            f"{name}: Error: pattern can only be used with query, or with till-reboot update or delete",
        )
    if request.command == "query":
        _query(request, place, cib, out)
    elif section == STATUS and _is_live():
        _send_to_attrd(request, node_name)
    elif request.command == "delete":
        for each in _targets(request, place, cib):
            _delete(each, request.value if request.pattern is None else None, cib, out)
    elif request.pattern is None and request.name is None and request.pair_id is None:
        return ExitCode.SOFTWARE, f"{name}: Error performing operation: Invalid argument"
    else:
        for each in _targets(request, place, cib):
            _update(each, request.value or "", cib, out)
    return None


def _is_live() -> bool:
    return cib_file_path(os.environ) is None


def _node_name(given: str | None) -> str:
    """Return the node meant: the one given, the one the calling agent runs for, or the local one."""
    if given is not None and given.lower() not in ("auto", "localhost"):
        return given
    return node_name_from_agent(os.environ) or local_node_name(os.environ)


# Query


def _query(request: Request, place: Place, cib: CibConnection, out: Output) -> None:
    """Show the matching pairs, or the default.

    Raises:
        NoSuchObjectError: there are none, and no default was given.
    """
    if request.pattern is not None:
        place = replace(place, name="", pair_id="")
    pairs = pairs_in(query_or_none(cib, xpath=place.xpath()))
    missing = NoSuchObjectError(f"{place.name or 'the attribute'} is not set")
    if not pairs:
        if request.default is None:
            raise missing
        _show(out, place, request, request.name or request.pattern, request.default)
    shown = _matching(request.pattern, pairs)
    if len(pairs) > 1 and not shown:
        # As in the original, a single pair that does not match is no error.
        raise missing
    for pair in shown:
        _show(out, place, request, pair.get("name"), pair.get("value"))


def _matching(pattern: str | None, pairs: list[Element]) -> list[Element]:
    if pattern is None:
        return pairs
    try:
        wanted = re.compile(pattern)
    except re.error:
        return []
    return [pair for pair in pairs if wanted.search(pair.get("name") or "")]


def _show(out: Output, place: Place, request: Request, name: str | None, value: str | None) -> None:
    if isinstance(out, XmlOutput):
        attributes = {"name": name or "", "value": value or "", "scope": place.section}
        if request.pair_id is not None:
            attributes["id"] = request.pair_id
        out.element("attribute", attributes)
    elif isinstance(out, TextOutput):
        if out.quiet:
            out.line(value or "")
        else:
            identifier = "" if request.pair_id is None else f"id={request.pair_id}"
            label = " " if name is None else f" name={name}"
            out.line(f"scope={place.section} {identifier}{label} value={value or ''}")


# Change


def _targets(request: Request, place: Place, cib: CibConnection) -> Iterator[Place]:
    """Yield the places to change: with a pattern, each attribute that exists and matches."""
    if request.pattern is None:
        yield place
        return
    everything = pairs_in(query_or_none(cib, xpath=replace(place, name="").xpath()))
    for pair in _matching(request.pattern, everything):
        yield replace(place, name=pair.get("name") or "")


def _one_of(place: Place, cib: CibConnection, out: Output) -> Element | None:
    """Return the pair at a place, None if there is none.

    Raises:
        _Multiple: there are several; they have been listed.
    """
    pairs = pairs_in(query_or_none(cib, xpath=place.xpath()))
    if len(pairs) > 1:
        out.info(f"Multiple attributes match name={place.name}")
        for pair in pairs:
            out.info(f"  Value: {pair.get('value')} \t(id={pair.get('id')})")
        raise _Multiple
    return pairs[0] if pairs else None


def _update(place: Place, value: str, cib: CibConnection, out: Output) -> None:
    existing = _one_of(place, cib, out)
    edit = set_edit(place, value, existing)
    try:
        cib.change(edit)
    except HatoolsError as error:
        shown_set = place.set_id
        if not shown_set:
            shown_set = "<null>" if existing is not None or edit.update is None else _set_id(edit.update)
        out.error(f"Error setting {place.name}={value} (section={place.section}, set={shown_set}): {error_text(error)}")
        raise


def _set_id(update: Element) -> str:
    return next((each.get("id") or "" for each in update.iter() if len(each) and each[0].tag == "nvpair"), "<null>")


def _delete(place: Place, value: str | None, cib: CibConnection, out: Output) -> None:
    """Remove the pair at a place; nothing to remove is no error."""
    pair_id = place.pair_id
    if not pair_id:
        try:
            pair = _one_of(place, cib, out)
        except _Multiple:
            return  # as the original: the matches are listed, and nothing is done
        if pair is None:
            return
        pair_id = pair.get("id") or ""
    cib.change(delete_edit(place, pair_id, value))
    kind = "attribute" if place.node and place.is_of_node else "option"
    shown = [f"id={'(null)' if place.pair_id else pair_id}"]
    shown += [f"set={place.set_id}"] if place.set_id else []
    shown += [f"name={place.name}"] if place.name else []
    shown += [f"value={value}"] if value is not None else []
    out.info(f"Deleted {place.section} {kind}: {' '.join(shown)}")


def _send_to_attrd(request: Request, node: str) -> None:
    from hatools.ipc.clients.attrd import open_attrd

    value = None if request.command == "delete" else request.value or ""
    with open_attrd(name=PROGRAM.name) as attrd:
        attrd.update(
            request.pattern or request.name or "",
            value,
            node=node,
            set_name=request.set_id,
            pattern=request.pattern is not None,
        )
