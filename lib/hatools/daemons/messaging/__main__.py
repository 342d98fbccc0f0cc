"""Run the messaging daemon alone: ``python -m hatools.daemons.messaging``."""

from hatools.daemons.messaging.daemon import serve
from hatools.runtime.daemon import daemon_main

daemon_main("messaging", serve)
