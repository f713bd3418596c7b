"""One function for each endpoint: it reads the request, calls an action or a read, and answers."""
