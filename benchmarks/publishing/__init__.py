"""What tracking costs: a save, a bulk_create, and a drain, each beside the same without it."""
