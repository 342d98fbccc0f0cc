"""corosync-cmapctl: the configuration and runtime keys of messaging. I/O.

Options, output and exit codes are those of Corosync 3.1.
"""

import select
import struct
import sys
from pathlib import Path

from hatools.cli.corosync_getopt import parse
from hatools.ipc.clients.messaging import BlockingMessaging
from hatools.ipc.messages.messaging import MapEntry
from hatools.messaging.corosync.cmap import INTEGERS, TYPES, type_of
from hatools.values.errors import HatoolsError, NoSuchObjectError, NotSupportedError, PermissionRefusedError, UsageError

USAGE = """
usage:  corosync-cmapctl [-b] [-DdghsqTCt] [-p filename] [-m map] [params...]

    -b show binary values

    -m select map to use
          The  default  map is 'icmap' which contains configuration information and some runtime variables used by corosync. 
          A 'stats' map is also available which displays network statistics - in great detail when knet is used as the transport.
Set key:
    corosync-cmapctl -s key_name type value

    where type is one of ([i|u][8|16|32|64] | flt | dbl | str | bin)
    for bin, value is file name (or - for stdin)

    map can be either 'icmap' (the default) which contains corosync
    configuration information, or 'stats' which contains statistics
    about the networking and IPC traffic in some detail.

Clear stats:
    corosync-cmapctl -C [knet|ipc|totem|schedmiss|all]
    The 'stats' map is implied

Load settings from a file:
    corosync-cmapctl -p filename

    the format of the file is:
    [^[^]]<key_name>[ <type> <value>]
    Keys prefixed with single caret ('^') are deleted (see -d).
    Keys (actually prefixes) prefixed with double caret ('^^') are deleted by prefix (see -D).
    <type> and <value> are optional (not checked) in above cases.
    Other keys are set (see -s) so both <type> and <value> are required.

Delete key:
    corosync-cmapctl -d key_name...

Delete multiple keys with prefix:
    corosync-cmapctl -D key_prefix...

Get key:
    corosync-cmapctl [-b] -g key_name...

Quiet mode:
    corosync-cmapctl [-b] -q -g key_name...

Display all keys:
    corosync-cmapctl [-b]

Display keys with prefix key_name:
    corosync-cmapctl [-b] key_name...

Track changes on keys with key_name:
    corosync-cmapctl [-b] -t key_name

Track changes on keys with key prefix:
    corosync-cmapctl [-b] -T key_prefix
"""  # noqa: E501, W291 (the original's lines, and its blank at the end of one)

_TRACK_INTERVAL_S = 0.2
_STATISTICS = ("knet", "totem", "ipc", "schedmiss", "all")
_ACTIONS = ("-g", "-s", "-d", "-D", "-p", "-C", "-t", "-T")


def main(argv: list[str]) -> int:
    """Run the command; return its exit status."""
    line = parse("corosync-cmapctl", argv, "m:hgsdDtTbqp:C:")
    if line is None:
        return 1
    options, words = line
    names = [name for name, _ in options]
    if "-h" in names:
        print(USAGE)
        return 0
    try:
        action, value, chosen_map = _chosen(options, words)
    except UsageError as error:
        print(error, file=sys.stderr)
        return 1
    try:
        messaging = BlockingMessaging(name="corosync-cmapctl")
    except HatoolsError:
        print("Failed to initialize the cmap API. Error CS_ERR_LIBRARY", file=sys.stderr)
        return 1
    tool = _Tool(messaging, chosen_map, shows_binary="-b" in names, is_quiet="-q" in names)
    try:
        return tool.run(action, value, words)
    except UsageError as error:
        print(error, file=sys.stderr)
        return 1


def _chosen(options: list[tuple[str, str]], words: list[str]) -> tuple[str, str, str]:
    """Return the action, its argument and the map."""
    action, argument, chosen_map = "", "", "icmap"
    for name, value in options:
        if name == "-C" and value not in _STATISTICS:
            raise UsageError("argument to -C should be 'knet', 'ipc', 'totem', 'schedmiss' or 'all'")
        if name == "-m":
            if value not in ("icmap", "default", "stats"):
                raise UsageError("invalid map name, must be 'default', 'icmap' or 'stats'")
            chosen_map = "stats" if value == "stats" else "icmap"
        if name in _ACTIONS:
            action, argument = name, value
    if not words and action not in ("", "-p", "-C"):
        raise UsageError("Expected key after options")
    return action, argument, chosen_map


class _Tool:
    """The command, connected."""

    def __init__(self, messaging: BlockingMessaging, chosen_map: str, *, shows_binary: bool, is_quiet: bool) -> None:
        self._messaging = messaging
        self._map = chosen_map
        self._shows_binary = shows_binary
        self._is_quiet = is_quiet

    def run(self, action: str, value: str, words: list[str]) -> int:
        match action:
            case "-g":
                return self._get(words)
            case "-s":
                if len(words) < 3:
                    raise UsageError("At least 3 parameters are expected for set")
                self._set(words[0], words[1], words[2])
                return 0
            case "-d":
                return 0 if all(self._delete(word) for word in words) else 1
            case "-D":
                for word in words:
                    self._delete_prefix(word)
                return 0
            case "-p":
                return self._load(value)
            case "-C":
                self._messaging.clear_statistics(value)
                return 0
            case "-t" | "-T":
                return self._track(words, exact=action == "-t")
        return self._show(words)

    def _entries(self) -> dict[str, MapEntry]:
        try:
            return {entry.key: entry for entry in self._messaging.read_map(self._map)}
        except NotSupportedError:  # a style without a map of its own: what it tells of itself
            settings = self._messaging.describe().settings
        return {
            key: MapEntry(key, type_of(key, value), value)
            for key, value in sorted(settings.items())
            if key.startswith("stats.") == (self._map == "stats")
        }

    def _show(self, words: list[str]) -> int:
        entries = self._entries()
        without_result = 0
        for word in words or [""]:
            found = [entry for key, entry in entries.items() if key.startswith(word)]
            without_result += not found
            for entry in found:
                print(self._format(entry))
        return 1 if without_result > 0 and without_result >= len(words) else 0

    def _get(self, words: list[str]) -> int:
        entries = self._entries()
        for word in words:
            if word not in entries:
                print(f"Can't get key {word}. Error CS_ERR_NOT_EXIST", file=sys.stderr)
                return 1
            print(self._format(entries[word]))
        return 0

    def _set(self, key: str, kind: str, text: str) -> None:
        entry = MapEntry(key, kind, _checked(kind, text))
        try:
            self._messaging.set_key(entry)
        except PermissionRefusedError:
            raise UsageError(f"Failed to set key {key}. Error CS_ERR_ACCESS") from None
        except HatoolsError as error:
            raise UsageError(f"Failed to set key {key}. Error CS_ERR_INVALID_PARAM ({error})") from None

    def _delete(self, key: str) -> bool:
        try:
            self._messaging.delete_key(key)
        except NoSuchObjectError:
            print(f"Can't delete key {key}. Error CS_ERR_NOT_EXIST", file=sys.stderr)
        except PermissionRefusedError:
            print(f"Can't delete key {key}. Error CS_ERR_ACCESS", file=sys.stderr)
        else:
            return True
        return False

    def _delete_prefix(self, prefix: str) -> None:
        for key in self._entries():
            if key.startswith(prefix):
                self._delete(key)

    def _load(self, name: str) -> int:
        try:
            text = Path(name).read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            print(f"Couldn't open file.: {error.strerror}", file=sys.stderr)
            return 0  # as the original
        for line in text.splitlines():
            words = line.split()
            if not words or words[0].startswith("#"):
                continue
            if words[0].startswith("^^"):
                self._delete_prefix(words[0][2:])
            elif words[0].startswith("^"):
                self._delete(words[0][1:])
            elif len(words) < 3:
                raise UsageError(f"Both type and value for key {words[0]} are required")
            else:
                self._set(words[0], words[1], words[2])
        return 0

    def _track(self, words: list[str], *, exact: bool) -> int:
        print('Type "q" to finish', flush=True)
        before = self._entries()
        while True:
            if select.select([sys.stdin], [], [], _TRACK_INTERVAL_S)[0]:
                typed = sys.stdin.readline()
                if not typed or typed.startswith("q"):
                    return 0
            after = self._entries()
            for key in sorted(before.keys() | after.keys()):
                if not any(key == word if exact else key.startswith(word) for word in words):
                    continue
                old, new = before.get(key), after.get(key)
                if old is not None and new is None:
                    print(f"delete> {self._format(old)}", flush=True)
                elif new is not None and old != new:
                    print(f"{'create' if old is None else 'modify'}> {self._format(new)}", flush=True)
            before = after

    def _format(self, entry: MapEntry) -> str:
        value = entry.value
        if entry.type in ("flt", "dbl"):
            value = f"{float(value):f}"
        if entry.type == "bin":
            head = "bin)" if self._is_quiet else f"{entry.key} (bin)"
            return f"{head} = {_escaped(bytes.fromhex(value)) or '*empty*'}" if self._shows_binary else head
        return value if self._is_quiet else f"{entry.key} ({entry.type}) = {value}"


def _checked(kind: str, text: str) -> str:
    """Return a value as the map stores it.

    Raises:
        UsageError: it is not of this type, or there is no such type.
    """
    if kind not in TYPES:
        raise UsageError(f"Unknown type {kind}")
    if kind in INTEGERS:
        return _checked_integer(kind, text)
    if kind in ("flt", "dbl"):
        try:
            value = float(text)
        except ValueError:
            raise UsageError(f"{text} is not valid {kind} type value") from None
        return repr(struct.unpack("f", struct.pack("f", value))[0] if kind == "flt" else value)
    if kind == "bin":
        try:
            data = sys.stdin.buffer.read() if text == "-" else Path(text).read_bytes()
        except OSError as error:
            raise UsageError(f"Can't open input file: {error.strerror}") from None
        return data.hex()
    return text


def _checked_integer(kind: str, text: str) -> str:
    sign, bits = INTEGERS[kind]
    digits = text.strip()
    length = next(
        (at for at, letter in enumerate(digits) if not (letter.isdecimal() or (at == 0 and letter in "+-"))), None
    )
    digits = digits[:length]
    if not digits.lstrip("+-"):
        raise UsageError(f"{text} is not valid {kind} type value")
    value = int(digits)
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if sign == "i" else (0, 2**bits - 1)
    if not low <= value <= high:
        raise UsageError(f"{text} is not valid {kind} integer")
    return str(value)


def _escaped(data: bytes) -> str:
    shown = (
        chr(byte) if 32 <= byte < 127 and byte != 92 else "\\\\" if byte == 92 else f"\\x{byte:02X}" for byte in data
    )
    return "".join(shown)
