"""corosync-keygen: make the key that all nodes of a cluster share. I/O.

Output and exit codes are those of Corosync 3.1. Unlike the original it never hangs silently: the kernel's
generator does not block once it is initialised, and whenever a source makes us wait we say so, with
progress, and end cleanly on Ctrl-C. An existing key is replaced atomically.
"""

import os
import select
import sys
import time
from pathlib import Path

from hatools.cli.corosync_getopt import parse
from hatools.messaging.corosync.authkey import DEFAULT_SIZE, FILE_MODE, MAX_SIZE, MIN_SIZE
from hatools.runtime.directories import Directories
from hatools.runtime.files import replace_file

USAGE = """\
Usage: corosync-keygen [-k <keyfile>] [-s size] [-m <randomfile>] [-l] [-h]
     -k / --key-file=<filename> -  Write to the specified keyfile
            instead of the default /etc/corosync/authkey.
     -r / --random-file -  Random number source file. Default is 
            /dev/urandom. As an example /dev/random may be requested
            (that may require user input for entropy).
     -l / --less-secure - Not used, option is kept only
            for compatibility.
     -s / --size -  Length of key.
     -h / --help -  Print basic usage.
"""  # noqa: W291 (the original's blank at the end of a line)

_KERNEL = "/dev/urandom"
_PROMPT = "Press keys on your keyboard to generate entropy"
_PATIENCE_S = 5.0
"""How often a wait without any progress is said again."""


def main(argv: list[str]) -> int:
    """Run the command; return its exit status: 0 done, 1 wrong usage or source, 2 no file could be written."""
    line = parse("corosync-keygen", argv, "k:r:ls:h", ("key-file=", "random-file=", "less-secure", "size=", "help"))
    if line is None:
        print("Error parsing command line options.")
        return 1
    path = Directories.from_environment().corosync_authkey
    source, size = _KERNEL, DEFAULT_SIZE
    for name, value in line[0]:
        match name:
            case "-k" | "--key-file":
                path = Path(value)
            case "-r" | "--random-file":
                source = value
            case "-s" | "--size":
                size = int(value) if value.isdecimal() else -1
            case "-h" | "--help":
                print(USAGE)
                return 0
    if not MIN_SIZE <= size <= MAX_SIZE:
        _complain(f"Unsupported key size (supported <{MIN_SIZE},{MAX_SIZE}>)\n")
        return 1
    return _generate(path, source, size)


def _generate(path: Path, source: str, size: int) -> int:
    print("Corosync Cluster Engine Authentication key generator.")
    print(f"Gathering {size * 8} bits for key from {source}.", flush=True)
    try:
        key = _gather(source, size)
    except OSError as error:
        _complain(f"Failed to open random source: {error.strerror}")
        return 1
    except EOFError as error:
        _complain(str(error))
        return 1
    except KeyboardInterrupt:
        _complain("interrupted; no key was written")
        return 130
    target = Path(os.path.realpath(path))
    replaces = target.exists()
    try:
        replace_file(target, key, FILE_MODE)
    except OSError as error:
        _complain(f"Could not create {path}: {error.strerror}")
        return 2
    print(f"Writing corosync key to {path}.", flush=True)
    if replaces:
        _complain(f"{path} was replaced: copy it to every node and restart them, nodes with the old key cannot join")
    return 0


def _gather(source: str, size: int) -> bytes:
    """Return random bytes, telling how it goes whenever that takes time."""
    if source == _KERNEL:
        return _from_kernel(size)
    if source == "/dev/random":
        print(f"{_PROMPT}.", flush=True)
    descriptor = os.open(source, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        return _from_descriptor(descriptor, source, size)
    finally:
        os.close(descriptor)


def _from_kernel(size: int) -> bytes:
    waiting = False
    while True:
        try:
            return os.getrandom(size, os.GRND_NONBLOCK)
        except BlockingIOError:
            if not waiting:
                _progress(size)
                waiting = True
            time.sleep(0.2)


def _from_descriptor(descriptor: int, source: str, size: int) -> bytes:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    key = b""
    while len(key) < size:
        if not poll.poll(0):
            # What is asked of the user before the first byte is what /dev/random's users know.
            _progress(size - len(key))
            poll.poll(_PATIENCE_S * 1000)
        try:
            part = os.read(descriptor, size - len(key))
        except BlockingIOError:
            continue
        if not part and poll.poll(0):
            raise EOFError(f"{source} ended after {len(key)} of {size} bytes; no key was written")
        key += part
    return key


def _progress(missing: int) -> None:
    print(f"{_PROMPT} ({missing * 8} bits still needed).", flush=True)


def _complain(text: str) -> None:
    sys.stdout.flush()
    print(f"corosync-keygen: {text}", file=sys.stderr, flush=True)
