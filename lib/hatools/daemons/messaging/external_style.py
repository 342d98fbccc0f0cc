"""The external style in the daemon. I/O."""

from hatools.daemons.messaging.styles import Style
from hatools.runtime.daemon import Context
from hatools.values.errors import NotSupportedError


def configure(context: Context) -> Style:
    """Refuse: there is nothing behind this style yet.

    Raises:
        NotSupportedError: always.
    """
    raise NotSupportedError("HATOOLS_MESSAGING=external: this style is not there yet; use corosync")
