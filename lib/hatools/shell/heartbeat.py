"""What the shell does for Heartbeat's files: make keys, take over haresources. I/O."""

import os
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path

from hatools.messaging.heartbeat.authkeys import MAX_KEYS, check_mode, read_authkeys
from hatools.messaging.heartbeat.ha_cf import read_ha_cf
from hatools.runtime.directories import Directories
from hatools.shell.commands import CommandError
from hatools.shell.console import Console
from hatools.shell.haresources import import_haresources
from hatools.values.errors import ConfigError

_KEY_BYTES = 32


def make_key(console: Console, options: Sequence[str]) -> bool:
    """Make ``authkeys`` with one good key, or add a key to replace the old one with."""
    unknown = [option for option in options if option not in ("--add", "--force")]
    if unknown:
        raise CommandError(f"unknown option {unknown[0]}: expected keygen heartbeat [--add | --force]")
    path = Directories.from_environment().heartbeat / "authkeys"
    secret = secrets.token_hex(_KEY_BYTES)
    if not path.exists() or "--force" in options:
        _store(path, f"auth 1\n1 sha1 {secret}\n")
        console.info(f"{path} has a new key; copy it to every node (mode 0600), they all need the same")
        return True
    if "--add" not in options:
        raise CommandError(
            f"{path} is there already: --add adds a key to change over to, --force replaces the file "
            "(nodes with the old one will not be understood)"
        )
    text = path.read_text(encoding="utf-8")
    check_mode(path.stat().st_mode, str(path))
    try:
        known = read_authkeys(text, str(path))
    except ConfigError as error:
        raise CommandError(str(error)) from None
    free = next((index for index in range(1, MAX_KEYS) if index not in known.keys), None)
    if free is None:
        raise CommandError(f"{path} has {MAX_KEYS - 1} keys: remove those that no node uses")
    _store(path, f"{text.rstrip()}\n{free} sha1 {secret}\n")
    console.info(
        f"{path} has the further key {free}. Copy the file to every node and restart one node after the other; "
        f"then write 'auth {free}' and do the same again; then the old key can be removed"
    )
    return True


def _store(path: Path, text: str) -> None:
    temporary = path.with_name("authkeys.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.unlink(missing_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}") from None


def show_import(console: Console, kind: str, file: str) -> bool:
    """Print the configuration that a file of another system stands for, in the crm language."""
    if kind != "haresources":
        raise CommandError(f"{kind} cannot be imported: expected import haresources FILE")
    path = Path(file)
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}") from None
    try:
        found = import_haresources(text, auto_failback=_auto_failback(path), name=str(path))
    except ConfigError as error:
        for line in str(error).splitlines():
            console.error(line)
        return False
    for line in found.lines:
        print(line)
    for note in found.notes:
        print(f"WARNING: {note}", file=sys.stderr)  # what goes to the standard output is the configuration
    return True


def _auto_failback(haresources: Path) -> str:
    """Return what the ha.cf beside the file says of failback."""
    path = haresources.with_name("ha.cf")
    try:
        return read_ha_cf(path.read_text(encoding="utf-8", errors="replace"), str(path)).auto_failback
    except (OSError, ConfigError):
        print(f"WARNING: {path} could not be read: auto_failback is taken for on", file=sys.stderr)
        return "on"
