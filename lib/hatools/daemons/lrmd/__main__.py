"""Runs lrmd alone. I/O."""

from hatools.daemons.lrmd.daemon import serve
from hatools.runtime.daemon import daemon_main

daemon_main("lrmd", serve)
