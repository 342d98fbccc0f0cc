"""Taking nodes out of the cluster. I/O: the channel, the CIB, files."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hatools.shell.bootstrap import read_options
from hatools.shell.commands import CommandError
from hatools.shell.corosync import without_node
from hatools.shell.members import Member, Members
from hatools.shell.nodelist import distribute, reload
from hatools.shell.programs import capture
from hatools.shell.remote import run_on

if TYPE_CHECKING:
    from hatools.shell.context import Context
    from hatools.shell.session import Session

_DRAIN_S = 25 * 60.0
"""Seconds in which a node must have stopped its resources."""


def remove(session: "Session", context: "Context", args: Sequence[str]) -> bool:
    """Remove nodes from the cluster, one after another."""
    options = read_options(args, "host")
    if "--qdevice" in args:
        raise CommandError("take quorum.device out of corosync.conf (`crm corosync edit`), then `push` and `reload`")
    if not options.words and not options.host:
        raise CommandError("No existing IP/hostname specified: remove <node>...")
    forced = options.forced or session.preferences.flag("core", "force")
    for word in [*([options.host] if options.host else []), *options.words]:
        members = Members()
        member = members.find(word)
        if (
            not options.yes
            and not forced
            and not session.console.ask(f'Removing node "{member.name}" from the cluster: Are you sure?')
        ):
            raise CommandError(f"{member.name} was not removed: -y does it without being asked")
        if len(members.all) == 1:
            raise CommandError(f"{member.name} is the only node: `crm cluster stop` stops it")
        if member.is_local:
            return _have_us_removed(session, members, forced=forced)
        _remove_one(session, context, members, member)
    return True


def _have_us_removed(session: "Session", members: Members, *, forced: bool) -> bool:
    """Have another member remove this node."""
    if not forced:
        raise CommandError("Removing self requires --force")
    argv = ["crm", "cluster", "remove", "-y", members.local.name]
    problems = []
    for helper in members.others:
        outcome = run_on(session, members, [helper], argv)[0]
        if outcome.answer is not None:
            print(outcome.answer.text)
            if outcome.answer.status != 0:
                raise CommandError(f"{helper.name}: {outcome.answer.complaint}")
            return True
        problems.append(f"{helper.name}: {outcome.problem}")
    raise CommandError("no other node can be reached:\n" + "\n".join(problems))


def _remove_one(session: "Session", context: "Context", members: Members, member: Member) -> None:
    console = session.console
    console.info(f'Removing the node "{member.name}"')
    is_reachable = _stop(session, members, member)
    text = without_node(member.name)
    if text is None:
        raise CommandError(f"{member.name} is not in the nodelist")
    distribute(session, text, members=members, without=[member.name], skips_unreachable=True)
    reload(session)
    _remove_from_cib(session, context, member.name)
    if is_reachable:
        outcome = members.ask([member], lambda connection: connection.forget_cluster())[0]
        if outcome.problem:
            console.warning(f"{member.name} still has its configuration: {outcome.problem}")
    console.info(f'Node "{member.name}" was removed from the cluster')


def _stop(session: "Session", members: Members, member: Member) -> bool:
    """Stop the cluster on a node; return whether the node can be reached.

    Raises:
        CommandError: it runs and cannot be stopped.
    """
    outcome = run_on(session, members, [member], ["crm", "cluster", "stop"], timeout_s=_DRAIN_S)[0]
    if outcome.answer is None:
        if member.name in capture("crm_node", ["-p"]).out.split():
            raise CommandError(f"{member.name} is online but cannot be told to stop: {outcome.problem}")
        session.console.warning(f"{outcome.problem}: remove its authkey and corosync.conf before you start it again")
        return False
    if outcome.answer.status != 0:
        raise CommandError(f"{member.name} did not stop: {outcome.answer.complaint or outcome.answer.text}")
    return True


def _remove_from_cib(session: "Session", context: "Context", name: str) -> None:
    from hatools.shell.levels.cluster import is_running
    from hatools.shell.levels.node import NodeLevel

    if not is_running():
        session.console.warning(f"the cluster does not run here: `crm node delete {name}` once it does")
        return
    if not NodeLevel(session).do_delete(context, name):
        session.console.warning(f"{name} is still in the CIB: `crm node delete {name}`")
