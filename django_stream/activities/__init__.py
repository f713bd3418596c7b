"""What a saved row says: declarations, references, payloads, and which models are tracked."""
