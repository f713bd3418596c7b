"""HTTP Signatures, by which some clients sign their batch calls instead of sending a token.

The form is that of draft-cavage-http-signatures: an HMAC over the request's date and, but for the oldest
clients, its target.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import time
from collections.abc import Mapping

from django.utils.http import parse_http_date

from django_stream.protocol import scopes
from django_stream.protocol.errors import ApiError
from django_stream.protocol.messages import ApiRequest
from django_stream.server.auth.keys import Credential
from django_stream.server.auth.principals import Principal
from django_stream.server.auth.tokens import bad_signature, not_allowed
from django_stream.server.conf import server_settings

TARGET = "(request-target)"
_SCHEME = "signature "
# Whoever knows the api_key may send a header of any length: no name is looked at from each of its letters.
_PARAMETER = re.compile(r'\b(?P<name>\w++)="(?P<value>[^"]*+)"', re.ASCII)
# What `feed/add_to_many`, `follow_many` and `unfollow_many` need.
_RESOURCES = frozenset({scopes.FEED, scopes.FOLLOWER})
# Seconds that the clocks of both may differ, as in the clients' own libraries.
_CLOCK_DIFFERENCE = 300


def is_signature(authorization: str) -> bool:
    """Whether a request is signed and carries no token."""
    return authorization[: len(_SCHEME)].lower() == _SCHEME


def verify(request: ApiRequest, credential: Credential) -> Principal:
    """The application's server, if it signed this request now, with the rights of a batch call.

    ApiError with status 401 for what is no signature, 403 for a wrong secret or another time.
    """
    parameters = {match["name"]: match["value"] for match in _PARAMETER.finditer(request.token)}
    if parameters.get("keyId") != request.api_key:
        raise bad_signature("keyId of the signature is not the api_key")
    if parameters.get("algorithm", "hmac-sha256").lower() != "hmac-sha256":
        raise bad_signature("the algorithm of the signature must be hmac-sha256")
    text = _signed_text(parameters.get("headers", "date").lower().split(), request.headers)
    _check_date(request.headers.get("Date", ""))
    try:
        given = base64.b64decode(parameters.get("signature", ""), validate=True)
    except ValueError as error:
        raise bad_signature("the signature is not base64") from error
    if not any(hmac.compare_digest(given, _digest(secret, text)) for secret in credential.secrets):
        raise not_allowed("the request was not signed with a secret of this api_key")
    return Principal(credential.application_id, resources=_RESOURCES, actions=frozenset({scopes.WRITE}))


def _digest(secret: str, text: str) -> bytes:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()


def _signed_text(names: list[str], headers: Mapping[str, str]) -> str:
    if "date" not in names or not {TARGET, "date"}.issuperset(names):
        raise bad_signature(f"the signature must be over '{TARGET} date'")
    values = {TARGET: headers.get("Request-Target", ""), "date": headers.get("Date", "")}
    return "\n".join(f"{name}: {values[name]}" for name in names)


def _check_date(text: str) -> None:
    try:
        moment = parse_http_date(text)
    except ValueError as error:
        raise bad_signature("a signed request has a Date such as 'Sat, 31 Jan 2026 12:00:00 GMT'") from error
    difference = abs(time.time() - moment)
    if difference > max(_CLOCK_DIFFERENCE, server_settings.TOKEN_LEEWAY_SECONDS):
        raise _outdated(difference)


def _outdated(difference: float) -> ApiError:
    return not_allowed(f"the Date of the request is {difference:.0f} seconds from this server's clock")
