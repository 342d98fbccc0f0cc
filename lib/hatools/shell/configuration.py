"""The configuration being edited: loading it, and bringing changes into the cluster or file. I/O."""

import os
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from hatools.cib.document import Version, parse_xml
from hatools.shell.changeset.host import Host
from hatools.shell.changeset.sanitizing import flatten_blanks
from hatools.shell.changeset.workspace import Workspace
from hatools.values.errors import HatoolsError, StaleError

if TYPE_CHECKING:
    from hatools.shell.session import Session

# Attributes of the CIB that only a person changes; the others follow the cluster.
_OWN_ATTRIBUTES = ("validate-with",)
_ATTEMPTS = 10


class OvertakenError(HatoolsError):
    """Somebody else changed the configuration between our look at it and our commit."""


class Configuration:
    """Holds the working copy, if one is loaded."""

    def __init__(self, session: "Session") -> None:
        self._session = session
        self._workspace: Workspace | None = None
        self._source: tuple[str, str] = ("", "")
        self.was_rejected = False

    @property
    def is_loaded(self) -> bool:
        return self._workspace is not None

    @property
    def has_changed(self) -> bool:
        """Whether there are changes to commit."""
        return self._workspace is not None and self._workspace.has_changed

    def load(self) -> bool:
        """Read the CIB unless it is loaded; return whether there is a working copy."""
        if self._workspace is None:
            root = self.read()
            if root is None:
                return False
            self._workspace = Workspace(root, self._host())
            self._source = _cib_in_use()
        return True

    @property
    def is_of_cib_in_use(self) -> bool:
        """Whether the working copy was read from the CIB that would be written now."""
        return self._source == _cib_in_use()

    @property
    def workspace(self) -> Workspace:
        """The working copy.

        Raises:
            ValueError: the CIB cannot be read.
        """
        if not self.load():
            raise ValueError("CIB is not valid")
        assert self._workspace is not None
        workspace = self._workspace
        preferences = self._session.preferences
        workspace.host.force = preferences.flag("core", "force")
        workspace.host.sort_by_id = preferences.flag("core", "sort_elements")
        return workspace

    def read(self) -> Element | None:
        """Return the CIB as it is now; None, with a message, if it cannot be read."""
        from hatools.ipc.clients.cib import cib_file_path

        path = cib_file_path(os.environ)
        try:
            if path is not None:
                # Not through the connection, which refuses what its schema refuses: here it can be repaired.
                root = parse_xml(path.read_bytes())
                flatten_blanks(root)
                return root
            with self._session.open_cib() as cib:
                return cib.query()
        except (HatoolsError, OSError) as error:
            self._session.console.error(f"running cibadmin -Ql: {error}")
            return None

    def reset(self) -> None:
        """Forget the working copy."""
        self._workspace = None

    def refresh(self) -> bool:
        """Read the CIB anew, forgetting changes."""
        self.reset()
        return self.load()

    def _host(self) -> Host:
        from hatools.shell import agents, checks

        session = self._session
        preferences = session.preferences
        host = Host(
            session.console,
            find_agent=agents.complete_name,
            parameters_of=agents.parameter_names,
            may_remove=session.may_remove,
            upgrade_roles=preferences.flag("core", "OCF_1_1_SUPPORT"),
            sort_by_id=preferences.flag("core", "sort_elements"),
            force=preferences.flag("core", "force"),
            is_live=session.is_live,
            numbering=session.console.numbering,
        )
        host.check = lambda item: checks.check_if_wanted(session, item)
        host.announce = lambda agent: checks.warn_if_missing(session, agent)
        return host

    def is_unchanged_elsewhere(self, *, silently: bool = False) -> bool:
        """Say whether the CIB is still at the version that was loaded."""
        current = self.read()
        if current is None:
            return False
        same = self.is_current(current)
        if not same and not silently:
            self._session.console.warning("CIB changed in the meantime: won't touch it!")
        return same

    def is_current(self, root: Element) -> bool:
        """Say whether a CIB is at the version that was loaded."""
        known, found = self.workspace.version, Version.of(root)
        return (known.admin_epoch, known.epoch) == (found.admin_epoch, found.epoch)

    def adopt(self, merged: Element, current: Element) -> None:
        """Go on with another working copy: the present CIB with changes made to it."""
        self._workspace = Workspace(merged, self._host(), original=current)

    def put_back(self, workspace: Workspace) -> None:
        """Go back to a working copy that was replaced."""
        self._workspace = workspace

    def commit(self, *, force: bool = False, replace: bool = False, checked: bool = False) -> bool:
        """Bring the changes into the cluster or file, then load what came of it.

        Args:
            checked: the CIB has been compared with the one that was loaded.

        Raises:
            OvertakenError: it has been, but changed once more since.
        """
        workspace = self.workspace
        flatten_blanks(workspace.root)
        succeeded = self._replace(workspace, force) if replace else self._patch(workspace, force, checked)
        if succeeded:
            self.refresh()
        else:
            self.was_rejected = True
        return succeeded

    def _patch(self, workspace: Workspace, force: bool, checked: bool) -> bool:
        for _ in range(_ATTEMPTS):
            current = self.read()
            if current is None:
                return False
            if checked and not self.is_current(current):
                raise OvertakenError("the configuration changed once more")
            try:
                return self._send_patch(workspace, current, force, Version.of(current) if checked else None)
            except StaleError:
                continue  # mostly the status changed
        raise OvertakenError("the CIB changes too fast to be patched")

    def _send_patch(self, workspace: Workspace, current: Element, force: bool, expected: Version | None) -> bool:
        from hatools.cib.operations import Edit
        from hatools.cib.patchset import create_patch, without_version
        from hatools.values.ciboperation import CibOperation

        for name in workspace.attributes:
            if name not in _OWN_ATTRIBUTES and name in current.attrib:
                workspace.attributes[name] = current.attrib[name]
                workspace.original.set(name, current.attrib[name])
        for name, value in workspace.attributes.items():
            workspace.root.set(name, value)
        patch = create_patch(workspace.original, workspace.root, exact_comments=True)
        if patch is None:
            return True
        edit = Edit(CibOperation.PATCH, update=without_version(patch))
        return self._change(edit, force, "patch", expected)

    def _replace(self, workspace: Workspace, force: bool) -> bool:
        from hatools.cib.operations import Edit
        from hatools.values.ciboperation import CibOperation

        configuration = workspace.root.find("configuration")
        if configuration is None:
            self._session.console.error("cannot find the configuration element")
            return False
        if workspace.new_schema:
            update = Element("cib", {"validate-with": workspace.schema})
            if not self._change(Edit(CibOperation.MODIFY, update=update), force, "update"):
                return False
        edit = Edit(CibOperation.REPLACE, section="configuration", update=configuration)
        return self._change(edit, force, "replace")

    def _change(self, edit: object, force: bool, what: str, expected: Version | None = None) -> bool:
        from hatools.cib.operations import Edit

        assert isinstance(edit, Edit)
        try:
            with self._session.open_cib() as cib:
                cib.change(edit, force=force, expected=expected)
        except (HatoolsError, OSError) as error:
            if isinstance(error, StaleError) and expected is not None:
                raise
            from hatools.ipc.clients.cib import error_text

            text = error_text(error) if isinstance(error, HatoolsError) else str(error)
            self._session.console.error(f"could not {what} cib: {text}")
            return False
        return True


def _cib_in_use() -> tuple[str, str]:
    """Return what tells one CIB from another: the shadow, and the file that stands for the cluster's."""
    return os.environ.get("CIB_shadow", ""), os.environ.get("CIB_file", "")
