"""What a saved model says: declarations, references, payloads, and the registry of tracked models."""
