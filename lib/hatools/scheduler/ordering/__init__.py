"""Deciding in which order actions happen, and what falls away because of that. Pure."""
