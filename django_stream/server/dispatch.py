"""The one entry of the server: a request goes in, an answer of the wire comes out."""

from __future__ import annotations

import json
import logging
import re
import time
from typing import Any

from django_stream.database.deadlocks import retry_on_deadlock
from django_stream.protocol.errors import ApiError, invalid
from django_stream.protocol.messages import ApiRequest, ApiResponse
from django_stream.server.auth import keys, tokens
from django_stream.server.requests import Body, Call, Parameters
from django_stream.server.routing import Route, find_route
from django_stream.server.throttle import admit

# A null character as JSON writes it: an escape that is not itself escaped.
_NULL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")

logger = logging.getLogger("django_stream.server")


def handle(request: ApiRequest) -> ApiResponse:
    """Answer one request. Every refusal is an answer; nothing raises."""
    started = time.perf_counter()
    headers: dict[str, str] = {}
    body: Body
    try:
        status, body = _answer(request, headers)
    except ApiError as error:
        status, body = error.http_status, error.envelope()
        headers |= error.headers
    except Exception:
        logger.exception("%s %s failed", request.method, request.path)
        failure = ApiError.named("InternalException", "the server failed to answer; its log has the reason")
        status, body = failure.http_status, failure.envelope()
    duration = f"{(time.perf_counter() - started) * 1000:.2f}ms"
    return ApiResponse(status, {**body, "duration": duration}, headers)


def _answer(request: ApiRequest, headers: dict[str, str]) -> tuple[int, Body]:
    route = find_route(request.method, request.path)
    credential = keys.credential_of(request.api_key)
    principal = tokens.verify(request.token, credential.secrets, credential.application_id)
    call = Call(
        request,
        route.endpoint,
        principal,
        route.captures,
        Parameters(request.query),
        route.enriched,
        _plain(request.body),
    )
    _authorize(call, route)
    admit(principal.application_id, route.endpoint.family, headers)
    return route.endpoint.status, _perform(call)


@retry_on_deadlock
def _perform(call: Call) -> Body:
    return call.endpoint.function(call)


def _authorize(call: Call, route: Route) -> None:
    principal, endpoint = call.principal, call.endpoint
    if principal.is_server:
        feeds = (call.feed_id.packed,) if "slug" in call.captures else ()
        if not principal.may(endpoint.resource, endpoint.action, feeds):
            raise tokens.not_allowed(
                f"the token does not allow {endpoint.action} on {endpoint.resource} here"
            )
    elif endpoint.users is None:
        raise tokens.not_allowed("this endpoint is open to server tokens only")
    else:
        endpoint.users(call)


def _plain(body: Any) -> Any:
    """A copy of the body, proven to be JSON that every database can store."""
    if body is None:
        return None
    try:
        text = json.dumps(body, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (ValueError, TypeError, RecursionError) as error:
        raise invalid(f"the body is not JSON: {error}") from error
    if _NULL.search(text):
        raise invalid("the body holds a null character")
    return json.loads(text)
