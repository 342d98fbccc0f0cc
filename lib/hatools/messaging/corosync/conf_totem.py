"""The totem section of corosync.conf: timers, protection, links. Pure."""

from hatools.messaging.corosync.conf_keys import MAX_LINKS, Findings, flag_of, number_of, place_of, text_of
from hatools.messaging.corosync.crypto import Protection, Suite
from hatools.messaging.corosync.sections import Section
from hatools.messaging.corosync.totem.effects import Timing
from hatools.values.boolean import is_true
from hatools.values.records import dataclass

DEFAULT_PORT = 5405
"""Of link 0; link N has this plus N."""


@dataclass(frozen=True, slots=True)
class LinkOptions:
    """How one link is used. Times in seconds.

    ``group`` is the multicast or broadcast address that messages to all go to, empty for unicast;
    ``network`` says which interface (``bindnetaddr``), empty for that of our address.
    """

    number: int
    port: int
    priority: int = 1
    ping_interval: float = 0.75
    ping_timeout: float = 1.5
    pong_count: int = 2
    group: str = ""
    ttl: int = 1
    network: str = ""


def read_timing(totem: Section, node_count: int, findings: Findings, settings: dict[str, str]) -> Timing:
    """Return the effective timers, and note them as ``runtime.config.totem`` in ``settings``."""
    token = number_of(totem, "token", 3000)
    if node_count > 2:
        token += (node_count - 2) * number_of(totem, "token_coefficient", 650)
    before_loss = number_of(totem, "token_retransmits_before_loss_const", 4)
    retransmit = number_of(totem, "token_retransmit", int(token / (before_loss + 0.2)))
    hold = number_of(totem, "hold", max(30, int(retransmit * 0.8 - 10)))
    consensus = number_of(totem, "consensus", int(token * 1.2))
    join = number_of(totem, "join", 50)
    if retransmit >= token:
        place = place_of(totem, "token_retransmit")
        findings.error(place, f"token_retransmit {retransmit} must be below the token {token}")
    if hold >= retransmit:
        findings.error(place_of(totem, "hold"), f"hold {hold} must be below token_retransmit {retransmit}")
    if consensus < join:
        findings.error(place_of(totem, "consensus"), f"consensus {consensus} must be at least join {join}")
    runtime = {
        "block_unlisted_ips": int(flag_of(totem, "block_unlisted_ips", True)),
        "cancel_token_hold_on_retransmit": int(flag_of(totem, "cancel_token_hold_on_retransmit", False)),
        "consensus": consensus,
        "downcheck": number_of(totem, "downcheck", 1000),
        "fail_recv_const": number_of(totem, "fail_recv_const", 2500),
        "heartbeat_failures_allowed": number_of(totem, "heartbeat_failures_allowed", 0),
        "hold": hold,
        "join": join,
        "max_messages": number_of(totem, "max_messages", 17),
        "max_network_delay": number_of(totem, "max_network_delay", 50),
        "merge": number_of(totem, "merge", 200),
        "miss_count_const": number_of(totem, "miss_count_const", 5),
        "send_join": number_of(totem, "send_join", 0),
        "seqno_unchanged_const": number_of(totem, "seqno_unchanged_const", 30),
        "token": token,
        "token_retransmit": retransmit,
        "token_retransmits_before_loss_const": before_loss,
        "token_warning": number_of(totem, "token_warning", 75),
        "window_size": number_of(totem, "window_size", 50),
    }
    settings.update({f"runtime.config.totem.{key}": str(value) for key, value in runtime.items()})
    return Timing(
        token / 1000,
        retransmit / 1000,
        hold / 1000,
        join / 1000,
        consensus / 1000,
        runtime["merge"] / 1000,
        runtime["fail_recv_const"],
        runtime["seqno_unchanged_const"],
        runtime["token_warning"] / 100,
    )


def read_protection(totem: Section, findings: Findings) -> tuple[Protection, bool]:
    """Return how datagrams are protected, and whether they are plain because the file says so twice."""
    cipher, hashing = totem.find("crypto_cipher"), totem.find("crypto_hash")
    secauth = is_true(text_of(totem, "secauth", ""))
    if cipher is None and hashing is None:
        return Protection(), False
    cipher_name = cipher.value if cipher else "aes256" if secauth else "none"
    hash_name = hashing.value if hashing else "sha256" if secauth else "none"
    if hash_name == "none" and cipher_name == "none":
        if cipher is None or hashing is None:
            missing = "crypto_hash" if hashing is None else "crypto_cipher"
            findings.error(cipher or hashing or totem, f"without protection only if {missing}: none is written as well")
        return Protection(Suite.PLAIN, "", ""), True
    if hash_name == "none":
        if cipher_name == "aes256" and cipher is None:
            return Protection(), False
        text = f"crypto_cipher {cipher_name} requires crypto_hash to be one of md5 ... sha512"
        findings.error(cipher or totem, text)
        return Protection(), False
    if cipher_name == "none":
        return Protection(Suite.HASH, "", hash_name), False
    return Protection(Suite.CBC, cipher_name, hash_name), False


def read_links(totem: Section, timing: Timing, used: set[int], findings: Findings) -> tuple[LinkOptions, ...]:
    """Return the options of all links that could be used, by number.

    Args:
        used: the links that nodes have an address on.
    """
    transport = text_of(totem, "transport", "knet")
    cluster_name = text_of(totem, "cluster_name", "")
    sections = _interfaces(totem, findings)
    if transport != "knet" and any(number > 0 for number in used):
        findings.error(place_of(totem, "transport"), f"transport {transport} has one link only; use knet for several")
    links = []
    for number in range(MAX_LINKS):
        section = sections.get(number, Section("interface", totem.line, totem.column))
        pongs = number_of(section, "knet_pong_count", 2)
        timeout = number_of(section, "knet_ping_timeout", int(timing.token * 1000 / pongs))
        interval = number_of(section, "knet_ping_interval", int(timing.token * 1000 / (pongs * 2)))
        if text_of(section, "knet_transport", "udp") != "udp":
            findings.error(place_of(section, "knet_transport"), "knet_transport sctp is not supported; links use udp")
        if 0 < timeout <= interval:
            place = place_of(section, "knet_ping_timeout")
            findings.error(place, f"knet_ping_timeout {timeout} must be above knet_ping_interval {interval}")
        links.append(
            LinkOptions(
                number,
                number_of(section, "mcastport", DEFAULT_PORT + number),
                number_of(section, "knet_link_priority", 1),
                max(interval, 10) / 1000,
                max(timeout, 20) / 1000,
                pongs,
                _group(section, cluster_name, findings) if transport == "udp" and number in used else "",
                number_of(section, "ttl", 1),
                text_of(section, "bindnetaddr", "") if transport == "udp" else "",
            )
        )
    return tuple(links)


def _interfaces(totem: Section, findings: Findings) -> dict[int, Section]:
    sections: dict[int, Section] = {}
    for index, section in enumerate(totem.named("interface")):
        number = number_of(section, "linknumber", number_of(section, "ringnumber", index))
        if number in sections:
            findings.error(section, f"there are two interface sections for link {number}")
        if number >= MAX_LINKS:
            findings.error(section, f"at most {MAX_LINKS} links are supported")
        sections[number] = section
    return sections


def _group(section: Section, cluster_name: str, findings: Findings) -> str:
    """Return where messages to all go: the broadcast address, ``mcastaddr``, or one made of the cluster's name."""
    given = text_of(section, "mcastaddr", "")
    if flag_of(section, "broadcast", False):
        if given:
            findings.error(place_of(section, "broadcast"), "broadcast and mcastaddr exclude each other")
        return "255.255.255.255"
    if given:
        return given
    if not cluster_name:
        findings.error(section, "transport udp needs mcastaddr, or totem.cluster_name to make one of")
    number = 0
    for byte in cluster_name.encode():
        number = (number * 31 + byte) % 0x10000
    return f"239.192.{number >> 8}.{number & 0xFF}"
