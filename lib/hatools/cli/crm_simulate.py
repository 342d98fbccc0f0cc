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
from hatools.cli.options import CommandLineError, begin_or_fail, program_name
from hatools.cli.options import Finished as Ended
from hatools.cli.output import Output, OutputError, XmlOutput
from hatools.cli.simulate_options import PROGRAM
from hatools.cli.simulate_request import Request, read_request
from hatools.cli.simulate_source import read_source_document
from hatools.simulate.inject import Change, inject
from hatools.simulate.phrases import change_form, change_line, summary_form, summary_lines
from hatools.simulate.run import Ending, Finished, Remark, Settings, Trouble, play
from hatools.simulate.workbench import Workbench
from hatools.status.outline import Entry, Listing, write_text
from hatools.status.view import Show, View
from hatools.values.errors import HatoolsError, UnavailableError
from hatools.values.exitcode import ExitCode
from hatools.values.integer import whole_number
from hatools.values.iso8601 import Moment

if TYPE_CHECKING:
    from hatools.scheduler.plan import Plan
    from hatools.scheduler.schedule import Schedule

KEEPS_EVERYTHING = True
"""Nothing becomes garbage before the command ends; looking for it takes a tenth of the time."""


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
        self.document = read_source_document(request.source, request.verbosity)
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
        from hatools.cli.simulate_scores import show_records

        title = {
            (True, True): "Allocation Scores and Utilization Information",
            (True, False): "Allocation Scores",
            (False, True): "Utilization Information",
        }[request.scores, request.utilization]
        if isinstance(self.out, XmlOutput):
            self.out.push(_XML_LISTS[title])
        else:
            self._space()
            self.out.begin_list(None, None, title)
            for finding in decided.findings:
                if finding.severity == "info":
                    self._info(finding.text)
        show_records(self.out, decided.scores, scores=request.scores, utilization=request.utilization)
        if isinstance(self.out, XmlOutput):
            self.out.pop()
        else:
            self.out.end_list()
            self.printed = True

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
            self.document = read_source_document(path)
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


__all__ = ["main"]
