"""A complete client of the Stream API v1.0, without Django.

import django_stream.client as stream

client = stream.connect("key", "secret")
client.feed("user", "1").add_activity({"actor": "1", "verb": "tweet", "object": "1"})
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django_stream.client import exceptions
    from django_stream.client.aio import AsyncView
    from django_stream.client.client import StreamClient, connect
    from django_stream.client.config import Endpoints
    from django_stream.client.feed import Feed
    from django_stream.client.http import HttpTransport
    from django_stream.client.listening import StreamEvent
    from django_stream.client.results import RateLimit, ResponseMeta, Result, meta
    from django_stream.client.retries import NO_RETRIES, RetryPolicy
    from django_stream.client.shared import stream_client
    from django_stream.client.streams import signed_events
    from django_stream.client.tokens import sign
    from django_stream.client.validation import validate_feed_id, validate_feed_slug, validate_user_id
    from django_stream.protocol.messages import ApiRequest, ApiResponse, Transport

__all__ = [
    "NO_RETRIES",
    "ApiRequest",
    "ApiResponse",
    "AsyncView",
    "Endpoints",
    "Feed",
    "HttpTransport",
    "RateLimit",
    "ResponseMeta",
    "Result",
    "RetryPolicy",
    "StreamClient",
    "StreamEvent",
    "Transport",
    "connect",
    "exceptions",
    "meta",
    "sign",
    "signed_events",
    "stream_client",
    "validate_feed_id",
    "validate_feed_slug",
    "validate_user_id",
]


# Loaded on first use: nobody pays for `requests` whose feeds are embedded, and for nothing but the errors
# who catches one.
_HOMES = {
    "ApiRequest": "django_stream.protocol.messages",
    "ApiResponse": "django_stream.protocol.messages",
    "AsyncView": "django_stream.client.aio",
    "Endpoints": "django_stream.client.config",
    "Feed": "django_stream.client.feed",
    "HttpTransport": "django_stream.client.http",
    "NO_RETRIES": "django_stream.client.retries",
    "RateLimit": "django_stream.client.results",
    "ResponseMeta": "django_stream.client.results",
    "Result": "django_stream.client.results",
    "RetryPolicy": "django_stream.client.retries",
    "StreamClient": "django_stream.client.client",
    "StreamEvent": "django_stream.client.listening",
    "Transport": "django_stream.protocol.messages",
    "connect": "django_stream.client.client",
    "meta": "django_stream.client.results",
    "sign": "django_stream.client.tokens",
    "signed_events": "django_stream.client.streams",
    "stream_client": "django_stream.client.shared",
    "validate_feed_id": "django_stream.client.validation",
    "validate_feed_slug": "django_stream.client.validation",
    "validate_user_id": "django_stream.client.validation",
}


def __getattr__(name: str) -> Any:
    if name == "exceptions":
        return import_module("django_stream.client.exceptions")
    if name in _HOMES:
        found = globals()[name] = getattr(import_module(_HOMES[name]), name)
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
