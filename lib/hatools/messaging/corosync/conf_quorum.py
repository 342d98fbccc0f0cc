"""The quorum section of corosync.conf, its device included, by the rules of votequorum(5). Pure.

Where votequorum switches an impossible option off and says so, the finding is a warning here; where it
does not start, it is an error.
"""

from hatools.messaging.corosync.conf_keys import Findings, flag_of, number_of, place_of, text_of
from hatools.messaging.corosync.conf_nodelist import NodeEntry
from hatools.messaging.corosync.sections import Section
from hatools.messaging.corosync.votequorum import DeviceOptions, QuorumOptions, TieBreaker
from hatools.values.records import replace

_DEVICE_PORT = 5403


def read_quorum(section: Section, nodes: list[NodeEntry], findings: Findings) -> QuorumOptions:
    """Return the options that hold for the cluster as a whole."""
    device = _read_device(section, nodes, findings)
    votes = sum(node.votes for node in nodes) + (device.votes if device else 0)
    expected = number_of(section, "expected_votes", votes)
    two_node = _two_node(section, expected, findings)
    options = QuorumOptions(
        provider=section.find("provider") is not None,
        votes=number_of(section, "votes", 1),
        expected_votes=expected,
        two_node=two_node,
        wait_for_all=flag_of(section, "wait_for_all", two_node),
        last_man_standing=flag_of(section, "last_man_standing", False),
        last_man_standing_window=number_of(section, "last_man_standing_window", 10000) / 1000,
        allow_downscale=flag_of(section, "allow_downscale", False),
        expected_votes_tracking=flag_of(section, "expected_votes_tracking", False)
        or flag_of(section, "allow_downscale", False),
        device=device,
    )
    options = _with_tie_breaker(section, options, votes, findings)
    _check_combinations(section, options, nodes, findings)
    return options


def _two_node(section: Section, expected: int, findings: Findings) -> bool:
    if not flag_of(section, "two_node", False):
        return False
    if expected > 2:
        findings.warn(place_of(section, "two_node"), f"two_node is not applied: there are {expected} expected votes")
    return expected <= 2


def _with_tie_breaker(section: Section, options: QuorumOptions, votes: int, findings: Findings) -> QuorumOptions:
    place = place_of(section, "auto_tie_breaker")
    entry = section.find("auto_tie_breaker_node")
    if not flag_of(section, "auto_tie_breaker", False):
        if entry is not None:
            findings.warn(entry, "auto_tie_breaker_node means nothing without auto_tie_breaker: 1")
        return options
    if options.two_node:
        findings.error(place, "auto_tie_breaker and two_node exclude each other")
    if votes % 2 and not options.wait_for_all:
        if options.last_man_standing:
            findings.error(place, "with an odd number of votes auto_tie_breaker excludes last_man_standing")
        else:
            findings.warn(place, "auto_tie_breaker is switched off: with an odd number of votes it needs wait_for_all")
        return options
    match entry.value if entry else "lowest":
        case "lowest":
            return replace(options, tie_breaker=TieBreaker.LOWEST)
        case "highest":
            return replace(options, tie_breaker=TieBreaker.HIGHEST)
        case words:
            numbers = words.split()
            if entry is not None and not all(number.isascii() and number.isdecimal() for number in numbers):
                text = f'quorum.auto_tie_breaker_node: "{words}" is not lowest, highest or node ids'
                findings.error(entry, text)
                return options
            deciding = tuple(int(number) for number in numbers)
            return replace(options, tie_breaker=TieBreaker.LIST, tie_breaker_nodes=deciding)


def _check_combinations(section: Section, options: QuorumOptions, nodes: list[NodeEntry], findings: Findings) -> None:
    """Refuse the combinations that votequorum(5) rules out."""
    if options.last_man_standing and any(node.votes != 1 for node in nodes):
        findings.error(place_of(section, "last_man_standing"), "last_man_standing requires one vote for every node")
    if options.allow_downscale and section.find("expected_votes") is None:
        text = "allow_downscale requires expected_votes, below which it does not go"
        findings.error(place_of(section, "allow_downscale"), text)
    if options.device is None:
        return
    excluded = (
        ("two_node", options.two_node),
        ("last_man_standing", options.last_man_standing),
        ("auto_tie_breaker", options.tie_breaker is not TieBreaker.NONE),
        ("allow_downscale", options.allow_downscale),
    )
    for key, is_set in excluded:
        if is_set:
            findings.error(place_of(section, key), f"quorum.device and {key} exclude each other")


def _read_device(section: Section, nodes: list[NodeEntry], findings: Findings) -> DeviceOptions | None:
    devices = section.named("device")
    if not devices or not text_of(devices[-1], "model", ""):
        return None
    device = devices[-1]
    net = device.named("net")[-1] if device.named("net") else Section("net", device.line, device.column)
    host = text_of(net, "host", "")
    if not host:
        findings.error(net, "quorum.device.net: host is required, the address of the arbiter")
    algorithm = text_of(net, "algorithm", "ffsplit")
    if algorithm in ("2nodelms", "test"):
        findings.error(place_of(net, "algorithm"), f"the algorithm {algorithm} is not supported; use ffsplit or lms")
    votes = _device_votes(section, device, nodes, algorithm, findings)
    tls = text_of(net, "tls", "on")
    return DeviceOptions(
        model="net",
        votes=votes,
        timeout=number_of(device, "timeout", 10000) / 1000,
        sync_timeout=number_of(device, "sync_timeout", 30000) / 1000,
        host=host,
        port=number_of(net, "port", _DEVICE_PORT),
        tls=tls,
        algorithm=algorithm,
        tie_breaker=_tie_breaker(net, nodes, findings),
        keep_active=flag_of(net, "keep_active_partition_tie_breaker", False),
        connect_timeout=number_of(net, "connect_timeout", int(number_of(device, "timeout", 10000) * 0.8)) / 1000,
        ca_file=text_of(net, "cafile", ""),
        certificate_file=text_of(net, "certfile", ""),
        key_file=text_of(net, "keyfile", ""),
    )


def _tie_breaker(net: Section, nodes: list[NodeEntry], findings: Findings) -> str:
    value = text_of(net, "tie_breaker", "lowest")
    if value not in ("lowest", "highest") and value not in {str(node.id) for node in nodes}:
        place = place_of(net, "tie_breaker")
        findings.error(place, f'quorum.device.net.tie_breaker: "{value}" is not lowest, highest or a node id')
    return value


def _device_votes(section: Section, device: Section, nodes: list[NodeEntry], algorithm: str, findings: Findings) -> int:
    entry = device.find("votes")
    expected = section.find("expected_votes")
    if entry is not None:
        votes = int(entry.value)
        if expected is not None and votes and int(expected.value) - votes < 2:
            findings.error(entry, "quorum.device.votes is too high or expected_votes is too low")
        if algorithm == "ffsplit" and votes != 1:
            findings.error(entry, "the algorithm ffsplit works with one vote of the device only: votes: 1")
        return votes
    if expected is not None:
        findings.error(device, "quorum.device.votes must be given when quorum.expected_votes is")
    elif any(node.votes != 1 for node in nodes):
        findings.error(device, "quorum.device.votes must be given when not every node has one vote")
    if algorithm == "ffsplit" and len(nodes) != 2:
        findings.error(device, "the algorithm ffsplit works with one vote of the device only: give votes: 1")
    return max(len(nodes) - 1, 0)
