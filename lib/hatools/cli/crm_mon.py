"""``crm_mon``: the state of the cluster, once or live. I/O.

Options become a :class:`MonRequest`; one status is collected by :func:`load_status`, shown by a
:class:`Display`; :mod:`hatools.cli.mon_live` repeats that as the cluster changes.
"""

import os
import sys
import time
from typing import TYPE_CHECKING, TextIO

from hatools.cli.mon_display import Display, simple_line
from hatools.cli.mon_options import PROGRAM
from hatools.cli.mon_request import Format, MonRequest, SectionError, read_request, set_fencing_level, settle_format
from hatools.cli.options import (
    AUTHORS,
    FEATURES,
    VERSION,
    CommandLine,
    CommandLineError,
    HelpWanted,
    format_help,
    parse,
    print_help,
    program_name,
)
from hatools.status.view import Section, Show, View
from hatools.values.errors import DisconnectedError, HatoolsError
from hatools.values.exitcode import ExitCode

if TYPE_CHECKING:
    from hatools.cib.document import Document
    from hatools.status.model import ClusterStatus, FencingEvent
    from hatools.values.iso8601 import Moment

__all__ = ["fetch_fencing", "main", "make_view", "present", "status_of"]


def main(argv: list[str]) -> int:
    """Run the command."""
    try:
        line = parse(PROGRAM, argv)
        request = read_request(line)
    except HelpWanted as wanted:
        print_help(wanted.text)
        return ExitCode.OK
    except CommandLineError as error:
        return _usage_error(str(error))
    if sys.argv[0].endswith(".cgi"):
        request.format, request.one_shot, request.cgi_header = Format.CGI, True, True
    if line.has("version"):
        return _version(line)
    if request.cib_file is not None:
        os.environ["CIB_file"] = request.cib_file
    is_file = bool(os.environ.get("CIB_shadow") or os.environ.get("CIB_file"))
    if is_file:
        set_fencing_level(request, 0)
        request.one_shot = True
    if request.daemonize and not request.one_shot and request.dest in (None, "-") and request.agent is None:
        return _usage_error("--daemonize requires at least one of --output-to and --external-agent")
    settle_format(request, line.get("output-as"))
    return _run(request, [program_name(), *argv], is_file=is_file)


def _usage_error(text: str) -> int:
    print(f"{program_name()}: {text}", file=sys.stderr)
    return ExitCode.USAGE


def _version(line: CommandLine) -> int:
    from hatools.cli.output import open_output

    name = line.get("output-as") or "text"
    out = open_output(name if name == "xml" else "text", None)
    out.version("Pacemaker", VERSION, AUTHORS, FEATURES)
    return out.finish(ExitCode.OK)


def _run(request: MonRequest, words: list[str], *, is_file: bool) -> int:
    if request.daemonize and request.agent is None and request.format is Format.CONSOLE:
        return _usage_error("--daemonize requires --output-as=[html|text|xml]")
    if request.is_xml or request.format is Format.JSON:
        request.show |= Show.INACTIVE | Show.TIMING
        request.one_shot = request.one_shot or not request.daemonize
    problem = _cgi_problem(request, is_file=is_file) if request.format is Format.CGI else None
    sections = Section.NONE
    try:
        sections = request.sections()
    except SectionError as error:
        if request.format in (Format.CONSOLE, Format.TEXT):
            sys.stderr.write(format_help(PROGRAM))
        problem = str(error)
    if problem is None and not request.one_shot:
        from hatools.cli.mon_live import run_live

        return run_live(request, sections, words)
    dest = _open_dest(request)
    if dest is None:
        return ExitCode.ERROR
    display = Display(request, words, dest)
    if problem is not None:
        display.error(f"{program_name()}: {problem}")
        return display.finish(ExitCode.USAGE)
    return display.finish(_one_shot(request, sections, display, is_file=is_file))


def _cgi_problem(request: MonRequest, *, is_file: bool) -> str | None:
    if is_file:
        return "CGI mode used with CIB file"
    if request.agent is not None:
        return "CGI mode cannot be used with --external-agent"
    return "CGI mode cannot be used with -d" if request.daemonize else None


def _open_dest(request: MonRequest) -> TextIO | None:
    if request.dest in (None, "-"):
        return sys.stdout
    try:
        return open(str(request.dest), "w", encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        kind = request.format.value
        text = f"Error creating output format {kind}: {error.strerror}"
        print(f"{program_name()}: {text}", file=sys.stderr)
        return None


def _one_shot(request: MonRequest, sections: Section, display: Display, *, is_file: bool) -> int:
    """Show the status once; return the exit status."""
    from hatools.cib.document import Document
    from hatools.cli.cib_input import current_form
    from hatools.ipc.clients.cib import error_text, open_cib

    try:
        with open_cib(name="crm_mon") as cib:
            document = cib.document()
    except DisconnectedError:
        return _no_cluster(request, display)
    except HatoolsError as error:
        display.error(f"Could not connect to the CIB: {error_text(error)}")
        return ExitCode.OK
    current = current_form(document.root)
    if current is None:
        display.error("Upgrade failed: Update does not conform to the configured schema")
        return ExitCode.OK
    document = Document(current)
    fencing: tuple[FencingEvent, ...] | None = None
    fencing_error = 0
    if not is_file and sections & Section.FENCING:
        fencing, fencing_error = fetch_fencing()
    status = status_of(document, sections, request.verbosity)
    status.fencing, status.fencing_error = fencing, fencing_error
    is_for_people = request.format in (Format.CONSOLE, Format.TEXT) and (request.warns or display.dest.isatty())
    if not is_file and (is_for_people or request.format is Format.JSON):
        from hatools.cli.ring_remarks import ring_remarks

        status.remarks = ring_remarks()
        if is_for_people:
            from hatools.status.json import warnings

            for text in warnings(status):
                display.line(f"Warning: {text}")
    if request.format is Format.LINE:
        well, text = simple_line(status)
        display.line(text)
        if not well:
            display.error("Error outputting status info from the fencer or CIB")
        return ExitCode.OK
    display.show(status, make_view(request, status, sections))
    return ExitCode.OK


def _no_cluster(request: MonRequest, display: Display) -> int:
    """Report that no cluster answers on this node."""
    display.error("error: Could not connect to launcher: Connection refused")
    if request.format is Format.LINE:
        display.error(f"{program_name()}: CLUSTER CRIT: Connection to cluster failed: Connection refused")
        return ExitCode.INVALID_PARAM
    display.error(f"{program_name()}: Connection to cluster failed: Connection refused")
    return ExitCode.DISCONNECT


def status_of(document: "Document", sections: Section, verbosity: int = 0) -> "ClusterStatus":
    """Return the status that a CIB tells; what is wrong with it is logged as far as ``verbosity`` asks."""
    from hatools.cli.findings import show_findings
    from hatools.scheduler.schedule import unpack_status
    from hatools.status.collect import collect

    now, moment = present()
    wants_constraints = bool(sections & (Section.BANS | Section.TICKETS))
    plan = unpack_status(document, moment, with_constraints=wants_constraints)
    show_findings(plan.findings, verbosity)
    return collect(plan, now, sections)


def present() -> "tuple[float, Moment]":
    """Return the present time, in seconds since the epoch and as rules see it."""
    from hatools.values.iso8601 import Moment

    now = time.time()
    return now, Moment.from_epoch(int(now), time.localtime(now).tm_gmtoff)


def make_view(request: MonRequest, status: "ClusterStatus", sections: Section) -> View:
    """Return the view that the request asks for."""
    from hatools.status.filters import select_nodes, select_resources

    if status.summary.dc is None:
        sections |= Section.DC
    return View(
        sections,
        request.show,
        nodes=select_nodes(status, request.node),
        resources=select_resources(status, request.resource),
        ban_prefix=request.ban_prefix,
    )


def fetch_fencing(timeout_s: float = 10.0) -> "tuple[tuple[FencingEvent, ...], int]":
    """Return the fencing history and 0, or nothing and the exit code of what went wrong."""
    from hatools.cli.fencing_events import event_of
    from hatools.ipc.blocking import BlockingConnection
    from hatools.ipc.messages.stonith import History, QueryHistory
    from hatools.runtime.directories import Directories
    from hatools.status.fencing import arrange

    path = Directories.from_environment(os.environ).socket("stonithd")
    try:
        with BlockingConnection(path, "stonithd", name="crm_mon") as connection:
            answer = connection.request(QueryHistory(), timeout_s=timeout_s)
    except HatoolsError as error:
        return (), int(error.exit_code)
    assert isinstance(answer, History)
    return arrange(event_of(each, exit_reason=each.exit_reason or each.reason) for each in answer.records), 0
