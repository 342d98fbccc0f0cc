"""The cib as commands see it: a live cluster's, a file's or a shadow's, behind one blocking interface. I/O.

:func:`open_cib` looks where Pacemaker's tools look: ``CIB_shadow`` names a sandbox copy, ``CIB_file`` a file or
pipe, otherwise the daemon of this node answers. Changes to a file are written when the connection is closed.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

from hatools.cib.document import Document, Element, Version, format_xml, parse_xml
from hatools.values.errors import HatoolsError, NoSuchObjectError

if TYPE_CHECKING:
    from hatools.cib.operations import Edit
    from hatools.ipc.messages.cib import Change


class CibConnection(ABC):
    """An open CIB. Use it in ``with``: leaving the block normally closes it, an exception drops unwritten changes."""

    user: str = ""
    """Whose permissions apply; empty: those of this process (``CIB_user``, or a command's ``--user``)."""

    @abstractmethod
    def query(self, section: str = "", *, xpath: str = "", no_children: bool = False) -> Element:
        """Return a section (empty: the whole CIB), or what an XPath matches, several inside an ``<xpath-query>``.

        Raises:
            NoSuchObjectError: there is no such section or match.
        """

    @abstractmethod
    def change(self, edit: "Edit", *, force: bool = False, expected: Version | None = None) -> Version:
        """Change the CIB and return its version after that.

        Args:
            expected: refuse with StaleError if the CIB is at another version.

        Raises:
            HatoolsError: the change was refused; see ``cib.operations.perform``.
        """

    @abstractmethod
    def rehearse(self, edits: "Sequence[Edit]") -> Document:
        """Return what the CIB would be after some changes, without making them."""

    @abstractmethod
    def change_all(self, edits: "Sequence[Edit]") -> Version:
        """Make several changes as one, all or none."""

    @abstractmethod
    def close(self) -> None:
        """Write what has to be written and end."""

    @abstractmethod
    def abandon(self) -> None:
        """End without writing anything more."""

    def document(self) -> Document:
        """Return the whole CIB."""
        return Document(self.query())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, exception: type[BaseException] | None, *_: object) -> None:
        if exception is None:
            self.close()
        else:
            self.abandon()


def open_cib(
    environ: Mapping[str, str] | None = None, *, name: str = "", user: str = "", timeout_s: float = 30.0
) -> CibConnection:
    """Open the CIB that the environment points at.

    Args:
        name: what the command calls itself; becomes ``update-client``.
        user: whose permissions apply; empty: ``CIB_user`` if that is set.

    Raises:
        DisconnectedError: no cib daemon answers here.
        NoSuchObjectError, SchemaError: the file is not there, or holds no valid CIB.
    """
    values = os.environ if environ is None else environ
    connection: CibConnection
    path = cib_file_path(values)
    if path is not None:
        from hatools.ipc.clients.cib_file import FileCib

        connection = FileCib(path)
    else:
        connection = LiveCib(values, name=name, timeout_s=timeout_s)
    connection.user = user or values.get("CIB_user", "")
    return connection


def cib_file_path(environ: Mapping[str, str]) -> Path | None:
    """Return the file that ``CIB_shadow`` or else ``CIB_file`` means, None for the live cluster."""
    shadow = environ.get("CIB_shadow")
    if shadow:
        return shadow_path(shadow, environ)
    file = environ.get("CIB_file")
    return Path(file) if file else None


def shadow_path(name: str, environ: Mapping[str, str]) -> Path:
    """Return the file of a shadow CIB: in ``CIB_shadow_dir``, the cluster's folder (root, hacluster) or ``~/.cib``."""
    return shadow_folder(environ) / f"shadow.{name}"


def shadow_folder(environ: Mapping[str, str]) -> Path:
    """Return where shadow CIBs live."""
    folder = environ.get("CIB_shadow_dir")
    if folder:
        return Path(folder)
    import pwd

    from hatools.runtime.directories import CLUSTER_USER, Directories

    directories = Directories.from_environment(environ)
    try:
        account = pwd.getpwuid(os.geteuid())
    except KeyError:
        account = None
    if account is None or account.pw_name in ("root", CLUSTER_USER) or not directories.is_system:
        return directories.cib
    home = Path(environ.get("HOME") or account.pw_dir) / ".cib"
    home.mkdir(mode=0o700, exist_ok=True)
    return home


class LiveCib(CibConnection):
    """The CIB of the running cluster, through this node's daemon."""

    def __init__(self, environ: Mapping[str, str], *, name: str = "", timeout_s: float = 30.0) -> None:
        from hatools.ipc.blocking import BlockingConnection
        from hatools.runtime.directories import Directories

        path = Directories.from_environment(environ).socket("cib")
        self._timeout_s = timeout_s
        self._connection = BlockingConnection(path, "cib", name=name)

    def query(self, section: str = "", *, xpath: str = "", no_children: bool = False) -> Element:
        from hatools.ipc.messages.cib import Query, QueryResult

        request = Query(section, xpath, not no_children, user=self.user)
        answer = self._connection.request(request, timeout_s=self._timeout_s)
        assert isinstance(answer, QueryResult)
        return parse_xml(answer.xml)

    def change(self, edit: "Edit", *, force: bool = False, expected: Version | None = None) -> Version:
        return self._send(edit, force=force, expected=expected)[0]

    def change_all(self, edits: "Sequence[Edit]") -> Version:
        from hatools.ipc.messages.cib import Batch, Changed

        batch = Batch(tuple(change_of(edit, user=self.user) for edit in edits))
        answer = self._connection.request(batch, timeout_s=self._timeout_s)
        assert isinstance(answer, Changed)
        return Version(*answer.version)

    def rehearse(self, edits: "Sequence[Edit]") -> Document:
        from hatools.cib.operations import perform

        if len(edits) == 1:
            return Document.parse(self._send(edits[0], dry_run=True)[1])
        document = self.document()
        for edit in edits:
            document = perform(document, edit).document
        return document

    def _send(
        self, edit: "Edit", *, force: bool = False, dry_run: bool = False, expected: Version | None = None
    ) -> tuple[Version, bytes]:
        from hatools.ipc.messages.cib import Changed

        change = change_of(edit, force=force, dry_run=dry_run, expected=expected, user=self.user)
        answer = self._connection.request(change, timeout_s=self._timeout_s)
        assert isinstance(answer, Changed)
        return Version(*answer.version), answer.xml

    def changes(self, timeout_s: float) -> Iterator[object]:
        """Yield the ``CibChanged`` events as they come, until none came for so long; subscribes on first use."""
        from hatools.ipc.messages.cib import Subscribe

        self._connection.request(Subscribe(), timeout_s=self._timeout_s)
        while (event := self._connection.next_event(timeout_s)) is not None:
            yield event

    def close(self) -> None:
        self._connection.close()

    def abandon(self) -> None:
        self._connection.close()


def change_of(
    edit: "Edit", *, force: bool = False, dry_run: bool = False, expected: Version | None = None, user: str = ""
) -> "Change":
    """Return the message that asks the daemon for an edit."""
    from hatools.ipc.messages.cib import Change

    xml = b"" if edit.update is None else format_xml(edit.update, indent=None).encode("utf-8", "surrogateescape")
    triple = None if expected is None else (expected.admin_epoch, expected.epoch, expected.num_updates)
    return Change(
        edit.operation,
        edit.section,
        edit.xpath,
        xml,
        allow_create=edit.allow_create,
        force=force,
        dry_run=dry_run,
        expected=triple,
        mixed=edit.mixed,
        user=user,
        schema=edit.schema,
    )


def query_or_none(connection: CibConnection, section: str = "", *, xpath: str = "") -> Element | None:
    """Query, and return None where there is nothing."""
    try:
        return connection.query(section, xpath=xpath)
    except NoSuchObjectError:
        return None


def error_text(error: HatoolsError) -> str:
    """Return how Pacemaker's commands word an error: the system's text for it, else our own."""
    return error.system_text or str(error)
