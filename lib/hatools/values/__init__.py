"""Values: the small immutable nouns every other layer speaks in. Pure."""
