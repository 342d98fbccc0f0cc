"""The CIB on disk: whole files, a journal of patches between them, numbered backups. I/O.

::

    cib.xml  cib.xml.sig     the newest whole CIB and its digest (as Pacemaker writes them)
    cib.journal              what changed since: a head that names the whole file by digest, then patches
    cib-N.raw  cib-N.raw.sig the whole files before it, N wraps at 100
    cib-N.journal            the journal that led from that one to the next
    cib.last                 the next N

A change is on disk when its journal record is synced; several share one sync. Reading goes from the newest whole file
that is intact along every journal that continues it, so a whole file that was torn or edited costs nothing as long as
the one before it and the journals are there. A record that was not completed ends its journal.
"""

import contextlib
import json
import logging
import os
import struct
import threading
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from hatools.cib.document import Document, Element, empty_document, format_xml, parse_xml
from hatools.cib.document_digest import content_digest, on_disk_digest
from hatools.cib.patchset import apply_patch
from hatools.daemons.cib.applying import patch_between, stored_form
from hatools.daemons.cib.effects import Mark, Persist
from hatools.values.errors import HatoolsError
from hatools.values.records import dataclass

_log = logging.getLogger(__name__)

BACKUPS = 100
"""``cib.last`` counts from 0 to one less than this."""

JOURNAL_BYTES = 2 * 1024 * 1024
JOURNAL_RECORDS = 2000
"""A journal that has grown so far is closed and a whole file written."""

RESERVE_STEP = 256 * 1024
"""Bytes of journal that are allocated ahead, so that a full disk is noticed before a change is made."""

LONG_STEP = 1024 * 1024
"""Bytes from which on a step is written as a whole file only."""

_RECORD = struct.Struct("!II")


@dataclass(frozen=True, slots=True)
class Stored:
    """What was on disk."""

    document: Document
    mark: Mark
    is_new: bool = False


class Store:
    """One node's folder ``var/lib/pacemaker/cib``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._journal: int | None = None
        self._size = 0
        self._reserved = 0
        self._records = 0
        self._document: Document | None = None
        self._mark = Mark()
        self._writing = threading.Lock()
        """Held while files change: writing has a thread of its own."""

    # -- reading

    def load(self) -> Stored:
        """Return the newest content that can be made of the files; an empty CIB if there are none."""
        numbers = self._backup_numbers()
        journals = [_read_journal(self._folder / f"cib-{number}.journal") for number in numbers]
        journals.append(_read_journal(self._folder / "cib.journal"))
        current = self._read_whole("cib.xml")
        if current is not None:
            newest = journals[-1]
            signed = (self._folder / "cib.xml.sig").exists()
            if newest is not None and newest.base == content_digest(current.root):
                return self._loaded("cib.xml", *_follow(current, Mark(), [newest]))
            if not signed:
                # Put there by hand, as Pacemaker's documentation allows while the cluster is down.
                return self._loaded("cib.xml", current, newest.mark if newest is not None else Mark(), 0)
        for place in range(len(numbers) - 1, -1, -1):
            backup = self._read_whole(f"cib-{numbers[place]}.raw")
            if backup is not None:
                document, mark, used = _follow(backup, Mark(), journals[place:])
                if current is None or document.version >= current.version:
                    return self._loaded(f"cib-{numbers[place]}.raw", document, mark, used)
                break
        if current is not None:
            return self._loaded("cib.xml", current, Mark(), 0)
        if numbers or (self._folder / "cib.xml").exists():
            _log.error("no CIB file in %s is intact: starting with an empty one", self._folder)
        return Stored(empty_document(), Mark(), is_new=True)

    def _loaded(self, name: str, document: Document, mark: Mark, used: int) -> Stored:
        if name != "cib.xml":
            _log.warning("cib.xml cannot be used alone: continuing from %s", name)
        _log.info("read CIB version %s from %s and %s journal records", document.version, name, used)
        self._document, self._mark = document, mark
        return Stored(_with_status(document), mark)

    def _backup_numbers(self) -> list[int]:
        """Return the numbers of the backups that are there, oldest first."""
        found = {
            int(text)
            for path in self._folder.glob("cib-*.raw")
            if (text := path.name.removeprefix("cib-").removesuffix(".raw")).isdigit()
        }
        following = self._next_number()
        return sorted(found, key=lambda number: (number - following) % BACKUPS)

    def _read_whole(self, name: str) -> Document | None:
        path = self._folder / name
        if not path.exists():
            return None
        signature = path.with_name(f"{path.name}.sig")
        try:
            root = parse_xml(path.read_bytes(), with_text=False)
            expected = signature.read_text().strip() if signature.exists() else None
        except (OSError, UnicodeDecodeError, HatoolsError) as error:
            _log.warning("%s is damaged: %s", path.name, error)
            return None
        if root.tag != "cib":
            _log.warning("%s holds no CIB", path.name)
            return None
        if expected is None:
            _log.warning("%s has no digest beside it: taken as it is", path.name)
        elif expected.lower() != on_disk_digest(root):
            _log.warning("%s was changed by something else than the cluster and is ignored", path.name)
            return None
        return stored_form(Document(root))

    # -- writing

    def prepare(self) -> None:
        """Write a whole file for what was loaded, and open a journal for what comes.

        Raises:
            OSError: the disk refuses.
        """
        document = self._document if self._document is not None else stored_form(empty_document())
        self._write_whole(document, self._mark)

    def continues(self, record: Persist) -> bool:
        """Say whether writing a record means no more than to add it to the journal, and nobody writes at the time."""
        if self._journal is None or record.before is None or record.patch is None or self._writing.locked():
            return False
        has_space = self._size + 2 * len(record.patch) + 4096 <= min(self._reserved, JOURNAL_BYTES)
        return has_space and self._records < JOURNAL_RECORDS

    def write(self, batch: Sequence[Persist]) -> None:
        """Put records on disk, all with one sync.

        Raises:
            OSError: the disk refuses; call :meth:`rescue` later with the newest record.
        """
        with self._writing:
            self._write_batch(batch)

    def _write_batch(self, batch: Sequence[Persist]) -> None:
        pending = b""
        for record in batch:
            after = stored_form(record.document)
            has_journal = self._journal is not None and self._document is not None
            step = b""
            if has_journal and self._document is not None:
                patch = record.patch if record.patch is not None else _patch_text(self._document, after)
                step = _record(patch, record.mark)
            if record.before is None or not has_journal:
                # The journal leads here too, if that is not long: then damage to the new whole file costs nothing.
                self._append(pending + (step if len(step) < LONG_STEP else b""))
                pending = b""
                self._write_whole(after, record.mark)
            else:
                pending += step
                self._records += 1
            self._document, self._mark = after, record.mark
        self._append(pending)
        if self._size > JOURNAL_BYTES or self._records > JOURNAL_RECORDS:
            assert self._document is not None
            # The records are safe in the journal already: a whole file that cannot be written may wait.
            with contextlib.suppress(OSError):
                self._write_whole(self._document, self._mark)

    def rescue(self, newest: Persist) -> None:
        """After a failed write, put everything on disk as a whole file.

        Raises:
            OSError: the disk still refuses.
        """
        with self._writing:
            self._document, self._mark = stored_form(newest.document), newest.mark
            self._write_whole(self._document, self._mark)

    def has_room(self, size: int) -> bool:
        """Say whether a change of so many bytes fits; more room is taken from the disk if need be."""
        if self._journal is None:
            return False
        needed = self._size + 2 * size + 4096
        if needed <= self._reserved:
            return True
        if not self._writing.acquire(blocking=False):
            return True  # the writing thread is taking room itself, and will tell if there is none
        try:
            self._reserve(needed)
        except OSError:
            return False
        finally:
            self._writing.release()
        return True

    def keep_backup(self, document: Document) -> None:
        """Keep a document under the next number."""
        number = self._next_number()
        with contextlib.suppress(FileNotFoundError):
            (self._folder / f"cib-{number}.journal").unlink()
        root = stored_form(document).root
        self._replace(f"cib-{number}.raw", format_xml(root).encode("utf-8", "surrogateescape"))
        self._replace(f"cib-{number}.raw.sig", on_disk_digest(root).encode())
        self._count_on(number)

    def close(self) -> None:
        """Leave a whole file behind and nothing open."""
        if self._document is not None and self._records:
            with contextlib.suppress(OSError):
                self._write_whole(self._document, self._mark)
        if self._journal is not None:
            os.close(self._journal)
            self._journal = None

    def _append(self, data: bytes) -> None:
        if not data:
            return
        assert self._journal is not None
        if self._size + len(data) > self._reserved:
            self._reserve(self._size + len(data))
        written = os.pwrite(self._journal, data, self._size)
        if written != len(data):
            raise OSError(28, "short write")
        os.fdatasync(self._journal)
        self._size += len(data)

    def _reserve(self, size: int) -> None:
        assert self._journal is not None
        wanted = (size // RESERVE_STEP + 1) * RESERVE_STEP
        os.posix_fallocate(self._journal, 0, wanted)
        os.fsync(self._journal)
        self._reserved = wanted

    def _write_whole(self, document: Document, mark: Mark) -> None:
        """Replace the whole file; at every moment the files that are there lead to the newest content."""
        root = document.root
        data = format_xml(root).encode("utf-8", "surrogateescape")
        temporary = self._write_temporary("cib.xml.new", data)
        signature = self._write_temporary("cib.xml.sig.new", on_disk_digest(root).encode())
        head = _frame(
            json.dumps({"base": content_digest(root), "lineage": mark.lineage, "version": mark.base}).encode()
        )
        journal = self._write_temporary("cib.journal.new", head)
        self._back_up()
        os.replace(journal, self._folder / "cib.journal")
        os.replace(temporary, self._folder / "cib.xml")
        os.replace(signature, self._folder / "cib.xml.sig")
        self._sync_folder()
        if self._journal is not None:
            os.close(self._journal)
        self._journal = os.open(self._folder / "cib.journal", os.O_RDWR | os.O_CLOEXEC)
        self._size = len(head)
        self._reserved = 0
        self._records = 0
        # Without room ahead the next append tries again, and reports what the disk says.
        with contextlib.suppress(OSError):
            self._reserve(self._size)

    def _back_up(self) -> None:
        """Give the present files the next number, if they are what we know them to be."""
        current = self._folder / "cib.xml"
        if not current.exists():
            return
        number = self._next_number()
        for name, backup in (
            ("cib.xml", f"cib-{number}.raw"),
            ("cib.xml.sig", f"cib-{number}.raw.sig"),
            ("cib.journal", f"cib-{number}.journal"),
        ):
            with contextlib.suppress(FileNotFoundError):
                (self._folder / backup).unlink()
            with contextlib.suppress(FileNotFoundError):
                os.link(self._folder / name, self._folder / backup)
        self._count_on(number)
        self._sync_folder()

    def _next_number(self) -> int:
        try:
            return int((self._folder / "cib.last").read_text()) % BACKUPS
        except (OSError, ValueError):
            return 0

    def _count_on(self, number: int) -> None:
        self._replace("cib.last", str((number + 1) % BACKUPS).encode())

    def _replace(self, name: str, data: bytes) -> None:
        os.replace(self._write_temporary(f"{name}.new", data), self._folder / name)

    def _write_temporary(self, name: str, data: bytes) -> Path:
        path = self._folder / name
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            with open(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            with contextlib.suppress(OSError):
                path.unlink()
            raise
        return path

    def _sync_folder(self) -> None:
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@dataclass(frozen=True, slots=True)
class _Journal:
    """A journal as read: what it continues, and its records (meta, patch text)."""

    base: str
    mark: Mark
    records: tuple[tuple[Mark, str], ...]


def _frame(payload: bytes) -> bytes:
    return _RECORD.pack(len(payload), zlib.crc32(payload)) + payload


def _patch_text(before: Document, after: Document) -> str:
    patch = patch_between(before, after)
    return "" if patch is None else format_xml(patch, indent=None)


def _record(text: str, mark: Mark) -> bytes:
    meta = json.dumps({"lineage": mark.lineage, "version": mark.base})
    return _frame(f"{meta}\n{text}".encode("utf-8", "surrogateescape"))


def _read_journal(path: Path) -> _Journal | None:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        _log.warning("%s cannot be read: %s", path.name, error)
        return None
    payloads = list(_payloads(data))
    try:
        head = json.loads(payloads[0])
        records = []
        for payload in payloads[1:]:
            meta, _, text = payload.decode("utf-8", "surrogateescape").partition("\n")
            records.append((_mark(json.loads(meta)), text))
        return _Journal(str(head["base"]), _mark(head), tuple(records))
    except (IndexError, KeyError, TypeError, ValueError):
        _log.warning("%s has no usable head", path.name)
        return None


def _payloads(data: bytes) -> Iterator[bytes]:
    """Yield the records up to the first that is torn or damaged; zeros are room taken ahead."""
    position = 0
    while position + _RECORD.size <= len(data):
        length, checksum = _RECORD.unpack_from(data, position)
        payload = data[position + _RECORD.size : position + _RECORD.size + length]
        if length == 0 or len(payload) < length or zlib.crc32(payload) != checksum:
            return
        yield payload
        position += _RECORD.size + length


def _mark(meta: dict[str, object]) -> Mark:
    version = meta["version"]
    if not isinstance(version, list) or len(version) != 3:
        raise ValueError("a version has three parts")
    return Mark(str(meta["lineage"]), (int(version[0]), int(version[1]), int(version[2])))


def _follow(document: Document, mark: Mark, journals: Sequence[_Journal | None]) -> tuple[Document, Mark, int]:
    """Apply the journals, in their order, that continue a document; return also how many records that were."""
    used = 0
    for journal in journals:
        if journal is None or journal.base != content_digest(document.root):
            continue
        mark = journal.mark
        for record_mark, text in journal.records:
            try:
                if text:
                    document = Document(apply_patch(document.root, parse_xml(text), check_version=False))
            except HatoolsError as error:
                _log.error("a journal record cannot be applied: %s", error)
                return document, mark, used
            mark = record_mark
            used += 1
    return document, mark, used


def _with_status(document: Document) -> Document:
    root = Element(document.root.tag, dict(document.root.attrib))
    root.extend(document.root)
    root.append(Element("status"))
    return Document(root)
