"""The addresses of this machine's interfaces. I/O: the one place that calls netifaces, which is untyped."""

import ipaddress


def local_addresses() -> dict[str, str]:
    """Return every numeric IPv4 and IPv6 address of this machine and its interface; no scope suffixes."""
    import netifaces

    found: dict[str, str] = {}
    for interface in netifaces.interfaces():
        by_family = netifaces.ifaddresses(interface)
        for family in (netifaces.AF_INET, netifaces.AF_INET6):
            for entry in by_family.get(family, ()):
                found[str(entry["addr"]).partition("%")[0]] = str(interface)
    return found


def is_local_address(address: str) -> bool:
    """Say whether an address is one of this machine's; all of 127.0.0.0/8 are."""
    return address.startswith("127.") or address in local_addresses()


def is_outward_address(address: str) -> bool:
    """Say whether an address is one of this machine's under which others can reach it."""
    return not address.startswith("127.") and address != "::1" and address in local_addresses()


def broadcast_address(interface: str) -> str | None:
    """Return an interface's IPv4 broadcast address, by its netmask where it was given none; None without an address."""
    import netifaces

    if interface not in netifaces.interfaces():
        return None
    for entry in netifaces.ifaddresses(interface).get(netifaces.AF_INET, ()):
        given = str(entry.get("broadcast") or "")
        if given not in ("", "0.0.0.0", str(entry["addr"])):
            return given
        mask = str(entry.get("mask") or entry.get("netmask") or "32")
        return str(ipaddress.ip_interface(f"{entry['addr']}/{mask.rpartition('/')[2]}").network.broadcast_address)
    return None
