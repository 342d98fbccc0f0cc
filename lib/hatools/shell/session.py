"""One run of the shell: settings, messages, the configuration and the cluster behind it. I/O."""

import os
import sys
from functools import cached_property
from typing import TYPE_CHECKING

from hatools.shell.console import Console
from hatools.shell.preferences import Preferences

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from hatools.ipc.clients.cib import CibConnection
    from hatools.shell.configuration import Configuration

SHADOW_VARIABLE = "CIB_shadow"
TEMPORARY_NAME, LIVE_NAME = "@tmp@", "live"


class Session:
    """What all levels share.

    Attributes:
        is_interactive: a person types the commands.
        is_batch: commands come from a file or pipe.
        uses_temporary_shadow: the shadow CIB in use has a made-up name and goes after its commit.
        pretended_cib: the CIB with events that the cibstatus level pretends; None if there are none.
        pretended_changes: what these are, by subject.
    """

    def __init__(self, preferences: Preferences | None = None) -> None:
        self.preferences = preferences or Preferences()
        self.console = Console(self.preferences)
        self.is_interactive = False
        self.is_batch = False
        self.uses_temporary_shadow = False
        self.status_origin = "live"
        self.pretended_cib: Element | None = None
        self.pretended_changes: dict[str, str] = {}
        self.history_source = ""
        self.script_folder = ""
        self.output_format = "text"
        self.traces = False

    @cached_property
    def configuration(self) -> "Configuration":
        """The working copy of the configuration; most commands need none."""
        from hatools.shell.configuration import Configuration

        return Configuration(self)

    def open_cib(self) -> "CibConnection":
        """Open the CIB in use: a shadow, a file or the cluster's."""
        from hatools.ipc.clients.cib import open_cib

        return open_cib(name="crm")

    @property
    def shadow(self) -> str:
        """Name of the shadow CIB in use, empty if none."""
        return os.environ.get(SHADOW_VARIABLE, "")

    @shadow.setter
    def shadow(self, name: str) -> None:
        if name:
            os.environ[SHADOW_VARIABLE] = name
        else:
            os.environ.pop(SHADOW_VARIABLE, None)

    @property
    def is_live(self) -> bool:
        """Whether commands act on a running cluster rather than on a file or shadow."""
        return not self.shadow and not os.environ.get("CIB_file")

    @property
    def cib_name(self) -> str:
        """What the prompt calls the CIB in use."""
        if not self.shadow:
            return LIVE_NAME
        return TEMPORARY_NAME if self.uses_temporary_shadow else self.shadow

    @property
    def node_name(self) -> str:
        """Name of this node."""
        from hatools.cli.nodename import local_node_name

        return local_node_name(os.environ)

    @property
    def can_ask(self) -> bool:
        """Whether there is a person to ask."""
        return sys.stdin.isatty() and sys.stdout.isatty() and not self.is_batch

    def become_interactive(self) -> None:
        """A level was entered without a command behind it: go on interactively if there is a terminal."""
        if self.can_ask:
            self.is_interactive = True
            self.console.may_ask = True

    def may_remove(self, identifier: str) -> bool:
        """Say whether a resource may be removed: it is not running, is a group, or is not managed."""
        if not self.is_live:
            return True
        from hatools.shell import running

        return running.may_remove(self, identifier)

    def wait_until_settled(self, what: str = "") -> bool:
        """Wait until the cluster has done what was asked; return False if it did not in time."""
        if not self.is_live:
            return True
        from hatools.shell import running

        return running.wait_until_settled(self, what)

    def files_from(self, prefix: str) -> list[str]:
        """List the files and folders whose path may begin with what was typed so far."""
        folder, slash, _ = prefix.rpartition("/")
        try:
            entries = sorted(os.scandir(folder + slash or "."), key=lambda entry: entry.name)
        except OSError:
            return []
        return [f"{folder}{slash}{entry.name}{'/' if entry.is_dir() else ''}" for entry in entries]
