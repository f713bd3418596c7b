"""Django's views: the API over HTTP, its description, probes and file contents."""
