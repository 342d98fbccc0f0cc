"""The words the daemons and commands say to each other, one module per daemon. Pure."""
