"""The words both halves speak: the Stream REST API v1.0, without Django and without I/O."""
