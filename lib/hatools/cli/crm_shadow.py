"""``crm_shadow``: try changes on a copy of the CIB. I/O."""

import os
import sys
from pathlib import Path

from hatools.cib.document import Element, copy_element, empty_document, format_xml
from hatools.cli.crm_shadow_options import PROGRAM
from hatools.cli.ending import Finished
from hatools.cli.gnu_options import GnuLine, begin, print_version, refuse_words, show_help
from hatools.ipc.clients.cib import CibConnection, error_text, open_cib, shadow_path
from hatools.values.errors import HatoolsError
from hatools.values.exitcode import ExitCode
from hatools.values.records import dataclass

ON_ACTIVE = frozenset("dEpwF")
NAMED = frozenset("ecsrCD")
DANGEROUS = frozenset("CD")
ON_CLUSTER = frozenset("drcC")


@dataclass(slots=True)
class Task:
    """What the command line asks for."""

    command: str = "?"
    shadow: str | None = None
    schema: str = ""
    force: bool = False
    batch: bool = False
    everything: bool = False


def main(argv: list[str]) -> int:
    """Carry out one command on a shadow CIB."""
    try:
        line = begin(PROGRAM, argv)
        task = _read(line)
        refuse_words(PROGRAM, line)
        return _run(task)
    except Finished as finished:
        return finished.code


def _read(line: GnuLine) -> Task:
    task = Task()
    for event, value in line.events:
        if event in ON_ACTIVE:
            task.command = event
            task.shadow = os.environ.get("CIB_shadow")
            if task.shadow is None:
                raise _failed("No active shadow configuration defined", ExitCode.NOSUCH)
        elif event in NAMED:
            task.command, task.shadow = event, value
        elif event == "?":
            raise Finished(show_help(PROGRAM, ExitCode.OK))
        elif event == "$":
            print_version()
            raise Finished(ExitCode.OK)
        elif event == "v":
            task.schema = value or ""
        elif event == "f":
            task.force = True
        elif event == "b":
            task.batch = True
        elif event == "a":
            task.everything = True
    return task


def _failed(text: str, code: int) -> Finished:
    print(text, file=sys.stderr)
    return Finished(code)


def _run(task: Task) -> int:
    active = os.environ.get("CIB_shadow")
    if task.command == "w":
        print(active)
        return ExitCode.OK
    shadow = task.shadow
    if shadow is None:
        raise _failed("No shadow instance provided", ExitCode.NOSUCH)
    _check_safety(task, shadow, active)
    path = shadow_path(shadow, os.environ)
    if task.command == "D":
        return _delete(path, shadow)
    if task.command == "F":
        print(path)
        return ExitCode.OK
    connection = _open_cluster() if task.command in ON_CLUSTER else None
    _check_file(task, path, shadow)
    match task.command:
        case "c" | "e" | "r":
            return _create(task, path, shadow, connection)
        case "E":
            return _edit(path)
        case "s":
            _set_up(shadow, task.batch, "To switch to the named shadow instance, paste the following into your shell:")
        case "p":
            sys.stdout.write(format_xml(_load(path, shadow)))
        case "d":
            assert connection is not None
            return _diff(path, shadow, connection)
        case "C":
            assert connection is not None
            return _commit(task, path, shadow, connection)
    return ExitCode.OK


def _check_safety(task: Task, shadow: str, active: str | None) -> None:
    if task.command not in "sc" and active is not None and active.lower() != shadow.lower() and not task.force:
        raise _failed(
            f"The supplied shadow instance ({shadow}) is not the same as the active one ({active}).\n"
            "  To prevent accidental destruction of the cluster, the --force flag is required in order to proceed.",
            ExitCode.USAGE,
        )
    if task.command in DANGEROUS and not task.force:
        raise _failed(
            "The supplied command is considered dangerous.  To prevent accidental destruction of the cluster, "
            "the --force flag is required in order to proceed.",
            ExitCode.USAGE,
        )


def _check_file(task: Task, path: Path, shadow: str) -> None:
    exists = path.exists()
    if task.command in "ec":
        if exists and not task.force:
            raise _failed(
                f"A shadow instance '{shadow}' already exists.\n"
                "  To prevent accidental destruction of the cluster, the --force flag is required in order to proceed.",
                ExitCode.CANTCREAT,
            )
    elif not exists:
        raise _failed(f"Could not access shadow instance '{shadow}': No such file or directory", ExitCode.NOSUCH)


def _open_cluster() -> CibConnection:
    environ = {name: value for name, value in os.environ.items() if name != "CIB_shadow"}
    try:
        return open_cib(environ, name="crm_shadow")
    except HatoolsError as error:
        raise _failed(f"Could not connect to CIB: {error_text(error)}", error.exit_code) from None


def _delete(path: Path, shadow: str) -> int:
    code = ExitCode.OK
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        print(f"Could not remove shadow instance '{shadow}': {error.strerror}", file=sys.stderr)
        code = ExitCode.INSUFFICIENT_PRIV if isinstance(error, PermissionError) else ExitCode.OSERR
    _tear_down(shadow)
    return code


def _create(task: Task, path: Path, shadow: str, connection: CibConnection | None) -> int:
    from hatools.ipc.clients.cib_file import write_xml_file

    if connection is not None:
        try:
            root = connection.query()
        except HatoolsError as error:
            raise _failed(f"Could not connect to the CIB manager: {error_text(error)}", error.exit_code) from None
    else:
        root = copy_element(empty_document().root)
        root.set("epoch", "0")
        if task.schema:
            root.set("validate-with", task.schema)
        print(f"Created new {root.get('validate-with')} configuration")
    try:
        write_xml_file(path, root)
    except HatoolsError as error:
        verb = "reset" if task.command == "r" else "create"
        raise _failed(f"Could not {verb} the shadow instance '{shadow}': {error}", error.exit_code) from None
    _set_up(
        shadow, task.batch, "A new shadow instance was created.  To begin using it paste the following into your shell:"
    )
    return ExitCode.OK


def _edit(path: Path) -> int:
    editor = os.environ.get("EDITOR")
    if editor is None:
        raise _failed("No value for EDITOR defined", ExitCode.NOT_CONFIGURED)
    sys.stdout.flush()
    try:
        os.execlp(editor, "--", str(path))
    except OSError as error:
        raise _failed(f"Could not invoke EDITOR ({editor} {path}): {error.strerror}", ExitCode.OSFILE) from None


def _load(path: Path, shadow: str) -> Element:
    from hatools.ipc.clients.cib_file import load_xml_file

    try:
        return load_xml_file(path)
    except HatoolsError as error:
        raise _failed(f"Could not read shadow instance '{shadow}': {error}", error.exit_code) from None


def _diff(path: Path, shadow: str, connection: CibConnection) -> int:
    from hatools.cib.patchset import create_patch
    from hatools.cli.patch_display import describe_patch

    new = _load(path, shadow)
    try:
        old = connection.query()
    except HatoolsError as error:
        raise _failed(f"Could not query the CIB: {error_text(error)}", error.exit_code) from None
    patch = create_patch(old, new, attribute_order=True)
    if patch is None:
        return ExitCode.OK
    for text in describe_patch(patch, "  "):
        print(text)
    return ExitCode.ERROR


def _commit(task: Task, path: Path, shadow: str, connection: CibConnection) -> int:
    from hatools.cib.operations import Edit
    from hatools.values.ciboperation import CibOperation

    root = _load(path, shadow)
    section = "" if task.everything else "configuration"
    update = root if task.everything else root.find("configuration")
    code = int(ExitCode.OK)
    try:
        with connection:
            connection.change(Edit(CibOperation.REPLACE, section, update=update), force=task.force)
    except HatoolsError as error:
        text = f"Could not commit shadow instance '{shadow}' to the CIB: {error_text(error)}"
        print(text, file=sys.stderr)
        code = error.exit_code
    _tear_down(shadow)
    return code


def _prompt(shadow: str) -> str:
    return f"shadow[{shadow[:40]}] # "


def _set_up(shadow: str, batch: bool, advice: str) -> None:
    """Say how to use the shadow, or become a shell that does."""
    print("Setting up shadow instance")
    shell = os.environ.get("SHELL")
    if os.environ.get("PS1", "").lower() == _prompt(shadow).lower():
        return
    if not batch and shell is not None:
        os.environ["PS1"] = _prompt(shadow)
        os.environ["CIB_shadow"] = shadow
        print("Type Ctrl-D to exit the crm_shadow shell")
        sys.stdout.flush()
        try:
            os.execv(shell, [shell, "--norc", "--noprofile"] if "bash" in shell else [shell])
        except OSError as error:
            print(f"Could not start {shell}: {error.strerror}", file=sys.stderr)
    else:
        print(advice)
    print(f"  CIB_shadow={shadow} ; export CIB_shadow")


def _tear_down(shadow: str) -> None:
    if _prompt(shadow) in os.environ.get("PS1", ""):
        print("Now type Ctrl-D to exit the crm_shadow shell")
    else:
        print("Please remember to unset the CIB_shadow variable by pasting the following into your shell:")
        print("  unset CIB_shadow")
