"""Pages: each reads a feed, or saves a model and lets the feeds follow."""
