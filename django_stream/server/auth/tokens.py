"""Verification of JSON Web Tokens: HS256 and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import jwt

from django_stream.protocol import scopes
from django_stream.protocol.errors import ApiError
from django_stream.protocol.texts import is_text
from django_stream.server.auth.principals import Principal
from django_stream.server.conf import server_settings

USER_ID_LENGTH = 255
"""Characters of a user's id: what the tables hold."""

# No claim is required. Registered claims that mean nothing in the protocol are not checked.
_OPTIONS: dict[str, Any] = {
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}
_TIMES = {"exp": "verify_exp", "nbf": "verify_nbf", "iat": "verify_iat"}


def verify(token: str, secrets: Iterable[str], application_id: int) -> Principal:
    """The caller that a token proves.

    ApiError with status 401 for what is no token, 403 for a wrong secret or an expired token.
    """
    if not token:
        raise bad_signature("authorization is missing", slug="token-required")
    if not is_text(token):
        raise bad_signature("authorization is not a valid token")
    return principal_of(_claims(token, secrets), application_id)


def _claims(token: str, secrets: Iterable[str]) -> Mapping[str, Any]:
    for secret in secrets:
        try:
            return _timeless(token, secret) or _decoded(token, secret, _OPTIONS)
        except jwt.InvalidSignatureError:
            continue
        except (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError) as error:
            slug = "token-expired" if isinstance(error, jwt.ExpiredSignatureError) else "invalid-token"
            raise not_allowed(f"the token is not valid at this time: {error}", slug=slug) from error
        except jwt.PyJWTError as error:
            raise bad_signature(f"authorization is not a valid token: {error}") from error
    raise not_allowed("the token was not signed with a secret of this api_key", slug="invalid-token")


@lru_cache(maxsize=4096)
def _timeless(token: str, secret: str) -> Mapping[str, Any] | None:
    """The claims of a token that is valid at any time, checked once; None where it names times."""
    claims = _decoded(token, secret, _OPTIONS | dict.fromkeys(_TIMES.values(), False))
    return None if claims.keys() & _TIMES.keys() else claims


def _decoded(token: str, secret: str, options: dict[str, Any]) -> Mapping[str, Any]:
    return jwt.decode(
        token,
        secret,
        algorithms=["HS256"],
        options=options,  # type: ignore[arg-type]  # plain dict against PyJWT's TypedDict
        leeway=server_settings.TOKEN_LEEWAY_SECONDS,
    )


def principal_of(claims: Mapping[str, Any], application_id: int) -> Principal:
    """Read the claims; a token with `resource` is a server's, whatever else it carries."""
    if "resource" in claims:
        return Principal(
            application_id,
            resources=_comma_separated(claims["resource"]),
            actions=_comma_separated(claims.get("action")),
            feeds=_comma_separated(claims.get("feed_id")),
        )
    user_id = claims.get("user_id")
    if isinstance(user_id, int | float) and not isinstance(user_id, bool):
        raise not_allowed(f'the user_id of a token must be text, such as "{user_id}", not a number')
    if not isinstance(user_id, str) or user_id in ("", scopes.ANY):
        raise not_allowed("the token names neither a resource nor a user_id", slug="invalid-token")
    if len(user_id) > USER_ID_LENGTH or not is_text(user_id):
        raise not_allowed(f"the token's user_id is longer than {USER_ID_LENGTH} characters, or no text")
    return Principal(application_id, user_id=user_id)


def _comma_separated(claim: object) -> frozenset[str]:
    return frozenset(claim.split(",")) - {""} if isinstance(claim, str) else frozenset()


def not_allowed(detail: str, *, slug: str = "not-authorized") -> ApiError:
    return ApiError.named("NotAllowedException", detail, slug=slug)


def bad_signature(detail: str, *, slug: str = "invalid-token") -> ApiError:
    return ApiError.named("SignatureException", detail, slug=slug)
