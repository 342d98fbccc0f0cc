"""How each kind of resource does what the algorithms ask of it. Pure."""
