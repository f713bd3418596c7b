"""The Stream API as a Django app: embedded in a site or serving many from its own host."""
