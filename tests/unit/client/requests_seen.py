"""Requests as they left, made comparable."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import jwt
import requests

KEY = "the-key"
SECRET = "a-secret-of-the-length-that-the-hosted-service-gives-out-to-its-users"
API = "https://api.stream-io-api.com/api/v1.0/"


@dataclass(frozen=True)
class Seen:
    """One request: `url` without its query, header names in lower case, the token as its claims."""

    method: str
    url: str
    query: dict[str, list[str]]
    json: Any
    headers: dict[str, str] = field(repr=False)
    claims: dict[str, Any] = field(default_factory=dict)

    def but(self, **changes: Any) -> Seen:
        return replace(self, **changes)


def seen(request: requests.PreparedRequest) -> Seen:
    parts = urlsplit(request.url)
    headers = {name.lower(): value for name, value in request.headers.items()}
    headers.pop("content-length", None)
    return Seen(
        request.method,
        f"{parts.scheme}://{parts.netloc}{unquote(parts.path)}",
        parse_qs(parts.query, keep_blank_values=True),
        json.loads(request.body) if request.body else None,
        headers,
        claims(headers.pop("authorization")),
    )


def claims(token: str) -> dict[str, Any]:
    return jwt.decode(token, SECRET, algorithms=["HS256"])
