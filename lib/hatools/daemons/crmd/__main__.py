"""Runs crmd alone. I/O."""

from hatools.daemons.crmd.daemon import serve
from hatools.runtime.daemon import daemon_main

daemon_main("crmd", serve)
