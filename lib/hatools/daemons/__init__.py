"""The daemons of a node, one package each: a pure core and a thin ``daemon.py``."""
