"""What the channel does for another node: files, programs, the configuration. I/O.

Every function works on this node and knows nothing of connections. Paths are those that the node's own processes would
use: below the node's root, where that is not the machine's.
"""

import contextlib
import hashlib
import logging
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from hatools.ipc.blocking import BlockingConnection
from hatools.ipc.messages.channel import (
    CommandEnded,
    CommandOutput,
    FileContent,
    NodeAbout,
    ReadFile,
    RunCommand,
    StillRunning,
    StoreConfiguration,
    WriteFile,
)
from hatools.messaging.corosync.conf import read_configuration
from hatools.runtime.commands import commands_folder
from hatools.runtime.directories import Directories
from hatools.runtime.files import replace_file
from hatools.values.errors import (
    ConfigError,
    DisconnectedError,
    HatoolsError,
    InputError,
    NoSuchObjectError,
    StaleError,
    UnavailableError,
)

_log = logging.getLogger(__name__)

LARGEST_FILE = 256 << 20
_CHUNK = 1 << 16
_SIGN_OF_LIFE_S = 3.0
_KILL_LIMIT_S = 5.0
_LAST_WORDS_S = 0.1


def path_on_node(directories: Directories, path: str) -> Path:
    """Return where a path of the node is.

    Raises:
        InputError: it is not absolute, or leads out of the node.
    """
    if not path.startswith("/") or ".." in path.split("/") or "\0" in path:
        raise InputError(f"{path!r} is no absolute path of a file")
    return directories.root / path.lstrip("/")


def describe(directories: Directories, name: str) -> NodeAbout:
    """Say who this node is."""
    import hatools

    version, content = 0, b""
    with contextlib.suppress(OSError, HatoolsError, UnicodeDecodeError):
        content = directories.corosync_conf.read_bytes()
        version = read_configuration(content.decode("utf-8")).config_version
    digest = hashlib.sha256(content).hexdigest()
    return NodeAbout(name, hatools.__version__, _cluster_runs(directories), version, digest, time.time())


def _cluster_runs(directories: Directories) -> bool:
    try:
        BlockingConnection(directories.socket("pacemakerd"), "pacemakerd", name="channel").close()
    except HatoolsError:
        return False
    return True


def read_file(directories: Directories, request: ReadFile) -> FileContent:
    """Return a file.

    Raises:
        NoSuchObjectError, UnavailableError: there is none, or it cannot be read.
        InputError: it is no regular file, or too large.
    """
    path = path_on_node(directories, request.path)
    try:
        if not path.is_file():
            raise NoSuchObjectError(f"{request.path}: no such file")
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if status.st_size > LARGEST_FILE:
                raise InputError(f"{request.path}: files above {LARGEST_FILE >> 20} MiB are not carried")
            content = file.read()
    except OSError as error:
        raise UnavailableError(f"{request.path}: {error.strerror}") from None
    return FileContent(status.st_mode & 0o777, hashlib.sha256(content).hexdigest(), content)


def write_file(directories: Directories, request: WriteFile) -> None:
    """Put a file into its place, whole or not at all; a file that is there keeps its owner.

    Raises:
        UnavailableError: it cannot be written; what was there is untouched.
    """
    path = path_on_node(directories, request.path)
    try:
        if path.is_dir():
            raise InputError(f"{request.path} is a folder")
        replace_file(path, request.content, request.mode & 0o777)
    except OSError as error:
        raise UnavailableError(f"{request.path}: {error.strerror}") from None


def store_configuration(directories: Directories, request: StoreConfiguration) -> None:
    """Take a corosync.conf.

    Raises:
        ConfigError: messaging could not read it.
        StaleError: the present one is newer.
    """
    offered = read_configuration(request.text)
    path = directories.corosync_conf
    if not request.replaces and path.exists():
        try:
            present = read_configuration(path.read_text(encoding="utf-8")).config_version
        except (ConfigError, UnicodeDecodeError):
            present = 0  # one that cannot be used does not stand in the way
        if present > offered.config_version:
            raise StaleError(
                f"the corosync.conf here is newer: config_version {present} instead of {offered.config_version}"
            )
    try:
        replace_file(path, request.text.encode("utf-8"), 0o644)
    except OSError as error:
        raise UnavailableError(f"{path}: {error.strerror}") from None


def forget_cluster(directories: Directories) -> None:
    """Set aside what makes this node a member of its cluster; the key is deleted.

    Raises:
        UnavailableError: the daemons run, or something could not be moved.
    """
    if _cluster_runs(directories):
        raise UnavailableError("the cluster's daemons run here: stop them first")
    mark = f"removed-{time.strftime('%Y%m%d-%H%M%S')}"
    try:
        for path in (directories.cib, directories.corosync_conf):
            if path.exists():
                path.replace(path.with_name(f"{path.name}.{mark}"))
        directories.corosync_authkey.unlink(missing_ok=True)
    except OSError as error:
        raise UnavailableError(f"{error.filename}: {error.strerror}") from None


def run_command(
    directories: Directories, request: RunCommand, tell: Callable[[CommandOutput | StillRunning], None]
) -> CommandEnded:
    """Run a program to its end; ``tell`` gets what it prints, and raises when nobody listens any more.

    Raises:
        InputError: there is nothing to run.
        DisconnectedError: nobody listens; the program has been killed.
    """
    if not request.argv or not request.argv[0]:
        raise InputError("there is no program to run")
    environment = dict(os.environ)
    if folder := commands_folder():
        environment["PATH"] = f"{folder}:{environment.get('PATH', '/usr/sbin:/usr/bin:/sbin:/bin')}"
    program = shutil.which(request.argv[0], path=environment.get("PATH"))
    if program is None:
        return CommandEnded(127, f"{request.argv[0]}: command not found")
    with tempfile.TemporaryFile() as given:
        given.write(request.stdin)
        given.seek(0)
        try:
            process = subprocess.Popen(
                [program, *request.argv[1:]],
                stdin=given,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                cwd=directories.root,
                start_new_session=True,
            )
        except OSError as error:
            return CommandEnded(126, f"{program}: {error.strerror}")
    try:
        return _follow(process, request.timeout_s, tell)
    except DisconnectedError:
        _log.warning("%s is killed: who asked for it is gone", request.argv[0])
        raise
    finally:
        _end(process)


def _follow(
    process: "subprocess.Popen[bytes]", timeout_s: float, tell: Callable[[CommandOutput | StillRunning], None]
) -> CommandEnded:
    """Hand on what a program prints until it has ended.

    A daemon that the program leaves behind may hold the pipes: they are not waited for once the program is gone.
    """
    assert process.stdout is not None and process.stderr is not None
    deadline = time.monotonic() + timeout_s if timeout_s > 0 else None
    is_error = {process.stdout.fileno(): False, process.stderr.fileno(): True}
    exit_notice = os.pidfd_open(process.pid)
    watched = select.poll()
    for descriptor in (*is_error, exit_notice):
        watched.register(descriptor, select.POLLIN)
    try:
        while is_error or exit_notice >= 0:
            if deadline is not None and time.monotonic() > deadline:
                return CommandEnded(124, f"killed: it ran for {timeout_s:g} s")
            ready = watched.poll(1000 * (_LAST_WORDS_S if exit_notice < 0 else _pause(deadline)))
            if not ready and exit_notice < 0:
                break
            if not ready:
                tell(StillRunning())
            for descriptor, _ in ready:
                if descriptor == exit_notice:
                    watched.unregister(exit_notice)
                    os.close(exit_notice)
                    exit_notice = -1
                elif data := os.read(descriptor, _CHUNK):
                    tell(CommandOutput(data, is_error[descriptor]))
                else:
                    watched.unregister(descriptor)
                    del is_error[descriptor]
    finally:
        if exit_notice >= 0:
            os.close(exit_notice)
    code = process.wait()
    return CommandEnded(code) if code >= 0 else CommandEnded(128 - code, f"ended by signal {-code}")


def _pause(deadline: float | None) -> float:
    """Return how long to wait for output before another sign of life is due."""
    return _SIGN_OF_LIFE_S if deadline is None else max(0.01, min(_SIGN_OF_LIFE_S, deadline - time.monotonic()))


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Kill what is left of a program that has not ended by itself, and let go of its pipes."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_KILL_LIMIT_S)
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
