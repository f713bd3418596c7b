"""How an activity reaches the followers of a feed."""
