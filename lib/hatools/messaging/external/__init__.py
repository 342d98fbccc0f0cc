"""The external style: a real running Corosync orders the messages and decides on quorum."""
