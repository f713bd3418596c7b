"""What both halves need of a database; it knows nothing else of this project."""
