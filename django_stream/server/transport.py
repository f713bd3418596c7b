"""The transport that stays inside the process."""

from __future__ import annotations

from django_stream.protocol.messages import ApiRequest, ApiResponse
from django_stream.server import feed_store
from django_stream.server.auth.keys import credential_of
from django_stream.server.dispatch import handle
from django_stream.server.inspection import ServerInspection


class EmbeddedTransport:
    """Hands each request to the server in this process: no HTTP and no JSON text."""

    def send(self, request: ApiRequest, *, timeout: float | None = None) -> ApiResponse:
        """Answer a request. The timeout has no meaning without a network."""
        return handle(request)

    def database(self) -> str:
        """Alias of the database that requests write to, as part of the transaction that is open there."""
        return feed_store.database()

    def inspection(self, api_key: str) -> ServerInspection:
        """What the server can tell that its API cannot."""
        return ServerInspection(credential_of(api_key).application_id)

    def close(self) -> None:
        """Nothing is held open."""
