"""Wizards: YAML files that ask for parameters and turn them into configuration and other actions."""
