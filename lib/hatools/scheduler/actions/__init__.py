"""Deciding what must be done to get from the current to the wanted state. Pure."""
