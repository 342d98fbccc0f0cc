"""``crm_ticket``: the tickets that a multi-site cluster shares between its sites. I/O."""

import time
from collections.abc import Iterable

from hatools.cib.document import Element, children, copy_element, format_xml
from hatools.cib.operations import Edit
from hatools.cli.ending import Refused
from hatools.cli.options import CommandLine, Finished, Group, Option, Program, begin
from hatools.cli.output import Output
from hatools.cli.resource.context import is_of_today, understood
from hatools.ipc.clients.cib import CibConnection, error_text, open_cib, query_or_none
from hatools.values.boolean import is_true
from hatools.values.ciboperation import CibOperation
from hatools.values.errors import HatoolsError
from hatools.values.exitcode import ExitCode
from hatools.values.glibhash import hash_order
from hatools.values.records import dataclass, field

PROGRAM = Program(
    "crm_ticket",
    "Perform tasks related to cluster tickets\n\nAllows ticket attributes to be queried, modified and deleted.",
    (
        Group(
            "queries",
            "Queries:",
            "Show queries",
            (
                Option("info", "l", "Display the information of ticket(s)"),
                Option("details", "L", "Display the details of ticket(s)"),
                Option("raw", "w", "Display the IDs of ticket(s)"),
                Option("query-xml", "q", "Query the XML of ticket(s)"),
                Option("constraints", "c", "Display the rsc_ticket constraints that apply to ticket(s)"),
            ),
        ),
        Group(
            "commands",
            "Commands:",
            "Show command options",
            (
                Option("grant", "g", "Grant a ticket to this cluster site"),
                Option("revoke", "r", "Revoke a ticket from this cluster site"),
                Option("standby", "s", "Tell this cluster site this ticket is standby"),
                Option("activate", "a", "Tell this cluster site this ticket is active"),
            ),
        ),
        Group(
            "advanced",
            "Advanced Options:",
            "Show advanced options",
            (
                Option("get-attr", "G", "Display the named attribute for a ticket", "ATTRIBUTE"),
                Option("set-attr", "S", "Set the named attribute for a ticket", "ATTRIBUTE"),
                Option("delete-attr", "D", "Delete the named attribute for a ticket", "ATTRIBUTE"),
                Option("cleanup", "C", "Delete all state of a ticket at this cluster site"),
            ),
        ),
        Group(
            "additional",
            "Additional Options:",
            "Show additional options",
            (
                Option("attr-value", "v", "Attribute value to use with -S", "VALUE"),
                Option(
                    "default",
                    "d",
                    "(Advanced) Default attribute value to display if none is found\n(for use with -G)",
                    "VALUE",
                ),
                Option("force", "f", "(Advanced) Force the action to be performed"),
                Option("ticket", "t", "Ticket ID", "ID"),
            ),
        ),
        Group(
            "deprecated",
            "Deprecated Options:",
            "Show deprecated options",
            (
                Option("set-name", "n", "(Advanced) ID of the instance_attributes object to change", "ID"),
                Option("nvpair", "i", "(Advanced) ID of the nvpair object to change/delete", "ID"),
                Option("quiet", "Q", "Print only the value on stdout"),
            ),
        ),
    ),
    epilogue="""Examples:

Display the info of tickets:

	crm_ticket --info

Display the detailed info of tickets:

	crm_ticket --details

Display the XML of 'ticketA':

	crm_ticket --ticket ticketA --query-xml

Display the rsc_ticket constraints that apply to 'ticketA':

	crm_ticket --ticket ticketA --constraints

Grant 'ticketA' to this cluster site:

	crm_ticket --ticket ticketA --grant

Revoke 'ticketA' from this cluster site:

	crm_ticket --ticket ticketA --revoke

Make 'ticketA' standby (the cluster site will treat a granted
'ticketA' as 'standby', and the dependent resources will be
stopped or demoted gracefully without triggering loss-policies):

	crm_ticket --ticket ticketA --standby

Activate 'ticketA' from being standby:

	crm_ticket --ticket ticketA --activate

Get the value of the 'granted' attribute for 'ticketA':

	crm_ticket --ticket ticketA --get-attr granted

Set the value of the 'standby' attribute for 'ticketA':

	crm_ticket --ticket ticketA --set-attr standby --attr-value true

Delete the 'granted' attribute for 'ticketA':

	crm_ticket --ticket ticketA --delete-attr granted

Erase the operation history of 'ticketA' at this cluster site,
causing the cluster site to 'forget' the existing ticket state:

	crm_ticket --ticket ticketA --cleanup

""",
    formats=(),
    special="dintvxCDGS",
    indent=31,
)


@dataclass(slots=True)
class _Ticket:
    """What the cluster knows of a ticket; ``state`` are its attributes in the order of the CIB."""

    id: str
    state: dict[str, str] = field(default_factory=dict)

    @property
    def is_granted(self) -> bool:
        """Whether this site holds the ticket."""
        return is_true(self.state.get("granted"))

    @property
    def is_standby(self) -> bool:
        """Whether what depends on the ticket shall be stopped in order, although it is granted."""
        return is_true(self.state.get("standby"))


@dataclass(slots=True)
class _Request:
    command: str = ""
    attribute: str = ""
    ticket: str | None = None
    values: dict[str, str] = field(default_factory=dict)
    removals: list[str] = field(default_factory=list)
    default: str | None = None
    force: bool = False
    valueless: str | None = None
    """An attribute to be set that was given no value."""


def main(argv: list[str]) -> int:
    """Carry out one command."""
    try:
        line, out = begin(PROGRAM, argv)
    except Finished as finished:
        return finished.code
    request = _request_from(line)
    try:
        connection = open_cib(name=PROGRAM.name)
    except HatoolsError as error:
        out.error(f"{PROGRAM.name}: Could not connect to the CIB: {error_text(error)}")
        return out.finish(error.exit_code)
    try:
        with connection as cib:
            _run(request, cib, out)
    except Refused as refused:
        if refused.text:
            out.error(f"{PROGRAM.name}: {refused.text}")
        return out.finish(refused.code)
    except HatoolsError as error:
        out.error(f"{PROGRAM.name}: {error_text(error)}")
        return out.finish(error.exit_code)
    return out.finish(ExitCode.OK)


def _request_from(line: CommandLine) -> _Request:
    request = _Request(ticket=line.get("ticket"), default=line.get("default"), force=line.has("force"))
    pending: str | None = None
    value: str | None = None
    for event, given in line.events:
        match event:
            case "info" | "details" | "raw" | "query-xml" | "constraints" | "cleanup":
                request.command = event
            case "grant" | "revoke":
                request.values["granted"] = "true" if event == "grant" else "false"
                request.command = request.command or "modify"
            case "standby" | "activate":
                request.values["standby"] = "true" if event == "standby" else "false"
                request.command = request.command or "modify"
            case "get-attr":
                request.command, request.attribute = event, given or ""
            case "delete-attr":
                request.removals.append(given or "")
                request.command = request.command or "modify"
            case "set-attr":
                request.command = request.command or "modify"
                pending = given
            case "attr-value":
                value = given
        if pending is not None and value is not None:
            request.values[pending] = value
            pending = value = None
    request.valueless = pending
    return request


def _run(request: _Request, cib: CibConnection, out: Output) -> None:
    head = cib.query(no_children=True)
    if not is_of_today(head) and understood(cib.document()) is None:
        raise Refused(ExitCode.CONFIG, "Could not understand the CIB")
    tickets = _read_tickets(cib)
    match request.command:
        case "info" | "details" | "raw":
            _list(request, tickets)
        case "query-xml":
            _show_xml(request, cib)
        case "constraints":
            _show_constraints(request, cib)
        case "get-attr":
            _get_attribute(request, tickets)
        case "cleanup":
            _clean_up(request, tickets, cib)
        case "modify":
            _modify(request, tickets, cib)
        case _:
            raise Refused(ExitCode.USAGE, "Must supply a command")


def _read_tickets(cib: CibConnection) -> dict[str, _Ticket]:
    """Return the tickets with a state, then those that only constraints name."""
    tickets: dict[str, _Ticket] = {}
    status = query_or_none(cib, "status")
    for section in children(status, "tickets"):
        for state in children(section, "ticket_state"):
            name = state.get("id") or ""
            attributes = {key: value for key, value in state.items() if key != "id"}
            tickets[name] = _Ticket(name, attributes)
    constraints = query_or_none(cib, "constraints")
    for constraint in () if constraints is None else constraints.iter("rsc_ticket"):
        name = constraint.get("ticket") or ""
        if name:
            tickets.setdefault(name, _Ticket(name))
    return tickets


# Queries


def _list(request: _Request, tickets: dict[str, _Ticket]) -> None:
    if request.ticket is not None:
        if request.ticket not in tickets:
            raise Refused(ExitCode.NOSUCH, f"No such ticket '{request.ticket}'")
        shown: Iterable[str] = (request.ticket,)
    else:
        shown = hash_order(tickets)
    for name in shown:
        print(_describe(tickets[name], request.command))


def _describe(ticket: _Ticket, how: str) -> str:
    if how == "raw":
        return ticket.id
    text = f"{ticket.id}\t{'granted' if ticket.is_granted else 'revoked'} "
    text += "[standby]" if ticket.is_standby else " " * 9
    if how == "details" and ticket.state:
        parts = [f"{key}={_shown(key, ticket.state[key])}" for key in hash_order(ticket.state)]
        return f"{text} ({', '.join(parts)})"
    granted = ticket.state.get("last-granted")
    if granted is not None:
        text += f" last-granted={_shown('last-granted', granted)}"
    return text


def _shown(key: str, value: str) -> str:
    if key in ("last-granted", "expires") and value.lstrip("-").isdigit():
        return f"'{time.ctime(int(value))}'"
    return value


def _show_xml(request: _Request, cib: CibConnection) -> None:
    path = "/cib/status//tickets"
    if request.ticket is not None:
        path += f'/ticket_state[@id="{request.ticket}"]'
    found = query_or_none(cib, xpath=path)
    if found is None:
        raise Refused(ExitCode.NOSUCH, "Could not query ticket XML: No such device or address")
    print(f"State XML:\n\n{format_xml(found)}", end="")


def _show_constraints(request: _Request, cib: CibConnection) -> None:
    path = "/cib/configuration/constraints//rsc_ticket"
    if request.ticket is not None:
        path += f'[@ticket="{request.ticket}"]'
    found = query_or_none(cib, xpath=path)
    if found is None:
        raise Refused(ExitCode.NOSUCH, "Could not show ticket constraints: No such device or address")
    print(f"Constraints XML:\n\n{format_xml(found)}", end="")


def _get_attribute(request: _Request, tickets: dict[str, _Ticket]) -> None:
    if request.ticket is None:
        raise Refused(ExitCode.NOSUCH, "Must supply ticket ID with -t")
    ticket = tickets.get(request.ticket)
    value = None if ticket is None else ticket.state.get(request.attribute)
    if value is None:
        value = request.default
    if value is None:
        raise Refused(ExitCode.NOSUCH)
    print(value)


# Changes


def _clean_up(request: _Request, tickets: dict[str, _Ticket], cib: CibConnection) -> None:
    if request.ticket is None:
        raise Refused(ExitCode.USAGE, "Must supply ticket ID with -t")
    if not request.force:
        ticket = tickets.get(request.ticket)
        if ticket is None:
            raise Refused(ExitCode.NOSUCH, f"No such ticket '{request.ticket}'")
        if ticket.is_granted:
            _warn_of_revoking(request.ticket)
            raise Refused(ExitCode.INSUFFICIENT_PRIV)
    state = _state_of(request.ticket, cib)
    if state is None:
        return
    cib.change(Edit(CibOperation.DELETE, "status", update=state))
    print(f"Cleaned up {request.ticket}")


def _state_of(ticket: str, cib: CibConnection) -> Element | None:
    return query_or_none(cib, xpath=f'/cib/status//tickets/ticket_state[@id="{ticket}"]')


def _modify(request: _Request, tickets: dict[str, _Ticket], cib: CibConnection) -> None:
    if request.ticket is None:
        raise Refused(ExitCode.USAGE, "Must supply ticket ID with -t")
    if request.valueless is not None:
        raise Refused(ExitCode.USAGE, f"Must supply value with -v for -S {request.valueless}")
    _require_consent(request)
    ticket = tickets.get(request.ticket)
    known = _state_of(request.ticket, cib)
    if known is None and not request.values:
        return
    state = Element("ticket_state", {"id": request.ticket}) if known is None else copy_element(known)
    for name in request.removals:
        state.attrib.pop(name, None)
    for name in hash_order(request.values):
        value = request.values[name]
        state.set(name, value)
        if name == "granted" and is_true(value) and (ticket is None or not ticket.is_granted):
            state.set("last-granted", str(int(time.time())))
    if known is not None and request.removals:
        cib.change(Edit(CibOperation.REPLACE, "status", update=state))
        return
    update = state
    if known is None:
        update = Element("status")
        holder = Element("tickets")
        update.append(holder)
        holder.append(state)
    cib.change(Edit(CibOperation.MODIFY, "status", update=update))


def _require_consent(request: _Request) -> None:
    """Refuse to grant or revoke without ``--force``, and say why.

    Raises:
        Refused: it was not given.
    """
    if request.force:
        return
    assert request.ticket is not None
    granted = request.values.get("granted")
    if granted is not None and is_true(granted):
        print(
            f"This command cannot help you verify whether '{request.ticket}' has been already granted elsewhere.\n"
            "If you really want to grant "
            f"'{request.ticket}' to this site now, and you know what you are doing,\nplease specify --force."
        )
    elif granted is not None or "granted" in request.removals:
        _warn_of_revoking(request.ticket)
    else:
        return
    raise Refused(ExitCode.INSUFFICIENT_PRIV, "Ticket modification not allowed")


def _warn_of_revoking(ticket: str) -> None:
    print(
        f"Revoking '{ticket}' can trigger the specified 'loss-policy'(s) relating to '{ticket}'.\n\n"
        f"You can check that with:\ncrm_ticket --ticket {ticket} --constraints\n\n"
        f"Otherwise before revoking '{ticket}', you may want to make '{ticket}' standby with:\n"
        f"crm_ticket --ticket {ticket} --standby\n\n"
        f"If you really want to revoke '{ticket}' from this site now, and you know what you are doing,\n"
        "please specify --force."
    )
