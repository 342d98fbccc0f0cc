"""Messages between nodes: views, quorum and ordered groups, whatever the style underneath."""
