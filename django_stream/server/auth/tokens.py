"""Verification of JSON Web Tokens: HS256 and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import jwt

from django_stream.protocol import scopes
from django_stream.protocol.errors import ApiError
from django_stream.server.auth.principals import Principal
from django_stream.server.conf import server_settings

# No claim is required. Registered claims that mean nothing in the protocol are not checked.
_OPTIONS: dict[str, Any] = {
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}


def verify(token: str, secrets: Iterable[str], application_id: int) -> Principal:
    """The caller that a token proves.

    ApiError with status 401 for what is no token, 403 for a wrong secret or an expired token.
    """
    if not token:
        raise _bad_signature("authorization is missing")
    return principal_of(_claims(token, secrets), application_id)


def _claims(token: str, secrets: Iterable[str]) -> Mapping[str, Any]:
    for secret in secrets:
        try:
            return jwt.decode(
                token,
                secret,
                algorithms=["HS256"],
                options=_OPTIONS,  # type: ignore[arg-type]  # plain dict against PyJWT's TypedDict
                leeway=server_settings.TOKEN_LEEWAY_SECONDS,
            )
        except jwt.InvalidSignatureError:
            continue
        except (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError) as error:
            raise not_allowed(f"the token is not valid at this time: {error}") from error
        except jwt.PyJWTError as error:
            raise _bad_signature(f"authorization is not a valid token: {error}") from error
    raise not_allowed("the token was not signed with a secret of this api_key")


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
    if not isinstance(user_id, str) or user_id in ("", scopes.ANY):
        raise not_allowed("the token names neither a resource nor a user_id")
    return Principal(application_id, user_id=user_id)


def _comma_separated(claim: object) -> frozenset[str]:
    return frozenset(claim.split(",")) - {""} if isinstance(claim, str) else frozenset()


def not_allowed(detail: str) -> ApiError:
    return ApiError.named("NotAllowedException", detail)


def _bad_signature(detail: str) -> ApiError:
    return ApiError.named("SignatureException", detail)
