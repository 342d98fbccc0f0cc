"""Runs the channel alone. I/O."""

from hatools.daemons.channel.daemon import serve
from hatools.runtime.daemon import daemon_main

daemon_main("channel", serve)
