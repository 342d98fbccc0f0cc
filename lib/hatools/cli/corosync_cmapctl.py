"""corosync-cmapctl: the configuration and runtime keys of messaging. I/O.

Reading works as in Corosync 3.1. Of all keys only those can be set that change something here.
"""

import sys
import time

from hatools.cli.corosync_getopt import parse
from hatools.ipc.clients.messaging import BlockingMessaging
from hatools.values.errors import HatoolsError

USAGE = """
usage:  corosync-cmapctl [-b] [-DdghsqTCt] [-p filename] [-m map] [params...]

    -b show binary values

    -m select map to use
          The  default  map is 'icmap' which contains configuration information and some runtime variables. 
          A 'stats' map is also available which displays network statistics.
Set key:
    corosync-cmapctl -s key_name type value

    where type is one of ([i|u][8|16|32|64] | flt | dbl | str | bin)
    Only quorum.cancel_wait_for_all can be set.

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
"""  # noqa: W291 (the original's blank at the end of a line)

_TRACK_INTERVAL_S = 0.5
_TYPES = {
    "two_node": "u8",
    "wait_for_all": "u8",
    "wait_for_all_status": "u8",
    "last_man_standing": "u8",
    "auto_tie_breaker": "u8",
    "allow_downscale": "u8",
    "expected_votes_tracking": "u8",
    "config_version": "u64",
    "mcastport": "u16",
    "ttl": "u8",
    "linknumber": "u8",
}
"""Types of numbers by the last part of the key; others are u32, counters below ``stats.`` u64."""
_TEXT_KEYS = ("cluster_name", "name", "key")


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
    for name in ("-d", "-D", "-p", "-C"):
        if name in names:
            print(f"corosync-cmapctl: {name} is not there: keys come from corosync.conf, see corosync-cfgtool -R",
                  file=sys.stderr)  # fmt: skip
            return 64
    try:
        messaging = BlockingMessaging(name="corosync-cmapctl")
    except HatoolsError:
        print("Failed to initialize the cmap API. Error CS_ERR_LIBRARY", file=sys.stderr)
        return 1
    if "-s" in names:
        return _set(messaging, words)
    if "-t" in names or "-T" in names:
        return _track(messaging, words, exact="-t" in names)
    wanted_map = dict(options).get("-m", "icmap")
    settings = {key: value for key, value in messaging.describe().settings.items()
                if key.startswith("stats.") == (wanted_map == "stats")}  # fmt: skip
    if "-g" in names:
        return _get(settings, words, quiet="-q" in names)
    shown = [key for key in sorted(settings) if not words or any(key.startswith(word) for word in words)]
    for key in shown:
        print(_format(key, settings[key]))
    return 0 if shown or not words else 1


def _get(settings: dict[str, str], words: list[str], *, quiet: bool) -> int:
    for word in words:
        if word not in settings:
            print(f"Can't get key {word}. Error CS_ERR_NOT_EXIST", file=sys.stderr)
            return 1
        print(settings[word] if quiet else _format(word, settings[word]))
    return 0


def _set(messaging: BlockingMessaging, words: list[str]) -> int:
    if words[:1] != ["quorum.cancel_wait_for_all"] or len(words) != 3:
        key = words[0] if words else ""
        print(f"corosync-cmapctl: the key {key} cannot be set: change corosync.conf and run corosync-cfgtool -R",
              file=sys.stderr)  # fmt: skip
        return 64
    if words[2] != "0":
        messaging.cancel_wait_for_all()
    return 0


def _track(messaging: BlockingMessaging, words: list[str], *, exact: bool) -> int:
    before = messaging.describe().settings
    while True:
        time.sleep(_TRACK_INTERVAL_S)
        after = messaging.describe().settings
        for key in sorted(before.keys() | after.keys()):
            if not any(key == word if exact else key.startswith(word) for word in words):
                continue
            old, new = before.get(key), after.get(key)
            if old != new:
                what = "add" if old is None else "delete" if new is None else "modify"
                print(f"{what}> {_format(key, new if new is not None else old or '')}", flush=True)
        before = after


def _format(key: str, value: str) -> str:
    return f"{key} ({_type(key, value)}) = {value}"


def _type(key: str, value: str) -> str:
    """Return the type of a key as the original stores it."""
    last = key.rpartition(".")[2]
    if not value.isdecimal() or last in _TEXT_KEYS:
        return "str"
    return _TYPES.get(last, "u64" if key.startswith("stats.") else "u32")
