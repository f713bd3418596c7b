"""What only the hosted service has: analytics and personalization. Here so that moved code still runs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from django_stream.client.api import ANYTHING, Api, Scope
from django_stream.client.encoding import plain
from django_stream.client.exceptions import ValidationError
from django_stream.protocol import scopes

_ANALYTICS = "analytics"
_REDIRECTS = "https://analytics.stream-io-api.com/analytics/redirect/"


class AnalyticsCalls:
    """The part of the client that is about tracking."""

    api: Api

    def track_engagements(self, engagements: Iterable[Mapping[str, Any]]) -> Any:
        """Tell the analytics service of engagements."""
        body = {"content_list": list(engagements)}
        return self.api.call("POST", "engagement/", ANYTHING, body=body, service=_ANALYTICS)

    def track_impressions(self, impressions: Any) -> Any:
        """Tell the analytics service of impressions."""
        return self.api.call("POST", "impression/", ANYTHING, body=impressions, service=_ANALYTICS)

    def create_redirect_url(
        self, target_url: str, user_id: object, events: Iterable[Mapping[str, Any]]
    ) -> str:
        """An address for e-mails that counts the click and leads on to `target_url`."""
        parts = urlsplit(target_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValidationError(f"target_url {target_url!r} is not an http(s) address", "target_url")
        token = self.api.tokens.encode(
            {"resource": scopes.REDIRECT_AND_TRACK, "action": "*", "feed_id": "*", "user_id": user_id}
        )
        query = {
            "auth_type": "jwt",
            "authorization": token,
            "url": target_url,
            "api_key": self.api.api_key,
            "events": json.dumps(plain(list(events), "events")),
        }
        return f"{_REDIRECTS}?{urlencode(query)}"


class PersonalizationCalls:
    """`client.personalization`: resources that are set up with the hosted service."""

    local_methods: frozenset[str] = frozenset()
    _scope: Scope = (scopes.PERSONALIZATION, scopes.ANY, scopes.ANY, scopes.ANY)

    def __init__(self, api: Api) -> None:
        self._api = api

    def get(self, resource: str, **params: Any) -> Any:
        """Read a resource, such as 'follow_recommendations'."""
        return self._call("GET", resource, params, None)

    def post(self, resource: str, *, data: Any = None, **params: Any) -> Any:
        """Post `data` to a resource."""
        return self._call("POST", resource, params, data or {})

    def delete(self, resource: str, **params: Any) -> Any:
        """Delete from a resource."""
        return self._call("DELETE", resource, params, None)

    def _call(self, method: str, resource: str, params: dict[str, Any], body: Any) -> Any:
        return self._api.call(
            method, resource, self._scope, query=params, body=body, service=scopes.PERSONALIZATION
        )
