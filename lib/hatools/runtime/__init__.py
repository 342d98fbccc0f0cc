"""What a process of hatools stands on: paths, logs, the daemon frame, child processes. I/O."""
