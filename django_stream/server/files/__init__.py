"""Uploads: what they are, where they are kept, and at which address they are read."""
