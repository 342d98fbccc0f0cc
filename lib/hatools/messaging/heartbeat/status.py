"""Heartbeat's parameters as ``cl_status hbparameter`` shows them. Pure."""

from hatools.messaging.heartbeat.ha_cf import HaConfiguration

VERSION = "3.0.6"
"""The Heartbeat whose protocol we speak."""


def parameters(configuration: HaConfiguration) -> dict[str, str]:
    """Return the directives with their values in effect, given or default."""
    timing = configuration.timing
    times = {
        "keepalive": timing.keepalive,
        "warntime": timing.warntime,
        "deadtime": timing.deadtime,
        "initdead": timing.initdead,
        "deadping": timing.deadping,
    }
    found = dict(configuration.settings)
    found |= {name: f"{round(seconds * 1000)}ms" if seconds % 1 else f"{seconds:g}" for name, seconds in times.items()}
    found["node"] = " ".join(configuration.nodes)
    found["cluster"] = configuration.cluster_name
    found["autojoin"] = configuration.autojoin.value
    found["hopfudge"] = str(configuration.hopfudge)
    found["debug"] = str(configuration.debug)
    found["auto_failback"] = configuration.auto_failback
    found.setdefault("realtime", "true" if configuration.realtime else "false")
    found.setdefault("msgfmt", "classic" if configuration.sign_fields else "netstring")
    found["hbversion"] = VERSION
    return found
