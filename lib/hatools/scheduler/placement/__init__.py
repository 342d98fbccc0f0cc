"""Deciding where everything shall run. Pure."""
