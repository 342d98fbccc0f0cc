"""pacemakerd: starts, watches and restarts the daemons of a node."""
