"""Runs stonithd alone. I/O."""

from hatools.daemons.stonithd.daemon import serve
from hatools.runtime.daemon import daemon_main

daemon_main("stonithd", serve)
