"""channel: carries out what administrators of other nodes of the cluster ask of this one."""
