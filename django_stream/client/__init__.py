"""A complete client of the Stream API v1.0, without Django.

import django_stream.client as stream

client = stream.connect("key", "secret")
client.feed("user", "1").add_activity({"actor": "1", "verb": "tweet", "object": "1"})
"""

from django_stream.client import exceptions
from django_stream.client.aio import AsyncView
from django_stream.client.client import StreamClient, connect
from django_stream.client.config import Endpoints
from django_stream.client.feed import Feed
from django_stream.client.http import HttpTransport
from django_stream.client.results import RateLimit, ResponseMeta, Result, meta
from django_stream.client.retries import NO_RETRIES, RetryPolicy
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
    "Transport",
    "connect",
    "exceptions",
    "meta",
    "sign",
    "validate_feed_id",
    "validate_feed_slug",
    "validate_user_id",
]
