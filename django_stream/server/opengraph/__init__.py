"""Open graph data of pages on the web, whose addresses come from users."""
