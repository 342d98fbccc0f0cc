"""``crm_mon`` that stays: follows the cluster's notifications and shows every change. I/O.

One loop waits for the cib's and the fencer's events and, on a terminal, for keys and resizing.
Changes that come close together are painted once. When the cluster goes away, the last state
stays visible, marked as stale, until it is back.
"""

import os
import select
import signal
import sys
import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from hatools.cli.crm_mon import fetch_fencing, make_view, present
from hatools.cli.mon_agent import Happening, happenings, run_agent
from hatools.cli.mon_display import Display
from hatools.cli.mon_keys import Choice, help_text, press
from hatools.cli.mon_request import Format, MonRequest, fencing_level
from hatools.cli.mon_screen import Screen, ScreenError
from hatools.cli.options import program_name
from hatools.cli.ring_remarks import ring_remarks
from hatools.ipc.blocking import BlockingConnection
from hatools.runtime.directories import Directories
from hatools.status.following import StatusFollower
from hatools.status.view import Section
from hatools.values.errors import DisconnectedError, HatoolsError
from hatools.values.exitcode import ExitCode

if TYPE_CHECKING:
    from hatools.cib.document import Document
    from hatools.status.model import FencingEvent

__all__ = ["run_live"]

_GATHER_S = 0.15
"""How long further changes are waited for before a changed state is shown."""

_REST = 2
"""After a painting it rests this many times as long as the painting took, so a large cluster
that changes all the time keeps no more than a third of a processor busy."""


def run_live(request: MonRequest, sections: Section, words: list[str]) -> int:
    """Follow the cluster until a signal or the end of the terminal."""
    if request.daemonize:
        problem = _daemonize(request.pid_file)
        if problem is not None:
            print(f"{program_name()}: {problem}", file=sys.stderr)
            return ExitCode.ERROR
    with ExitStack() as stack:
        screen = None
        if request.format is Format.CONSOLE and not request.daemonize:
            try:
                screen = stack.enter_context(Screen())
            except ScreenError as error:
                print(error, file=sys.stderr)
                return ExitCode.ERROR
        with suppress(KeyboardInterrupt, _Terminated):
            _Live(request, sections, words, screen).run()
    return ExitCode.OK


class _Terminated(Exception):
    """SIGTERM was received."""


class _Cluster:
    """The connections to the cib and the fencer, and the CIB as it is now."""

    def __init__(self) -> None:
        self._directories = Directories.from_environment(os.environ)
        self._cib: BlockingConnection | None = None
        self._fencer: BlockingConnection | None = None
        self.document: Document | None = None
        self.fencing: tuple[tuple[FencingEvent, ...], int] | None = None
        self.remarks: tuple[str, ...] = ()

    @property
    def is_connected(self) -> bool:
        """Whether the cib answers; the fencer may be away."""
        return self._cib is not None

    def connect(self) -> bool:
        """Try to reach the cluster; return whether it answers."""
        from hatools.cib.document import Document
        from hatools.ipc.messages.cib import QueryResult, Subscribe

        try:
            connection = BlockingConnection(self._directories.socket("cib"), "cib", name="crm_mon")
            answer = connection.request(Subscribe(), timeout_s=10)
        except HatoolsError:
            return False
        assert isinstance(answer, QueryResult)
        self.document = Document.parse(answer.xml)
        self._cib = connection
        self.remarks = ring_remarks()
        self._connect_fencer()
        return True

    def _connect_fencer(self) -> None:
        from hatools.ipc.messages.stonith import SubscribeFencing

        try:
            fencer = BlockingConnection(self._directories.socket("stonithd"), "stonithd", name="crm_mon")
            fencer.request(SubscribeFencing(), timeout_s=5)
        except HatoolsError:
            self._fencer = None
        else:
            self._fencer = fencer
        self.fencing = None

    def disconnect(self) -> None:
        """Give up both connections; the last CIB stays."""
        for connection in (self._cib, self._fencer):
            if connection is not None:
                connection.close()
        self._cib = self._fencer = None

    def descriptors(self) -> list[int]:
        """Return what to wait on."""
        return [connection.fileno() for connection in (self._cib, self._fencer) if connection is not None]

    def take_changes(self) -> tuple[bool, list[Happening]]:
        """Take in what came; return whether anything changed, and the results of operations.

        Raises:
            DisconnectedError: the cib went away.
        """
        changed, found = False, []
        while self._cib is not None and (event := self._cib.next_event(0)) is not None:
            changed = True
            found += self._apply(event)
        fenced = self._take_fencing()
        return changed or bool(fenced), found + fenced

    def _apply(self, event: object) -> list[Happening]:
        from hatools.cib.document import Document, parse_xml
        from hatools.cib.patchset import apply_patch
        from hatools.ipc.messages.cib import CibChanged, Query, QueryResult

        if not isinstance(event, CibChanged) or self.document is None or self._cib is None:
            return []
        if event.patch and not event.replaced:
            patch = parse_xml(event.patch)
            with suppress(HatoolsError):
                self.document = Document(apply_patch(self.document.root, patch))
                return list(happenings(patch))
        answer = self._cib.request(Query(), timeout_s=10)
        assert isinstance(answer, QueryResult)
        self.document = Document.parse(answer.xml)
        return []

    def _take_fencing(self) -> list[Happening]:
        from hatools.ipc.messages.stonith import FencingNotice

        found = []
        try:
            while self._fencer is not None and (event := self._fencer.next_event(0)) is not None:
                self.fencing = None
                if isinstance(event, FencingNotice) and event.record.state != "pending":
                    record = event.record
                    failed = record.state == "failed"
                    text = f"Operation {record.action} of {record.target} by {record.executioner or 'unknown'}"
                    text += f" for {record.client}@{record.origin}: {'failed' if failed else 'OK'}"
                    found.append(Happening(record.target, None, record.action, 0, int(failed), 0, text))
        except DisconnectedError:
            self._fencer = None
        return found

    def fencing_history(self) -> "tuple[tuple[FencingEvent, ...], int]":
        """Return the fencing history, asked for anew only after something happened."""
        if self.fencing is None:
            self.fencing = fetch_fencing()
        return self.fencing


class _Live:
    """The loop and what it shows."""

    def __init__(self, request: MonRequest, sections: Section, words: list[str], screen: Screen | None) -> None:
        self.request = request
        self.screen = screen
        self.choice = Choice(sections, request.show, fencing_level(sections))
        self.cluster = _Cluster()
        self.display = Display(request, words, sys.stdout)
        self.helping = False
        self.paint_at: float | None = None
        self.paint_cost_s = 0.0
        self.notice = ""
        self.trouble: str | None = None
        self.follower = StatusFollower()

    def run(self) -> None:
        """Follow the cluster for ever."""
        wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGWINCH, lambda *_: None)
        signal.signal(signal.SIGTERM, _raise_terminated)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        retry_at = 0.0
        self._say("Waiting until cluster is available on this node ...")
        while True:
            now = time.monotonic()
            if not self.cluster.is_connected and now >= retry_at:
                retry_at = now + self.request.reconnect_ms / 1000
                if self.cluster.connect():
                    self.notice = ""
                    self.paint_at = now
                    self._take_changes()  # what came together with the first CIB makes no descriptor readable
            if self.paint_at is not None and now >= self.paint_at:
                self.paint_at = None
                self._paint()
                self.paint_cost_s = time.monotonic() - now
            deadlines = [self.paint_at] if self.paint_at is not None else []
            if not self.cluster.is_connected:
                deadlines.append(retry_at)
            self._wait(wake_read, min(deadlines, default=None))

    def _wait(self, wake: int, deadline: float | None) -> None:
        """Wait for anything to happen and take it in."""
        watched = [wake, *self.cluster.descriptors()]
        if self.screen is not None:
            watched.append(self.screen.fileno())
        timeout = None if deadline is None else max(0.0, deadline - time.monotonic())
        ready, _, _ = select.select(watched, [], [], timeout)
        if wake in ready:
            os.read(wake, 512)
            self._repaint_soon(0)
        if self.screen is not None and self.screen.fileno() in ready:
            self._keys()
        if any(each in self.cluster.descriptors() for each in ready):
            self._take_changes()

    def _take_changes(self) -> None:
        try:
            changed, found = self.cluster.take_changes()
        except DisconnectedError:
            self.cluster.disconnect()
            self._say("Connection to the cluster-daemons terminated; reconnecting ...")
            return
        if self.request.agent is not None:
            for each in found:
                if each.resource is not None or self.request.watch_fencing:
                    self.trouble = run_agent(self.request.agent, self.request.recipient, each)
        if changed:
            self._repaint_soon(max(_GATHER_S, _REST * self.paint_cost_s))

    def _repaint_soon(self, delay_s: float) -> None:
        at = time.monotonic() + delay_s
        self.paint_at = at if self.paint_at is None else min(at, self.paint_at)

    def _say(self, text: str) -> None:
        """Tell what is going on besides the cluster's state."""
        self.notice = text
        if self.screen is None:
            if not self.request.daemonize:
                self.display.line(text)
        else:
            self._repaint_soon(0)

    def _keys(self) -> None:
        assert self.screen is not None
        keys = self.screen.keys()
        if not keys:
            raise _Terminated
        for key in keys:
            if key == "?":
                self.helping = True
            elif not press(self.choice, key):
                self.helping = False
        self._repaint_soon(0)

    # -- showing

    def _paint(self) -> None:
        if self.helping and self.screen is not None:
            self.screen.paint(help_text(self.choice))
            return
        if self.cluster.document is None:
            if self.screen is not None:
                self.screen.paint(self.notice)
            return
        choice = self.choice
        now, moment = present()
        status = self.follower.status(self.cluster.document, moment, now, choice.sections)
        status.remarks = self.cluster.remarks
        if choice.sections & Section.FENCING:
            status.fencing, status.fencing_error = self._shown_fencing()
        self.request.show = choice.show
        view = make_view(self.request, status, choice.sections)
        if self.screen is None:
            self.display.show(status, view)
            self.display.rewrite()
            return
        from hatools.status.json import warnings
        from hatools.status.outline import write_text
        from hatools.status.sections import TextSections

        heads = [f"*** {self.notice} What follows is stale. ***"] if self.notice else []
        heads += [f"Warning: {text}" for text in ([self.trouble] if self.trouble else []) + warnings(status)]
        if heads:
            heads.append("")
        self.screen.paint("\n".join(heads) + ("\n" if heads else "") + write_text(TextSections(status, view).report()))

    def _shown_fencing(self) -> "tuple[tuple[FencingEvent, ...], int]":
        from hatools.status.fencing import reduce

        events, error = self.cluster.fencing_history()
        return (events if self.choice.fence_level == 3 else reduce(events)), error


def _raise_terminated(*_: object) -> None:
    raise _Terminated


def _daemonize(pid_file: str) -> str | None:
    """Go to the background and write the pid file; return what is wrong, None in the process that goes on."""
    with suppress(OSError, ValueError), open(pid_file, encoding="ascii") as file:
        pid = int(file.read().strip())
        os.kill(pid, 0)
        return f"already running [pid {pid} in {pid_file}]"
    if os.fork():
        os._exit(ExitCode.OK)
    os.setsid()
    try:
        with open(pid_file, "w", encoding="ascii") as file:
            file.write(f"{os.getpid():10}\n")
    except OSError as error:
        return f"could not lock '{pid_file}' for {program_name()}: {error.strerror} ({error.errno})"
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.close(null)
    return None
