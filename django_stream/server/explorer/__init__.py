"""The admin pages of the server."""
