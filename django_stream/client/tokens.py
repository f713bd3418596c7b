"""Tokens: HS256 JWTs, minted when first needed and kept per scope."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from functools import cached_property, lru_cache
from typing import Any

import jwt

from django_stream.client.exceptions import ValidationError

# Feed tokens name one feed each; a page of a busy site touches thousands.
_KEPT_SCOPES = 8192


class Tokens:
    """Mints tokens with one secret, which shows up in no text."""

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self.scope = lru_cache(maxsize=_KEPT_SCOPES)(self._scope)

    def _scope(self, resource: str, action: str, feed_id: str = "*", user_id: str | None = None) -> str:
        claims = {"resource": resource, "action": action, "feed_id": feed_id}
        if user_id is not None:
            claims["user_id"] = user_id
        return self.encode(claims)

    def encode(self, claims: Mapping[str, Any]) -> str:
        if not self._secret:
            raise ValidationError("no API secret is configured, so no token can be signed", "api_secret")
        return jwt.encode(dict(claims), self._secret, algorithm="HS256")

    @property
    def secret(self) -> str:
        return self._secret


class UserTokens(Tokens):
    """One user's token for everything: requests run under that user's permissions."""

    def __init__(self, secret: str, user_id: str) -> None:
        super().__init__(secret)
        self._user_id = user_id

    @cached_property
    def _token(self) -> str:
        return self.encode({"user_id": self._user_id})

    def _scope(self, resource: str, action: str, feed_id: str = "*", user_id: str | None = None) -> str:
        return self._token


def sign(api_secret: str, feed_id: str) -> str:
    """The signature of the oldest clients: URL-safe base64 of an HMAC-SHA1 over the packed feed id."""
    key = hashlib.sha1(api_secret.encode(), usedforsecurity=False).digest()
    digest = hmac.new(key, feed_id.encode(), hashlib.sha1).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
