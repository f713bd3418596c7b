"""A tiny caller of the API for tests: signs, sends, and hands back status and body.

`Api` calls over whatever transport it is given; the functions call the server in this process.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import jwt

from django_stream.protocol.credentials import EMBEDDED_API_KEY
from django_stream.protocol.messages import ApiRequest, ApiResponse, Transport, Upload
from django_stream.server.conf import server_settings
from django_stream.server.transport import EmbeddedTransport

ANYTHING = {"resource": "*", "action": "*", "feed_id": "*"}
# What strict clients check, of every endpoint alike.
SUCCESS = {"GET": 200, "POST": 201, "PUT": 201, "DELETE": 200}


def token(claims: dict[str, Any] | None = None, secret: str | None = None) -> str:
    return jwt.encode(claims or ANYTHING, secret or server_settings.own_secret, algorithm="HS256")


def user_token(user_id: str) -> str:
    return token({"user_id": user_id})


def path_of(feed: str) -> str:
    return f"feed/{feed.replace(':', '/')}/"


@dataclass(frozen=True)
class Api:
    """Calls in the words of the wire, by an application's server or, `as_user`, by one of its users."""

    transport: Transport = field(default_factory=EmbeddedTransport)
    api_key: str = EMBEDDED_API_KEY
    secret: str | None = None
    auth: str | None = None

    def as_user(self, user_id: str) -> Api:
        return replace(self, auth=user_token(user_id))

    def with_key(self, api_key: str, secret: str | None = None) -> Api:
        return replace(self, api_key=api_key, secret=secret)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        auth: str | None = None,
        upload: Upload | None = None,
        **query: Any,
    ) -> ApiResponse:
        signed = self.auth if auth is None else auth
        request = ApiRequest(
            method,
            path,
            self.api_key,
            token(secret=self.secret) if signed is None else signed,
            query={name: value if isinstance(value, list) else str(value) for name, value in query.items()},
            body=body,
            upload=upload,
        )
        # Scenarios are about answers, not about how soon a busy machine gives them.
        return self.transport.send(request, timeout=60)

    def ok(self, method: str, path: str, body: Any = None, **more: Any) -> dict[str, Any]:
        """The body of a call that must succeed, without its duration."""
        answer = self.call(method, path, body, **more)
        assert answer.status == SUCCESS[method], answer.body
        assert answer.body.pop("duration").endswith("ms")
        return answer.body

    def refused(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, int]:
        """Status and code of a call that must be refused."""
        return self.refusal(method, path, body, **more)[:2]

    def refusal(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, int, str]:
        """Likewise, with the detail."""
        answer = self.call(method, path, body, **more)
        assert answer.status >= 400, answer.body
        assert answer.body["status_code"] == answer.status
        assert answer.body["detail"]
        return answer.status, answer.body["code"], answer.body["detail"]

    def made(self, path: str, body: Any, **query: Any) -> dict[str, Any]:
        return self.ok("POST", path, body, **query)

    def post(self, feed: str, **fields: Any) -> dict[str, Any]:
        return self.made(path_of(feed), {"actor": "eric", "verb": "tweet", "object": "1", **fields})

    def page(self, feed: str, **query: Any) -> list[dict[str, Any]]:
        return list(self.ok("GET", path_of(feed), **query)["results"])

    def enriched(self, feed: str, **query: Any) -> list[dict[str, Any]]:
        return list(self.ok("GET", f"enrich/{path_of(feed)}", **query)["results"])

    def follow_next(self, page: dict[str, Any]) -> dict[str, Any]:
        """The page at an answer's `next`, asked for as it is given."""
        address = urlsplit(page["next"])
        query = parse_qs(address.query, keep_blank_values=True)
        [key] = query.pop("api_key")
        assert key == self.api_key
        return self.ok("GET", unquote(address.path.removeprefix("/api/v1.0/")), **query)

    def ids(self, feed: str, **query: Any) -> list[str]:
        return [item["id"] for item in self.page(feed, **query)]

    def follow(self, source: str, target: str, **fields: Any) -> None:
        assert self.made(f"{path_of(source)}follows/", {"target": target, **fields}) == {}

    def react(
        self, activity: str, kind: str = "like", user: str | None = "bob", **fields: Any
    ) -> dict[str, Any]:
        body = {"kind": kind, "activity_id": activity, **fields}
        return self.made("reaction/", body if user is None else {"user_id": user} | body)

    def answer_to(self, parent: str, kind: str = "like", user: str = "bob", **fields: Any) -> dict[str, Any]:
        """A child reaction."""
        return self.made("reaction/", {"kind": kind, "parent": parent, "user_id": user, **fields})

    def upload(self, path: str, content: bytes, name: str) -> str:
        return str(self.ok("POST", path, upload=Upload(name, io.BytesIO(content)))["file"])


_here = Api()


def call(
    method: str, path: str, body: Any = None, *, api_key: str = EMBEDDED_API_KEY, **more: Any
) -> ApiResponse:
    return _here.with_key(api_key).call(method, path, body, **more)


ok, refused, refusal = _here.ok, _here.refused, _here.refusal
post, ids, follow = _here.post, _here.ids, _here.follow
