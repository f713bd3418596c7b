"""Refusals in the words of App Streams: a message for people and a slug for programs, below `meta`."""

from __future__ import annotations

from typing import Any

from django_stream.protocol.errors import ApiError
from django_stream.server.conf import server_settings

_SEGMENTS = frozenset({"streams", "filters", "channel"})
_SLUGS = {
    "ApiKeyException": "invalid-api-key",
    "SiteSuspendedException": "application-suspended",
    "RateLimitReached": "rate-limit",
    "InputException": "invalid-json",
    "PayloadTooLargeException": "payload-too-large",
    "DoesNotExistException": "not-found",
    "NotAllowedException": "not-authorized",
    "InternalException": "internal-error",
}
# Whoever has such a token should get another one, and is told so by 401 and not by 403.
_NO_TOKEN = frozenset({"token-required", "token-expired", "invalid-token"})


def refuse(slug: str, message: str, status: int = 400) -> ApiError:
    """A refusal to be raised."""
    kind = {403: "NotAllowedException", 404: "DoesNotExistException", 429: "RateLimitReached"}.get(
        status, "InputException"
    )
    return ApiError.named(kind, message, status=status, slug=slug)


def check_enabled() -> None:
    """Refuse whoever would wait for events that nobody logs."""
    if not server_settings.STREAMS:
        raise refuse("streams-off", "this server logs no events: STREAM_SERVER_STREAMS is False", 403)


def is_about_streams(path: str) -> bool:
    """Whether answers at this path have the form of App Streams."""
    return path.lstrip("/").partition("/")[0] in _SEGMENTS


def with_meta(error: ApiError) -> ApiError:
    """The same refusal with the status that App Streams give it."""
    slug = error.slug or _SLUGS.get(error.kind.name, "invalid-request")
    if error.http_status == 405:
        slug = "method-not-allowed"
    status = 401 if slug in _NO_TOKEN else error.http_status
    headers = {**error.headers, "WWW-Authenticate": "Bearer"} if status == 401 else error.headers
    return MetaError(error.kind, error.detail, status=status, headers=headers, slug=slug)


class MetaError(ApiError):
    """An error with the envelope of App Streams."""

    def envelope(self) -> Any:
        """`meta` alone: a failure has no `data`."""
        return {
            "meta": {"code": self.http_status, "error_message": self.detail, "error_slug": self.slug},
        }
