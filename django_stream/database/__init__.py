"""What both halves ask of a database, and of nothing else of this project."""
