"""The one entry of the server: a request goes in, an answer of the wire comes out."""

from __future__ import annotations

import logging
import time
from contextlib import nullcontext

from django_stream.database.deadlocks import retry_on_deadlock
from django_stream.database.transactions import reading_to_write
from django_stream.protocol import limits
from django_stream.protocol.errors import ApiError
from django_stream.protocol.messages import ApiRequest, ApiResponse
from django_stream.server import feed_groups
from django_stream.server.auth import keys, signatures, tokens
from django_stream.server.auth.principals import Principal
from django_stream.server.content import storable
from django_stream.server.endpoints import ENDPOINTS
from django_stream.server.events.event import called_by
from django_stream.server.extras import MissingExtra
from django_stream.server.requests import Body, Call, Parameters
from django_stream.server.routing import Route, compile_routes, find_route
from django_stream.server.streams.refusals import is_about_streams, with_meta
from django_stream.server.throttle import admit

# Of a batch, what is stored stands inside a few lists and objects, and is checked again by itself.
_BODY_DEPTH = limits.JSON_DEPTH + 6

_NO_ANSWER = "the server failed to answer; its log has the reason"

_ROUTES = compile_routes(ENDPOINTS)

logger = logging.getLogger("django_stream.server")


def handle(request: ApiRequest) -> ApiResponse:
    """Answer one request. Refusals and failures are answers too: nothing is raised."""
    started = time.perf_counter()
    headers: dict[str, str] = {}
    body: Body
    try:
        status, body = _answer(request, headers)
    except ApiError as error:
        status, body = _refusal(request, error, headers)
    except Exception as error:
        logger.exception("%r %r failed", request.method, request.path)
        reason = str(error) if isinstance(error, MissingExtra) else _NO_ANSWER
        status, body = _refusal(request, ApiError.named("InternalException", reason), headers)
    if is_about_streams(request.path):
        return ApiResponse(status, dict(body), headers)
    duration = f"{(time.perf_counter() - started) * 1000:.2f}ms"
    return ApiResponse(status, {**body, "duration": duration}, headers)


def _refusal(request: ApiRequest, error: ApiError, headers: dict[str, str]) -> tuple[int, Body]:
    told = with_meta(error) if is_about_streams(request.path) else error
    headers |= told.headers
    return told.http_status, told.envelope()


def _answer(request: ApiRequest, headers: dict[str, str]) -> tuple[int, Body]:
    parameters = Parameters(request.query)
    route = find_route(_ROUTES, request.method, request.path, parameters)
    credential = keys.credential_of(request.api_key)
    principal = _verified(request, credential)
    call = Call(
        request,
        route.endpoint,
        principal,
        route.captures,
        parameters,
        route.enriched,
        None if request.body is None else storable(request.body, depth=_BODY_DEPTH),
    )
    with nullcontext() if request.method == "GET" else reading_to_write():
        _authorize(call, route)
        admit(principal, route.endpoint.family, headers)
        return route.endpoint.status, _perform(call)


def _verified(request: ApiRequest, credential: keys.Credential) -> Principal:
    if signatures.is_signature(request.token):
        return signatures.verify(request, credential)
    return tokens.verify(request.token, credential.secrets, credential.application_id)


@retry_on_deadlock
def _perform(call: Call) -> Body:
    with called_by(_caller(call), is_server=call.principal.is_server):
        return call.endpoint.function(call)


def _caller(call: Call) -> str:
    """The token's user; a server token may name, in the query of a deletion, the user who asked for it."""
    if call.principal.user_id is not None:
        return call.principal.user_id
    return call.parameters.text("user_id") if call.request.method == "DELETE" else ""


def _authorize(call: Call, route: Route) -> None:
    principal, endpoint = call.principal, call.endpoint
    if principal.is_server:
        feed = call.feed_id if "slug" in call.captures else None
        slugs = feed_groups.groups_of(principal.application_id)
        if not principal.may(endpoint.resource, endpoint.action, feed, slugs):
            raise tokens.not_allowed(
                f"the token does not allow {endpoint.action} on {endpoint.resource} here"
            )
    elif endpoint.users is None:
        raise tokens.not_allowed("this endpoint is open to server tokens only", slug="app-token-required")
    else:
        endpoint.users(call)
