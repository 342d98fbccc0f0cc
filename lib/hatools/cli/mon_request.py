"""What a ``crm_mon`` command line asks for, put together from its options. Pure.

Sections are decided in three steps: what the output format shows by default, then the fencing
level and quietness, then the user's includes and excludes from left to right.
"""

from enum import Enum

from hatools.cli.options import CommandLine, CommandLineError
from hatools.status.view import SECTION_NAMES, Section, Show
from hatools.values.duration import parse_duration_ms, parse_interval_ms
from hatools.values.records import dataclass, field

__all__ = ["FENCING_LEVELS", "Format", "MonRequest", "SectionError", "fencing_level", "read_request"]


class Format(Enum):
    """How the status is put out. ``LINE`` is the one line for monitoring systems."""

    UNSET = "unset"
    CONSOLE = "console"
    TEXT = "text"
    LINE = "line"
    XML = "xml"
    LEGACY_XML = "legacy-xml"
    HTML = "html"
    CGI = "cgi"
    JSON = "json"
    NONE = "none"


FENCING_LEVELS = (
    Section.NONE,
    Section.FENCING_FAILED | Section.FENCING_PENDING,
    Section.FENCING,
    Section.FENCING,
)
"""Sections that each level of ``--fence-history`` shows."""

_INCLUDABLE = (
    "attributes, bans{}, counts, dc, {}failcounts, failures, fencing, fencing-failed, "
    "fencing-pending, fencing-succeeded, maint-mode, nodes, none, operations, options, resources, "
    "stack, summary, tickets, times"
)


class SectionError(Exception):
    """A section's name is wrong; the text lists the right ones."""


@dataclass(slots=True)
class MonRequest:
    """The options of one call. ``choices`` are the user's includes and excludes: (True for include, names)."""

    format: Format = Format.UNSET
    one_shot: bool = False
    daemonize: bool = False
    dest: str | None = None
    reconnect_ms: int = 5000
    fence_level: int = 1
    fencing_wanted: list[tuple[bool, Section]] = field(default_factory=list)
    choices: list[tuple[bool, str]] = field(default_factory=list)
    show: Show = Show.PENDING
    node: str | None = None
    resource: str | None = None
    ban_prefix: str | None = None
    pid_file: str = "/tmp/ClusterMon.pid"
    agent: str | None = None
    recipient: str | None = None
    watch_fencing: bool = False
    cib_file: str | None = None
    quiet: bool = False
    verbosity: int = 0
    title: str = "Cluster Status"
    stylesheet: str | None = None
    cgi_header: bool = False
    warns: bool = False
    """Whether to say first what an operator must know even where the output is no terminal."""

    @property
    def is_xml(self) -> bool:
        """Whether either form of XML was asked for."""
        return self.format in (Format.XML, Format.LEGACY_XML)

    def default_sections(self) -> Section:
        """Return what the format shows if nothing else is said."""
        return self.all_sections() if self.is_xml or self.format is Format.JSON else Section.DEFAULT

    def all_sections(self) -> Section:
        """Return everything the format can show; text leaves out the cluster options."""
        everything = Section.ALL
        if self.format in (Format.LINE, Format.TEXT, Format.CONSOLE):
            return everything & ~Section.OPTIONS
        return everything

    def sections(self) -> Section:
        """Return the sections to show.

        Raises:
            SectionError: a name is wrong.
        """
        chosen = self.default_sections()
        for include, sections in self.fencing_wanted:
            chosen = chosen | sections if include else chosen & ~sections
        for include, names in self.choices:
            for name in names.split(","):
                chosen = self._include(chosen, name) if include else self._exclude(chosen, name)
        return chosen

    def _include(self, chosen: Section, name: str) -> Section:
        if name == "all":
            return self.all_sections()
        if name == "none":
            return Section.NONE
        if name in ("default", "defaults"):
            return chosen | self.default_sections()
        if name.startswith("bans"):
            self.ban_prefix = name[5:] if name[4:5] == ":" else None
            return chosen | Section.BANS
        section = SECTION_NAMES.get(name.lower())
        if section is None:
            raise SectionError(f"--include options: all, {_INCLUDABLE.format('[:PREFIX]', 'default, ')}")
        return chosen | section

    def _exclude(self, chosen: Section, name: str) -> Section:
        if name == "all":
            return Section.NONE
        if name == "none":
            return self.all_sections()
        section = SECTION_NAMES.get(name.lower())
        if section is None:
            raise SectionError(f"--exclude options: all, {_INCLUDABLE.format('', '')}")
        return chosen & ~section


def fencing_level(sections: Section) -> int:
    """Return the level of fencing history that sections amount to."""
    if sections & Section.FENCING == Section.FENCING:
        return 3
    if Section.FENCING_SUCCEEDED in sections:
        return 2
    return 1 if sections & Section.FENCING else 0


_SHOW = {
    "group-by-node": Show.BY_NODE,
    "inactive": Show.INACTIVE,
    "brief": Show.BRIEF,
    "show-detail": Show.DETAILS,
    "timing-details": Show.TIMING,
    "pending": Show.PENDING,
}
_INCLUDES = {
    "timing-details": "operations",
    "show-node-attributes": "attributes",
    "failcounts": "failcounts",
    "operations": "failcounts,operations",
    "tickets": "tickets",
}
_FORMATS = {
    "console": Format.CONSOLE,
    "text": Format.TEXT,
    "xml": Format.XML,
    "html": Format.HTML,
    "json": Format.JSON,
    "none": Format.NONE,
}


def read_request(line: CommandLine) -> MonRequest:
    """Turn a command line into a request.

    Raises:
        CommandLineError: a value is wrong.
    """
    request = MonRequest(dest=line.get("output-to"))
    set_fencing_level(request, 1)
    for name, value in line.events:
        request.show |= _SHOW.get(name, Show.NONE)
        if name in _INCLUDES:
            request.choices.append((True, _INCLUDES[name]))
        _apply(request, name, value)
    request.quiet = line.has("quiet")
    request.warns = line.has("warnings")
    request.verbosity = line.verbosity
    request.title = line.get("html-title") or request.title
    request.stylesheet = line.get("html-stylesheet")
    request.cgi_header = request.format is Format.CGI or line.has("html-cgi")
    if request.quiet:
        request.fencing_wanted.append((False, Section.TIMES))
    if request.watch_fencing:
        set_fencing_level(request, 0)
    return request


def set_fencing_level(request: MonRequest, level: int) -> None:
    """Choose how much fencing history is shown."""
    request.fence_level = level
    wanted = FENCING_LEVELS[level]
    request.fencing_wanted.append((True, wanted) if level else (False, Section.FENCING))


def settle_format(request: MonRequest, output_as: str | None) -> None:
    """Decide the format where no option did.

    Raises:
        CommandLineError: there is no such format.
    """
    if request.format is not Format.UNSET:
        return
    if output_as is not None and output_as.lower() in ("html", "text", "xml", "json", "none"):
        request.format = _FORMATS[output_as.lower()]
    elif request.one_shot:
        request.format = Format.TEXT
    elif not request.daemonize and request.dest is not None:
        request.one_shot = True
        request.format = Format.TEXT
    else:
        request.format = Format.CONSOLE


def _apply(request: MonRequest, name: str, value: str | None) -> None:
    match name:
        case "include" | "exclude":
            request.choices.append((name == "include", value or ""))
        case "hide-headers":
            request.choices.append((False, "summary"))
        case "neg-locations":
            request.choices.append((True, "bans" if value is None else f"bans:{value}"))
        case "fence-history":
            level = 2 if value is None else int(value) if value.isdigit() else 0
            if level > 3:
                raise CommandLineError("Fence history must be 0-3")
            set_fencing_level(request, level)
        case "interval":
            if parse_duration_ms(value) is None:
                raise CommandLineError(f"Invalid value for -i: {value}")
            request.reconnect_ms = parse_interval_ms(value)
        case "node":
            request.node = value
        case "resource":
            request.resource = value
        case "one-shot":
            request.one_shot = True
        case _:
            _apply_output(request, name, value)


def _apply_output(request: MonRequest, name: str, value: str | None) -> None:
    """Apply options about where the output goes."""
    match name:
        case "simple-status":
            request.format, request.one_shot = Format.LINE, True
        case "as-html":
            request.format, request.dest = Format.HTML, value
        case "as-xml":
            request.format = Format.LEGACY_XML
        case "disable-ncurses":
            request.format = Format.TEXT
        case "web-cgi":
            request.format, request.one_shot = Format.CGI, True
        case "xml-file":
            request.cib_file, request.one_shot = value, True
        case "daemonize":
            request.daemonize = True
        case "pid-file":
            request.pid_file = value or request.pid_file
        case "external-agent":
            request.agent = value
        case "external-recipient":
            request.recipient = value
        case "watch-fencing":
            request.watch_fencing = True
