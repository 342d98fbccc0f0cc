"""``crm_diff``: the difference of two CIBs as a patch, and patches applied. I/O."""

import sys
from pathlib import Path

from hatools.cib.document import Element, copy_element, format_xml
from hatools.cli.options import CommandLine, Finished, Group, Option, Program, begin
from hatools.ipc.clients.cib import error_text
from hatools.values.errors import HatoolsError
from hatools.values.exitcode import ExitCode

PROGRAM = Program(
    "crm_diff",
    "Compare two Pacemaker configurations (in XML format) to produce a custom diff-like output, "
    "or apply such an output as a patch",
    (
        Group(
            "xml",
            "Original XML:",
            "Show original XML options",
            (
                Option("original", "o", "XML is contained in the named file", "FILE"),
                Option("original-string", "O", "XML is contained in the supplied string", "STRING"),
            ),
        ),
        Group(
            "operation",
            "Operation:",
            "Show operation options",
            (
                Option("new", "n", "Compare the original XML to the contents of the named file", "FILE"),
                Option(
                    "new-string", "N", "Compare the original XML with the contents of the supplied string", "STRING"
                ),
                Option("patch", "p", "Patch the original XML with the contents of the named file", "FILE"),
            ),
        ),
        Group(
            "additional",
            "Additional Options:",
            "Show additional options",
            (
                Option("cib", "c", "Compare/patch the inputs as a CIB (includes versions details)"),
                Option("stdin", "s", ""),
                Option("no-version", "u", "Generate the difference without versions details"),
            ),
        ),
    ),
    epilogue="""Examples:

Obtain the two different configuration files by running cibadmin on the two cluster setups to compare:

	# cibadmin --query > cib-old.xml

	# cibadmin --query > cib-new.xml

Calculate and save the difference between the two files:

	# crm_diff --original cib-old.xml --new cib-new.xml > patch.xml

Apply the patch to the original file:

	# crm_diff --original cib-old.xml --patch patch.xml > updated.xml

Apply the patch to the running cluster:

	# cibadmin --patch -x patch.xml
""",
    formats=(),
    special="nopNO",
)


def main(argv: list[str]) -> int:
    """Compare or patch."""
    try:
        line, _ = begin(PROGRAM, argv)
    except Finished as finished:
        return finished.code
    as_cib, no_version, patching = line.has("cib"), line.has("no-version"), line.has("patch")
    if patching and no_version:
        print("warning: -u/--no-version ignored with -p/--patch", file=sys.stderr)
    elif as_cib and no_version:
        print("error: -u/--no-version incompatible with -c/--cib", file=sys.stderr)
        return ExitCode.USAGE
    first = _fragment(line, "original", ("original",), ("original-string",), "first")
    second = _fragment(line, "second", ("new", "patch"), ("new-string",), "second")
    if first is None or second is None:
        which = "first" if first is None else "second"
        print(f"Could not parse the {which} XML fragment", file=sys.stderr)
        return ExitCode.DATAERR
    if patching:
        return _apply(first, second, as_cib)
    return _compare(first, second, as_cib, no_version)


def _fragment(
    line: CommandLine, name: str, files: tuple[str, ...], strings: tuple[str, ...], ordinal: str
) -> Element | None:
    """Return one of the two inputs: from a string, standard input or a file; None if it cannot be read."""
    from hatools.ipc.clients.cib_file import load_xml_file, parse_xml_text

    given = [(event, value) for event, value in line.events if event in files + strings]
    value = given[-1][1] if given else None
    try:
        if any(event in strings for event, _ in given):
            return parse_xml_text(value or "")
        if line.has("stdin"):
            print(f"Input {ordinal} XML fragment:", end="", file=sys.stderr)
            return parse_xml_text(sys.stdin.buffer.read())
        return None if value is None else load_xml_file(Path(value))
    except HatoolsError:
        return None


def _compare(first: Element, second: Element, as_cib: bool, no_version: bool) -> int:
    from hatools.cib.document_digest import versioned_digest
    from hatools.cib.patchset import VERSION_ATTRIBUTES, create_patch, without_version
    from hatools.cib.patchset_v1 import create_patch_v1, wants_format_1

    if no_version:
        second = copy_element(second)
        for name in VERSION_ATTRIBUTES:
            value = first.get(name)
            if value is not None:
                second.set(name, value)
    if first.tag != second.tag or first.get("id") != second.get("id"):
        return ExitCode.OK
    patch = create_patch(first, second, attribute_order=not as_cib)
    if patch is None:
        return ExitCode.OK
    if wants_format_1(first):
        configuration_changed = first.find("configuration") is not None and any(
            change.get("path", "").startswith("/cib/configuration") for change in patch
        )
        patch = create_patch_v1(first, second, configuration_changed=configuration_changed)
        if no_version:
            for part in patch:
                for holder in (part, *part.iterfind("cib")):
                    for name in VERSION_ATTRIBUTES:
                        holder.attrib.pop(name, None)
    elif as_cib:
        patch.set("digest", versioned_digest(second, first.get("crm_feature_set")))
    elif no_version:
        patch = without_version(patch)
    sys.stdout.write(format_xml(patch))
    return ExitCode.ERROR


def _apply(original: Element, patch: Element, as_cib: bool) -> int:
    from hatools.cib.document_digest import versioned_digest
    from hatools.cib.patchset import apply_patch
    from hatools.values.errors import PatchError

    try:
        result = apply_patch(original, patch, check_version=as_cib)
        digest = patch.get("digest")
        if digest is not None and digest != versioned_digest(result, result.get("crm_feature_set")):
            raise PatchError("the patch leads to another result than its digest says")
    except HatoolsError as error:
        print(f"Could not apply patch: {error_text(error)}", file=sys.stderr)
        return error.exit_code
    sys.stdout.write(format_xml(result))
    return ExitCode.OK
