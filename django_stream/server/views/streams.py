"""The channel of a stream as Django views: endless under ASGI, one batch under WSGI."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.csrf import csrf_exempt

from django_stream.protocol.errors import ApiError
from django_stream.server.actions.streams import at_end
from django_stream.server.content import encoded
from django_stream.server.streams import admission, hub, polling, transports
from django_stream.server.streams.admission import Wish
from django_stream.server.streams.refusals import with_meta
from django_stream.server.streams.transports import Transport
from django_stream.server.views.api import allow_origin, other_method

logger = logging.getLogger("django_stream.server")

Answer = Callable[[Wish, Transport], Awaitable[HttpResponseBase]]


@csrf_exempt
async def channel(request: HttpRequest, stream: str, secret: str) -> HttpResponseBase:
    """Push a stream's events, or answer those that are there where a response cannot stay open."""
    if (other := other_method(request, "channel")) is not None:
        return other
    headers = {name.lower(): value for name, value in request.headers.items()}
    query = request.GET.dict()
    answer: Answer = _endless if isinstance(request, ASGIRequest) else sync_to_async(_bounded)
    try:
        wish = transports.wish_of(stream, secret, headers, query)
        response = await answer(wish, transports.transport_for(headers, query))
    except ApiError as error:
        response = _refusal(error)
    except Exception:
        logger.exception("the channel of stream %r could not be opened", stream)
        response = _refusal(ApiError.named("InternalException", "the server failed; its log has the reason"))
    return allow_origin(request, response)


async def _endless(wish: Wish, transport: Transport) -> HttpResponseBase:
    admitted = await hub.admit(wish)
    body = transports.body_of(transport, admitted, at_end(admitted))
    return StreamingHttpResponse(body, headers=transports.headers_of(transport, admitted))


def _bounded(wish: Wish, transport: Transport) -> HttpResponseBase:
    admitted = admission.admit(wish)
    # Browsers come back with the id of the last event.
    keeps_cursor = bool(wish.last_event_id) or transport is transports.SERVER_SENT
    found = polling.poll(admitted, keeps_cursor=keeps_cursor).with_gap()
    if (end := at_end(admitted)) is not None:
        end()
    text = transport.opening() + (transport.body(found) if found else b"")
    return HttpResponse(text, headers=transports.headers_of(transport, admitted))


def _refusal(error: ApiError) -> HttpResponse:
    told = with_meta(error)
    return HttpResponse(
        encoded(told.envelope()),
        status=told.http_status,
        headers={"Content-Type": "application/json", **told.headers},
    )
