"""``cibadmin``: query and edit the CIB as XML. I/O."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from hatools.cib.document import Element, copy_element, empty_document, format_xml
from hatools.cli.cibadmin_options import PROGRAM
from hatools.cli.ending import Finished
from hatools.cli.gnu_options import GnuLine, begin, print_version, refuse_words, show_help, wrong_use
from hatools.ipc.clients.cib import CibConnection, LiveCib, error_text, open_cib
from hatools.values.ciboperation import CibOperation
from hatools.values.errors import HatoolsError, SchemaError, SchemaUnchangedError
from hatools.values.exitcode import ExitCode
from hatools.values.records import dataclass, replace

COMMANDS = {
    "u": CibOperation.UPGRADE,
    "E": CibOperation.ERASE,
    "B": CibOperation.BUMP,
    "C": CibOperation.CREATE,
    "M": CibOperation.MODIFY,
    "P": CibOperation.PATCH,
    "R": CibOperation.REPLACE,
    "D": CibOperation.DELETE,
    "d": CibOperation.DELETE_ALL,
}
DANGEROUS = frozenset("uEdb")
ACCESS_STYLES = ("auto", "namespace", "text", "color")

UNSAFE = (
    "The supplied command is considered dangerous.  To prevent accidental destruction of the cluster, "
    "the --force flag is required in order to proceed."
)


@dataclass(slots=True)
class Task:
    """What the command line asks for."""

    command: str = ""
    scope: str = ""
    xpath: str = ""
    text: str | None = None
    file: str | None = None
    stdin: bool = False
    user: str = ""
    access: str = ""
    timeout_s: float = 30.0
    force: bool = False
    create: bool = False
    no_children: bool = False
    paths: bool = False
    verbose: bool = False


if TYPE_CHECKING:
    from hatools.cib.operations import Edit


def main(argv: list[str]) -> int:
    """Carry out one operation."""
    try:
        line = begin(PROGRAM, argv)
        task = _read(line)
        refuse_words(PROGRAM, line)
    except Finished as finished:
        return finished.code
    if not task.command:
        return show_help(PROGRAM, ExitCode.USAGE)
    if any(event in DANGEROUS for event, _ in line.events) and not task.force:
        print(UNSAFE, file=sys.stderr)
        return ExitCode.UNSAFE
    return _run(task)


def _read(line: GnuLine) -> Task:
    """Go through the options in their order, as some act at once."""
    task = Task()
    for event, value in line.events:
        if event in COMMANDS or event in "Q56":
            task.command = event
        elif event == "?":
            raise Finished(show_help(PROGRAM, ExitCode.OK))
        elif event == "$":
            print_version()
            raise Finished(ExitCode.OK)
        elif event == "a":
            _print_empty(line.rest)
            raise Finished(ExitCode.OK)
        elif event == "t":
            task.timeout_s = _seconds(value or "")
        elif event == "S":
            task.access = value or "auto"
            if task.access not in ACCESS_STYLES:
                print(f'Unrecognized value for --show-access: "{value}"', file=sys.stderr)
                raise wrong_use(PROGRAM)
        elif event in _SETTERS:
            _SETTERS[event](task, value or "")
        elif event not in "lsNhb":
            print(f"Argument code 0{ord(event[0]):o} ({event[0]}) is not (?yet?) supported")
            raise wrong_use(PROGRAM)
    return task


def _set(name: str, fixed: object = None) -> Callable[[Task, str], None]:
    def setter(task: Task, value: str) -> None:
        setattr(task, name, value if fixed is None else fixed)

    return setter


def _set_scope(task: Task, value: str) -> None:
    # Scope and XPath are one thing to Pacemaker: whether it is a path depends on --xpath being given at all.
    task.scope = value or " "  # an empty name is a name, of no section
    if task.xpath:
        task.xpath = value


def _set_xpath(task: Task, value: str) -> None:
    task.xpath = value or " "  # an empty path is a path, and matches nothing


_SETTERS: dict[str, Callable[[Task, str], None]] = {
    "A": _set_xpath,
    "o": _set_scope,
    "e": _set("paths", True),
    "U": _set("user"),
    "c": _set("create", True),
    "n": _set("no_children", True),
    "X": _set("text"),
    "x": _set("file"),
    "p": _set("stdin", True),
    "f": _set("force", True),
    "V": _set("verbose", True),
}


def _seconds(text: str) -> float:
    digits = text.strip().lstrip("+")
    return float(int(digits)) if digits.isdigit() and int(digits) > 0 else 30.0


def _print_empty(rest: list[str]) -> None:
    root = empty_document().root
    if rest:
        root = copy_element(root)
        root.set("validate-with", rest[0])
    sys.stdout.write(format_xml(root))


def _run(task: Task) -> int:
    try:
        update = _input(task)
    except Finished as finished:
        return finished.code
    if task.command in "56":
        return _print_digest(task.command, update)
    try:
        connection = open_cib(name="cibadmin", user="" if task.access else task.user, timeout_s=task.timeout_s)
    except HatoolsError as error:
        print(f"Could not connect to the CIB: {error_text(error)}", file=sys.stderr)
        print("Init failed, could not perform requested operations", file=sys.stderr)
        return error.exit_code
    with connection:
        return _perform(task, connection, update)


def _input(task: Task) -> Element | None:
    """Return the XML to work with."""
    if task.file is None and task.text is None and not task.stdin:
        if task.access and not task.user:
            print("The supplied command requires -U user specified.", file=sys.stderr)
            raise Finished(ExitCode.USAGE)
        return None
    from hatools.ipc.clients.cib_file import load_xml_file, parse_xml_text

    source = task.file if task.file is not None else "input string" if task.text is not None else "STDIN"
    try:
        if task.file is not None:
            return load_xml_file(Path(task.file))
        return parse_xml_text(task.text if task.text is not None else sys.stdin.buffer.read())
    except HatoolsError:
        print(f"Couldn't parse input from {source}.", file=sys.stderr)
        raise Finished(ExitCode.CONFIG) from None


def _print_digest(command: str, update: Element | None) -> int:
    from hatools.cib.document_digest import on_disk_digest, versioned_digest

    if update is None:
        print("Please supply XML to process with -X, -x or -p", file=sys.stderr)
        return ExitCode.USAGE
    if command == "5":
        print("Digest: ", end="", file=sys.stderr)
        print(on_disk_digest(update))
    else:
        feature_set = update.get("crm_feature_set")
        print(f"Versioned ({feature_set or '(null)'}) digest: ", end="", file=sys.stderr)
        print(versioned_digest(update, feature_set))
    return ExitCode.OK


def _perform(task: Task, connection: CibConnection, update: Element | None) -> int:
    try:
        if task.command == "Q":
            return _query(task, connection)
        from hatools.cib.operations import Edit

        if task.command == "u" and task.verbose and not isinstance(connection, LiveCib):
            _print_upgrade_notes(connection)
        edit = Edit(COMMANDS[task.command], task.scope, task.xpath, update, allow_create=task.create)
        connection.change(_complete(edit), force=task.force)
    except SchemaUnchangedError as unchanged:
        print(f"Upgrade unnecessary: {unchanged.system_text}")
    except HatoolsError as error:
        call = "" if not isinstance(connection, LiveCib) else f" {_word(task.command)}"
        print(f"Call{call} failed: {error_text(error)}", file=sys.stderr)
        if isinstance(connection, LiveCib) and error.system_text != str(error):
            print(f"  {error}", file=sys.stderr)
        if error.details and not isinstance(error, SchemaError):
            sys.stdout.write(error.details)
        return error.exit_code
    return ExitCode.OK


def _print_upgrade_notes(connection: CibConnection) -> None:
    """Say what rewriting an old configuration will drop, move and rename."""
    from hatools.cib.upgrade import upgrade_with_notes

    try:
        _, notes = upgrade_with_notes(connection.document().root)
    except HatoolsError:
        return  # the upgrade itself will say why not
    for note in notes:
        print(note, file=sys.stderr)


def _word(command: str) -> str:
    return "cib_query" if command == "Q" else COMMANDS[command].replace("_alt", "")


def _complete(edit: "Edit") -> "Edit":
    """A whole CIB that replaces another needs a status section."""
    update = edit.update
    if edit.operation is CibOperation.REPLACE and update is not None and update.tag == "cib":
        if update.find("status") is None:
            update = copy_element(update)
            update.append(Element("status"))
        return replace(edit, update=update)
    return edit


def _query(task: Task, connection: CibConnection) -> int:
    if task.paths and task.xpath and not task.no_children:
        from hatools.cib.queries import query_paths

        for path in query_paths(connection.document(), task.xpath):
            print(path)
        return ExitCode.OK
    found = connection.query(task.scope, xpath=task.xpath, no_children=task.no_children)
    if task.access:
        return _show_access(task, found)
    if task.paths:
        _print_ids(found)
    else:
        sys.stdout.write(format_xml(found))
    return ExitCode.OK


def _print_ids(element: Element) -> None:
    if element.tag == "xpath-query":
        for child in element:
            _print_ids(child)
    elif element.get("id") is not None:
        print(element.get("id"))


def _show_access(task: Task, found: Element) -> int:
    from hatools.cli.access_display import render_access

    style = task.access
    if style == "auto":
        style = "color" if sys.stdout.isatty() else "text"
    try:
        print(render_access(found, task.user, style))
    except HatoolsError as error:
        text = error_text(error)
        print(f"Could not evaluate access per request ({task.user}, error: {text})", file=sys.stderr)
        return ExitCode.CONFIG
    return ExitCode.OK
