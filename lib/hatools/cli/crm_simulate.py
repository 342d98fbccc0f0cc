"""``crm_simulate``: what would the cluster do? I/O.

Reads a CIB, changes it as asked, lets the scheduler decide, plays the transition against a copy
and shows the cluster before and after. Decisions come from :mod:`hatools.scheduler`, playing
from :mod:`hatools.simulate`, the status from :mod:`hatools.status`.
"""

import gc
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from hatools.cib.document import Document
from hatools.cli.ending import Refused
from hatools.cli.findings import show_findings
from hatools.cli.options import CommandLine, CommandLineError, begin_or_fail, program_name
from hatools.cli.options import Finished as Ended
from hatools.cli.output import Output, OutputError, XmlOutput
from hatools.cli.simulate_options import PROGRAM
from hatools.simulate.inject import Change, Injections, inject
from hatools.simulate.phrases import change_form, change_line, summary_form, summary_lines
from hatools.simulate.run import Ending, Finished, Remark, Settings, Trouble, play
from hatools.simulate.workbench import Workbench
from hatools.status.outline import Entry, Listing, write_text
from hatools.status.view import Section, Show, View
from hatools.values.errors import HatoolsError, SchemaError, UnavailableError
from hatools.values.exitcode import ExitCode
from hatools.values.integer import whole_number
from hatools.values.iso8601 import Moment
from hatools.values.records import dataclass, field
from hatools.values.score import format_score

if TYPE_CHECKING:
    from hatools.scheduler.plan import Plan, ScoreRecord
    from hatools.scheduler.schedule import Schedule

KEEPS_EVERYTHING = True
"""Nothing becomes garbage before the command ends; looking for it takes a tenth of the time."""

SCORE_LABELS = {
    "primitive": "pcmk__primitive_assign",
    "group": "pcmk__group_assign",
    "clone": "pcmk__clone_allocate",
    "bundle": "pcmk__bundle_allocate",
    "utilization": "pcmk__finalize_assignment",
    "original": "Original",
    "remaining": "Remaining",
}
"""How 2.1.5 names the steps in which scores are decided; our own names are the keys."""


@dataclass(slots=True)
class Request:
    """What the command line asks for."""

    process: bool = False
    simulate: bool = False
    store: bool = False
    scores: bool = False
    utilization: bool = False
    all_actions: bool = False
    sanitized: bool = True
    source: str | None = "-"
    save_input: str | None = None
    save_output: str | None = None
    graph_file: str | None = None
    dot_file: str | None = None
    profile: str | None = None
    repeat: int = 1
    date: str | None = None
    sections: Section = Section.NODES | Section.RESOURCES
    injections: Injections = field(default_factory=Injections)
    failures: list[str] = field(default_factory=list)
    verbosity: int = 0


def read_request(line: CommandLine) -> Request:
    """Turn the options into a request; later options overrule earlier ones."""
    request = Request(verbosity=line.verbosity)
    injections = request.injections
    lists = {
        "node-up": injections.node_up,
        "node-down": injections.node_down,
        "node-fail": injections.node_fail,
        "op-inject": injections.operations,
        "op-fail": request.failures,
        "ticket-grant": injections.ticket_grant,
        "ticket-revoke": injections.ticket_revoke,
        "ticket-standby": injections.ticket_standby,
        "ticket-activate": injections.ticket_activate,
    }
    for name, value in line.events:
        if name in lists and value is not None:
            lists[name].append(value)
        _apply_switch(request, name, value)
    return request


_PROCESSING = (
    "run",
    "simulate",
    "in-place",
    "op-fail",
    "show-scores",
    "show-utilization",
    "save-graph",
    "save-dotfile",
)


def _apply_switch(request: Request, name: str, value: str | None) -> None:
    """Apply one option other than the lists of changes."""
    if name in ("run", "simulate", "in-place", "op-fail", "show-scores", "show-utilization") or name.startswith(
        "save-"
    ):
        request.process = request.process or name not in ("save-input", "save-output")
    match name:
        case "simulate" | "op-fail":
            request.simulate = True
        case "in-place":
            request.simulate = request.store = True
        case "show-attrs":
            request.sections |= Section.ATTRIBUTES
        case "show-failcounts":
            request.sections |= Section.FAILCOUNTS | Section.FAILURES
        case "show-scores":
            request.scores = True
        case "show-utilization":
            request.utilization = True
        case "all-actions":
            request.all_actions = True
        case "live-check":
            request.source, request.sanitized = None, False
        case "xml-file":
            request.source, request.sanitized = value, True
        case "xml-pipe":
            request.source, request.sanitized = "-", True
        case "profile":
            request.profile = value
        case "repeat":
            request.repeat = int(value or "1")
        case "set-datetime":
            request.date = value
        case "quorum":
            request.injections.quorum = value
        case "watchdog":
            request.injections.watchdog = value
        case "save-input":
            request.save_input = value
        case "save-output":
            request.save_output = value
        case "save-graph":
            request.graph_file = value
        case "save-dotfile":
            request.dot_file = value


def main(argv: list[str]) -> int:
    """Run the command."""
    try:
        line, out = begin_or_fail(PROGRAM, argv)
    except Ended as ended:
        return ended.code
    except CommandLineError as error:
        print(f"{program_name()}: {error}", file=sys.stderr)
        return ExitCode.USAGE
    except OutputError as error:
        print(error, file=sys.stderr)
        return ExitCode.NOSUCH
    request = read_request(line)
    out.quiet = line.has("quiet")
    out.fancy = isinstance(out, XmlOutput) or not (request.scores or request.utilization)
    session = _Session(request, out)
    try:
        code = session.run()
    except Refused as refused:
        code = refused.code
        if str(refused):
            out.dest.flush()
            print(f"{program_name()}: {refused}", file=sys.stderr)
    except HatoolsError as error:
        code = int(error.exit_code)
        print(f"{program_name()}: {error}", file=sys.stderr)
    return out.finish(code)


class _Session:
    """One run: the document as it changes, and what was printed so far."""

    def __init__(self, request: Request, out: Output) -> None:
        self.request = request
        self.out = out
        self.printed = False
        self.document = Document.parse("<cib/>")

    def run(self) -> int:
        request = self.request
        if request.profile is not None:
            return self._profile(request.profile)
        self.document = _read_source(request.source, request.verbosity)
        plan = self._unpack(self.document)
        self._show_head(plan)
        if request.injections:
            self._inject(plan)
            plan = self._unpack(self.document)
        if request.save_input is not None:
            _write_cib(request.save_input, self.document)
        code = int(ExitCode.OK)
        if request.process:
            code = self._process(plan)
        target = _store_path(request.source) if request.store else request.save_output
        if target is not None and target != "-":
            _write_cib(target, self.document)
        return code

    # -- time and status

    def _now(self, *, announce: bool = True) -> Moment:
        """Return the time that counts, announcing it where it is not the real one."""
        offset = time.localtime().tm_gmtoff
        recorded = whole_number(self.document.root.get("execution-date"))
        if self.request.date is not None:
            self._info(f"Setting effective cluster time: {self.request.date}")
            now = Moment.from_epoch(int(time.time()), offset)
            return Moment.parse(self.request.date, now, offset) or now
        if recorded > 0:
            if announce:
                shown = Moment.from_epoch(recorded).format(with_timezone=False)
                self._info(f"Using the original execution date of: {shown}")
            return Moment.from_epoch(recorded, offset)
        return Moment.from_epoch(int(time.time()), offset)

    def _unpack(self, document: Document) -> "Plan":
        from hatools.scheduler.schedule import unpack_status

        plan = unpack_status(
            document,
            self._now(),
            sanitized=self.request.sanitized,
            show_utilization=self.request.utilization,
            record_scores=self.request.scores,
        )
        show_findings(plan.findings, self.request.verbosity)
        return plan

    def _show_head(self, plan: "Plan") -> None:
        """Show the warnings and the status before anything is done."""
        from hatools.status.sections import maintenance_banner

        if self.out.quiet and not isinstance(self.out, XmlOutput):
            return
        if plan.options.maintenance:
            banner = maintenance_banner(maintenance_mode=True, stop_all=False)
            if not isinstance(self.out, XmlOutput):
                self.out.dest.write(banner or "")
                self.printed = True
        disabled, blocked = plan.disabled_resources, plan.blocked_resources
        if (disabled or blocked) and not isinstance(self.out, XmlOutput):
            self._space()
            self._info(
                f"{disabled} of {plan.known_instances} resource instances DISABLED and {blocked} "
                "BLOCKED from further action due to failure"
            )
            self.printed = True
        self._status("Current cluster status", plan, Show.PENDING)

    def _status(self, title: str, plan: "Plan", show: Show) -> None:
        from hatools.status.collect import collect

        view = View(self.request.sections, show | Show.INACTIVE | Show.FAILURE_DETAIL)
        status = collect(plan, time.time(), view.sections)
        if isinstance(self.out, XmlOutput):
            from hatools.status.xml import XmlSections

            self.out.push(_XML_LISTS[title])
            self.out.parent.extend(XmlSections(status, view).report())
            self.out.pop()
            return
        from hatools.status.sections import TextSections

        self._write([Listing(title, TextSections(status, view).report())])

    # -- output

    def _write(self, entries: Iterable[Entry]) -> None:
        """Write a block of text, an empty line before it if it is not the first."""
        self._space()
        self.out.dest.write(write_text(entries, fancy=self.out.fancy))
        self.printed = True

    def _space(self) -> None:
        if self.printed and not isinstance(self.out, XmlOutput):
            self.out.spacer()

    def _info(self, text: str) -> None:
        if not self.out.quiet and not isinstance(self.out, XmlOutput):
            self.out.dest.write(f"{text}\n")

    # -- the steps

    def _inject(self, plan: "Plan") -> None:
        """Make the changes that were asked for and show them."""
        bench = Workbench(self.document)
        injections = self.request.injections

        def agent_of(identifier: str) -> tuple[str | None, str | None, str | None] | None:
            resource = plan.find_resource(identifier)
            return None if resource is None else (resource.standard, resource.provider, resource.agent_type)

        changes = inject(bench, injections, agent_of, int(time.time()))
        if isinstance(self.out, XmlOutput):
            attributes = {"quorum": injections.quorum, "watchdog": injections.watchdog}
            self.out.push("modifications", {n: v for n, v in attributes.items() if v is not None})
            self._tell(changes)
            self.out.pop()
        else:
            if not self.out.quiet:
                self._space()
                self.out.begin_list(None, None, "Performing Requested Modifications")
                for word, value in (("quorum", injections.quorum), ("watchdog", injections.watchdog)):
                    if value is not None:
                        self.out.list_item(f"Setting {word}: {value}")
            self._tell(changes)
            if not self.out.quiet:
                self.out.end_list()
        self.printed = True
        self.document = bench.document()

    def _tell(self, changes: Iterable[Change]) -> None:
        """Show changes and simulated steps as they happen."""
        out = self.out
        for change in changes:
            if isinstance(change, Trouble):
                out.error(change.text)
            elif isinstance(change, Remark):
                self._info(change.text)
            elif isinstance(out, XmlOutput):
                form = change_form(change)
                if form is not None:
                    out.element(form.tag, form.attributes)
            elif not out.quiet:
                line = change_line(change)
                if line is not None:
                    out.list_item(line)

    def _process(self, plan: "Plan") -> int:
        """Let the scheduler decide and show that; ``plan`` is what was read already."""
        from hatools.scheduler.schedule import decide

        request = self.request
        shown = len(plan.findings)
        decided = decide(plan)
        show_findings(decided.findings[shown:], request.verbosity)
        self._show_scores(decided)
        self._save_graph(decided)
        if not self.out.quiet or isinstance(self.out, XmlOutput):
            self._show_summary(decided)
        if not request.simulate:
            return ExitCode.OK
        self._space()
        return self._simulate(decided)

    def _show_scores(self, decided: "Schedule") -> None:
        request = self.request
        if not (request.scores or request.utilization):
            return
        title = {
            (True, True): "Allocation Scores and Utilization Information",
            (True, False): "Allocation Scores",
            (False, True): "Utilization Information",
        }[request.scores, request.utilization]
        if isinstance(self.out, XmlOutput):
            self.out.push(_XML_LISTS[title])
            for record in decided.scores:
                self._score_element(record)
            self.out.pop()
            return
        self._space()
        self.out.begin_list(None, None, title)
        for finding in decided.findings:
            if finding.severity == "info":
                self._info(finding.text)
        for record in decided.scores:
            text = score_line(record)
            if self._wants(record):
                self.out.list_item(text)
        self.out.end_list()
        self.printed = True

    def _wants(self, record: "ScoreRecord") -> bool:
        is_utilization = record.stage in _UTILIZATION_STAGES
        return self.request.utilization if is_utilization else self.request.scores

    def _score_element(self, record: "ScoreRecord") -> None:
        assert isinstance(self.out, XmlOutput)
        if not self._wants(record):
            return
        score = format_score(record.score)
        if record.stage == "promotion":
            attributes = {"id": record.resource, "score": score}
            if record.node is not None:
                attributes["node"] = record.node
            self.out.element("promotion_score", attributes)
        elif record.stage == "utilization":
            attributes = {
                "resource": record.resource,
                "node": record.node or "",
                "function": SCORE_LABELS["utilization"],
            }
            self._amounts("utilization", attributes, record)
        elif record.stage in _UTILIZATION_STAGES:
            attributes = {"node": record.node or "", "comment": SCORE_LABELS[record.stage]}
            self._amounts("capacity", attributes, record)
        else:
            attributes = {
                "function": SCORE_LABELS.get(record.stage, record.stage),
                "node": record.node or "",
                "score": score,
                "id": record.resource,
            }
            self.out.element("node_weight", attributes)

    def _amounts(self, tag: str, attributes: dict[str, str], record: "ScoreRecord") -> None:
        """Add an element whose children are amounts."""
        assert isinstance(self.out, XmlOutput)
        self.out.push(tag, attributes)
        for name, value in record.detail:
            self.out.element(name, {}, value)
        self.out.pop()

    def _save_graph(self, decided: "Schedule") -> None:
        request = self.request
        if request.graph_file is not None:
            from hatools.transition.xml import format_graph

            _write_text(request.graph_file, format_graph(decided.graph))
        if request.dot_file is not None:
            from hatools.scheduler.graph import dot_graph
            from hatools.transition.dot import format_dot

            drawing = dot_graph(decided.plan, all_actions=request.all_actions, with_ids=request.verbosity > 0)
            _write_text(request.dot_file, format_dot(*drawing))

    def _show_summary(self, decided: "Schedule") -> None:
        if isinstance(self.out, XmlOutput):
            self.out.push("actions")
            for line in decided.summary:
                form = summary_form(line)
                if form is not None:
                    self.out.element(form.tag, form.attributes)
            self.out.pop()
            return
        self._space()
        self.out.begin_list(None, None, "Transition Summary")
        for text in summary_lines(decided.summary):
            self.out.list_item(text)
        self.out.end_list()
        self.printed = True

    def _simulate(self, decided: "Schedule") -> int:
        """Play the transition and show what the cluster is like afterwards."""
        from hatools.cib.digest import filter_for_digest, operation_digest

        out, plan = self.out, decided.plan
        bench = Workbench(self.document)
        bench.add_configuration = bool(self.request.injections.node_up)
        settings = Settings(
            when=int(time.time()),
            is_known=lambda identifier: plan.find_resource(identifier) is not None,
            failures=self.request.failures,
            digest=lambda action: operation_digest(filter_for_digest(action.attributes)),
        )
        xml = isinstance(out, XmlOutput)
        if isinstance(out, XmlOutput):
            out.push("transition")
        elif not out.quiet:
            out.begin_list(None, None, "Executing Cluster Transition")
        complete = True
        for step in play(decided.graph, bench, settings):
            if isinstance(step, Finished):
                complete = self._tell_ending(step)
            else:
                self._tell([step])
        if isinstance(out, XmlOutput):
            out.pop()
        elif not out.quiet:
            out.end_list()
        self.document = bench.document()
        if xml or not out.quiet:
            self._status("Revised Cluster Status", self._unpack(self.document), Show.NONE)
        return ExitCode.OK if complete else ExitCode.ERROR

    def _tell_ending(self, step: Finished) -> bool:
        """Say how the transition ended, to those who want to know; return whether it was a right one."""
        from hatools.scheduler.plan import Finding

        severity = "warning" if step.ending is Ending.TERMINATED else "notice"
        numbers = f"Complete={step.completed}, Pending=0, Fired=0, Skipped={step.skipped}, Incomplete={step.incomplete}"
        text = f"Transition 0 ({numbers}, Source=crm_simulate): {step.ending}"
        show_findings([Finding(severity, text)], self.request.verbosity)
        if step.ending is not Ending.TERMINATED:
            return True
        self.out.error("Transition failed: terminated")
        self.out.error("An invalid transition was produced")
        return False

    # -- profiling

    def _profile(self, folder: str) -> int:
        """Schedule every XML file of a folder and show how long each took."""
        from hatools.scheduler.schedule import schedule

        if not os.path.isdir(folder):
            return ExitCode.OK
        gc.enable()
        names = sorted(os.listdir(folder), reverse=True)
        self.out.begin_list(None, None, "Timings")
        for name in names:
            path = os.path.join(folder, name)
            if name.startswith(".") or not name.endswith(".xml") or not os.path.isfile(path):
                continue
            start = time.process_time()
            self.document = _read_source(path)
            for _ in range(self.request.repeat):
                schedule(self.document, self._now(announce=False), record_scores=False)
            seconds = time.process_time() - start
            if isinstance(self.out, XmlOutput):
                self.out.element("timing", {"file": path, "duration": f"{seconds:f}"})
            else:
                self.out.list_item(f"Testing {path} ... {seconds:.2f} secs")
        self.out.end_list()
        return ExitCode.OK


_XML_LISTS = {
    "Current cluster status": "cluster_status",
    "Revised Cluster Status": "revised_cluster_status",
    "Allocation Scores": "allocations",
    "Allocation Scores and Utilization Information": "allocations_utilizations",
    "Utilization Information": "utilizations",
}
_UTILIZATION_STAGES = ("original", "remaining", "utilization")


def score_line(record: "ScoreRecord") -> str:
    """Return the line of a score in the words of 2.1.5."""
    node = record.node or "none"
    if record.stage == "promotion":
        return f"{record.resource} promotion score on {node}: {format_score(record.score)}"
    label = SCORE_LABELS.get(record.stage, record.stage)
    if record.stage in _UTILIZATION_STAGES:
        amounts = "".join(f" {name}={value}" for name, value in record.detail)
        if record.stage == "utilization":
            return f"{label}: {record.resource} utilization on {node}:{amounts}"
        return f"{label}: {node} capacity:{amounts}"
    return f"{label}: {record.resource} allocation score on {node}: {format_score(record.score)}"


def _read_source(source: str | None, verbosity: int = 0) -> Document:
    """Read the CIB from a file, standard input (``-``), or the cluster (None), upgraded to a current schema.

    Raises:
        Refused: there is none, or it is not valid.
    """
    from hatools.cli.cib_input import current_form, is_valid_cib, read_lenient, read_source
    from hatools.ipc.clients.cib_file import with_status

    if source is None:
        root = _query().root
    else:
        data = read_source(source)
        found = None if data is None else read_lenient(source, data, verbosity)
        if found is None:
            what = "standard input" if source == "-" else source
            raise Refused(ExitCode.SOFTWARE, f"{what} {'cannot be read' if data is None else 'holds no XML'}")
        root = found
    current = current_form(with_status(Document(root)).root)
    if current is None or not is_valid_cib(current):
        raise Refused(ExitCode.CONFIG)
    return Document(current)


def _query() -> Document:
    """Return the CIB of the cluster, or of the file or shadow that stands for it."""
    from hatools.ipc.clients.cib import open_cib
    from hatools.values.exitcode import exit_text

    try:
        with open_cib(name="crm_simulate") as cib:
            return cib.document()
    except HatoolsError as error:
        code = int(ExitCode.CONFIG if isinstance(error, SchemaError) else ExitCode.NOINPUT)
        raise Refused(code, f"CIB query failed: {exit_text(code)}") from None


def _store_path(source: str | None) -> str | None:
    """Return where ``--in-place`` writes: the file, or the one that stands for the cluster."""
    if source is not None:
        return source
    from hatools.ipc.clients.cib import cib_file_path

    path = cib_file_path(os.environ)
    return None if path is None else str(path)


def _write_cib(path: str, document: Document) -> None:
    from hatools.ipc.clients.cib_file import write_xml_file

    write_xml_file(Path(path), document.root)


def _write_text(path: str, text: str) -> None:
    try:
        with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
    except OSError as error:
        raise UnavailableError(f"could not write {path}: {error.strerror}") from None


__all__ = ["SCORE_LABELS", "main"]
