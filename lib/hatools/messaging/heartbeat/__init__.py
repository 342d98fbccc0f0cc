"""The heartbeat style: Heartbeat 3.0.6's wire protocol and files, and our ring carried inside it."""
