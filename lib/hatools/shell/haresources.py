"""From a ``haresources`` file of Heartbeat version 1 to a configuration in the crm language. Pure.

A line names the node that is preferred and resources that start from left to right: a group with a location.
``::`` separates the arguments of a resource; what they mean depends on its script in ``resource.d``, which
:data:`SCRIPTS` says. Other names are init scripts.
"""

import ipaddress
import re
from collections.abc import Callable

from hatools.values.errors import ConfigError
from hatools.values.records import dataclass, field

PREFERENCE = 100
"""Score of a line's node."""
STAYING = 1000
"""Stickiness without automatic failback: more than the preference."""
_MONITOR = "op monitor interval=10s"
_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]+")
_PLAIN = re.compile(r"[A-Za-z0-9_.:/@%+,*=-]+")


@dataclass(frozen=True, slots=True)
class Script:
    """What becomes of a script of ``resource.d``: an agent, and the names of its positional arguments."""

    agent: str
    parameters: tuple[str, ...]


SCRIPTS: dict[str, Script] = {
    "Filesystem": Script("ocf:heartbeat:Filesystem", ("device", "directory", "fstype", "options")),
    "MailTo": Script("ocf:heartbeat:MailTo", ("email", "subject")),
    "LVM": Script("ocf:heartbeat:LVM", ("volgrpname",)),
    "Raid1": Script("ocf:heartbeat:Raid1", ("raidconf", "raiddev")),
    "apache": Script("ocf:heartbeat:apache", ("configfile",)),
    "db2": Script("ocf:heartbeat:db2", ("instance",)),
    "IPsrcaddr": Script("ocf:heartbeat:IPsrcaddr", ("ipaddress",)),
    "IPv6addr": Script("ocf:heartbeat:IPv6addr", ("ipv6addr",)),
    "portblock": Script("ocf:heartbeat:portblock", ("protocol", "portno", "action", "ip")),
    "Xinetd": Script("ocf:heartbeat:Xinetd", ("service",)),
    "SendArp": Script("ocf:heartbeat:SendArp", ("ip", "nic")),
    "Delay": Script("ocf:heartbeat:Delay", ("startdelay", "stopdelay")),
    "AudibleAlarm": Script("ocf:heartbeat:AudibleAlarm", ("nodelist",)),
    "ServeRAID": Script("ocf:heartbeat:ServeRAID", ("serveraid", "mergegroup")),
    "ICP": Script("ocf:heartbeat:ICP", ("driveid", "device")),
    "WAS": Script("ocf:heartbeat:WAS", ("config",)),
    "WinPopup": Script("ocf:heartbeat:WinPopup", ("hostfile",)),
    "LinuxSCSI": Script("ocf:heartbeat:LinuxSCSI", ("scsi",)),
}


@dataclass(slots=True)
class Imported:
    """The configuration, a statement a line, and what a person should know about it."""

    lines: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def import_haresources(text: str, *, auto_failback: str = "legacy", name: str = "haresources") -> Imported:
    """Turn the text of a haresources file into a configuration.

    Args:
        auto_failback: the word from ha.cf.
        name: of the file, for messages.

    Raises:
        ConfigError: it cannot be understood; every reason is listed with its line.
    """
    importer = _Importer(name)
    for number, words in _logical_lines(text):
        importer.take(number, words)
    if importer.errors:
        raise ConfigError("\n".join(importer.errors))
    stays = auto_failback.lower() in ("off", "no", "false", "n", "0")
    importer.result.lines.append(f"rsc_defaults rsc-options: resource-stickiness={STAYING if stays else 0}")
    importer.result.notes.append(
        "haresources knows no fencing: configure a stonith resource, or data on shared disks is not safe"
    )
    return importer.result


def _logical_lines(text: str) -> list[tuple[int, list[str]]]:
    """Return line numbers and words; a backslash at its end continues a line."""
    found: list[tuple[int, list[str]]] = []
    pending = ""
    first = 0
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.partition("#")[0].rstrip()
        first = first or number
        if line.endswith("\\"):
            pending += line[:-1] + " "
            continue
        words = (pending + line).split()
        if words:
            found.append((first, words))
        pending, first = "", 0
    if pending.split():
        found.append((first, pending.split()))
    return found


class _Importer:
    def __init__(self, name: str) -> None:
        self.result = Imported()
        self.errors: list[str] = []
        self._name = name
        self._ids: set[str] = set()
        self._line = 0

    def take(self, line: int, words: list[str]) -> None:
        """Translate one logical line."""
        self._line = line
        node, *resources = words
        if not re.fullmatch(r"[A-Za-z0-9_.-]+", node):
            self._refuse(f"{node!r} is no node name: a line begins with the preferred node")
            return
        if not resources:
            self._note(f"node {node} has no resources")
            return
        members: list[str] = []
        disks: list[str] = []
        for resource in resources:
            kind, *arguments = resource.split("::")
            if kind in ("drbddisk", "drbdupper"):
                disks.append(self._drbd(arguments))
            else:
                made = self._primitive(kind, arguments)
                if made:
                    members.append(made)
        self._bind(node, members, disks)

    def _bind(self, node: str, members: list[str], disks: list[str]) -> None:
        target = members[0] if members else ""
        if len(members) > 1:
            target = self._identity(f"group-{node}")
            self._say(f"group {target} {' '.join(members)}")
        for disk in disks:
            if target:
                label = disk.removeprefix("ms-")
                self._say(f"colocation {self._identity(f'{target}-on-{label}')} inf: {target} {disk}:Master")
                self._say(
                    f"order {self._identity(f'{label}-before-{target}')} Mandatory: {disk}:promote {target}:start"
                )
        if target:
            self._say(f"location {self._identity(f'prefer-{target}')} {target} {PREFERENCE}: {node}")
        elif disks:
            rule = f"$role=Master {PREFERENCE}: #uname eq {node}"
            self._say(f"location {self._identity(f'prefer-{disks[0]}')} {disks[0]} rule {rule}")

    def _primitive(self, kind: str, arguments: list[str]) -> str:
        if _is_address(kind.partition("/")[0]):
            return self._address([kind, *arguments])
        if kind in ("IPaddr", "IPaddr2"):
            return self._address(arguments)
        if kind == "SendArp" and arguments:
            address, *rest = arguments[0].split("/")
            arguments = [address, *(part.partition(":")[0] for part in rest[-1:] if not part.isdigit())]
        script = SCRIPTS.get(kind)
        if script is not None:
            return self._scripted(kind, script, arguments)
        if not re.fullmatch(r"[A-Za-z0-9_.@-]+", kind):
            self._refuse(f"{kind!r} is no resource")
            return ""
        if arguments:
            self._note(
                f"the init script {kind} got the arguments {' '.join(arguments)}, which an lsb resource cannot have"
            )
        made = self._identity(kind)
        self._say(f"primitive {made} lsb:{kind} {_MONITOR}")
        return made

    def _scripted(self, kind: str, script: Script, arguments: list[str]) -> str:
        if len(arguments) > len(script.parameters):
            extra = " ".join(arguments[len(script.parameters) :])
            self._refuse(f"{kind} has {len(script.parameters)} arguments at most: {extra} is too much")
            return ""
        if kind == "Filesystem" and len(arguments) < 2:
            self._refuse("Filesystem needs a device and a directory: Filesystem::DEVICE::DIRECTORY::TYPE")
            return ""
        given = {name: value for name, value in zip(script.parameters, arguments, strict=False) if value}
        label = given.get("directory") or (arguments[0] if arguments else "")
        prefix = "fs" if kind == "Filesystem" else kind.lower()
        made = self._identity(f"{prefix}-{label.strip('/') or 'root'}" if label else prefix)
        self._say(f"primitive {made} {script.agent} {_params(given)}{_MONITOR}")
        return made

    def _address(self, arguments: list[str]) -> str:
        if len(arguments) != 1:
            self._refuse("IPaddr takes one argument: ADDRESS[/MASK[/INTERFACE][/BROADCAST]]")
            return ""
        address, *rest = arguments[0].split("/")
        if not _is_address(address):
            self._refuse(f"{address!r} is no address")
            return ""
        given = {"ip": address}
        for position, part in enumerate(rest):
            if not part:
                continue
            if position == 0:
                mask = _prefix_length(part)
                if mask is None:
                    self._refuse(f"{part!r} is no netmask")
                    return ""
                given["cidr_netmask"] = mask
            elif _is_address(part):
                given["broadcast"] = part
            else:
                given["nic"], _, label = part.partition(":")
                if label:
                    given["iflabel"] = label
        made = self._identity(f"ip-{address}")
        self._say(f"primitive {made} ocf:heartbeat:IPaddr2 {_params(given)}{_MONITOR}")
        return made

    def _drbd(self, arguments: list[str]) -> str:
        name = arguments[0] if arguments else "all"
        disk = self._identity(f"drbd-{name}")
        clone = self._identity(f"ms-drbd-{name}")
        self._say(
            f"primitive {disk} ocf:linbit:drbd {_params({'drbd_resource': name})}"
            "op monitor interval=29s role=Master op monitor interval=31s role=Slave"
        )
        self._say(f"ms {clone} {disk} meta master-max=1 master-node-max=1 clone-max=2 clone-node-max=1 notify=true")
        self._note(f"drbddisk {name} became a promotable clone: stop drbd's own init script on all nodes")
        return clone

    def _identity(self, wanted: str) -> str:
        """Return an id that is free and may stand in XML."""
        base = _UNSAFE.sub("-", wanted).strip("-.") or "resource"
        if not (base[0].isalpha() or base[0] == "_"):
            base = f"r-{base}"
        found, count = base, 1
        while found in self._ids:
            count += 1
            found = f"{base}-{count}"
        self._ids.add(found)
        return found

    def _say(self, statement: str) -> None:
        self.result.lines.append(statement)

    def _note(self, text: str) -> None:
        self.result.notes.append(f"{self._name}: line {self._line}: {text}")

    def _refuse(self, text: str) -> None:
        self.errors.append(f"{self._name}: line {self._line}: {text}")


def _params(given: dict[str, str]) -> str:
    if not given:
        return ""
    shown = (
        f"{name}={value}" if _PLAIN.fullmatch(value) else f"{name}={_quoted(value)}" for name, value in given.items()
    )
    return f"params {' '.join(shown)} "


def _quoted(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _is_address(text: str) -> bool:
    return _parsed(text, ipaddress.ip_address)


def _parsed(text: str, parse: Callable[[str], object]) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True


def _prefix_length(text: str) -> str | None:
    """Return a netmask as a number of bits, None if it is none."""
    if text.isdigit():
        return text if int(text) <= 128 else None
    try:
        return str(ipaddress.ip_network(f"0.0.0.0/{text}").prefixlen)
    except ValueError:
        return None
