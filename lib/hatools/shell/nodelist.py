"""One corosync.conf on all nodes: giving it to everybody, and having messaging take it over. I/O: files, the channel.

A changed file goes to every node or to none: nodes that cannot be reached stop it before anything is written, and when
one of them refuses, those that have it get their former one back.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hatools.shell.commands import CommandError
from hatools.shell.corosync import conf_path, read_text, replace_text
from hatools.shell.members import Member, Members
from hatools.shell.programs import capture

if TYPE_CHECKING:
    from hatools.shell.session import Session


def distribute(
    session: "Session", text: str, *, members: Members, without: Sequence[str] = (), skips_unreachable: bool = False
) -> None:
    """Put a corosync.conf onto this node and all others that are members now, but those in ``without``.

    Raises:
        CommandError: a node cannot be reached or refuses; then no node has it.
    """
    targets = [member for member in members.others if member.name not in without]
    there: list[Member] = []
    missing: list[str] = []
    for outcome in members.ask(targets, lambda connection: connection.about()):
        if outcome.problem:
            missing.append(f"{outcome.member.name}: {outcome.problem}")
        else:
            there.append(outcome.member)
    if missing and not skips_unreachable:
        listed = "\n".join(f"  {line}" for line in missing)
        raise CommandError(f"nothing was changed, because these nodes cannot be reached:\n{listed}")
    for line in missing:
        session.console.warning(f"{line}: it has to get {conf_path()} before it starts (`crm corosync push`)")
    before = read_text()
    written: list[Member] = []
    refused = ""
    for stored in members.ask(there, lambda connection: connection.store_configuration(text)):
        if stored.problem:
            refused = f"{stored.member.name}: {stored.problem}"
        else:
            written.append(stored.member)
    if not refused:
        try:
            replace_text(text)
            return
        except CommandError as error:
            refused = str(error)
    for undone in members.ask(written, lambda connection: connection.store_configuration(before, replaces=True)):
        if undone.problem:
            session.console.error(f"{undone.member.name} keeps the new {conf_path()}: {undone.problem}")
    raise CommandError(f"nothing was changed: {refused}")


def reload(session: "Session") -> bool:
    """Have the running ring take over the present file; return whether it did, or does not run."""
    answer = capture("corosync_cfgtool", ["-R"])
    if answer.status != 0 and "Could not initialize" not in answer.err:
        session.console.warning(
            f"{(answer.err or answer.out).strip()}; the change takes effect when all nodes have been restarted: "
            "`crm cluster restart --all`"
        )
        return False
    return True
