"""``crm_verify``: is a configuration right? I/O.

Checks the schema first, then lets the scheduler read the whole configuration and say what it
finds wrong or doubtful.
"""

import sys
import time
from pathlib import Path
from xml.etree.ElementTree import Element

from hatools.cib.document import Document
from hatools.cli.ending import Refused
from hatools.cli.options import CommandLine, Finished, Group, Option, Program, begin, program_name
from hatools.cli.output import Output
from hatools.values.errors import HatoolsError
from hatools.values.exitcode import ExitCode, exit_text

PROGRAM = Program(
    name="crm_verify",
    summary=(
        "Check a Pacemaker configuration for errors\n\n"
        "Check the well-formedness of a complete Pacemaker XML configuration,\n"
        "its conformance to the configured schema, and the presence of common\n"
        "misconfigurations. Problems reported as errors must be fixed before the\n"
        "cluster will work properly. It is left to the administrator to decide\n"
        "whether to fix problems reported as warnings."
    ),
    special="xSX",
    groups=(
        Group(
            "data",
            "Data sources:",
            "Show data options",
            (
                Option("live-check", "L", "Check the configuration used by the running cluster"),
                Option("xml-file", "x", "Check the configuration in the named file", "FILE"),
                Option("xml-pipe", "p", "Check the configuration piped in via stdin"),
                Option("xml-text", "X", "Check the configuration in the supplied string", "XML"),
            ),
        ),
        Group(
            "additional",
            "Additional options:",
            "Show additional options",
            (Option("save-xml", "S", "Save verified XML to named file (most useful with -L)", "FILE"),),
        ),
    ),
    epilogue=(
        "Examples:\n\n"
        "Check the consistency of the configuration in the running cluster:\n\n"
        "\tcrm_verify --live-check\n\n"
        "Check the consistency of the configuration in a given file and produce verbose output:\n\n"
        "\tcrm_verify --xml-file file.xml --verbose\n\n"
    ),
)


def main(argv: list[str]) -> int:
    """Run the command."""
    try:
        line, out = begin(PROGRAM, argv)
    except Finished as finished:
        return finished.code
    try:
        _check(line, out)
    except Refused as refused:
        out.dest.flush()
        print(f"{program_name()}: {refused}", file=sys.stderr)
        return out.finish(refused.code)
    return out.finish(ExitCode.OK)


def _check(line: CommandLine, out: Output) -> None:
    """Check the configuration that the command line means.

    Raises:
        Refused: it is not right.
    """
    root = _load(line)
    if root.tag.lower() != "cib":
        raise Refused(
            ExitCode.PROTOCOL,
            "This tool can only check complete configurations (i.e. those starting with <cib>).",
        )
    target = line.get("save-xml")
    if target is not None:
        from hatools.ipc.clients.cib_file import write_xml_file

        write_xml_file(Path(target), root)
    errors, warnings = _findings(line, out, root)
    hint = "" if line.verbosity else "\n-V may provide more details"
    if errors:
        raise Refused(ExitCode.CONFIG, f"Errors found during check: config not valid{hint}")
    if warnings:
        raise Refused(ExitCode.CONFIG, f"Warnings found during check: config may not be valid{hint}")


def _findings(line: CommandLine, out: Output, root: Element) -> tuple[bool, bool]:
    """Say what is wrong; return whether there are errors, and warnings."""
    from hatools.cib.schema import LATEST
    from hatools.cli.cib_input import current_form, is_valid_cib
    from hatools.cli.findings import show_findings
    from hatools.cli.log_labels import counts_as_fault
    from hatools.ipc.clients.cib_file import with_status
    from hatools.scheduler.plan import Finding
    from hatools.scheduler.schedule import check_configuration
    from hatools.values.iso8601 import Moment

    if not is_valid_cib(root):
        show_findings([Finding("error", "CIB did not pass schema validation")], line.verbosity)
        return True, False
    current = current_form(root)
    if current is None:
        out.error(
            "The cluster will NOT be able to use this configuration.\n"
            f"Please manually update the configuration to conform to the {LATEST} syntax."
        )
        return True, False
    now = time.time()
    moment = Moment.from_epoch(int(now), time.localtime(now).tm_gmtoff)
    without_status = root.find("status") is None and not line.has("live-check")
    findings = check_configuration(with_status(Document(current)), moment, configuration_only=without_status)
    show_findings(findings, line.verbosity)
    return (
        any(finding.severity == "error" and counts_as_fault("error", finding.text) for finding in findings),
        any(finding.severity == "warning" and counts_as_fault("warning", finding.text) for finding in findings),
    )


def _load(line: CommandLine) -> Element:
    """Return the CIB's root from the source that the command line names."""
    from hatools.cli.cib_input import read_lenient, read_source

    path, text = line.get("xml-file"), line.get("xml-text")
    if line.has("live-check"):
        return _live()
    root = None
    if path is not None:
        source = f"input file: {path}"
        data = read_source(path)
        root = None if data is None else read_lenient(path, data, line.verbosity)
    elif text is not None:
        source = f"input string: {text}"
        root = read_lenient(None, text.encode("utf-8", "surrogateescape"), line.verbosity)
    elif line.has("xml-pipe"):
        source = "input from STDIN."
        root = read_lenient(None, sys.stdin.buffer.read(), line.verbosity)
    else:
        raise Refused(ExitCode.ERROR, "No configuration source specified.  Use --help for usage information.")
    if root is None:
        raise Refused(ExitCode.ERROR, f"Couldn't parse {source}")
    return root


def _live() -> Element:
    from hatools.ipc.clients.cib import open_cib
    from hatools.values.errors import SchemaError

    try:
        with open_cib(name="crm_verify") as cib:
            return cib.document().root
    except SchemaError as error:
        empty = "no element found" in str(error)
        code = int(ExitCode.NOINPUT if empty else error.exit_code)
        raise Refused(code, f"CIB query failed: {exit_text(code)}") from None
    except HatoolsError:
        raise Refused(ExitCode.NOINPUT, f"CIB query failed: {exit_text(ExitCode.NOINPUT)}") from None
