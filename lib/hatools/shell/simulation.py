"""What the cluster would do with a configuration: ``crm_simulate`` on it. I/O."""

import os
import re
import tempfile
from collections.abc import Sequence
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from hatools.cib.document import format_xml
from hatools.shell.programs import capture

if TYPE_CHECKING:
    from hatools.shell.session import Session


def status_section(session: "Session") -> Element | None:
    """Return the status section in use: the cluster's, a shadow's or a file's, as ``cibstatus`` chose."""
    if session.pretended_cib is not None:
        return session.pretended_cib.find("status")
    origin = session.status_origin
    if origin == "live":
        root = session.configuration.read()
        return root.find("status") if root is not None else None
    from hatools.cib.document import parse_xml
    from hatools.ipc.clients.cib import shadow_path

    path = str(shadow_path(origin.removeprefix("shadow:"), os.environ)) if origin.startswith("shadow:") else origin
    with open(path, encoding="utf-8") as file:
        root = parse_xml(file.read())
    return root if root.tag == "status" else root.find("status")


def simulate(session: "Session", root: Element, args: Sequence[str], command: str) -> bool:
    """Show what would happen if a configuration were in force."""
    scores = utilization = actions = False
    verbosity = "vv"
    for arg in args:
        if arg == "scores":
            scores = True
        elif arg == "utilization":
            utilization = True
        elif arg == "actions":
            actions = True
        elif re.fullmatch("v+", arg):
            verbosity = arg
        elif arg != "nograph":
            session.console.error(f"Bad usage: '{command} {' '.join(args)}'")
            return False
    status = status_section(session)
    if status is None:
        session.console.error("no status section found")
        return False
    root.append(status)
    argv = ["-S", "-" + "V" * (max(3, len(verbosity)) if actions else len(verbosity))]
    argv += ["-s"] if scores else []
    argv += ["-U"] if utilization else []
    output, code = simulate_document(root, argv)
    if actions:
        output = "\n".join(line for line in output.splitlines() if re.match(r"\s+\* ", line) and "Leave" not in line)
        if not output:
            session.console.warning("No actions found.")
    elif code != 0:
        session.console.warning(f"Simulation was unsuccessful (RC={code}).")
    if "nograph" not in args:
        session.console.info("install graphviz to see a transition graph")
    session.console.show(output.rstrip("\n"))
    return True


def simulate_document(root: Element, argv: Sequence[str]) -> tuple[str, int]:
    """Run crm_simulate on a CIB; return what it printed, messages included, and its exit status."""
    descriptor, path = tempfile.mkstemp(suffix=".xml")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(format_xml(root))
        answer = capture("crm_simulate", ["-x", path, *argv])
    finally:
        os.unlink(path)
    messages = re.sub(r"^(error|warning|notice|info): ", r"(simulate) \t\1: ", answer.err, flags=re.MULTILINE)
    return messages + answer.out, answer.status
