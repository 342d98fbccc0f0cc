"""Heartbeat's parameters as ``cl_status hbparameter`` shows them. Pure."""

from hatools.messaging.heartbeat.ha_cf import HaConfiguration

VERSION = "3.0.6"
"""The Heartbeat whose protocol we speak."""


def parameters(configuration: HaConfiguration) -> dict[str, str]:
    """Return the directives as they are written in ha.cf, and the defaults of those that are not."""
    timing = configuration.timing
    times = {
        "keepalive": timing.keepalive,
        "warntime": timing.warntime,
        "deadtime": timing.deadtime,
        "initdead": timing.initdead,
        "deadping": timing.deadping,
    }
    found = {name: f"{round(seconds * 1000)}ms" if seconds % 1 else f"{seconds:g}" for name, seconds in times.items()}
    found |= {
        "cluster": configuration.cluster_name,
        "autojoin": configuration.autojoin.value,
        "hopfudge": str(configuration.hopfudge),
        "debug": str(configuration.debug),
        "auto_failback": configuration.auto_failback,
        "realtime": "true" if configuration.realtime else "false",
        "msgfmt": "classic" if configuration.sign_fields else "netstring",
        "udpport": str(configuration.port),
    }
    found |= configuration.settings
    found |= {"node": " ".join(configuration.nodes), "hbversion": VERSION}
    return found
