"""What both halves ask of a database: it knows none of our models."""
