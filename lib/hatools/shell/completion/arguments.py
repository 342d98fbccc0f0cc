"""What the arguments of commands can be: one row for each command. Pure but for the session's look-ups.

A row has a source for each argument; :class:`Each` repeats for all that follow.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from hatools.shell.commands import Level
from hatools.shell.completion.sources import Source, Sources, either, words
from hatools.shell.completion.statements import STATEMENTS
from hatools.shell.completion.suggestion import Suggestion

if TYPE_CHECKING:
    from hatools.shell.session import Session


class Each:
    """A source for an argument and all behind it."""

    def __init__(self, source: Source) -> None:
        self.source = source


S = Sources
_NOTHING = words()
_SET_DELETE_SHOW = words("set", "delete", "show")
_SIMULATION = Each(words("nograph", "v", "vv", "scores", "actions", "utilization"))
_NODES_OR_ALL = Each(either(S.nodes, words("--all")))
_LIFETIMES = either(S.nodes, words("forever", "reboot", "PT15M", "force"))
_INIT_OPTIONS = ("-n", "-i", "-y", "-F", "--name", "--interface", "--port")
_RESOURCES, _NODES, _FILES = Each(S.resources), Each(S.nodes), Each(S.files)
_INPUT = either(S.scheduler_inputs, words("live"), S.files)
_PICTURES = words("svg", "png", "pdf", "dot")

_Row = tuple[Source | Each, ...]
_ROWS: dict[tuple[str, str], _Row] = {
    ("root", "status"): (Each(lambda sources, typed: _status_words()),),
    ("root", "verify"): (words("scores"),),
    ("root", "report"): (Each(either(words("-f", "-t", "-n", "-u", "-S", "-E", "-s", "-v", "-d"), S.files)),),
    ("root", "import"): (words("haresources"), S.files),
    ("root", "lab"): (
        words(
            *[
                "start",
                "status",
                "kill",
                "boot",
                "pause",
                "resume",
                "cut",
                "slow",
                "heal",
                "stop",
                "exec",
                "env",
                "destroy",
                "demo",
            ]
        ),
    ),
    ("cib", "new"): (_NOTHING, Each(words("empty", "force", "withstatus"))),
    ("cib", "import"): (either(S.scheduler_inputs, S.files), S.shadows),
    ("cib", "delete"): (S.shadows,),
    ("cib", "reset"): (S.shadows,),
    ("cib", "commit"): (S.shadows,),
    ("cib", "use"): (either(S.shadows, words(live="the cluster's CIB")), words("withstatus")),
    ("cibstatus", "load"): (either(words("live"), S.shadow_origins, S.files),),
    ("cibstatus", "save"): (either(S.shadow_origins, S.files),),
    ("cibstatus", "show"): (words("changed"),),
    ("cibstatus", "quorum"): (words("true", "false"),),
    ("cibstatus", "node"): (S.nodes, words("online", "offline", "unclean")),
    ("cibstatus", "ticket"): (S.tickets, words("grant", "revoke", "activate", "standby")),
    ("cibstatus", "op"): (
        words("start", "stop", "monitor", "promote", "demote", "notify", "migrate_to", "migrate_from"),
        S.primitives,
        lambda sources, typed: _exit_words(),
        words("pending", "done", "cancelled", "timeout", "notsupported", "error"),
        S.nodes,
    ),
    ("cibstatus", "run"): (_SIMULATION,),
    ("cibstatus", "simulate"): (_SIMULATION,),
    ("cluster", "start"): (_NODES_OR_ALL,),
    ("cluster", "stop"): (_NODES_OR_ALL,),
    ("cluster", "restart"): (_NODES_OR_ALL,),
    ("cluster", "enable"): (_NODES_OR_ALL,),
    ("cluster", "disable"): (_NODES_OR_ALL,),
    ("cluster", "remove"): (_NODES,),
    ("cluster", "init"): (Each(words(*_INIT_OPTIONS)),),
    ("cluster", "add"): (Each(words(*_INIT_OPTIONS)),),
    ("cluster", "join"): (Each(words("-c", "-i", "-y", "--token", "--port")),),
    ("cluster", "crash_test"): (Each(words("--kill-sbd", "--kill-corosync", "--kill-pacemakerd", "--fence-node")),),
    ("cluster", "run"): (_NOTHING, _NODES),
    ("cluster", "copy"): (S.files, _NODES),
    ("cluster", "diff"): (S.files, Each(either(words("--checksum"), S.nodes))),
    ("configure", "show"): (Each(S.selections),),
    ("configure", "edit"): (Each(S.selections),),
    ("configure", "save"): (Each(either(S.selections, S.files)),),
    ("configure", "filter"): (S.files, Each(S.selections)),
    ("configure", "get_property"): (Each(lambda sources, typed: _property_names()),),
    ("configure", "set"): (S.attribute_paths,),
    ("configure", "modgroup"): (
        S.groups,
        words("add", "remove"),
        lambda sources, typed: _movable(sources, typed),
        words("after", "before"),
        lambda sources, typed: _members(sources, typed[0]),
    ),
    ("configure", "validate-all"): (S.primitives,),
    ("configure", "delete"): (Each(either(S.objects, words("--force"))),),
    ("configure", "default-timeouts"): (Each(S.primitives),),
    ("configure", "rename"): (S.objects,),
    ("configure", "erase"): (words(nodes="remove the nodes, too"),),
    ("configure", "graph"): (words("dot", "exportsettings"), S.files, _PICTURES),
    ("configure", "ptest"): (_SIMULATION,),
    ("configure", "rsctest"): (Each(either(S.resources, S.nodes)),),
    ("configure", "schema"): (lambda sources, typed: _schemas(),),
    ("configure", "upgrade"): (words("force"),),
    ("configure", "commit"): (
        Each(
            words(
                force="whatever the checks say",
                replace="the whole configuration instead of a patch",
                ours="where others changed the same, your version stands",
                theirs="where others changed the same, their version stands",
            )
        ),
    ),
    ("configure", "load"): (either(words("replace", "update", "push", xml="the file is XML")), _FILES),
    ("template", "new"): (either(S.templates, S.template_configurations), Each(either(S.templates, words("params")))),
    ("template", "delete"): (S.template_configurations, words("force")),
    ("template", "load"): (S.template_configurations,),
    ("template", "edit"): (S.template_configurations,),
    ("template", "show"): (S.template_configurations,),
    ("template", "apply"): (either(words("replace", "update"), S.template_configurations), S.template_configurations),
    ("template", "list"): (words("templates", "configs"),),
    ("assist", "template"): (Each(S.primitives),),
    ("assist", "weak-bond"): (_RESOURCES,),
    ("corosync", "status"): (words("ring", "quorum", "qdevice", "qnetd"),),
    ("corosync", "push"): (_NODES,),
    ("corosync", "pull"): (S.nodes,),
    ("corosync", "diff"): (Each(either(words("--checksum"), S.nodes)),),
    ("corosync", "get"): (S.corosync_paths,),
    ("corosync", "set"): (S.corosync_paths,),
    ("corosync", "del-node"): (S.nodes,),
    ("history", "source"): (either(words("live"), S.files),),
    ("history", "refresh"): (words("force"),),
    ("history", "detail"): (words("0", "1", "2"),),
    ("history", "setnodes"): (_NODES,),
    ("history", "exclude"): (words("clear"),),
    ("history", "log"): (_NODES,),
    ("history", "resource"): (_RESOURCES,),
    ("history", "node"): (_NODES,),
    ("history", "peinputs"): (Each(either(S.scheduler_inputs, words("v"))),),
    ("history", "transition"): (
        either(words("showdot", "log", "save", "tags"), S.scheduler_inputs, S.files),
        Each(either(S.scheduler_inputs, words("nograph", "scores", "actions", "utilization"))),
    ),
    ("history", "show"): (_INPUT, words("status")),
    ("history", "graph"): (_INPUT, words("dot"), S.files, _PICTURES),
    ("history", "diff"): (_INPUT, _INPUT, Each(words("status", "html"))),
    ("history", "wdiff"): (_INPUT, _INPUT, words("status")),
    ("history", "session"): (words("save", "load", "delete", "pack", "update", "list"),),
    ("maintenance", "on"): (S.resources,),
    ("maintenance", "off"): (S.resources,),
    ("maintenance", "action"): (S.primitives, S.operations, words("ssh")),
    ("node", "show"): (S.nodes,),
    ("node", "standby"): (either(S.nodes, words("--all")), Each(either(S.nodes, words("reboot", "forever")))),
    ("node", "online"): (_NODES_OR_ALL,),
    ("node", "server"): (_NODES,),
    ("node", "attribute"): (S.nodes, _SET_DELETE_SHOW, S.node_attributes),
    ("node", "status-attr"): (S.nodes, _SET_DELETE_SHOW, S.node_attributes),
    ("node", "utilization"): (S.nodes, _SET_DELETE_SHOW, S.utilization_names),
    ("options", "output"): (words("plain", "color", "color-always", "uppercase"),),
    ("options", "set"): (S.settings, S.setting_values),
    ("options", "show"): (either(S.settings, words("all")),),
    ("ra", "providers"): (S.agent_types, S.standards),
    ("ra", "list"): (S.standards, S.providers),
    ("ra", "info"): (S.agents,),
    ("ra", "validate"): (S.agents, Each(S.agent_parameters)),
    ("resource", "status"): (_RESOURCES,),
    ("resource", "locate"): (_RESOURCES,),
    ("resource", "start"): (Each(S.resources_and_tags),),
    ("resource", "stop"): (Each(S.resources_and_tags),),
    ("resource", "restart"): (_RESOURCES,),
    ("resource", "move"): (S.resources, Each(_LIFETIMES)),
    ("resource", "ban"): (S.resources, Each(_LIFETIMES)),
    ("resource", "cleanup"): (S.resources, Each(either(S.nodes, words("force")))),
    ("resource", "refresh"): (S.resources, Each(either(S.nodes, words("force")))),
    ("resource", "operations"): (S.resources, S.nodes),
    ("resource", "why"): (S.resources, Each(either(S.nodes, words("on")))),
    ("resource", "maintenance"): (S.resources, words("on", "off", "true", "false")),
    ("resource", "failcount"): (S.resources, _SET_DELETE_SHOW, S.nodes, words("0", "INFINITY"), S.operations),
    ("resource", "param"): (S.resources, _SET_DELETE_SHOW, S.resource_parameters),
    ("resource", "secret"): (
        S.resources,
        words("set", "stash", "unstash", "delete", "show", "check"),
        S.resource_parameters,
    ),
    ("resource", "meta"): (S.resources, _SET_DELETE_SHOW, S.meta_names, S.meta_values),
    ("resource", "utilization"): (S.resources, _SET_DELETE_SHOW, S.utilization_names),
    ("resource", "trace"): (S.resources, S.operations),
    ("resource", "untrace"): (S.resources, S.operations),
    ("script", "list"): (Each(words("all", "names")),),
    ("site", "ticket"): (words("grant", "revoke", "standby", "activate", "show", "time", "delete"), S.tickets),
}
# Where a command has no row, its only kind of argument is that of the level.
_BY_LEVEL: dict[str, _Row] = {"resource": (S.resources,), "node": (S.nodes,)}


def arguments(session: "Session", level: type[Level], command: str, typed: Sequence[str]) -> Iterable[Suggestion]:
    """Return what the last of a command's arguments could be.

    Args:
        typed: the arguments so far; the last one, perhaps empty, is being typed.
    """
    if command == "help":
        return _help(level)
    if command == "cd":
        upwards = [Suggestion("..", "the level above")] if level.name != "root" else []
        return [*upwards, *(Suggestion(door.name, "level") for door in level.doors)] if len(typed) == 1 else ()
    sources = Sources(session)
    if level.name == "configure" and command in STATEMENTS:
        return STATEMENTS[command](sources, typed)
    row = _ROWS.get((level.name, command))
    if row is None and level.name == "options":
        return sources.values_of_setting(f"core.{command.replace('-', '_')}")
    if row is None and level.name == "script":
        return _scripts(session, typed)
    if row is None:
        row = () if command in ("up", "ls", "quit") else _BY_LEVEL.get(level.name, ())
    return _from_row(row, sources, typed)


def _from_row(row: _Row, sources: Sources, typed: Sequence[str]) -> Iterable[Suggestion]:
    position = len(typed) - 1
    if position < len(row):
        entry = row[position]
    elif row and isinstance(row[-1], Each):
        entry = row[-1]
    else:
        return ()
    return (entry.source if isinstance(entry, Each) else entry)(sources, typed)


def _help(level: type[Level]) -> Iterator[Suggestion]:
    from hatools.shell.help import manual

    book = manual()
    yield from (
        Suggestion(entry.name, entry.short) for (where, _), entry in book.commands.items() if where == level.name
    )
    yield from (Suggestion(entry.name, entry.short) for entry in book.levels.values())
    yield from (Suggestion(entry.name, entry.short) for entry in book.topics.values())


def _status_words() -> Iterator[Suggestion]:
    from hatools.shell.status import STATUS_WORDS

    return map(Suggestion, STATUS_WORDS)


def _exit_words() -> Iterator[Suggestion]:
    from hatools.values.ocfresult import ocf_result_text

    return (Suggestion(str(code), ocf_result_text(code)) for code in (*range(10), 190, 191))


def _property_names() -> Iterator[Suggestion]:
    from hatools.values.options import CLUSTER_OPTIONS

    return (Suggestion(option.name, option.summary) for option in CLUSTER_OPTIONS.values())


def _schemas() -> Iterator[Suggestion]:
    from hatools.parser.dialect import KNOWN_VERSIONS

    return (Suggestion(f"pacemaker-{version}") for version in KNOWN_VERSIONS)


def _members(sources: Sources, group: str) -> list[Suggestion]:
    item = sources.item(group)
    return [Suggestion(child.id or "", "member") for child in item.children] if item is not None else []


def _movable(sources: Sources, typed: Sequence[str]) -> Iterable[Suggestion]:
    """Return what can be added to a group, or removed from it."""
    return _members(sources, typed[0]) if typed[1] == "remove" else sources.free_primitives(typed)


def _scripts(session: "Session", typed: Sequence[str]) -> Iterator[Suggestion]:
    """Suggest wizards, behind one its parameters with their descriptions."""
    from hatools.shell.scripts.loading import Library

    library = Library.of(session)
    if len(typed) == 1:
        yield from (Suggestion(name, "wizard") for name in library.names())
        return
    try:
        script = library.load(typed[0])
    except ValueError:
        return
    for step in script.steps:
        for parameter in step.parameters:
            required = "* " if parameter.required else ""
            name = f"{step.name}.{parameter.name}" if step.name else parameter.name
            yield Suggestion(f"{name}=", f"{required}{parameter.short_text}")
