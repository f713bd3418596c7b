"""Moving in: what other packages left in the database, brought to the feeds; and whether it is there."""
