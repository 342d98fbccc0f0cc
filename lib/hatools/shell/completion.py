"""What can come next: from a line to suggestions. Pure but for what it is given to look things up.

:func:`suggest` walks the line through the levels as running it would, then asks the completer of
the command. A suggestion has the text that would stand there and a few words on what it means.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from hatools.parser.tokens import split_words
from hatools.shell.commands import Door, Level
from hatools.values.errors import SyntaxProblem
from hatools.values.records import dataclass

if TYPE_CHECKING:
    from hatools.agents.metadata import AgentMetadata
    from hatools.shell.changeset.objects import CibObject
    from hatools.shell.session import Session

_SECTION_WORDS = ("params", "meta", "utilization", "op", "operations")
_OBJECT_COMMANDS = frozenset(("show", "edit", "delete", "rm", "rename", "save", "filter", "set"))
_RESOURCE_COMMANDS = frozenset(
    (
        "status",
        "start",
        "stop",
        "restart",
        "promote",
        "demote",
        "manage",
        "unmanage",
        "move",
        "ban",
        "clear",
        "cleanup",
        "refresh",
        "maintenance",
        "trace",
        "untrace",
        "locate",
        "constraints",
        "operations",
        "param",
        "meta",
        "utilization",
        "failcount",
        "secret",
        "why",
    )
)
_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A word that may come, and what it means."""

    text: str
    meaning: str = ""


def suggest(session: "Session", start: type[Level], line: str) -> list[Suggestion]:
    """Return what the last, perhaps empty, word of a line could be.

    Args:
        start: the level at which the line is typed.
    """
    try:
        words = [word.text for word in split_words(line)]
    except SyntaxProblem:
        return []
    if not line or line[-1].isspace():
        words.append("")
    level = start
    while len(words) > 1:
        try:
            entry = level.find(words[0])
        except ValueError:
            return []
        if entry is None:
            return []
        words = words[1:]
        if isinstance(entry, Door):
            level = entry.open()
            continue
        found = Completer(session, level, entry.name).arguments(words)
        return _matching(found, words[-1])
    return _matching(_names(level), words[-1])


def _names(level: type[Level]) -> Iterator[Suggestion]:
    from hatools.shell.help import short_help

    for name in level.names():
        if not name.startswith(("_", "-")):
            yield Suggestion(name, short_help(level.name, name))


def _matching(found: Iterable[Suggestion], prefix: str) -> list[Suggestion]:
    unique: dict[str, Suggestion] = {}
    for suggestion in found:
        if suggestion.text.startswith(prefix):
            unique.setdefault(suggestion.text, suggestion)
            if len(unique) >= _LIMIT:
                break
    return list(unique.values())


class Completer:
    """Suggests arguments of one command.

    ``words`` are the arguments typed so far; the last one, perhaps empty, is being typed.
    """

    def __init__(self, session: "Session", level: type[Level], command: str) -> None:
        self._session = session
        self._level = level.name
        self._command = command

    def arguments(self, words: Sequence[str]) -> Iterable[Suggestion]:
        """Return what the last word could be."""
        if self._command == "help":
            return self._help()
        chooser: Callable[[Sequence[str]], Iterable[Suggestion]] | None = getattr(self, f"_in_{self._level}", None)
        return chooser(words) if chooser is not None else ()

    def _help(self) -> Iterator[Suggestion]:
        from hatools.shell.help import manual

        book = manual()
        yield from (Suggestion(entry.name, entry.short) for entry in book.topics.values())
        yield from (Suggestion(entry.name, entry.short) for entry in book.levels.values())
        yield from (
            Suggestion(name, entry.short) for (where, name), entry in book.commands.items() if where == self._level
        )

    # Levels

    def _in_root(self, words: Sequence[str]) -> Iterable[Suggestion]:
        if self._command == "status":
            from hatools.shell.status import STATUS_WORDS

            return map(Suggestion, STATUS_WORDS)
        if self._command == "lab" and len(words) == 1:
            names = "start status kill boot pause resume cut slow heal stop exec env destroy demo"
            return map(Suggestion, names.split())
        return ()

    def _in_resource(self, words: Sequence[str]) -> Iterable[Suggestion]:
        if self._command not in _RESOURCE_COMMANDS:
            return ()
        if len(words) == 1 or self._command in ("start", "stop", "status", "restart", "locate"):
            return self._resources()
        if self._command in ("param", "meta", "utilization", "failcount", "secret"):
            if len(words) == 2:
                return map(Suggestion, ("set", "delete", "show"))
            if len(words) == 3:
                if self._command == "failcount":
                    return self._nodes()
                return self._parameters_of_resource(words[0])
            return ()
        if self._command in ("move", "ban", "cleanup", "refresh", "why"):
            return [*self._nodes(), Suggestion("force")]
        if self._command == "maintenance":
            return map(Suggestion, ("on", "off"))
        return ()

    def _in_node(self, words: Sequence[str]) -> Iterable[Suggestion]:
        if len(words) == 1 or self._command in ("standby", "online", "server"):
            return self._nodes()
        if self._command in ("attribute", "utilization", "status-attr") and len(words) == 2:
            return map(Suggestion, ("set", "delete", "show"))
        return ()

    def _in_cib(self, words: Sequence[str]) -> Iterable[Suggestion]:
        from hatools.shell.levels.cib import shadow_names

        if self._command == "new":
            return map(Suggestion, ("empty", "force", "withstatus")) if len(words) > 1 else ()
        return [*map(Suggestion, shadow_names()), *([Suggestion("live")] if self._command == "use" else [])]

    def _in_ra(self, words: Sequence[str]) -> Iterable[Suggestion]:
        from hatools.shell.agents import catalog

        if self._command == "list":
            return map(Suggestion, catalog().standards() if len(words) == 1 else catalog().providers())
        if self._command in ("info", "validate") and len(words) == 1:
            return self._agents(words[-1])
        return ()

    def _in_options(self, words: Sequence[str]) -> Iterable[Suggestion]:
        from hatools.shell.preferences import PREFERENCES

        if self._command in ("set", "show") and len(words) == 1:
            return map(Suggestion, self._session.preferences.names())
        name = words[0] if self._command == "set" else f"core.{self._command.replace('-', '_')}"
        section, _, key = name.partition(".")
        known = PREFERENCES.get(section, {}).get(key)
        return map(Suggestion, known.choices) if known is not None else ()

    def _in_cluster(self, words: Sequence[str]) -> Iterable[Suggestion]:
        return [*self._nodes(), Suggestion("--all")] if self._command in ("start", "stop", "restart", "remove") else ()

    def _in_site(self, words: Sequence[str]) -> Iterable[Suggestion]:
        return (
            map(Suggestion, ["grant", "revoke", "standby", "activate", "show", "time", "delete"])
            if len(words) == 1
            else ()
        )

    def _in_maintenance(self, words: Sequence[str]) -> Iterable[Suggestion]:
        return self._resources() if len(words) == 1 else ()

    def _in_configure(self, words: Sequence[str]) -> Iterable[Suggestion]:
        chooser: Callable[[Sequence[str]], Iterable[Suggestion]] | None
        chooser = getattr(self, f"_configure_{self._command.replace('-', '_')}", None)
        if chooser is not None:
            found: Iterable[Suggestion] = chooser(words)
            return found
        if self._command in _OBJECT_COMMANDS:
            return self._objects()
        return ()

    # Statements

    def _configure_show(self, words: Sequence[str]) -> Iterator[Suggestion]:
        yield from map(Suggestion, ("xml", "changed"))
        yield from (Suggestion(f"type:{word}") for word in sorted({item.word for item in self._items()}))
        yield from (Suggestion(f"tag:{item.id}") for item in self._items() if item.word == "tag")
        yield from self._objects()

    _configure_edit = _configure_save = _configure_show

    def _configure_property(self, words: Sequence[str]) -> Iterator[Suggestion]:
        from hatools.values.options import CLUSTER_OPTIONS

        name, equals, _ = words[-1].partition("=")
        option = CLUSTER_OPTIONS.get(name)
        if equals and option is not None:
            choices = option.choices or (("true", "false") if option.type == "boolean" else ())
            yield from (
                Suggestion(f"{name}={choice}") for choice in (*choices, *([option.default] if option.default else []))
            )
            return
        given = {word.partition("=")[0] for word in words[:-1]}
        for option in CLUSTER_OPTIONS.values():
            if option.name not in given:
                default = f" [{option.default}]" if option.default is not None else ""
                yield Suggestion(f"{option.name}=", f"{option.summary}{default}")

    def _configure_get_property(self, words: Sequence[str]) -> Iterator[Suggestion]:
        from hatools.values.options import CLUSTER_OPTIONS

        yield from (Suggestion(option.name, option.summary) for option in CLUSTER_OPTIONS.values())

    def _configure_primitive(self, words: Sequence[str]) -> Iterable[Suggestion]:
        if len(words) == 1:
            return ()
        if len(words) == 2:
            templates = (Suggestion(f"@{item.id}", "template") for item in self._items() if item.word == "rsc_template")
            return [*templates, *self._agents(words[-1])]
        return self._primitive_rest(words)

    _configure_rsc_template = _configure_primitive

    def _primitive_rest(self, words: Sequence[str]) -> Iterator[Suggestion]:
        section = next((word for word in reversed(words[2:-1]) if word in _SECTION_WORDS), "params")
        yield from (Suggestion(word) for word in _SECTION_WORDS)
        if section == "params":
            yield from self._parameters(words[1], words)
        elif section == "meta":
            yield from self._meta()
        elif section == "op":
            yield from self._operation(words)

    def _operation(self, words: Sequence[str]) -> Iterator[Suggestion]:
        metadata = self._metadata(words[1])
        if words[-2] == "op":
            for action in metadata.actions if metadata is not None else ():
                if action.name not in ("meta-data", "validate-all"):
                    yield Suggestion(action.name, f"timeout={action.timeout}" if action.timeout else "")
            return
        name = words[len(words) - 1 - words[::-1].index("op") + 1]
        for action in metadata.actions if metadata is not None else ():
            if action.name == name:
                for key, value in action.attributes:
                    if key in ("timeout", "interval", "role") and value:
                        yield Suggestion(f"{key}={value}", "advised")

    def _configure_group(self, words: Sequence[str]) -> Iterator[Suggestion]:
        if len(words) > 1:
            yield from self._free(("primitive",))
            yield from map(Suggestion, ("meta", "params"))
            if "meta" in words:
                yield from self._meta()

    def _configure_clone(self, words: Sequence[str]) -> Iterator[Suggestion]:
        if len(words) == 2:
            yield from self._free(("primitive", "group"))
        elif len(words) > 2:
            yield from map(Suggestion, ("meta", "params"))
            yield from self._meta("clone")

    _configure_ms = _configure_clone

    def _configure_modgroup(self, words: Sequence[str]) -> Iterable[Suggestion]:
        if len(words) == 1:
            return (Suggestion(item.id or "") for item in self._items() if item.word == "group")
        if len(words) == 2:
            return map(Suggestion, ("add", "remove"))
        if len(words) == 4:
            return map(Suggestion, ("after", "before"))
        return self._resources()

    def _configure_location(self, words: Sequence[str]) -> Iterable[Suggestion]:
        if len(words) == 2:
            return self._resources()
        if words[-2].endswith(":"):
            return self._nodes()
        return (
            map(Suggestion, ("rule", "inf:", "-inf:", "100:", "role=", "resource-discovery=")) if len(words) > 2 else ()
        )

    def _configure_colocation(self, words: Sequence[str]) -> Iterable[Suggestion]:
        if len(words) == 2:
            return map(Suggestion, ("inf:", "-inf:"))
        return self._resources() if len(words) > 2 else ()

    def _configure_order(self, words: Sequence[str]) -> Iterable[Suggestion]:
        if len(words) == 2:
            return [*map(Suggestion, ("Mandatory:", "Optional:", "Serialize:")), *self._resources()]
        return self._resources() if len(words) > 2 else ()

    def _configure_rsc_ticket(self, words: Sequence[str]) -> Iterable[Suggestion]:
        return self._resources() if len(words) > 2 else ()

    def _configure_tag(self, words: Sequence[str]) -> Iterable[Suggestion]:
        return self._objects() if len(words) > 1 else ()

    def _configure_monitor(self, words: Sequence[str]) -> Iterable[Suggestion]:
        return self._resources() if len(words) == 1 else ()

    def _configure_node(self, words: Sequence[str]) -> Iterable[Suggestion]:
        return self._nodes() if len(words) == 1 else map(Suggestion, ("attributes", "utilization"))

    def _configure_rsc_defaults(self, words: Sequence[str]) -> Iterable[Suggestion]:
        return self._meta()

    def _configure_load(self, words: Sequence[str]) -> Iterable[Suggestion]:
        methods = ("replace", "update", "push")
        if words[-1] in ("", *methods) and not set(words[:-1]) & set(methods):
            return map(Suggestion, (*methods, *(("xml",) if len(words) == 1 else ())))
        return self._files(words[-1]) if set(words[:-1]) & set(methods) else map(Suggestion, (*methods, "xml"))

    def _configure_commit(self, words: Sequence[str]) -> Iterable[Suggestion]:
        return map(Suggestion, ("force", "replace"))

    def _configure_ptest(self, words: Sequence[str]) -> Iterable[Suggestion]:
        return map(Suggestion, ("nograph", "scores", "actions", "utilization"))

    def _configure_schema(self, words: Sequence[str]) -> Iterable[Suggestion]:
        from hatools.parser.dialect import KNOWN_VERSIONS

        return (Suggestion(f"pacemaker-{version}") for version in KNOWN_VERSIONS)

    # What there is

    def _items(self) -> "Sequence[CibObject]":
        configuration = self._session.configuration
        return configuration.workspace.objects if configuration.load() else ()

    def _objects(self) -> Iterator[Suggestion]:
        return (Suggestion(item.id or "", item.word) for item in self._items())

    def _resources(self) -> Iterator[Suggestion]:
        return (Suggestion(item.id or "", item.word) for item in self._items() if item.is_resource)

    def _free(self, words: Sequence[str]) -> Iterator[Suggestion]:
        return (
            Suggestion(item.id or "", item.word) for item in self._items() if item.word in words and not item.parent
        )

    def _nodes(self) -> Iterator[Suggestion]:
        return (Suggestion(item.node.get("uname") or "", "node") for item in self._items() if item.word == "node")

    def _agents(self, prefix: str) -> Iterator[Suggestion]:
        from hatools.shell.agents import catalog

        standard, colon, rest = prefix.partition(":")
        if not colon:
            yield from (Suggestion(f"{name}:", "class") for name in catalog().standards())
            yield from (Suggestion(name, "ocf agent") for name in catalog().types("ocf"))
        elif standard == "ocf" and ":" not in rest:
            yield from (Suggestion(f"ocf:{provider}:", "provider") for provider in catalog().providers())
        elif standard == "ocf":
            provider = rest.partition(":")[0]
            yield from (Suggestion(f"ocf:{provider}:{name}") for name in catalog().types("ocf", provider))
        else:
            yield from (Suggestion(f"{standard}:{name}") for name in catalog().types(standard))

    def _metadata(self, name: str) -> "AgentMetadata | None":
        from hatools.parser import syntax
        from hatools.parser.grammar import AgentProblem
        from hatools.shell.agents import complete_name, metadata

        if name.startswith("@"):
            item = self._session.configuration.workspace.find_object(name[1:])
            if item is None:
                return None
            node = item.node
            return metadata(syntax.Agent(node.get("class", ""), node.get("provider", ""), node.get("type", "")))
        try:
            return metadata(complete_name(name))
        except AgentProblem:
            return None

    def _parameters(self, agent: str, words: Sequence[str]) -> Iterator[Suggestion]:
        metadata = self._metadata(agent)
        if metadata is None:
            return
        name, equals, _ = words[-1].partition("=")
        given = {word.partition("=")[0] for word in words[:-1]}
        for parameter in metadata.parameters:
            if equals:
                if parameter.name == name:
                    choices = parameter.options or ((parameter.default,) if parameter.default else ())
                    yield from (Suggestion(f"{name}={choice}") for choice in choices)
            elif parameter.name not in given:
                default = f" [{parameter.default}]" if parameter.default else ""
                required = "* " if parameter.required else ""
                yield Suggestion(f"{parameter.name}=", f"{required}{parameter.short_text}{default}")

    def _parameters_of_resource(self, name: str) -> Iterator[Suggestion]:
        if self._command == "meta":
            yield from (Suggestion(s.text.rstrip("="), s.meaning) for s in self._meta())
            return
        item = self._session.configuration.workspace.find_object(name)
        pairs = item.node.iter("nvpair") if item is not None else ()
        yield from (Suggestion(pair.get("name") or "") for pair in pairs)

    def _meta(self, word: str = "primitive") -> Iterator[Suggestion]:
        names = "target-role is-managed maintenance priority resource-stickiness migration-threshold failure-timeout"
        names += " multiple-active allow-migrate requires remote-node"
        if word == "clone":
            names = "promotable clone-max clone-node-max promoted-max promoted-node-max interleave notify ordered"
            names += " globally-unique target-role is-managed priority"
        yield from (Suggestion(f"{name}=") for name in names.split())

    def _files(self, prefix: str) -> Iterator[Suggestion]:
        return map(Suggestion, self._session.files_from(prefix))


def complete_for_bash(argv: Sequence[str]) -> int:
    """Print suggestions for bash, ``--compgen POINT LINE``, or for zsh, ``--compgen POINT LINE whole``."""
    from hatools.shell.levels.root import Root
    from hatools.shell.session import Session

    if len(argv) < 2:
        return 0
    line = argv[1][: int(argv[0])] if argv[0].isdigit() else argv[1]
    at = line.find("crm")
    line = line[at + 3 :].lstrip() if at >= 0 else line
    last = "" if line.endswith(" ") or not line else line.split()[-1]
    cut = 0 if "whole" in argv[2:] else max(map(last.rfind, ":=")) + 1  # where bash begins a new word
    for suggestion in suggest(Session(), Root, line):
        print(suggestion.text[cut:])
    return 0
