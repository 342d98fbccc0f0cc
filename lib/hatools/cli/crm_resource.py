"""``crm_resource``: look at resources, and tell the cluster what to do with them. I/O.

This module reads the command line, opens what the command needs and hands over; each command lives in a module of
``cli/resource``, imported only when it is wanted.
"""

import os
import sys
from typing import NoReturn

from hatools.cli.ending import Refused
from hatools.cli.findings import show_findings
from hatools.cli.options import CommandLine, CommandLineError, Finished, begin_or_fail
from hatools.cli.output import Output, OutputError, TextOutput
from hatools.cli.resource.context import Context, find_resource, read_plan
from hatools.cli.resource.interface import PROGRAM
from hatools.cli.resource.request import Command, Find, MalformedOption, Request, read_request
from hatools.ipc.clients.cib import cib_file_path, error_text, open_cib
from hatools.values.errors import HatoolsError
from hatools.values.exitcode import ExitCode, exit_text

_FANCY = (Command.LIST_RESOURCES, Command.CONSTRAINTS)
_NOT_FOR_INSTANCES = (Command.BAN, Command.CLEAR, Command.MOVE, Command.RESTART)


def main(argv: list[str]) -> int:
    """Carry out one command."""
    plain = TextOutput(sys.stdout, [PROGRAM.name, *argv])
    try:
        line, out = begin_or_fail(PROGRAM, argv)
        return _main(line, out)
    except Finished as finished:
        return finished.code
    except CommandLineError as error:
        return _end(plain, ExitCode.USAGE, str(error))
    except OutputError as error:
        return _end(plain, ExitCode.ERROR, str(error))


def _end(out: Output, code: int, text: str | None) -> int:
    """Say what went wrong, with the words for the status unless the command line was wrong."""
    lines = [text] if text else []
    if code not in (ExitCode.OK, ExitCode.USAGE):
        lines.append(f"Error performing operation: {exit_text(code)}")
    if lines:
        out.error(f"{PROGRAM.name}: " + "\n".join(lines))
    return out.finish(code)


def _main(line: CommandLine, out: Output) -> int:
    on_file = cib_file_path(os.environ) is not None
    try:
        request = read_request(line, on_file=on_file)
        out.quiet = request.quiet
        _check(request, line)
        if isinstance(out, TextOutput) and request.command in _FANCY:
            out.fancy = True
        if request.configured_here:
            _check_configuration(request)
        if request.needs_resource and request.resource is None:
            _refuse("Must supply a resource id with -r")
        if request.needs_node and request.node is None:
            _refuse("Must supply a node name with -N")
        _run(Context(request, out, line.verbosity))
    except MalformedOption:
        raise
    except CommandLineError as error:
        return _end(out, ExitCode.USAGE, str(error))
    except Refused as refused:
        return _end(out, refused.code, refused.text)
    except HatoolsError as error:
        return _end(out, error.exit_code, None if error.system_text else str(error))
    return out.finish(ExitCode.OK)


def _refuse(text: str) -> NoReturn:
    raise CommandLineError(text)


def _check(request: Request, line: CommandLine) -> None:
    """Check what can be without looking at the cluster; words NAME=VALUE override parameters.

    Raises:
        CommandLineError: it makes no sense.
    """
    if request.expired and request.command is not Command.CLEAR:
        _refuse("--expired requires --clear or -U")
    words = line.rest
    if not words:
        return
    if request.overrides is None:
        listed = "".join(f"[{number} of {len(words)}] {word}\n" for number, word in enumerate(words, 1))
        _refuse(f"non-option ARGV-elements:\n{listed}")
    for word in words:
        name, separator, value = word.partition("=")
        if not separator or not name or not value:
            # The original names the first word of the command line, whichever is wrong.
            _refuse(f"Error parsing '{line.argv[0]}' as a name=value pair")
        request.overrides[name] = value.split()[0] if value.split() else ""


def _check_configuration(request: Request) -> None:
    """Check an agent given by ``--class``, ``--provider`` and ``--agent``; the CIB is not needed then.

    Raises:
        CommandLineError: there is none, or it was given for nothing.
    """
    if request.resource is not None:
        _refuse("--resource cannot be used with --class, --agent, and --provider")
    if request.command is not Command.EXECUTE:
        _refuse("--class, --agent, and --provider can only be used with --validate and --force-*")
    from hatools.cli.resource.agents import require_agent

    require_agent(request.standard, request.provider, request.agent)
    request.needs_resource = request.needs_status = request.needs_cib = False


def _run(context: Context) -> None:
    """Open what the command needs, check that what it names exists, and carry it out."""
    request = context.request
    if not request.needs_cib:
        _dispatch(context)
        return
    try:
        if request.xml_file is not None:
            if not os.path.isfile(request.xml_file):
                raise Refused(ExitCode.ERROR)
            os.environ["CIB_file"] = request.xml_file
        connection = open_cib(name=PROGRAM.name)
    except HatoolsError as error:
        raise Refused(error.exit_code, f"Could not connect to the CIB: {error_text(error)}") from None
    problem: Refused | HatoolsError | None = None
    with connection as cib:
        context.connection = cib
        try:
            _prepare(context)
            _dispatch(context)
        except (Refused, HatoolsError) as error:
            # What was changed before stays changed, in a file as in a cluster.
            problem = error
    if problem is not None:
        raise problem


def _prepare(context: Context) -> None:
    """Read the cluster's state if it is needed, and find what the command line names."""
    request = context.request
    if request.needs_status or (request.find is not Find.NOTHING and request.resource is not None):
        context.known_plan = read_plan(context.cib, with_constraints=_looks_at_constraints(request))
        show_findings(context.plan.findings, context.verbosity)
    _find_resource(context)
    _find_node(context)


def _looks_at_constraints(request: Request) -> bool:
    is_recursive = request.recursive and request.command is Command.SET_PARAMETER
    return is_recursive or request.command is Command.CONSTRAINTS


def _find_resource(context: Context) -> None:
    request = context.request
    if request.find is Find.NOTHING or request.resource is None:
        return
    resource = find_resource(context.plan, request.resource, request.find)
    if resource is None:
        raise Refused(ExitCode.NOSUCH, f"Resource '{request.resource}' not found")
    parent = resource.parent
    if (
        request.command in _NOT_FOR_INSTANCES
        and ":" in request.resource
        and parent is not None
        and parent.clone_data is not None
    ):
        raise Refused(ExitCode.INVALID_PARAM, f"Cannot operate on clone resource instance '{request.resource}'")
    context.resource = resource


def _find_node(context: Context) -> None:
    request = context.request
    if request.node is None or context.known_plan is None:
        return
    context.node = context.plan.find_node(request.node)
    if context.node is None:
        raise Refused(ExitCode.NOSUCH, f"Node '{request.node}' not found")


def _dispatch(context: Context) -> None:
    match context.request.command:
        case (
            Command.LIST_RESOURCES
            | Command.LIST_ACTIVE_OPERATIONS
            | Command.LIST_ALL_OPERATIONS
            | Command.QUERY_XML
            | Command.QUERY_RAW_XML
        ):
            _show(context)
        case Command.LIST_INSTANCES | Command.LOCATE | Command.GET_PROPERTY | Command.GET_PARAMETER | Command.CTS:
            _answer(context)
        case Command.WHY:
            from hatools.cli.resource.reasons import why

            why(context)
        case Command.CONSTRAINTS:
            from hatools.cli.resource.constraints import show_constraints

            show_constraints(context)
        case Command.SET_PARAMETER | Command.DELETE_PARAMETER | Command.SET_PROPERTY | Command.DELETE:
            _configure(context)
        case Command.MOVE | Command.BAN | Command.CLEAR:
            _place(context)
        case Command.CLEANUP | Command.REFRESH | Command.FAIL:
            from hatools.cli.resource import history

            history.run(context)
        case Command.RESTART | Command.WAIT:
            from hatools.cli.resource import restart

            restart.run(context)
        case Command.DIGESTS:
            from hatools.cli.resource.digests import show_digests

            show_digests(context)
        case Command.EXECUTE:
            from hatools.cli.resource.execute import execute

            execute(context)
        case _:
            from hatools.cli.resource import agents

            agents.run(context)


def _show(context: Context) -> None:
    from hatools.cli.resource import show

    match context.request.command:
        case Command.LIST_RESOURCES:
            show.list_resources(context)
        case Command.LIST_ACTIVE_OPERATIONS | Command.LIST_ALL_OPERATIONS:
            show.list_operations(context, active_only=context.request.command is Command.LIST_ACTIVE_OPERATIONS)
        case _:
            show.query_xml(context, raw=context.request.command is Command.QUERY_RAW_XML)


def _answer(context: Context) -> None:
    from hatools.cli.resource import answers

    match context.request.command:
        case Command.LIST_INSTANCES:
            answers.list_instances(context)
        case Command.LOCATE:
            answers.locate(context)
        case Command.GET_PROPERTY:
            answers.get_property(context)
        case Command.GET_PARAMETER:
            answers.get_parameter(context)
        case _:
            answers.list_for_tests(context)


def _configure(context: Context) -> None:
    from hatools.cli.resource import attributes

    match context.request.command:
        case Command.SET_PARAMETER:
            attributes.set_parameter(context)
        case Command.DELETE_PARAMETER:
            attributes.delete_parameter(context)
        case Command.SET_PROPERTY:
            attributes.set_property(context)
        case _:
            attributes.delete_resource(context)


def _place(context: Context) -> None:
    from hatools.cli.resource import locations

    match context.request.command:
        case Command.MOVE:
            locations.move(context)
        case Command.BAN:
            locations.ban(context)
        case _:
            locations.clear(context)
