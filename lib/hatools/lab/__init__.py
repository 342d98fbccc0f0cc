"""The lab: a whole cluster on one machine, real daemons and real sockets, without root. I/O."""
