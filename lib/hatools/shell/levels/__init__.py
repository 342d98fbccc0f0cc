"""The levels of the shell, one module each."""
