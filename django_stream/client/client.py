"""The client: one object per application, shared by threads, cheap to make."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any, Literal, Self, TypedDict, Unpack, overload

from django_stream.client.activities import ActivityCalls
from django_stream.client.aio import AsyncView
from django_stream.client.analytics import AnalyticsCalls, PersonalizationCalls
from django_stream.client.api import ANYTHING, Api
from django_stream.client.collections import CollectionCalls
from django_stream.client.config import DEFAULT_TIMEOUT, Endpoints, from_environment
from django_stream.client.exceptions import ValidationError
from django_stream.client.feed import Feed
from django_stream.client.files import FileCalls, ImageCalls
from django_stream.client.follows import FollowCalls
from django_stream.client.moderation_and_audit import AuditLogCalls, DataPrivacyCalls, ModerationCalls
from django_stream.client.reactions import ReactionCalls
from django_stream.client.retries import RetryPolicy
from django_stream.client.shortcuts import Shortcuts
from django_stream.client.streams import StreamCalls
from django_stream.client.tokens import Tokens, UserTokens
from django_stream.client.types import OpenGraph
from django_stream.client.users import UserCalls
from django_stream.protocol.limits import API_VERSION
from django_stream.protocol.messages import Transport


class _BaseUrl:
    """Where the API is, without its version: of a client its own, of the class the hosted one's."""

    def __get__(self, client: StreamClient | None, owner: type[StreamClient]) -> str:
        return (Endpoints() if client is None else client.endpoints).without_version()


class StreamClient(ActivityCalls, FollowCalls, AnalyticsCalls, Shortcuts):
    """Calls a Stream API: the hosted one, one's own, or any other home that has a transport."""

    base_url = _BaseUrl()

    # For the asynchronous view: these answer at once.
    local_methods = frozenset(
        {
            "as_user",
            "close",
            "create_jwt_token",
            "create_redirect_url",
            "create_user_token",
            "feed",
            "get_default_header",
            "get_default_params",
            "get_full_url",
            "get_user_agent",
            "raise_exception",
            "with_timeout",
            "with_transport",
        }
    )

    def __init__(
        self,
        api_key: str,
        api_secret: str,
        app_id: str | int | None = None,
        version: str = API_VERSION,
        timeout: float = DEFAULT_TIMEOUT,
        base_url: str | None = None,
        location: str | None = None,
        *,
        transport: Transport | None = None,
        retry: RetryPolicy | None = None,
    ) -> None:
        for name, value in (("api_key", api_key), ("api_secret", api_secret)):
            if not value or not isinstance(value, str):
                raise ValidationError(f"{name} must be given as text", name)
        if isinstance(timeout, bool) or not isinstance(timeout, int | float) or timeout <= 0:
            raise ValidationError(f"timeout must be a number of seconds above 0, not {timeout!r}", "timeout")
        self.app_id = None if app_id is None else str(app_id)
        self.endpoints = Endpoints(version, location, base_url)
        if transport is None:
            from django_stream.client.http import HttpTransport  # imported by those who leave the process

            transport = HttpTransport(self.endpoints, retry=retry)
        self.api = Api(transport, api_key, Tokens(api_secret), timeout)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.api.transport!r}, app_id={self.app_id!r})"

    @property
    def api_key(self) -> str:
        return self.api.api_key

    @property
    def api_secret(self) -> str:
        return self.api.tokens.secret

    @property
    def version(self) -> str:
        return self.endpoints.version

    @property
    def location(self) -> str | None:
        return self.endpoints.location

    @property
    def timeout(self) -> float | None:
        return self.api.timeout

    def feed(self, feed_slug: object, user_id: object = None) -> Feed:
        """The feed `("user", "1")`, or `"user:1"`."""
        if user_id is None and isinstance(feed_slug, str) and ":" in feed_slug:
            feed_slug, _, user_id = feed_slug.partition(":")
        return Feed(self, feed_slug, "" if user_id is None else user_id)

    @cached_property
    def reactions(self) -> ReactionCalls:
        return ReactionCalls(self.api)

    @cached_property
    def users(self) -> UserCalls:
        return UserCalls(self.api)

    @cached_property
    def collections(self) -> CollectionCalls:
        return CollectionCalls(self.api)

    @cached_property
    def files(self) -> FileCalls:
        return FileCalls(self.api)

    @cached_property
    def images(self) -> ImageCalls:
        return ImageCalls(self.api)

    @cached_property
    def audit_logs(self) -> AuditLogCalls:
        return AuditLogCalls(self.api)

    @cached_property
    def data_privacy(self) -> DataPrivacyCalls:
        return DataPrivacyCalls(self.api)

    @cached_property
    def moderation(self) -> ModerationCalls:
        return ModerationCalls(self.api)

    @cached_property
    def streams(self) -> StreamCalls:
        return StreamCalls(self.api)

    @cached_property
    def personalization(self) -> PersonalizationCalls:
        return PersonalizationCalls(self.api)

    @cached_property
    def aio(self) -> AsyncView:
        """The same client for asynchronous code: calls are awaited and run in threads."""
        return AsyncView(self)

    def og(self, target_url: str) -> OpenGraph:
        """Title, description, images and more of a web page."""
        if not isinstance(target_url, str) or not target_url:
            raise ValidationError("target_url must be the address of a page", "target_url")
        found: OpenGraph = self.api.call("GET", "og/", ANYTHING, query={"url": target_url})
        return found

    def as_user(self, user_id: object) -> Self:
        """This client with one user's permissions: every request carries that user's token."""
        return self._changed(tokens=UserTokens(self.api.tokens.secret, str(user_id)))

    def with_timeout(self, timeout: float) -> Self:
        """This client with another timeout; both share connections."""
        return self._changed(timeout=timeout)

    def with_transport(self, transport: Transport) -> Self:
        """This client over another carriage, such as one that watches this one's."""
        return self._changed(transport=transport)

    def _changed(self, **changes: Any) -> Self:
        other = object.__new__(type(self))
        other.app_id, other.endpoints = self.app_id, self.endpoints
        other.api = replace(self.api, **changes)
        return other

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        self.api.transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


class ClientOptions(TypedDict, total=False):
    """The options of `StreamClient` that only have names, for `connect`."""

    transport: Transport | None
    retry: RetryPolicy | None


@overload
def connect(
    api_key: str | None = None,
    api_secret: str | None = None,
    app_id: str | int | None = None,
    version: str = ...,
    timeout: float | None = ...,
    location: str | None = ...,
    base_url: str | None = ...,
    use_async: Literal[False] = False,
    *,
    environ: Mapping[str, str] | None = None,
    **options: Unpack[ClientOptions],
) -> StreamClient: ...


@overload
def connect(
    api_key: str | None = None,
    api_secret: str | None = None,
    app_id: str | int | None = None,
    version: str = ...,
    timeout: float | None = ...,
    location: str | None = ...,
    base_url: str | None = ...,
    *,
    use_async: Literal[True],
    environ: Mapping[str, str] | None = None,
    **options: Unpack[ClientOptions],
) -> AsyncView: ...


def connect(
    api_key: str | None = None,
    api_secret: str | None = None,
    app_id: str | int | None = None,
    version: str = API_VERSION,
    timeout: float | None = None,
    location: str | None = None,
    base_url: str | None = None,
    use_async: bool = False,
    *,
    environ: Mapping[str, str] | None = None,
    **options: Unpack[ClientOptions],
) -> StreamClient | AsyncView:
    """A client from arguments, completed by STREAM_URL, STREAM_REGION and LOCAL.

    A whole STREAM_URL may stand in place of the key. Further options are those of `StreamClient`. With
    `use_async`, its asynchronous view.
    """
    given: dict[str, Any] = {
        "api_key": api_key,
        "api_secret": api_secret,
        "app_id": app_id,
        "version": version,
        "timeout": timeout,
        "location": location,
        "base_url": base_url,
        **options,
    }
    found: dict[str, Any] = {"api_key": "", "api_secret": ""}
    found |= from_environment(given, os.environ if environ is None else environ)
    client = StreamClient(**found)
    return client.aio if use_async else client
