"""A complete client of the Stream API v1.0, without Django.

import django_stream.client as stream

client = stream.connect("key", "secret")
client.feed("user", "1").add_activity({"actor": "1", "verb": "tweet", "object": "1"})
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from django_stream.client import exceptions
from django_stream.client.aio import AsyncView
from django_stream.client.client import StreamClient, connect
from django_stream.client.config import Endpoints
from django_stream.client.feed import Feed
from django_stream.client.listening import StreamEvent
from django_stream.client.results import RateLimit, ResponseMeta, Result, meta
from django_stream.client.retries import NO_RETRIES, RetryPolicy
from django_stream.client.shared import stream_client
from django_stream.client.streams import signed_events
from django_stream.client.tokens import sign
from django_stream.client.validation import validate_feed_id, validate_feed_slug, validate_user_id
from django_stream.protocol.messages import ApiRequest, ApiResponse, Transport

if TYPE_CHECKING:
    from django_stream.client.http import HttpTransport

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


def __getattr__(name: str) -> Any:
    # With it comes requests, which nobody needs whose feeds are embedded.
    if name == "HttpTransport":
        return import_module("django_stream.client.http").HttpTransport
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
