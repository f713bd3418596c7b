"""What the admin shows of the server."""
