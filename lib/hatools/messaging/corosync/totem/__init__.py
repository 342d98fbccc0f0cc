"""The ring: a token that orders messages, and the membership protocol that rebuilds it."""
