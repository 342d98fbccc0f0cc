"""The directives of ha.cf: what each takes and where it goes. Pure.

Each reader gets the draft and the words behind the directive (at least one) and notes errors and warnings in
the draft. Directives that belong to other jobs (running programs, fencing, watchdogs) are known and answered
with what does that job here.
"""

import ipaddress
import re

from hatools.messaging.heartbeat.ha_cf import UNICAST, Autojoin, Draft, Medium, PingNode, Reader, Transport
from hatools.values.boolean import parse_boolean

_FACILITIES = (
    "auth", "authpriv", "cron", "daemon", "ftp", "kern", "lpr", "mail", "news", "none", "security", "syslog", "user",
    "uucp", *(f"local{number}" for number in range(8)),
)  # fmt: skip
_DEVICE = re.compile(r"[A-Za-z0-9_.:@-]{1,31}")
_NODE_NAME = re.compile(r"[A-Za-z0-9_.-]{1,99}")
_TIME = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*([a-z]*)")
_UNITS = {"": 1.0, "s": 1.0, "sec": 1.0, "ms": 0.001, "msec": 0.001, "us": 0.000001, "usec": 0.000001}
_LONGEST_S = 1_000_000.0
_MAX_HOPS_V6 = 4


def parse_time(text: str) -> float | None:
    """Return seconds: a plain number counts them, ``ms`` and ``us`` are possible; None if it is no time."""
    match = _TIME.fullmatch(text.strip().lower())
    if match is None or match[2] not in _UNITS or len(match[1]) > 12:
        return None
    seconds = float(match[1]) * _UNITS[match[2]]
    return seconds if seconds <= _LONGEST_S else None


# -- values


def _time(name: str) -> Reader:
    def read(draft: Draft, words: list[str]) -> None:
        seconds = parse_time(" ".join(words))
        if seconds is None or seconds <= 0:
            draft.refuse(f"{name} {' '.join(words)}: no time; write seconds (2, 1.5) or milliseconds (500ms)")
        else:
            draft.times[name] = seconds

    return read


def _integer(draft: Draft, name: str, word: str, low: int, high: int) -> int | None:
    if word.isascii() and word.isdigit() and len(word) < 10 and low <= int(word) <= high:
        return int(word)
    draft.refuse(f"{name} {word}: it is a number from {low} to {high}")
    return None


def _boolean(draft: Draft, name: str, word: str) -> bool | None:
    value = parse_boolean(word)
    if value is None:
        draft.refuse(f"{name} {word}: it is on or off")
    return value


def _choice(draft: Draft, name: str, word: str, words: tuple[str, ...]) -> str | None:
    if word in words:
        return word
    draft.refuse(f"{name} {word}: it is one of {', '.join(words)}")
    return None


def _flag(name: str, attribute: str = "") -> Reader:
    def read(draft: Draft, words: list[str]) -> None:
        value = _boolean(draft, name, words[0])
        if value is not None and attribute:
            setattr(draft, attribute, value)

    return read


def _text(attribute: str) -> Reader:
    def read(draft: Draft, words: list[str]) -> None:
        setattr(draft, attribute, words[0])

    return read


def _accepted(draft: Draft, words: list[str]) -> None:
    """Take a directive that changes nothing here: it tunes parts that hatools does not have."""


def _elsewhere(name: str, where: str) -> Reader:
    def read(draft: Draft, words: list[str]) -> None:
        draft.warn(f"{name} is not carried out by hatools: {where}")

    return read


# -- members


def _node(draft: Draft, words: list[str]) -> None:
    for word in words:
        name = word.lower()
        if not _NODE_NAME.fullmatch(word):
            draft.refuse(f"node {word}: it is no host name")
        elif name in draft.nodes:
            draft.warn(f"node {name} is there already")
        else:
            draft.nodes.append(name)


def _autojoin(draft: Draft, words: list[str]) -> None:
    word = _choice(draft, "autojoin", words[0], tuple(Autojoin))
    if word:
        draft.autojoin = Autojoin(word)


def _ping(draft: Draft, words: list[str]) -> None:
    for word in words:
        if _numeric_address(draft, "ping", word):
            _add_ping(draft, PingNode(word, (word,)))


def _ping_group(draft: Draft, words: list[str]) -> None:
    name, *addresses = words
    if not addresses:
        draft.refuse(f"ping_group {name}: it needs addresses: ping_group NAME ADDRESS...")
        return
    unusable = [address for address in addresses if not _numeric_address(draft, f"ping_group {name}", address)]
    if not unusable:
        _add_ping(draft, PingNode(name, tuple(addresses), is_group=True))


def _add_ping(draft: Draft, node: PingNode) -> None:
    if any(other.name == node.name for other in draft.ping_nodes):
        draft.warn(f"ping node {node.name} is there already")
    else:
        draft.ping_nodes.append(node)


def _numeric_address(draft: Draft, name: str, word: str, version: int = 0) -> bool:
    try:
        address = ipaddress.ip_address(word.partition("%")[0])
    except ValueError:
        draft.refuse(f"{name} {word}: it is no numeric address")
        return False
    if version and address.version != version:
        draft.refuse(f"{name} {word}: it is no IPv{version} address")
        return False
    return True


# -- media


def _udpport(draft: Draft, words: list[str]) -> None:
    port = _integer(draft, "udpport", words[0], 1, 65535)
    if port is None:
        return
    before = [medium for medium in draft.media if medium.transport in _PORTED and medium.port != port]
    if before:
        draft.warn(
            f"udpport {port} does not hold for '{before[0]}' above it, which uses port {before[0].port}: "
            "write udpport before the media"
        )
    draft.port = port


_PORTED = (*UNICAST, Transport.BCAST)
"""Media that take their port from ``udpport``."""


def _baud(draft: Draft, words: list[str]) -> None:
    _choice(draft, "baud", words[0], ("9600", "19200", "38400", "57600", "115200", "230400", "460800"))


def _serial(draft: Draft, words: list[str]) -> None:
    draft.refuse(
        f"serial {' '.join(words)}: serial lines are not supported by hatools: remove the line, and give the nodes "
        "a second network path with another ucast, bcast or mcast line"
    )


def _device(draft: Draft, name: str, word: str) -> bool:
    if _DEVICE.fullmatch(word):
        return True
    draft.refuse(f"{name} {word}: it is no network interface")
    return False


def _add_medium(draft: Draft, medium: Medium) -> None:
    if medium in draft.media:
        draft.warn(f"'{medium}' is there already")
    else:
        draft.media.append(medium)


def _current_port(draft: Draft) -> int:
    return draft.default_port if draft.port is None else draft.port


def _bcast(draft: Draft, words: list[str]) -> None:
    for word in words:
        if _device(draft, "bcast", word):
            _add_medium(draft, Medium(Transport.BCAST, word, "", _current_port(draft)))


def _ucast(transport: Transport, version: int) -> Reader:
    def read(draft: Draft, words: list[str]) -> None:
        if len(words) != 2:
            draft.refuse(f"{transport} needs an interface and a peer's address: {transport} DEV ADDRESS")
            return
        device, address = words
        scope = address.partition("%")[2]
        if scope and scope != device:
            draft.refuse(f"{transport} {device} {address}: the scope {scope} is not the interface")
        elif _device(draft, transport, device) and _numeric_address(draft, transport, address, version):
            _add_medium(draft, Medium(transport, device, address.partition("%")[0], _current_port(draft)))

    return read


def _mcast(transport: Transport, version: int, max_hops: int) -> Reader:
    def read(draft: Draft, words: list[str]) -> None:
        if len(words) != 5:
            draft.refuse(f"{transport} needs five values: {transport} DEV GROUP PORT TTL LOOP")
            return
        device, group, port_word, hops_word, loop_word = words
        usable = _device(draft, transport, device) and _numeric_address(draft, transport, group, version)
        port = _integer(draft, f"{transport}: port", port_word, 1, 65535)
        hops = _integer(draft, f"{transport}: ttl", hops_word, 1, max_hops)
        loop = _integer(draft, f"{transport}: loop", loop_word, 0, 1)
        if not usable or port is None or hops is None or loop is None:
            return
        if not ipaddress.ip_address(group).is_multicast:
            draft.refuse(f"{transport} {group}: it is no multicast group")
            return
        if group in _WELL_KNOWN:
            draft.warn(f"{transport} {group} is {_WELL_KNOWN[group]}: machines that are no members get it, too")
        _add_medium(draft, Medium(transport, device, group, port, hops, bool(loop)))

    return read


_WELL_KNOWN = {
    "224.0.0.1": "the group of all hosts",
    "224.0.0.2": "the group of all routers",
    "ff02::1": "the group of all hosts",
    "ff02::2": "the group of all routers",
}


# -- process, logs, protocol


def _manager(name: str) -> Reader:
    def read(draft: Draft, words: list[str]) -> None:
        word = words[0].lower()
        value = parse_boolean(word)
        if value is None and word not in ("respawn", "manual", "none"):
            draft.refuse(f"{name} {words[0]}: it is one of on, off, respawn, manual")
        else:
            draft.manages_resources = value is True or word in ("respawn", "manual")

    return read


def _auto_failback(draft: Draft, words: list[str]) -> None:
    word = words[0].lower()
    if word != "legacy" and parse_boolean(word) is None:
        draft.refuse(f"auto_failback {words[0]}: it is on, off or legacy")
    draft.auto_failback = word


def _hopfudge(draft: Draft, words: list[str]) -> None:
    draft.hopfudge = _integer(draft, "hopfudge", words[0], 0, 100) or 0


def _debug(draft: Draft, words: list[str]) -> None:
    draft.debug = _integer(draft, "debug", words[0], 0, 255) or 0


def _logfacility(draft: Draft, words: list[str]) -> None:
    draft.logfacility = _choice(draft, "logfacility", words[0].lower(), _FACILITIES) or ""


def _compression(draft: Draft, words: list[str]) -> None:
    _choice(draft, "compression", words[0], ("zlib", "bz2"))


def _number(name: str, low: int, high: int) -> Reader:
    def read(draft: Draft, words: list[str]) -> None:
        _integer(draft, name, words[0], low, high)

    return read


def _msgfmt(draft: Draft, words: list[str]) -> None:
    draft.sign_fields = _choice(draft, "msgfmt", words[0], ("classic", "netstring")) != "netstring"


def _hbgenmethod(draft: Draft, words: list[str]) -> None:
    draft.generation_from_clock = _choice(draft, "hbgenmethod", words[0], ("file", "time")) == "time"


def _uuidfrom(draft: Draft, words: list[str]) -> None:
    draft.uuid_from_name = _choice(draft, "uuidfrom", words[0], ("file", "nodename")) == "nodename"


def _max_rexmit_delay(draft: Draft, words: list[str]) -> None:
    value = _integer(draft, "max_rexmit_delay", words[0], 50, 60_000)
    draft.max_rexmit_delay = (value or 250) / 1000


def _apiauth(draft: Draft, words: list[str]) -> None:
    name, *rights = words
    if not rights or any(not re.fullmatch(r"[ug]id=[\w.,-]+", right) for right in rights):
        draft.refuse(f"apiauth {name}: write apiauth {name} uid=USER,... gid=GROUP,...")


def _respawn(draft: Draft, words: list[str]) -> None:
    if len(words) < 2:
        draft.refuse("respawn needs a user and a command")
        return
    program = words[1].rpartition("/")[2]
    if program == "ipfail":
        draft.warn("respawn ipfail: configure ocf:pacemaker:ping and a location rule on its attribute instead")
    elif program not in ("ccm", "cib", "stonithd", "lrmd", "attrd", "pengine", "crmd"):
        draft.warn(f"respawn {program} is not carried out by hatools: make the program a cluster resource")


DIRECTIVES: dict[str, Reader] = {
    "node": _node,
    "autojoin": _autojoin,
    "cluster": _text("cluster_name"),
    "keepalive": _time("keepalive"),
    "warntime": _time("warntime"),
    "deadtime": _time("deadtime"),
    "initdead": _time("initdead"),
    "deadping": _time("deadping"),
    "udpport": _udpport,
    "bcast": _bcast,
    "ucast": _ucast(Transport.UCAST, 4),
    "ucast6": _ucast(Transport.UCAST6, 6),
    "mcast": _mcast(Transport.MCAST, 4, 255),
    "mcast6": _mcast(Transport.MCAST6, 6, _MAX_HOPS_V6),
    "serial": _serial,
    "baud": _baud,
    "ping": _ping,
    "ping6": _ping,
    "ping_group": _ping_group,
    "hbaping": _elsewhere("hbaping", "fibre channel is not asked whether it is alive"),
    "hopfudge": _hopfudge,
    "logfile": _text("logfile"),
    "debugfile": _text("debugfile"),
    "logfacility": _logfacility,
    "use_logd": _flag("use_logd"),
    "conn_logd_time": _time("conn_logd_time"),
    "syslogmsgfmt": _flag("syslogmsgfmt"),
    "log_badpack": _flag("log_badpack", "log_bad_packets"),
    "debug": _debug,
    "compression": _compression,
    "compression_threshold": _number("compression_threshold", 0, 1_000_000),
    "traditional_compression": _flag("traditional_compression"),
    "crm": _manager("crm"),
    "pacemaker": _manager("pacemaker"),
    "crm_daemon_dir": _accepted,
    "crmd_spawns_pengine": _flag("crmd_spawns_pengine"),
    "apiauth": _apiauth,
    "respawn": _respawn,
    "failfast": _elsewhere("failfast", "a daemon that dies is restarted, or the node is fenced"),
    "auto_failback": _auto_failback,
    "nice_failback": _flag("nice_failback"),
    "realtime": _flag("realtime", "realtime"),
    "rtprio": _number("rtprio", 1, 99),
    "normalpoll": _flag("normalpoll"),
    "memreserve": _number("memreserve", 0, 10_000_000),
    "coredumps": _flag("coredumps"),
    "coreroot": _accepted,
    "watchdog": _elsewhere("watchdog", "use sbd with a fence device (stonith-watchdog-timeout)"),
    "stonith": _elsewhere("stonith", "write it as a resource: crm configure primitive ID stonith:AGENT"),
    "stonith_host": _elsewhere("stonith_host", "write it as a resource: crm configure primitive ID stonith:AGENT"),
    "msgfmt": _msgfmt,
    "hbgenmethod": _hbgenmethod,
    "uuidfrom": _uuidfrom,
    "max_rexmit_delay": _max_rexmit_delay,
    "use_apphbd": _elsewhere("use_apphbd", "there is no apphbd"),
    "quorum_server": _elsewhere("quorum_server", "the majority of the nodes decides"),
    "env": _accepted,
    "record_config_changes": _flag("record_config_changes"),
    "record_pengine_inputs": _flag("record_pengine_inputs"),
    "enable_config_writes": _flag("enable_config_writes"),
}
"""Every directive by name."""
