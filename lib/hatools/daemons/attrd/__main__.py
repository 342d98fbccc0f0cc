"""Runs attrd alone. I/O."""

from hatools.daemons.attrd.daemon import serve
from hatools.runtime.daemon import daemon_main

daemon_main("attrd", serve)
