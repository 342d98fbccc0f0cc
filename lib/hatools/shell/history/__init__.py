"""What happened in the cluster: logs and scheduler inputs of all nodes, live or from a report."""
