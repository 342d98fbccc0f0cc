"""Nouns of the scheduler: nodes, resources, actions, constraints, operation history. Pure."""
