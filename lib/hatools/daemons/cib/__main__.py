"""Run the cib daemon alone. I/O."""

from hatools.daemons.cib.daemon import serve
from hatools.runtime.daemon import daemon_main

daemon_main("cib", serve)
