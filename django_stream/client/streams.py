"""App Streams: an application's own server is told what happens."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Iterator, Sequence
from typing import Any

from django_stream.client.api import Api, Scope
from django_stream.client.exceptions import ValidationError
from django_stream.client.listening import Connection, StreamEvent, connected, polled
from django_stream.client.validation import segment
from django_stream.protocol import scopes

Stream = dict[str, Any]
Filter = dict[str, Any]


def signed_events(body: bytes, signature: str, secret: str, *, tolerance: float = 300.0) -> list[StreamEvent]:
    """The events of a request to a webhook, of which `signature` is the header Stream-Signature.

    ValidationError when it was not signed with the webhook's secret, or longer than `tolerance` seconds ago.
    """
    parts = dict(part.partition("=")[::2] for part in signature.split(","))
    moment, given = parts.get("t", ""), parts.get("v1", "")
    expected = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), given.encode()):
        raise ValidationError("the request was not signed with this secret", "Stream-Signature")
    if not moment.isdecimal() or abs(time.time() - int(moment)) > tolerance:
        raise ValidationError("the request was signed at another time", "Stream-Signature")
    return [StreamEvent.of(envelope) for envelope in json.loads(body)["data"]]


class StreamCalls:
    """`client.streams`"""

    local_methods: frozenset[str] = frozenset({"listen"})
    _scope: Scope = (scopes.STREAMS, scopes.ANY)

    def __init__(self, api: Api) -> None:
        self._api = api

    def create(
        self, object_types: Sequence[str], *, key: str | None = None, filter_id: str | None = None
    ) -> Stream:
        """A new stream of these types of objects, perhaps with a name (`key`) and through a filter."""
        body = {"object_types": list(object_types), "type": "long_poll", "key": key, "filter_id": filter_id}
        return self._data("POST", "streams/", {name: one for name, one in body.items() if one is not None})

    def ensure(self, key: str, object_types: Sequence[str], *, filter_id: str | None = None) -> Stream:
        """The stream with this key, created or changed to ask for this."""
        known: list[Stream] = self._call("GET", "streams/", query={"key": key})["data"]
        if not known:
            return self.create(object_types, key=key, filter_id=filter_id)
        stream = known[0]
        if (stream["object_types"], stream.get("filter", {}).get("id")) == (list(object_types), filter_id):
            return stream
        return self.update(stream["id"], object_types, key=key, filter_id=filter_id)

    def update(
        self, name: str, object_types: Sequence[str], *, key: str | None = None, filter_id: str | None = None
    ) -> Stream:
        """Replace what a stream asks for; connections that are open follow."""
        body = {"object_types": list(object_types), "type": "long_poll", "key": key, "filter_id": filter_id}
        given = {field: one for field, one in body.items() if one is not None}
        return self._data("PUT", _path("streams", name), given)

    def get(self, name: str) -> Stream:
        """A stream by its id or its key."""
        return self._data("GET", _path("streams", name))

    def all(self) -> list[Stream]:
        """The application's streams."""
        listed: list[Stream] = self._call("GET", "streams/")["data"]
        return listed

    def delete(self, name: str) -> Stream:
        return self._data("DELETE", _path("streams", name))

    def status(self, name: str) -> dict[str, Any]:
        """Readers, lag, and what was sent and dropped."""
        return self._data("GET", f"{_path('streams', name)}status/")

    def set_webhook(self, name: str, url: str) -> dict[str, Any]:
        """Have a stream's events posted to an address; the answer has the secret for `signed_events`."""
        return self._data("PUT", f"{_path('streams', name)}webhook/", {"url": url})

    def remove_webhook(self, name: str) -> dict[str, Any]:
        return self._data("DELETE", f"{_path('streams', name)}webhook/")

    def create_filter(self, clauses: Sequence[dict[str, Any]], match_policy: str, name: str = "") -> Filter:
        """A filter that streams can use; `match_policy` is include_any or _all, exclude_any or _all."""
        body = {"name": name, "match_policy": match_policy, "clauses": list(clauses)}
        return self._data("POST", "filters/", body)

    def delete_filter(self, filter_id: str) -> Filter:
        return self._data("DELETE", _path("filters", filter_id))

    def events(self, name: str, *, last_event_id: str | None = None) -> dict[str, Any]:
        """Some events that follow one, or the last one that was delivered; `meta` has the next cursor."""
        query = {"last_event_id": last_event_id}
        page: dict[str, Any] = self._call("GET", f"{_path('streams', name)}events/", query=query)
        return page

    def listen(
        self, name: str, *, last_event_id: str | None = None, poll_seconds: float = 1.0
    ) -> Iterator[StreamEvent]:
        """Every event as it happens, for ever; after a broken connection it goes on where it was.

        An event counts as handled when the next one is asked for. To go on after a restart of one's own,
        keep `event.event_id` and give it as `last_event_id`; without it, the server's memory of what it
        delivered counts. EventsMissing when the log does not go back that far.
        """
        from django_stream.client.http import HttpTransport

        if isinstance(self._api.transport, HttpTransport):
            endpoint = self.get(name)["endpoint"]
            connection = Connection(endpoint, lambda: self._api.tokens.scope(*self._scope))
            return connected(connection, last_event_id)
        return polled(lambda cursor: self.events(name, last_event_id=cursor), last_event_id, poll_seconds)

    def _call(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._api.call(method, path, self._scope, **more)
        return answer

    def _data(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        data: dict[str, Any] = self._call(method, path, body=body)["data"]
        return data


def _path(resource: str, name: str) -> str:
    return f"{resource}/{segment(name, resource)}/"
