"""The OpenAPI description of the API, made from the table of endpoints."""
