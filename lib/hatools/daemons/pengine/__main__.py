"""Runs pengine alone. I/O."""

from hatools.daemons.pengine.daemon import serve
from hatools.runtime.daemon import daemon_main

daemon_main("pengine", serve)
