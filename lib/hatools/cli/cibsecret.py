"""``cibsecret``: parameters whose values are kept in protected files instead of the CIB. I/O.

The CIB holds ``lrm://`` where the executor shall read ``var/lib/pacemaker/lrm/secrets/RESOURCE/PARAMETER``; beside that
file lies one with its MD5 hash, ending in ``.sign``. Copies on the other nodes are made with ssh.
"""

import contextlib
import hashlib
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from hatools.cli import crm_attribute, crm_resource
from hatools.cli.ending import Refused
from hatools.ipc.clients.crmd import BlockingController
from hatools.runtime.directories import Directories
from hatools.values.errors import HatoolsError
from hatools.values.exitcode import ExitCode
from hatools.values.records import dataclass

MAGIC = "lrm://"
"""What the CIB holds in place of a secret."""

HELP = """cibsecret - manage sensitive information in Pacemaker CIB

Usage:
    cibsecret [<options>] <command> [<parameters>]

Options:
    --help       Show this message, then exit
    --version    Display version information, then exit
    -C           Don't read or write the CIB

Commands and their parameters:
    set <resource-id> <resource-parameter> <value>
        Set the value of a sensitive resource parameter.

    get <resource-id> <resource-parameter>
        Display the locally stored value of a sensitive resource parameter.

    check <resource-id> <resource-parameter>
        Verify that the locally stored value of a sensitive resource parameter
        matches its locally stored MD5 hash.

    stash <resource-id> <resource-parameter>
        Make a non-sensitive resource parameter that is already in the CIB
        sensitive (move its value to a locally stored and protected file).
        This may not be used with -C.

    unstash <resource-id> <resource-parameter>
        Make a sensitive resource parameter that is already in the CIB
        non-sensitive (move its value from the locally stored file to the CIB).
        This may not be used with -C.

    delete <resource-id> <resource-parameter>
        Remove a sensitive resource parameter value.

    sync
        Copy all locally stored secrets to all other nodes.

This command manages sensitive resource parameter values that should not be
stored directly in Pacemaker's Cluster Information Base (CIB). Such values
are handled by storing a special string directly in the CIB that tells
Pacemaker to look in a separate, protected file for the actual value.

The secret files are not encrypted, but protected by file system permissions
such that only root can read or modify them.

Since the secret files are stored locally, they must be synchronized across all
cluster nodes. This command handles the synchronization using (in order of
preference) pssh, pdsh, or ssh, so one of those must be installed. Before
synchronizing, this command will ping the cluster nodes to determine which are
alive, using fping if it is installed, otherwise the ping command. Installing
fping is strongly recommended for better performance.

Known limitations:

    This command can only be run from full cluster nodes (not Pacemaker Remote
    nodes).

    Changes are not atomic, so the cluster may use different values while a
    change is in progress. To avoid problems, it is recommended to put the
    cluster in maintenance mode when making changes with this command.

    Changes in secret values do not trigger an agent reload or restart of the
    affected resource, since they do not change the CIB. If a response is
    desired before the next cluster recheck interval, any CIB change (such as
    setting a node attribute) will trigger it.

    If any node is down when changes to secrets are made, or a new node is
    later added to the cluster, it may have different values when it joins the
    cluster, before "cibsecret sync" is run. To avoid this, it is recommended to
    run the sync command (from another node) before starting Pacemaker on the
    node.

Examples:

    cibsecret set ipmi_node1 passwd SecreT_PASS

    cibsecret get ipmi_node1 passwd

    cibsecret check ipmi_node1 passwd

    cibsecret stash ipmi_node2 passwd

    cibsecret sync
"""

_WORDS = {"set": (2, 3), "get": (2,), "check": (2,), "stash": (2,), "unstash": (2,), "delete": (2,), "sync": (0,)}
_SSH = ("-o", "StrictHostKeyChecking=no", "-o", "BatchMode=yes")


def main(argv: list[str]) -> int:
    """Carry out one command."""
    without_cib = argv[:1] == ["-C"]
    words = argv[1:] if without_cib else argv
    code = _check_usage(words)
    if code is not None:
        return code
    try:
        secrets = _Secrets(Directories.from_environment(), without_cib)
        return secrets.run(words[0], *words[1:])
    except Refused as fatal:
        print(f"ERROR: {fatal}")
        return fatal.code


def _check_usage(words: list[str]) -> int | None:
    """Answer help, version and mistakes; None if there is a command to carry out."""
    command = words[0] if words else ""
    if command == "--version":
        return crm_attribute.main(["--version"])
    if command in _WORDS:
        if len(words) - 1 in _WORDS[command]:
            return None
        code = ExitCode.ERROR
    else:
        code = ExitCode.OK if command == "--help" else ExitCode.USAGE
    print(HELP, end="")
    return code


@dataclass(frozen=True, slots=True)
class _Answer:
    """What crm_resource said."""

    code: int
    text: str


class _Secrets:
    """The secrets of this node, and their copies elsewhere."""

    def __init__(self, directories: Directories, without_cib: bool) -> None:
        self.folder = directories.lrm / "secrets"
        self.is_lab = not directories.is_system
        self.without_cib = without_cib
        self.command = ""
        try:
            self.controller = BlockingController(directories, name="cibsecret")
        except HatoolsError:
            raise Refused(ExitCode.UNAVAILABLE, "pacemaker not running? cibsecret needs pacemaker") from None

    def run(self, command: str, resource: str = "", parameter: str = "", value: str | None = None) -> int:
        """Carry out a command whose number of words is right."""
        self.command = command
        if command == "sync":
            self._sync_all()
            return ExitCode.OK
        actions: dict[str, Callable[[], None]] = {
            "set": lambda: self._set(resource, parameter, value),
            "get": lambda: self._get(resource, parameter),
            "check": lambda: self._verify(resource, parameter),
            "stash": lambda: self._stash(resource, parameter),
            "unstash": lambda: self._unstash(resource, parameter),
            "delete": lambda: self._delete(resource, parameter),
        }
        actions[command]()
        return ExitCode.OK

    # Commands

    def _set(self, resource: str, parameter: str, value: str | None) -> None:
        if value is None:
            print("Enter value: ", end="", flush=True)
            value = sys.stdin.readline().rstrip("\n")
        self._require_resource(resource)
        current = self._in_cib(resource, parameter)
        if not self.without_cib and current not in ("", MAGIC, value):
            raise Refused(
                ExitCode.CONFIG,
                f"CIB value <{current}> different for {resource} parameter {parameter}; please delete it first",
            )
        self._write(resource, parameter, value)
        self._set_in_cib(resource, parameter, MAGIC)

    def _check(self, resource: str, parameter: str) -> str:
        """Return the secret, whose hash is right."""
        self._require_resource(resource)
        if not self.without_cib and self._in_cib(resource, parameter) != MAGIC:
            raise Refused(
                ExitCode.CONFIG, f"resource {resource} parameter {parameter} not set as secret, nothing to check"
            )
        known = _read(self._hash_file(resource, parameter))
        if not known:
            raise Refused(ExitCode.OSFILE, f"no MD5 hash for resource {resource} parameter {parameter}")
        value = _read(self._file(resource, parameter))
        if _md5(value) != known:
            raise Refused(ExitCode.DIGEST, f"MD5 hash mismatch for resource {resource} parameter {parameter}")
        return value

    def _verify(self, resource: str, parameter: str) -> None:
        self._check(resource, parameter)

    def _get(self, resource: str, parameter: str) -> None:
        print(self._check(resource, parameter))

    def _stash(self, resource: str, parameter: str) -> None:
        if self.without_cib:
            raise Refused(ExitCode.USAGE, "no access to Pacemaker, stash not supported")
        self._require_resource(resource)
        current = self._in_cib(resource, parameter)
        if not current:
            raise Refused(ExitCode.NOSUCH, f"nothing to stash for resource {resource} parameter {parameter}")
        if current == MAGIC:
            raise Refused(
                ExitCode.EXISTS,
                f"resource {resource} parameter {parameter} already set as secret, nothing to stash",
            )
        self._set(resource, parameter, current)

    def _unstash(self, resource: str, parameter: str) -> None:
        if self.without_cib:
            raise Refused(ExitCode.USAGE, "no access to Pacemaker, unstash not supported")
        value = _read(self._file(resource, parameter))
        if not value:
            raise Refused(ExitCode.NOSUCH, f"nothing to unstash for resource {resource} parameter {parameter}")
        self._require_resource(resource)
        if self._in_cib(resource, parameter) != MAGIC:
            _warn(
                f"resource {resource} parameter {parameter} not set as secret, but we have local value so proceeding"
                " anyway"
            )
        self._remove(resource, parameter)
        self._set_in_cib(resource, parameter, value)

    def _delete(self, resource: str, parameter: str) -> None:
        self._require_resource(resource)
        self._remove(resource, parameter)
        if not self.without_cib:
            _resource(["-r", resource, "-d", parameter])

    # The CIB

    def _require_resource(self, resource: str) -> None:
        if self.without_cib:
            return
        answer = _resource(["-r", resource, "-W"])
        if answer.code != ExitCode.OK:
            raise Refused(ExitCode.NOSUCH, answer.text.strip())

    def _in_cib(self, resource: str, parameter: str) -> str:
        if self.without_cib:
            return ""
        answer = _resource(["-r", resource, "-g", parameter], with_errors=False)
        return answer.text.strip()

    def _set_in_cib(self, resource: str, parameter: str, value: str) -> None:
        if not self.without_cib:
            _resource(["-r", resource, "-p", parameter, "-v", value])

    # Files

    def _file(self, resource: str, parameter: str) -> Path:
        for name in (resource, parameter):
            if "/" in name or name in ("", ".", ".."):
                raise Refused(ExitCode.USAGE, f"'{name}' cannot be part of a file name")
        return self.folder / resource / parameter

    def _hash_file(self, resource: str, parameter: str) -> Path:
        file = self._file(resource, parameter)
        return file.with_name(f"{file.name}.sign")

    def _write(self, resource: str, parameter: str, value: str) -> None:
        file = self._file(resource, parameter)
        previous = os.umask(0o077)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            _replace(file, f"{value}\n")
            _replace(self._hash_file(resource, parameter), f"{_md5(value)}\n")
        except OSError as error:
            raise Refused(ExitCode.CANTCREAT, f"{file} cannot be written: {error.strerror}") from None
        finally:
            os.umask(previous)
        self._sync_one(file)

    def _remove(self, resource: str, parameter: str) -> None:
        file = self._file(resource, parameter)
        file.unlink(missing_ok=True)
        self._hash_file(resource, parameter).unlink(missing_ok=True)
        self._sync_one(file)

    # Other nodes

    def _live_peers(self) -> list[str]:
        """Return the other nodes that are there, and warn of those that are not."""
        known = self.controller.nodes()
        others = [node for node in known.nodes if node.name != known.local and not node.is_remote]
        down = sorted(node.name for node in others if node.state != "member")
        if len(down) == 1:
            _warn(f"node {down[0]} is down")
            _warn('you\'ll need to update it using "cibsecret sync" later')
        elif down:
            _warn(f"nodes {' '.join(down)} are down")
            _warn('you\'ll need to update them using "cibsecret sync" later')
        live = [node.name for node in others if node.state == "member"]
        if not live:
            _info("no other nodes live")
        elif self.is_lab:
            _warn(f"nodes of a lab cannot be reached by ssh; run 'cibsecret -C {self.command} ...' on {' '.join(live)}")
            return []
        return live

    def _announce(self, what: Path, peers: list[str]) -> None:
        verb, word = ("deleting", "from") if self.command == "delete" else ("syncing", "to")
        _info(f"{verb} {what} {word} {' '.join(peers)}  ...")

    def _sync_all(self) -> None:
        peers = self._live_peers()
        if peers:
            self._announce(self.folder, peers)
        for peer in peers:
            self._remote(peer, "rm", "-rf", str(self.folder))
            self._remote(peer, "mkdir", "-p", str(self.folder.parent))
            self._copy(peer, self.folder.parent, self.folder)

    def _sync_one(self, file: Path) -> None:
        peers = self._live_peers()
        if peers:
            self._announce(file, peers)
        hash_file = file.with_name(f"{file.name}.sign")
        for peer in peers:
            self._remote(peer, "mkdir", "-p", str(file.parent))
            if file.exists():
                self._copy(peer, file.parent, file, hash_file)
            else:
                self._remote(peer, "rm", "-f", str(file), str(hash_file))

    def _remote(self, peer: str, *words: str) -> None:
        self._call("ssh", *_SSH, peer, "--", *words)

    def _copy(self, peer: str, folder: Path, *files: Path) -> None:
        self._call("scp", "-pqr", *_SSH, *map(str, files), f"{peer}:{folder}")

    def _call(self, program: str, *words: str) -> None:
        path = shutil.which(program)
        if path is None:
            raise Refused(ExitCode.NOT_INSTALLED, f"please install {program} to have secrets copied to other nodes")
        done = subprocess.run([path, *words], stdin=subprocess.DEVNULL, check=False)
        if done.returncode:
            raise Refused(ExitCode.ERROR, f"{self.command}(): failed with rc: {done.returncode}")


def _resource(words: list[str], *, with_errors: bool = True) -> _Answer:
    """Run crm_resource and return what it says."""
    printed, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(errors):
        code = crm_resource.main(words)
    return _Answer(code, printed.getvalue() + (errors.getvalue() if with_errors else ""))


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="surrogateescape").rstrip("\n")
    except OSError:
        return ""


def _replace(file: Path, text: str) -> None:
    """Write a file so that it is either the old or the new one, whatever happens."""
    new = file.with_name(f".{file.name}.new")
    with new.open("w", encoding="utf-8", errors="surrogateescape") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    new.replace(file)


def _md5(value: str) -> str:
    return hashlib.md5(value.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()


def _warn(text: str) -> None:
    print(f"WARNING: {text}")


def _info(text: str) -> None:
    print(f"INFO: {text}")
