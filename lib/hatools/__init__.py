"""hatools: the Linux-HA / Pacemaker cluster stack, written anew in Python."""

__version__ = "0.1.0"

COMPATIBLE_VERSION = "2.1.5"
"""The Pacemaker release whose behaviour, formats and texts we keep."""

CRM_FEATURE_SET = "3.16.1"
"""The feature set that Pacemaker 2.1.5 writes into a CIB."""
