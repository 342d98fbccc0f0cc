"""A CIB in a file, for working without a cluster (``CIB_file``, shadow copies). I/O."""

import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hatools.cib.document import Document, Element, Version, copy_element, format_xml, parse_xml
from hatools.cib.queries import query
from hatools.ipc.clients.accounts import groups_of
from hatools.ipc.clients.cib import CibConnection
from hatools.values.errors import (
    NoSuchObjectError,
    SchemaError,
    SchemaUnchangedError,
    StaleError,
    SyntaxProblem,
    UnavailableError,
)

if TYPE_CHECKING:
    from hatools.cib.acl import Subject
    from hatools.cib.operations import Edit


class FileCib(CibConnection):
    """A CIB file; a name that ends in ``.bz2`` is compressed, a pipe can be read."""

    def __init__(self, path: Path) -> None:
        """Read and validate the file.

        Raises:
            NoSuchObjectError: there is no such file.
            SchemaError: it holds no XML, or XML that is no valid CIB.
        """
        from hatools.cib.schema import ATTRIBUTE, validate

        self._path = path
        self._dirty = False
        document = with_status(Document(load_xml_file(path)))
        if document.root.get(ATTRIBUTE) is None:
            report_all_schemas(document)
        else:
            validate(document)
        self._document = with_schema(document)

    def query(self, section: str = "", *, xpath: str = "", no_children: bool = False) -> Element:
        return query(self._visible(), section=section, xpath=xpath, no_children=no_children)

    def document(self) -> Document:
        return self._visible()

    def _visible(self) -> Document:
        if not self.user:
            return self._document
        from hatools.cib.acl import readable_part

        return readable_part(self._document, self._subject())

    def _subject(self) -> "Subject":
        from hatools.cib.acl import Subject

        return Subject(self.user, groups_of(self.user))

    def change(self, edit: "Edit", *, force: bool = False, expected: Version | None = None) -> Version:
        if expected is not None and self._document.version != expected:
            raise StaleError(f"the CIB is at version {self._document.version}, not {expected}")
        with contextlib.suppress(SchemaUnchangedError):
            self._document = self._perform(self._document, edit)
        # Pacemaker rewrites the file after every operation that may write, whether or not it changed something.
        self._dirty = True
        return self._document.version

    def change_all(self, edits: "Sequence[Edit]") -> Version:
        self._document = self.rehearse(edits)
        self._dirty = True
        return self._document.version

    def rehearse(self, edits: "Sequence[Edit]") -> Document:
        document = self._document
        for edit in edits:
            document = self._perform(document, edit)
        return document

    def _permit(self, old: Document, new: Document) -> None:
        if self.user:
            from hatools.cib.acl import require_permission

            require_permission(old, new, self._subject())

    def _check(self, old: Document, new: Document) -> None:
        from hatools.cib.schema import ATTRIBUTE, validate_change

        if new.root.get(ATTRIBUTE) is None:
            report_all_schemas(new)
            return
        try:
            validate_change(old, new)
        except SchemaError:
            # Every tool of Pacemaker shows the CIB it refuses to write, with line numbers.
            for number, line in enumerate(format_xml(new.root).split("\n"), 1):
                print(f"{number:4} {line}", file=sys.stderr)
            raise

    def _perform(self, document: Document, edit: "Edit") -> Document:
        from hatools.cib.operations import count_as_files_do, perform

        check = None if edit.section == "status" else self._check
        outcome = perform(document, edit, permit=self._permit, check=check, counting=count_as_files_do)
        return with_schema(outcome.document)

    def abandon(self) -> None:
        self._dirty = False

    def close(self) -> None:
        if self._dirty:
            self._dirty = False
            write_xml_file(self._path, self._document.root)


def load_xml_file(path: Path) -> Element:
    """Read an XML file, ``-`` meaning standard input, and drop its text.

    Raises:
        NoSuchObjectError: there is no such file.
        SchemaError: it cannot be read or is not XML.
    """
    try:
        raw = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
        if path.name.endswith(".bz2"):
            import bz2

            raw = bz2.decompress(raw)
        return parse_xml_text(raw)
    except FileNotFoundError:
        raise NoSuchObjectError(f"there is no file {path}") from None
    except (OSError, SyntaxProblem) as error:
        raise SchemaError(f"{path} cannot be read as a CIB: {error}") from None


def parse_xml_text(text: str | bytes) -> Element:
    """Read XML that a person gave, and drop its text; what is not well-formed is read as far as it goes.

    Raises:
        SyntaxProblem: there is nothing in it.
    """
    try:
        return parse_xml(text, with_text=False)
    except SyntaxProblem as problem:
        from hatools.cib.libxml2 import etree

        raw = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
        parser = etree.XMLParser(recover=True, resolve_entities=False, remove_pis=True)
        try:
            root = etree.fromstring(raw, parser)
        except etree.XMLSyntaxError:
            root = None
        if root is None:
            raise problem from None
        return parse_xml(etree.tostring(root), with_text=False)


def report_all_schemas(document: Document) -> None:
    """A CIB that names no schema is tried with each of them, and told on standard error how it violates them."""
    from hatools.cib.schema import SCHEMAS, violations

    for name in SCHEMAS:
        for violation in violations(document.root, name):
            print(violation, file=sys.stderr)


def with_schema(document: Document) -> Document:
    """Return a CIB that names a schema: ``none`` if it named none, for that is the last that fits."""
    from hatools.cib.schema import ATTRIBUTE

    if document.root.get(ATTRIBUTE) is not None:
        return document
    root = copy_element(document.root)
    root.set(ATTRIBUTE, "none")
    return Document(root)


def write_xml_file(path: Path, element: Element) -> None:
    """Write an XML file and have it on disk; a regular file is replaced as a whole.

    Raises:
        UnavailableError: it could not be written; the file is as it was.
    """
    data = format_xml(element).encode("utf-8", "surrogateescape")
    if path.name.endswith(".bz2"):
        import bz2

        data = bz2.compress(data)
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(data)
            return
        target = path.resolve()
        temporary = target.with_name(f"{target.name}.{os.getpid()}.new")
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask()
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            with open(os.open(temporary, flags, 0o600), "wb") as file:
                file.write(data)
                file.flush()
                os.fchmod(file.fileno(), mode)
                os.fsync(file.fileno())
            temporary.replace(target)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UnavailableError(f"could not write {path}: {error.strerror}") from None


def _umask() -> int:
    value = os.umask(0o077)
    os.umask(value)
    return value


def with_status(document: Document) -> Document:
    """Return a document that has a status section, empty if there was none."""
    if document.status is not None:
        return document
    root = copy_element(document.root)
    root.append(Element("status"))
    return Document(root)
