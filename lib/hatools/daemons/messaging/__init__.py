"""messaging: the ring of this node, and the groups its daemons talk in."""
